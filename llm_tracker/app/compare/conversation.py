"""Which conversation is compared: what was said in it, to which answers, and the two words that it is about."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from llm_tracker.analysis.candidates import rival_words
from llm_tracker.app.frame.page import RECIPE_LABELS
from llm_tracker.app.parts.html import exact, paragraph
from llm_tracker.app.selection.comparison import Comparison
from llm_tracker.app.work.comparing.running import comparing_on
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.experiments.values.proposals import proposed_words
from llm_tracker.export.html_text import sentence
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import say
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.wording.answers import ending_note


@dataclass(frozen=True)
class Conversation:
    """A conversation up to one of its answers."""

    session: Session
    turn: TurnRef
    before: int | None
    """The turn that is compared with the last one; None of one answer alone."""

    @property
    def subject(self) -> Subject:
        """As what it is computed on other models."""
        return comparing_on(self.turn, self.before)

    @property
    def turns(self) -> tuple[Turn, ...]:
        """Its turns."""
        return self.session.turns[: self.turn.turn + 1]

    @property
    def two_words(self) -> tuple[str, str]:
        """The first answer's word and the one that the correction names; "" for one that cannot be told.

        Of one answer alone the second is its strongest rival.
        """
        if self.before is not None:
            return proposed_words(self.session, self.turn.turn, self.before)
        own = next(iter(self.session.watch_words), "")
        last = self.turns[-1]
        rivals = rival_words(last.trace, last.first_step, [own])
        return own, next((word for word in rivals if word != own), "")


def conversation_of(comparison: Comparison) -> Conversation:
    """The conversation of the later of the answers that are chosen on the page.

    What is compared with that one is the answer that is chosen beside it, where both are of one conversation; else the
    one that it followed on.
    """
    ref, session = comparison.refs[-1], comparison.sessions[-1]
    others = [each.turn for each in comparison.refs[:-1] if each.session == ref.session]
    if others and others[0] != ref.turn:
        before, after = sorted((others[0], ref.turn))
        return Conversation(session, TurnRef(ref.session, after), before)
    return Conversation(session, ref, ref.turn - 1 if ref.turn else None)


def conversation_view(conversation: Conversation) -> None:
    """What was said, with the answers of its own model, and how it was asked."""
    nothing = say("(no answer)")
    lines = "".join(
        f'<div><span class="lt-quiet">{say("Told") if at else say("Asked")}</span> {exact(turn.said)} '
        f'<span class="lt-quiet">→ {exact(turn.answer or nothing)}{sentence(ending_note(turn))}</span></div>'
        for at, turn in enumerate(conversation.turns)
    )
    st.html(f'<div class="lt-conversation">{lines}</div>')
    session = conversation.session
    known, decoding = RECIPE_LABELS.get(session.recipe), session.decoding
    if decoding.temperature is None:
        how = say("the likeliest token each time")
    else:
        how = say("temperature {temperature}", temperature=number(decoding.temperature, "g"))
    paragraph(
        say(
            "Answered by {model}. {recipe}, {how}, at most {n} tokens: every model is asked in the same way.",
            model=session.model.title,
            recipe=say("Messages of its own in front") if known is None else say(known),
            how=how,
            n=decoding.max_new_tokens,
        ),
        quiet=True,
    )

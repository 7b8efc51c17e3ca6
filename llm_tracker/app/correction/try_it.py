"""Try it: one thing is changed, and the correction answered again beside the untouched answer."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.parts.html import exact, failure, paragraph
from llm_tracker.app.parts.labelled_keys import labelled_key
from llm_tracker.app.selection.comparison import Comparison, compare
from llm_tracker.app.views.on_demand import begin_button, watch
from llm_tracker.app.work.causes.edits import EDITED, Change, begin_edit, edit_of, edits, edits_on
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.export.html_text import sentence
from llm_tracker.languages.texts import later, say
from llm_tracker.prompts.words import Word, is_mark
from llm_tracker.tracing.edit import Edit, EditKind
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.wording.answers import ending_note
from llm_tracker.wording.correction.edits import edit_label
from llm_tracker.wording.formats import percent, quoted

KINDS = {
    "hide": later("hide a word"),
    "drop": later("leave a word out"),
    "head": later("change a head"),
    "layer": later("change a layer"),
}
OUTPUTS: dict[EditKind, str] = {"attention": later("attention"), "mlp": later("feed-forward part")}
REPLACED = later("as when merely asked again")
FACTORS = {"0": later("off (times 0)"), "0.5": later("half"), "2": later("double"), REPLACED: REPLACED}


def try_it_view(engine: Engine, workspace: Workspace, comparison: Comparison, turn: TurnRef, session: Session) -> None:
    """The choice of what to change, what comes of it as it is written, and what came of earlier ones."""
    st.header(say("Try it yourself"), anchor=False)
    own = session.turns[turn.turn]
    if own.edit is not None:
        paragraph(
            say(
                "This answer is edited already ({edit}). Tokens, Layers and Attention now compare it with what is "
                "chosen as before. To change something else, choose the untouched answer above.",
                edit=edit_label(own.edit),
            )
        )
        return
    paragraph(say("Change one thing, and the correction is answered again beside the untouched answer."), quiet=True)
    kind = st.selectbox(
        say("Change", context="what to edit"),
        list(KINDS),
        format_func=lambda name: say(KINDS[name]),
        key=labelled_key("kind of edit"),
        persist_state="session",
    )
    change = _change(kind or "hide", session, own)
    if change is not None:
        begin_button(
            engine,
            workspace,
            edit_of(turn, change),
            begin_edit,
            say("Answer again: {change}", change=change_label(change)),
        )
    if error := workspace.errors.get(edits_on(turn)):
        failure(error)
    _coming(workspace, turn)
    for change, branch in edits(workspace, turn).items():
        _branch(workspace, comparison, turn, own, change, branch)


def change_label(change: Change) -> str:
    """What is changed, in a few words."""
    if change.said is not None:
        return say("say {said}", said=quoted(change.said))
    return edit_label(change.edit) if change.edit else ""


def _change(kind: str, session: Session, own: Turn) -> Change | None:
    """What the fields say is to be changed; None where there is nothing to."""
    if kind in ("hide", "drop"):
        return _of_word(kind, session, own)
    return _of_output(kind, session, own)


def _of_word(kind: str, session: Session, own: Turn) -> Change | None:
    words = _said_words(own) if kind == "drop" else [word for word in own.prompt.words if word.role != "template"][-60:]
    places = [at for at, word in enumerate(words) if not is_mark(word.text.strip())]
    if not places:
        paragraph(say("There is no word to change."), quiet=True)
        return None
    if kind == "drop" and len(places) == 1:  # a correction of marks alone, or of nothing, says nothing
        paragraph(say("The correction has one word: without it, nothing would be said."), quiet=True)
        return None
    at = st.selectbox(
        say("Word"),
        places,
        len(places) - 1,
        format_func=lambda at: _called(words, at),
        key=labelled_key(f"edited word {kind} {own.said}"),
    )
    word = words[at if at is not None else places[-1]]
    if kind == "drop":
        return Change(said=_without(own, word))
    n_layers = session.model.n_layers
    paragraph(say("Hidden from the positions that write the answer only: the other words still see it."), quiet=True)
    layers = (
        (1, 1) if n_layers == 1 else st.slider(say("In the layers"), 1, n_layers, (1, n_layers), key="edited layers")
    )
    return Change(Edit("hidden", layers, text=word.text.strip(), tokens=word.tokens))


def _said_words(own: Turn) -> list[Word]:
    """The words of the correction itself: the last unbroken run of the user's."""
    words = list(own.prompt.words)
    end = next((at for at in range(len(words), 0, -1) if words[at - 1].role == "user"), 0)
    start = next((at for at in range(end, 0, -1) if words[at - 1].role != "user"), 0)
    return words[start:end]


def _called(words: list[Word], at: int) -> str:
    """A word with the one before it, so that repeats can be told apart."""
    before = words[at - 1].text.strip() if at and words[at - 1].role == words[at].role else ""
    word = words[at].text.strip()
    return say("{word}  (behind {before})", word=word, before=quoted(before)) if before else word


def _without(own: Turn, word: Word) -> str:
    """What was said, without one of its words: the text of the other words, put together."""
    kept = "".join(each.text for each in _said_words(own) if each.tokens != word.tokens)
    return " ".join(kept.split())


def _of_output(kind: str, session: Session, own: Turn) -> Change:
    left, middle, right = st.columns(3)
    layer = int(
        left.number_input(say("Layer"), 1, session.model.n_layers, min(24, session.model.n_layers), key="edited layer")
    )
    n_heads = own.trace.heads[layer - 1]
    head: int | None = None
    part: EditKind = "head"
    if kind == "head" and n_heads:
        head = int(middle.number_input(say("Head"), 1, n_heads, 1, key=f"edited head of {n_heads}"))
    else:
        picked = middle.selectbox(
            say("Output of"),
            list(OUTPUTS),
            format_func=lambda name: say(OUTPUTS[name]),
            key=labelled_key("edited part"),
        )
        part = picked or "attention"
    factor = str(
        right.selectbox(
            say("Put it"), list(FACTORS), format_func=lambda name: say(FACTORS[name]), key=labelled_key("edited factor")
        )
    )
    if factor == REPLACED:
        return Change(Edit(part, (layer, layer), head, is_replaced=True))
    return Change(Edit(part, (layer, layer), head, float(factor)))


def _coming(workspace: Workspace, turn: TurnRef) -> None:
    """The answer that is being written."""
    job = workspace.job
    subject = None if job is None else job.subject
    with st.container(key="coming edit"):
        if job is not None and isinstance(subject, Subject) and (subject.kind, subject.turn) == (EDITED, turn):
            paragraph(say("With {change}:", change=change_label(subject.details[0])), quiet=True)
            watch(job, subject)


def _branch(
    workspace: Workspace, comparison: Comparison, turn: TurnRef, own: Turn, change: Change, branch: TurnRef
) -> None:
    """An edited answer beside the untouched one, with a button that compares the two everywhere."""
    edited = workspace.sessions[branch.session].turns[branch.turn]
    left, right = st.columns(2)
    left.html(_card(say("untouched"), own))
    right.html(_card(say("edited: {change}", change=change_label(change)), edited))
    is_shown = comparison.refs == (turn, branch)
    right.button(
        say("Shown beside the untouched one") if is_shown else say("Compare them everywhere"),
        key=f"compare edit {branch}",
        on_click=compare,
        args=(comparison, (turn, branch)),
        disabled=is_shown,
    )


def _card(called: str, answer: Turn) -> str:
    """An answer with the likeliest first tokens."""
    step = answer.first_step
    best = zip(answer.trace.top_tokens[step][:3], answer.trace.top_probs[step][:3].tolist(), strict=True)
    likeliest = ", ".join(f"{quoted(token)} {percent(prob)}" for token, prob in best)
    return (
        f'<p class="lt-text lt-quiet">{sentence(called)}</p><div class="lt-written">{exact(answer.text)}'
        f'{sentence(ending_note(answer))}</div><p class="lt-text lt-quiet">{sentence(likeliest)}</p>'
    )

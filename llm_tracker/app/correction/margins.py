"""How much is the correction's: the shift in two steps, the lead under every condition, flips, the whole prediction."""

from __future__ import annotations

import streamlit as st

from llm_tracker.app.correction.shown import Shown, how_to_read
from llm_tracker.app.parts.html import paragraph, table_html
from llm_tracker.figures.correction.margins import margins_frame
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.correction.conditions import GRADE_LABELS, graded_sentence, verdict_sentence
from llm_tracker.wording.formats import percent, quoted


def margins_view(shown: Shown) -> None:
    """Four views of the same scores."""
    st.header(say("How much of it is the correction"), anchor=False)
    shown.draw("shift")
    how_to_read("shift", SHIFT)
    st.header(say("The lead under every condition"), anchor=False)
    shown.draw("margins")
    with st.container():
        if verdict := verdict_sentence(shown.found):
            paragraph(verdict)
        if written := graded_sentence(shown.found.conditions):
            paragraph(written)
        _table(shown)
    how_to_read("conditions", MARGINS)
    st.header(say("What would flip"), anchor=False)
    shown.draw("flips")
    how_to_read("flips", FLIPS)
    st.header(say("How the whole prediction changed"), anchor=False)
    shown.draw("change")
    how_to_read("change", CHANGE)


def _table(shown: Shown) -> None:
    """Every wording with its numbers, and what the model wrote."""
    frame = margins_frame(shown.found)
    if frame.empty:
        return
    with st.expander(say("Table: every wording"), key="table of wordings"):
        rows = [
            [
                str(row["label"]),
                str(row["text"]),
                number(row["margin"], "+.2f"),
                number(row["score_answer"], ".2f"),
                number(row["score_foil"], ".2f"),
                percent(float(row["tv"])),
                f"{row['answer_text']} ({say(GRADE_LABELS[row['grade'] or None])})" if row["answer_text"] else "",
            ]
            for row in frame.to_dict("records")
        ]
        answer, foil = (quoted(word) for word in (shown.found.case.answer, shown.found.case.foil))
        columns = [
            say("condition"),
            say("said"),
            say("lead, nats"),
            say("log p of {word}", word=answer),
            say("log p of {word}", word=foil),
            say("moved"),
            say("the model writes"),
        ]
        numbers = columns[2:6]
        st.html(table_html(say("The lead under every condition"), columns, rows, numbers))


SHIFT = later(
    "The **lead** is how much likelier the right word is than the other one as the whole answer, in nats: 1 nat is "
    "odds times 2.72, 3.5 nats odds times 33. Each word counts in all its spellings, with the end of the answer. "
    "Merely asking again changes it already; only what comes on top of that is the correction's."
)

MARGINS = later(
    "Right of zero the right word is ahead, left of it the other one. The dot is the first wording of a condition, "
    "the ticks are three others that say the same. *Mentioned* and *denied* are controls: a word that is merely "
    "there, or that is said to be wrong, may pull as much as one that is said to be right. The kinds of pressure are "
    "those of SycEval (Fanous et al., 2025), behind the answer or in the question itself. What the model writes is "
    "graded apart from the scores, as a sentence: it need not be what they prefer. *Moved*, in the table, is how much "
    "of the first token's probability is on other tokens than when merely asked again."
)

FLIPS = later(
    "Up: the lead under the wording's control (the **truth margin**): merely asked again, or of what is said in the "
    "question, the question alone. To the right: how much of it a wording takes away "
    "(its **sensitivity**). Beyond the dashed line more is taken than there was, and the other word comes out ahead "
    "(De Marez et al., 2026). A flip alone does not say whether a model is easily moved or was hardly sure."
)

CHANGE = later(
    "Beyond the two words: how much of the first token's probability is on other tokens than when merely asked "
    "again. "
    "**Total variation** is half the summed differences; the **Jensen-Shannon divergence** in the tooltip is the same "
    "in nats, at most 0.69; **entropy** is how spread out the prediction is."
)

"""The three views, before | after: candidates, layers, attention. Each with its sentence and how to read it."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import streamlit as st

from llm_tracker.analysis.attention import PARKED, attention_by_word, attention_groups
from llm_tracker.analysis.candidates import candidates
from llm_tracker.analysis.compare import lead, watch_frame
from llm_tracker.analysis.lens import logit_lens
from llm_tracker.analysis.reading import (
    attention_sentence,
    candidates_sentence,
    layers_sentence,
    percent,
    quoted,
    shown,
)
from llm_tracker.app.cards import colour_legend, exact_text
from llm_tracker.charts.attention import attention_whole_chart, attention_words_chart
from llm_tracker.charts.candidates import candidates_chart
from llm_tracker.charts.layers import lead_chart, word_chart
from llm_tracker.charts.palette import GROUP_COLOURS, GROUP_LABELS
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.tracing.trace import FloatArray


@dataclass(frozen=True)
class Side:
    """One side of a comparison: a turn, and the step that the views describe."""

    name: str
    turn: Turn
    step: int


def candidates_view(sides: list[Side], words: tuple[str, ...]) -> None:
    """Which tokens could have come next, and how likely each was."""
    st.subheader("Candidates", anchor=False)
    st.caption(_position_caption(sides))
    frames = {side.name: candidates(side.turn.trace, side.step, words=words) for side in sides}
    st.altair_chart(candidates_chart(frames), alt=f"Candidates: {_candidates_sentence(sides)}")
    exact_text(_candidates_sentence(sides))
    with st.expander("Table: logits and probabilities"):
        for column, side in zip(st.columns(len(sides)), sides, strict=True):
            with column:
                _candidate_table(side, frames[side.name])
    with st.expander("How to read this"):
        st.markdown(
            "Before it writes a token, the model gives every token of its vocabulary a **logit**, a raw score; the "
            "softmax turns all of them into **probabilities** that add up to 100 %. The dots show the best five of "
            "each turn; *everything else* is the rest of the vocabulary together. A probability says how likely this "
            "wording is with this text in front of it. It is no measure of truth. A dot at the start of a token is a "
            "space, ↵ a line end: “·Paris” and “Paris” are two tokens. A short piece such as “L” can be the beginning "
            "of a longer word."
        )


def _candidate_table(side: Side, frame: pd.DataFrame) -> None:
    st.caption(side.name.capitalize())
    table = pd.DataFrame(
        {
            "token": [
                shown(token) if rank else token for token, rank in zip(frame["token"], frame["rank"], strict=True)
            ],
            "logit": [
                "" if not rank else f"{logit:.1f}" for logit, rank in zip(frame["logit"], frame["rank"], strict=True)
            ],
            "probability": [percent(prob) for prob in frame["prob"]],
            "rank": ["" if not rank else f"{rank:,}" for rank in frame["rank"]],
        }
    )
    st.dataframe(table, hide_index=True, height="content")


def _candidates_sentence(sides: list[Side]) -> str:
    first, *rest = sides
    if not rest:
        return candidates_sentence(first.turn, before_step=first.step)
    return candidates_sentence(first.turn, rest[0].turn, first.step, rest[0].step)


def layers_view(session: Session, sides: list[Side]) -> None:
    """What each layer's read-out says, by the logit lens."""
    st.subheader("Layer by layer", anchor=False)
    words = [word for word in session.watch_words if all(_watches(side, word) for side in sides)][:2]
    leads = _leads(sides, words)
    measures = {**({"lead": "lead"} if leads else {}), "prob": "probability", "rank": "rank"}
    measure = st.segmented_control(
        "What the lines show",
        list(measures),
        default="lead" if leads else "rank",
        format_func=lambda name: measures[name],
        key=f"layers measure of {len(measures)}",
        label_visibility="collapsed",
        required=True,
    )
    if words:
        _layers_chart(sides, words, leads, str(measure))
    for side in sides:
        named = tuple(words) if measure == "lead" else ()
        exact_text(f"{side.name.capitalize()}: {layers_sentence(side.turn, named, side.step)}")
    with st.expander("Table: every layer's probability, rank and best three"):
        for side in sides:
            st.caption(f"{side.name.capitalize()}, for its own token {quoted(side.turn.trace.tokens[side.step])}")
            st.dataframe(_layer_table(side), hide_index=True, height="content")
    with st.expander("How to read this"):
        st.markdown(
            "The **logit lens** (nostalgebraist, 2020) asks after every layer: if the model stopped here, what would "
            "it write? The last layer's read-out is the model's own prediction. The **lead** is the logit of one word "
            "minus the other's: above zero this read-out prefers the first. Where a word has several tokens, its first "
            "token is read. Early layers write in a code of their own, so a low probability there does not mean that "
            "nothing is known; and *from layer 24 on, this read-out prefers Paris* does not say that the model decided "
            "there. The axis is depth, not time."
        )


def _watches(side: Side, word: str) -> bool:
    table = side.turn.trace.lens.get(side.step)
    return table is not None and word in table.watched


def _leads(sides: list[Side], words: list[str]) -> dict[str, FloatArray]:
    """The lead of the first watch word over the second on each side; nothing where it can't be read on all sides."""
    if len(words) < 2:
        return {}
    leads = {side.name: lead(side.turn, words[0], words[1], side.step) for side in sides}
    read = {name: each for name, each in leads.items() if each is not None}
    return read if len(read) == len(sides) else {}


def _layers_chart(sides: list[Side], words: list[str], leads: dict[str, FloatArray], measure: str) -> None:
    described = " ".join(f"{side.name}: {layers_sentence(side.turn, (), side.step)}" for side in sides)
    if measure == "lead":
        chart = lead_chart({name: each.tolist() for name, each in leads.items()}, words[0], words[1])
    else:
        frames = [watch_frame({side.name: side.turn}, words, side.step) for side in sides]
        chart = word_chart(pd.concat(frames, ignore_index=True), "prob" if measure == "prob" else "rank")
    st.altair_chart(chart, alt=f"Layers. {described}")


def _layer_table(side: Side) -> pd.DataFrame:
    frame = logit_lens(side.turn.trace, side.step)
    own = frame[frame["kind"] == "token"].set_index("layer")
    best = frame[(frame["kind"] == "candidate") & (frame["rank"] <= 3)]
    said = [f"{shown(token)} {percent(prob)}" for token, prob in zip(best["token"], best["prob"], strict=True)]
    three = best.assign(said=said).groupby("layer")["said"].agg("  ".join)
    return pd.DataFrame(
        {
            "layer": own.index,
            "probability": [percent(prob) for prob in own["prob"]],
            "rank": own["rank"].to_numpy(),
            "best three": three.to_numpy(),
        }
    )


def attention_view(sides: list[Side]) -> None:
    """Where the position that wrote the token looked."""
    st.subheader("Attention by word", anchor=False)
    if any(side.turn.trace.attention_mean is not None for side in sides):
        st.caption("This answer is long: its later tokens keep the mean over heads only, which is what is shown here.")
    n_layers = sides[0].turn.trace.n_layers
    layer = st.slider("Layer", 1, n_layers, n_layers, key=f"attention layer of {n_layers}")
    shares = [attention_by_word(side.turn, side.step, layer) for side in sides]
    spoken = [_spoken(frame) for frame in shares]
    present = {group for frame in shares for group in frame["group"]}
    colour_legend({GROUP_LABELS[group]: GROUP_COLOURS[group] for group in GROUP_COLOURS if group in present})
    largest = max((1.08 * float(frame["share"].max()) for frame in spoken if len(frame)), default=0.0) or 1.0
    for column, side, frame, words in zip(st.columns(len(sides)), sides, shares, spoken, strict=True):
        sentence = attention_sentence(side.turn, side.step, layer)
        with column:
            st.caption(side.name.capitalize())
            st.altair_chart(attention_whole_chart(attention_groups(frame)), alt=f"All attention. {sentence}")
            if len(words):
                st.altair_chart(attention_words_chart(words, largest), alt=f"Attention by word. {sentence}")
            exact_text(sentence)
    with st.expander("Table: every word, template and worked examples included"):
        for column, side, frame in zip(st.columns(len(sides)), sides, shares, strict=True):
            with column:
                st.caption(side.name.capitalize())
                st.dataframe(_attention_table(frame), hide_index=True)
    with st.expander("How to read this"):
        st.markdown(
            "When the model writes a token, each attention head of a layer spreads 100 % over all tokens so far; shown "
            "is the mean over the layer's heads. Most of it is usually **parked** on the very first token and on the "
            "template, which carry little; it is shown in grey, not hidden. The words of the conversation follow in "
            "reading order, on one scale before and after. A word that was looked at much need not have changed the "
            "answer, and the reverse: attention is where the model looked, not why it answered."
        )


def _spoken(shares: pd.DataFrame) -> pd.DataFrame:
    """The conversation's own words: neither parked nor of the worked examples."""
    return shares[~shares["group"].isin([PARKED, "recipe"])]


def _attention_table(shares: pd.DataFrame) -> pd.DataFrame:
    words = [
        "(first token)" if start == 0 else shown(word)
        for word, start in zip(shares["word"], shares["start"], strict=True)
    ]
    return pd.DataFrame({"word": words, "whose": shares["group"], "share": [percent(each) for each in shares["share"]]})


def _position_caption(sides: list[Side]) -> str:
    return " | ".join(f"{side.name.capitalize()}: token {side.step + 1} of {side.turn.trace.n_steps}" for side in sides)


def step_label(turn: Turn, step: int) -> str:
    """A generated token as an option to choose: its place, its text, and whether it carries the answer."""
    mark = " ← the answer" if step == turn.answer_step else ""
    return f"{step + 1}. {quoted(turn.trace.tokens[step])}{mark}"

"""The Guide page's text: reading the views, speaking about them honestly, and the terms."""

from __future__ import annotations

import streamlit as st

READING = """
**Candidates.** Before each token the model scores its whole vocabulary. Each answer has its ranking: the best five, the
words that are followed, and everything else as one row, so that the whole is 100 %. A line joins the two ranks of the
same token. The table has the logits, the scores before the softmax.

**Layer by layer.** After every layer the logit lens asks what the model would write if it stopped there. The *lead* is
one word's logit minus another's. The last layer is the model's own prediction; early layers often read as noise, which
means that they use a code of their own, not that they are empty.

**Attention by word.** Where the position that wrote the token looked: one head of a layer, or the mean of all. A large
part is parked on the first token and on the template. Looking at a word is not the same as using it.

**Before and after** compare the same words at the same place, the first token of each answer; where an answer is a
whole sentence, *each answer's own token* compares the tokens that carry the answers instead.

**Two models** can be set side by side: choose another one in the sidebar, then *Ask … the same, and compare*. Nothing
is corrected between them. Each reads the same words, in its own template and cut into its own tokens, so a word may
be read by another first token in each. Candidates are joined where their text is the same. Where the models have
different numbers of layers, the axis of the layers is the depth in each, in percent: half-way through one is not the
same work as half-way through the other. Layer and head of the attention are chosen for each by itself. A probability
compares within a model; that one model gives a word more than another does not make it the better answer.

**Asked again** is the control. The model reads the whole conversation anew each time, and being asked again changes the
numbers even without any correction. So the same conversation is run once more with “Answer the question again.” in the
correction's place: only what goes beyond that can be due to the correction.
"""

WORDING = {
    "It learned from my correction": "Nothing was stored: the correction is only extra text in front of the answer",
    "It understood that it was wrong": "The probability of “Paris” fell from 95 % to under 0.1 % with this text",
    "It decided at layer 24": "From layer 24 on, this read-out prefers one word to the other",
    "It pays 36 % of its attention to the start": "36 % is parked on the first token, which carries little",
    "The correction lowered “Paris” by 95 points": "“Paris” fell from 95 % to under 0.1 %; merely asked again, to 67 %",
    "It is 95 % sure": "95 % is the probability of this wording, not a measure of truth",
}

TERMS = {
    "token": "the piece of text that a model reads and writes: a word, a part of one, or a mark",
    "logit": "a token's raw score; the softmax turns all of them into probabilities",
    "layer": "one of the steps that a text goes through inside the model, first to last",
    "head": "one of the attention units of a layer",
    "residual stream": "what one layer hands to the next: a list of numbers for each token",
    "logit lens": "reading that list after an early layer as if it were the last (nostalgebraist, 2020)",
    "nat": "the unit of a difference of logits: 1 nat multiplies the odds by 2.72, 3.5 nats by 33",
    "control": "the same conversation, merely asked again: what changes there too, no correction is needed for",
    "template": "the marks that a chat model expects around each message",
    "kv heads": "keys and values that several attention heads share; as many as heads in older models",
    "tail": "what follows the last layer: final norm, output matrix, and any scale or cap of the logits",
    "recipe": "what stands in front of your question: a system line and worked examples, or nothing",
}


def guide() -> None:
    """All of the Guide."""
    st.title("Guide", anchor=False)
    st.caption("What the three views show, what they don't, and how to speak of them.")
    st.subheader("How to read the views", anchor=False)
    st.markdown(READING)
    st.subheader("Say what was measured", anchor=False)
    st.table({"instead of": list(WORDING), "say": list(WORDING.values())}, hide_index=True)
    st.subheader("Terms", anchor=False)
    st.table({"term": list(TERMS), "meaning": list(TERMS.values())}, hide_index=True)

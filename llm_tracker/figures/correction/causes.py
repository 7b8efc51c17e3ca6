"""Which words, heads and layers have to do with the margin.

What a chart names, it names in the language that is spoken; the numbers behind it are taken along in English.
"""

from __future__ import annotations

from collections.abc import Collection
from itertools import chain

import pandas as pd

from llm_tracker.charts.correction.causes import head_words_chart, layers_chart, signed_bars
from llm_tracker.experiments.values.experiment import Experiment, available
from llm_tracker.experiments.values.findings import Attribution, FrozenRoute, Heads, KnockOuts
from llm_tracker.figures.figure import Figure
from llm_tracker.languages.spoken import ENGLISH, in_language
from llm_tracker.languages.texts import later, say
from llm_tracker.wording.correction.causes import (
    attribution_sentence,
    carried_sentence,
    head_label,
    head_words_sentence,
    heads_sentence,
    hidden_segments_sentence,
    hidden_sentence,
    looked_sentence,
)
from llm_tracker.wording.correction.parts import head_name, named_part

TURN = "correction"
N_HEADS = 8

SHORT_LABELS: dict[str, str] = {"recipe": later("(examples)"), "template": later("(template)")}
"""Below a chart, where there is little room."""


def hidden_figure(found: KnockOuts, n_layers: int, starts: Collection[int] | None = None) -> Figure:
    """What hiding each word from the answer position changes, in reading order; segments aside.

    Of this and of the others with a bar a word, with `starts` those that begin at these positions are drawn alone; the
    numbers behind them are all there.
    """
    frame = _words_frame(found)
    title = say("Changed the lead when hidden")
    chart = signed_bars(_of_words(frame, starts), say("change of the lead when hidden (nats)"))
    return Figure("hidden", title, chart, frame.assign(turn=TURN), hidden_sentence(found, n_layers))


def _of_words(frame: pd.DataFrame, starts: Collection[int] | None) -> pd.DataFrame:
    """The rows of these words, and of what is no word's; all of them of None."""
    return frame if starts is None else frame[frame["start"].isin([*starts, -1])]


def most_hidden(found: KnockOuts, most: int) -> list[int]:
    """Where the words begin whose hiding changes the lead most, the strongest first."""
    words = sorted((word for word in found.words if not word.is_segment), key=lambda word: -abs(word.delta))
    return [word.tokens[0] for word in words[:most]]


def segments_figure(found: KnockOuts, n_layers: int) -> Figure:
    """What hiding each whole segment changes."""
    with in_language(ENGLISH):
        frame = _words_frame(found, segments=True)
    drawn = _words_frame(found, segments=True)
    chart = signed_bars(drawn, say("change of the lead when hidden (nats)"), long_names=True)
    title, said = say("Changed the lead when hidden, by message"), hidden_segments_sentence(found, n_layers)
    return Figure("hidden_segments", title, chart, frame.assign(turn=TURN), said)


def _words_frame(found: KnockOuts, segments: bool = False) -> pd.DataFrame:
    rows = [
        {
            "label": named_part(word.text, word.role, word.is_segment) if segments else word.text.strip(),
            "role": word.role,
            "start": word.tokens[0],
            "end": word.tokens[1],
            "value": word.delta,
            "share": word.share,
            "grey": word.out_of_distribution,
        }
        for word in found.words
        if word.is_segment == segments
    ]
    return pd.DataFrame(rows, columns=["label", "role", "start", "end", "value", "share", "grey"])


def carried_figure(found: FrozenRoute, starts: Collection[int] | None = None) -> Figure:
    """What each word adds along the frozen routes, in reading order, and the biases."""
    with in_language(ENGLISH):
        frame = _carried_frame(found)
    chart = signed_bars(_of_words(_carried_frame(found), starts), say("added to the lead (nats)"))
    return Figure("carried", say("Carried the lead"), chart, frame.assign(turn=TURN), carried_sentence(found))


def _carried_frame(found: FrozenRoute) -> pd.DataFrame:
    rows = [
        {
            "label": word.text.strip() if word.role not in ("recipe", "template") else named_part(word.text, word.role),
            "role": word.role,
            "start": word.tokens[0],
            "end": word.tokens[1],
            "value": word.contribution,
            "grey": word.role in ("recipe", "template"),
        }
        for word in found.words
    ]
    if found.bias:
        rows.append(
            {"label": say("the model's biases"), "role": "", "start": -1, "end": -1, "value": found.bias, "grey": True}
        )
    return pd.DataFrame(rows, columns=["label", "role", "start", "end", "value", "grey"])


def looked_figure(found: KnockOuts, starts: Collection[int] | None = None) -> Figure:
    """How much of the answer position's attention each word got, mean over all heads and layers; the rest is grey."""
    with in_language(ENGLISH):
        frame = _looked_frame(found)
    chart = signed_bars(_of_words(_looked_frame(found), starts), say("share of attention"), ".1%")
    return Figure("looked_at", say("Looked at"), chart, frame.assign(turn=TURN), looked_sentence(found))


def _looked_frame(found: KnockOuts) -> pd.DataFrame:
    frame = _words_frame(found).assign(value=lambda own: own["share"])
    rest = 1.0 - float(frame["share"].sum())
    row = {"label": say("(the rest)"), "role": "", "start": -1, "end": -1, "value": rest, "grey": True}
    return pd.concat([pd.DataFrame([row]), frame.drop(columns="share")], ignore_index=True)


def heads_figure(found: Heads, most: int | None = None) -> Figure:
    """The heads that bring most of the effect, with where they look, beside as many chosen by chance; a click picks.

    Of either no more than `most` are drawn, those with the longest bars.
    """
    with in_language(ENGLISH):
        frame = _heads_frame(found)
    drawn = _heads_frame(found)
    if most is not None:
        longest = [kind["value"].abs().nlargest(most).index for _, kind in drawn.groupby("grey")]
        drawn = drawn.loc[sorted(chain(*longest))]
    chart = signed_bars(drawn, say("share of the effect"), "+.1%", long_names=True, pick=("layer", "head"))
    return Figure("head_patches", say("Which heads carried it"), chart, frame.assign(turn=TURN), heads_sentence(found))


def _heads_frame(found: Heads) -> pd.DataFrame:
    shown = [*((each, False) for each in found.shares[:N_HEADS]), *((each, True) for each in found.random)]
    return pd.DataFrame(
        [
            {
                "label": head_label(each, found.pair.target_word, by_chance),
                "layer": each.layer,
                "head": each.head,
                "value": each.share,
                "attention": each.attention_to_word,
                "grey": by_chance,
            }
            for each, by_chance in shown
        ],
        columns=["label", "layer", "head", "value", "attention", "grey"],
    )


def attribution_figure(experiment: Experiment, name: str = "after") -> Figure | None:
    """What each layer adds directly to the lead: of one answer, or after minus merely asked again (“difference”)."""
    several = available(experiment.attributions)
    if not several:
        return None
    by_name = {each.name: each for each in several}
    if name == "difference":
        frame = _layers_frame(by_name["after"])
        frame["value"] -= _layers_frame(by_name["asked_again"])["value"]
    else:
        frame = _layers_frame(next(each for each in several if each.name == name))
    chart = layers_chart(frame, name == "difference")
    said = attribution_sentence(several, name)
    return Figure("attribution", say("What each layer adds"), chart, frame.assign(turn=TURN), said)


def _layers_frame(found: Attribution) -> pd.DataFrame:
    rows = [
        {"layer": layer.layer, "part": part, "value": value}
        for layer in found.layers
        for part, value in (("attention", layer.attention), ("feed-forward part", layer.mlp))
    ]
    return pd.DataFrame(rows, columns=["layer", "part", "value"])


def head_words_figure(experiment: Experiment) -> Figure | None:
    """What the heads with the largest direct effect bring from each word."""
    after = next((each for each in available(experiment.attributions) or () if each.name == "after"), None)
    if after is None or not after.head_words:
        return None
    with in_language(ENGLISH):
        frame = _head_words_frame(after)
    title = say("What the strongest heads bring, from which word")
    chart = head_words_chart(_head_words_frame(after), (experiment.case.answer, experiment.case.foil))
    return Figure("head_words", title, chart, frame.assign(turn=TURN), head_words_sentence(after))


def _head_words_frame(after: Attribution) -> pd.DataFrame:
    rows = [
        {
            "row": row,
            "head": head_name(head.layer, head.head),
            "place": place,
            "word": say(SHORT_LABELS[word.role]) if word.role in SHORT_LABELS else word.text.strip(),
            "value": value,
        }
        for row, head in enumerate(after.head_words)
        for place, (value, word) in enumerate(zip(head.words, after.words, strict=True))
    ]
    return pd.DataFrame(rows)

"""The sentences on the map: one of each kind of number, of its differences, and of a text that is a single token."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from llm_tracker.analysis.lens.position_lens import PositionLens
from llm_tracker.analysis.lens.position_maps import PLAIN, map_choices
from llm_tracker.tracing.trace import WatchedLens
from llm_tracker.wording.positions import (
    PLAIN_LABELS,
    map_difference_sentence,
    map_sentence,
    positions_sentence,
    shows_label,
    word_sentence,
)

NAN = float("nan")


def lens_of(n_layers: int = 4, tokens: tuple[str, ...] = (" a", "b", "c")) -> PositionLens:
    """A map whose layers count up: at layer l and position p the numbers are l + p / 10 and such."""
    n_positions = len(tokens)
    layers, positions = np.indices((n_layers, n_positions)).astype(np.float32)
    ids = np.zeros((n_layers, n_positions, 1), dtype=np.int64)
    ids[n_layers // 2 :, :, 0] = 1

    def watched(token_id: int, sign: int) -> WatchedLens:
        values = sign * (layers - 1 + positions / 10)
        return WatchedLens(
            token_id,
            "x",
            values.astype(np.float32),
            ((layers + 1) * (positions + 1) / 100).astype(np.float32),
            (1000 - 100 * layers - positions).astype(np.int64),
        )

    return PositionLens(
        site="resid_post",
        tokens=tokens,
        next_token_ids=np.ones(n_positions, dtype=np.int64),
        top_token_ids=ids,
        top_tokens={0: "no", 1: "yes"},
        top_probs=np.full((n_layers, n_positions, 1), 0.5, dtype=np.float32),
        next_prob=(layers / 10).astype(np.float32),
        next_rank=(layers + 1).astype(np.int64),
        entropy=(layers + 1).astype(np.float32),
        kl=(n_layers - 1 - layers).astype(np.float32),
        watched={"Paris": watched(7, 1), "Rome": watched(8, -1)},
    )


@pytest.mark.parametrize(
    ("shows", "sentence"),
    [
        (
            "next_prob",
            "At 3 of 3 tokens the last layer's likeliest token is the one that does come next; at layer 2 it is so "
            "at 0.",
        ),
        ("entropy_nats", "Behind “b”, token 2, the entropy is 1.0 nats at layer 1 and 4.0 nats at the last."),
        (
            "kl_nats",
            "Behind “b”, token 2, the read-out is 2.0 nats from the last layer's at layer 2, and 1.0 nats one layer "
            "before the end.",
        ),
        ("prob of Paris", "Of what is drawn, “Paris” gets most behind “c” (token 3), at layer 4: 12 %."),
        ("rank of Paris", "Of what is drawn, “Paris” ranks best behind “c” (token 3), at layer 4: rank 698."),
        ("logit of Paris", "Of what is drawn, “Paris” has its largest logit behind “c” (token 3), at layer 4: 2.2."),
        (
            "lead of Paris over Rome",
            "Behind “b”, token 2, the read-out prefers “Paris” to “Rome” from layer 2 of 4 on (largest step: layer 2).",
        ),
    ],
)
def test_a_map_says_what_it_shows(shows: str, sentence: str) -> None:
    assert map_sentence(lens_of(), shows, 0, 3, 1) == sentence


@pytest.mark.parametrize("shows", ["next_prob", "best_prob", "next_rank"])
def test_maps_of_the_next_token_say_where_it_is_the_likeliest(shows: str) -> None:
    assert map_sentence(lens_of(), shows, 0, 3, 1) == positions_sentence(lens_of())


def test_of_a_stretch_only_what_is_drawn_is_spoken_of() -> None:
    assert word_sentence(lens_of(), "Paris", 0, 1) == (
        "Of what is drawn, “Paris” gets most behind “a” (token 1), at layer 4: 4 %."
    )
    assert "“Rome” ranks best behind “b” (token 2)" in word_sentence(lens_of(), "Rome", 1, 2, "rank")


@pytest.mark.parametrize("shows", map_choices(lens_of(1, ("a",))))
def test_a_single_layer_and_a_single_token_are_spoken_of_too(shows: str) -> None:
    told = map_sentence(lens_of(1, ("a",)), shows, 0, 1, 0)
    assert told.endswith(".")
    assert "nan" not in told
    if shows == "kl_nats":
        assert told == "Behind “a”, token 1, there is one layer, whose read-out is the model's own prediction."


def test_every_choice_has_a_label() -> None:
    words = ["Paris", "Rome"]
    labels = {shows: shows_label(shows, words) for shows in [*map_choices(lens_of()), "logit of Rome"]}
    assert {shows: labels[shows] for shows in PLAIN} == PLAIN_LABELS
    assert labels["prob of Paris"] == "probability of “Paris”"
    assert labels["rank of Rome"] == "rank of “Rome”"
    assert labels["logit of Rome"] == "logit of “Rome”"
    assert labels["lead of Rome over Paris"] == "lead of “Rome” over “Paris”, in nats"


def test_words_that_hold_the_labels_own_words_are_told_apart() -> None:
    words = ["a over b", "b", "a", "prob of a"]
    assert shows_label("lead of a over b over b", words) == "lead of “a over b” over “b”, in nats"
    assert shows_label("prob of prob of a", words) == "probability of “prob of a”"


def difference(*values: float) -> pd.DataFrame:
    return pd.DataFrame({"value": values, "token": [f" t{at}" for at in range(len(values))], "layer": 3})


@pytest.mark.parametrize(
    ("values", "shows", "said"),
    [
        ((0.1, -0.4, NAN), "next_prob", "the largest difference is behind “t1”, at layer 3: −40 points."),
        ((0.01,), "prob of Paris", "the largest difference is behind “t0”, at layer 3: +1 point."),
        ((0.0, 0.0), "best_prob", "nothing differs by a point between before and after."),
        ((0.004, -1e-9), "next_prob", "nothing differs by a point between before and after."),
        ((12345.0,), "next_rank", "the largest difference is behind “t0”, at layer 3: +12,345 ranks."),
        ((-1.0,), "rank of Paris", "the largest difference is behind “t0”, at layer 3: −1 rank."),
        ((0.0,), "next_rank", "nothing differs by a rank between before and after."),
        ((1.25,), "logit of Paris", "the largest difference is behind “t0”, at layer 3: +1.2 logits."),
        ((-0.126,), "entropy_nats", "the largest difference is behind “t0”, at layer 3: −0.13 nats."),
        ((0.001,), "kl_nats", "nothing differs by 0.01 nats between before and after."),
        ((1234.5,), "lead of a over b", "the largest difference is behind “t0”, at layer 3: +1234.50 nats."),
        ((NAN,), "next_prob", "nothing stands in both texts."),
        ((), "next_prob", "nothing stands in both texts."),
    ],
)
def test_a_difference_names_its_largest_or_says_that_there_is_none(
    values: tuple[float, ...], shows: str, said: str
) -> None:
    assert map_difference_sentence(difference(*values), shows) == f"Of what is drawn, {said}"

"""All conditions at once: the same scores, lenses and answers as plain transformers' of one text after the other."""

from __future__ import annotations

import math
from functools import cache

import pytest
import torch
from plain_passes import Plain, score_of
from small_cases import FAMILIES, Small, gap, plain, small, small_case, tiny
from word_ways import ways

import llm_tracker as lt
from llm_tracker.experiments.probe import probe_of
from llm_tracker.experiments.scored_conditions import (
    ConditionScores,
    asked_under,
    jensen_shannon,
    lens_curves,
    total_variation,
)
from llm_tracker.experiments.scored_texts import FEW, read_together
from llm_tracker.experiments.values.conditions import Condition, conditions_of
from llm_tracker.experiments.values.findings import ConditionScore, LensCurve
from llm_tracker.models.forward.changing_rope import begin_anew
from llm_tracker.prompts.tokens import token_text

CHAT_END = [0]
UNLIKE = ("baseline", "user", "asked_again", "right", "pre_emptive_simple", "made_up_source")
"""Conditions whose texts are of unlike length."""


def conditions(case: Small, names: tuple[str, ...] = UNLIKE, n_wordings: int = 1) -> list[Condition]:
    return [each for each in conditions_of(case.case, n_wordings) if each.name in names]


def scored(case: Small, names: tuple[str, ...] = UNLIKE, writes: bool = True) -> tuple[ConditionScore, ...]:
    own = ConditionScores(case.setting, case.case)
    wanted = conditions(case, names)
    assert list(own.score(wanted, writes))[-1] == len(wanted)
    return own.scores()


@cache
def scores(family: str) -> tuple[ConditionScore, ...]:
    return scored(small(family))


def require_plain_scores(case: Small, truth: Plain, found: tuple[ConditionScore, ...], ends: list[int]) -> None:
    assert len({len(case.setting.prompt_of(each.condition).token_ids) for each in found}) > 3
    for each in found:
        ids = case.setting.prompt_of(each.condition).token_ids
        for own, words in ((each.score_answer, case.case.answers), (each.score_foil, case.case.foils)):
            assert own == pytest.approx(score_of(truth, ids, ways(case.model, words), ends), abs=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_scores_are_those_of_plain_transformers_one_text_at_a_time(family: str) -> None:
    require_plain_scores(small(family), plain(family), scores(family), CHAT_END)


def test_a_model_that_keeps_no_keys_reads_each_text_whole() -> None:
    case = small_case(tiny("mamba"))
    found = scored(case, ("asked_again", "right", "baseline", "pre_emptive_simple"))
    require_plain_scores(case, Plain(case.model), found, CHAT_END)


@pytest.mark.parametrize("n_more", [1, 2, 4])
def test_a_window_that_an_answer_leaves_while_it_is_read_is_heeded(n_more: int) -> None:
    """The longest text just fits into the window, and a word behind it does not."""
    longest = max(len(small("llama").setting.prompt_of(each).token_ids) for each in conditions(small("llama")))
    case = small_case(tiny("mistral", sliding_window=longest + n_more), own_answer="")
    require_plain_scores(case, Plain(case.model), scored(case), CHAT_END)


def test_aliases_count_as_the_word_does() -> None:
    case = small_case(small("llama").model, answer_aliases=("Old Bonn", "B."), foil_aliases=("Roma",))
    found = scored(case, ("asked_again", "user", "baseline", "right"), writes=False)
    require_plain_scores(case, plain("llama"), found, CHAT_END)
    alone = {each.condition: each for each in scores("llama")}
    assert all(each.score_foil > alone[each.condition].score_foil for each in found)


def test_without_a_chat_template_a_word_ends_with_its_line_and_in_raw_text_where_nothing_goes_on_with_it() -> None:
    model = tiny("llama", chat=False)
    texts = [(at, model.tokenizer.decode([at])) for at in range(len(model.tokenizer))]
    lines = [at for at, text in texts if "\n" in text]
    by_line = small_case(model)
    require_plain_scores(by_line, Plain(model), scored(by_line, writes=False), [0, *lines])
    goes_on = [at for at, text in texts if text[:1].isalnum() or text.startswith(("�", "_"))]
    raw = small_case(model, recipe="raw")
    others = [at for at, text in texts if text and at not in goes_on]
    require_plain_scores(raw, Plain(model), scored(raw, writes=False), sorted({0, *others}))


def test_many_wordings_are_read_in_groups_and_give_the_same() -> None:
    case = small("llama")
    many = conditions_of(case.case)
    assert len(many) > FEW
    own = ConditionScores(case.setting, case.case)
    list(own.score(many, writes=False))
    by_condition = {each.condition: each for each in own.scores()}
    assert by_condition.keys() == set(many)
    for each in scores("llama"):
        assert by_condition[each.condition].margin == pytest.approx(each.margin, abs=1e-4)


@pytest.mark.parametrize("family", ["llama", "gemma2", "gpt2", "mpt", "mistral"])
def test_what_is_said_of_the_first_token_is_what_plain_transformers_says(family: str) -> None:
    case, truth = small(family), plain(family)
    rows = {
        each.condition: truth.log_probs(case.setting.prompt_of(each.condition).token_ids)[-1] for each in scores(family)
    }
    again = next(row for condition, row in rows.items() if condition.name == "asked_again")
    for each in scores(family):
        row = rows[each.condition]
        mean = (row.exp() + again.exp()) / 2
        jsd = sum(float((one.exp() * (one - mean.log())).sum()) for one in (row, again)) / 2
        assert each.entropy_nats == pytest.approx(float(-(row.exp() * row).sum()), abs=1e-4)
        assert each.tv_from_asked_again == pytest.approx(float((row.exp() - again.exp()).abs().sum()) / 2, abs=1e-4)
        assert each.jsd_from_asked_again == pytest.approx(jsd, abs=1e-4)
        assert [prob for _, prob in each.top] == pytest.approx(row.exp().topk(10).values.tolist(), abs=1e-4)
        assert [token for token, _ in each.top] == [
            token_text(case.model.tokenizer, at) for at in row.topk(10).indices.tolist()
        ]


@pytest.mark.parametrize("family", ["llama", "mistral", "mpt", "gpt2"])
def test_what_is_written_under_each_condition_is_what_the_model_answers(family: str) -> None:
    case = small(family)
    for each in scores(family):
        ids = written(plain(family), case.setting.prompt_of(each.condition).token_ids)
        assert each.answer_text == case.model.tokenizer.decode(ids, skip_special_tokens=True).strip()
    assert len({each.answer_text for each in scores(family)}) > 1


def written(truth: Plain, context: tuple[int, ...]) -> list[int]:
    """Up to 10 tokens, the likeliest each time, to the end of the answer."""
    ids: list[int] = []
    while len(ids) < 10 and ids[-1:] != CHAT_END:
        ids.append(int(truth.logits([*context, *ids])[-1].argmax()))
    return ids


def test_only_the_first_wording_of_each_is_answered() -> None:
    case = small("llama")
    own = ConditionScores(case.setting, case.case)
    list(own.score(conditions(case, ("asked_again", "right"), 2)))
    assert {each.condition.paraphrase: each.answer_text is None for each in own.scores()} == {0: False, 1: True}
    assert all((each.grade is None) == (each.answer_text is None) for each in own.scores())


def test_a_right_word_and_a_foil_that_change_places_turn_every_margin_round() -> None:
    case, words = small("llama"), small("llama").case
    other = small_case(case.model, answer=words.foil, foil=words.answer)
    own = ConditionScores(other.setting, other.case)
    list(own.score(conditions(case)))
    assert [each.margin for each in own.scores()] == pytest.approx([-each.margin for each in scores("llama")], abs=1e-9)


@pytest.mark.parametrize("size", [1.0, 30.0, 1e4])
def test_two_distances_are_the_same_both_ways_and_0_of_the_same_prediction_alone(size: float) -> None:
    rows = (torch.randn(2, 50, generator=torch.Generator().manual_seed(3)) * size).log_softmax(-1)
    for distance in (total_variation, lambda one, other: float(jensen_shannon(one, other))):
        assert distance(rows[0], rows[1]) == pytest.approx(distance(rows[1], rows[0]), abs=1e-12)
        assert distance(rows[0], rows[0]) == 0
        assert distance(rows[0], rows[1]) > 1e-3
    assert float(jensen_shannon(*rows)) <= math.log(2) + 1e-6


def test_predictions_with_nothing_in_common_are_as_far_apart_as_can_be() -> None:
    one, other = (torch.tensor(row).log() for row in ([1.0, 0.0], [0.0, 1.0]))
    assert total_variation(one, other) == 1
    assert float(jensen_shannon(one, other)) == pytest.approx(math.log(2), abs=1e-12)


@cache
def lenses(family: str) -> tuple[LensCurve, ...]:
    case = small(family)
    return lens_curves(case.setting, case.case, conditions(case))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_lens_is_the_networks_own_tail_put_on_each_layer(family: str) -> None:
    case, truth = small(family), plain(family)
    rows = {}
    for each in lenses(family):
        ids = case.setting.prompt_of(each.condition).token_ids
        tail = [truth.with_states(ids, 3, (0, len(ids)), state) for state in truth.states(ids)[1:]]
        rows[each.condition] = torch.stack(tail).double().log_softmax(-1)
    again = next(row for condition, row in rows.items() if condition.name == "asked_again")
    for each in lenses(family):
        own = rows[each.condition]
        assert each.lead == pytest.approx(case.probe.margins(own).tolist(), abs=2e-4)
        kl = (own[-1].exp() * (own[-1] - own)).sum(-1)
        assert each.kl_nats == pytest.approx(kl.tolist(), abs=2e-4)
        assert each.jsd_from_asked_again == pytest.approx(jensen_shannon(own, again).tolist(), abs=1e-4)


@pytest.mark.parametrize("family", FAMILIES)
def test_at_the_last_layer_the_lens_is_the_models_own_answer(family: str) -> None:
    case = small(family)
    by_condition = {each.condition: each for each in scores(family)}
    asked = asked_under(case.setting, conditions(case))
    prompts = [prompt for _, prompt in asked]
    resid = {
        asked[at][0]: rows[-1]
        for places, batch in read_together(case.model, prompts, [None] * len(prompts), keep_resid=True)
        for at, rows in zip(places, batch.resid, strict=True)
    }
    for each in lenses(family):
        with torch.inference_mode():
            last = case.model.adapter.logits(case.model.model, resid[each.condition][None])[0]
        truth = plain(family).logits(case.setting.prompt_of(each.condition).token_ids)[-1]
        assert gap(last, truth) <= 1e-5 * float(truth.abs().max())
        assert each.kl_nats[-1] == 0
        own = by_condition[each.condition].jsd_from_asked_again
        assert each.jsd_from_asked_again[-1] == pytest.approx(own, abs=1e-5)
        assert max(each.jsd_from_asked_again) <= math.log(2) + 1e-6
    again = next(each for each in lenses(family) if each.condition.name == "asked_again")
    assert set(again.jsd_from_asked_again) == {0.0}


def test_words_that_begin_alike_are_read_where_they_part() -> None:
    case = small_case(small("llama").model, answer="Bonnie", foil="Bonner")
    assert case.probe.shared
    (curve,) = [
        each for each in lens_curves(case.setting, case.case, conditions(case)) if each.condition.name == "user"
    ]
    truth = plain("llama").logits([*case.prompt.token_ids, *case.probe.shared])[-1]
    assert curve.lead[-1] == pytest.approx(float(case.probe.margins(truth)), abs=1e-4)


def test_behind_each_text_a_word_has_the_tokens_that_it_has_there() -> None:
    """With raw text a correction ends in a line break, and the question does not."""
    case = small_case(small("llama").model, recipe="raw")
    for curve in lens_curves(case.setting, case.case, conditions(case, ("baseline", "asked_again", "user"))):
        prompt = case.setting.prompt_of(curve.condition)
        probe = probe_of(case.model, prompt, case.case)
        truth = plain("llama").logits(probe.text(prompt))[-1]
        assert curve.lead[-1] == pytest.approx(float(probe.margins(truth)), abs=1e-4)


LONGROPE = {"rope_type": "longrope", "rope_theta": 10000.0, "factor": 4.0, "original_max_position_embeddings": 90}
CHANGING = {
    "phi3": {
        "pad_token_id": 2,
        "original_max_position_embeddings": 90,
        "rope_parameters": {**LONGROPE, "short_factor": [1.0] * 4, "long_factor": [4.0] * 4},
    },
    "llama": {
        "max_position_embeddings": 90,
        "rope_parameters": {"rope_type": "dynamic", "rope_theta": 10000.0, "factor": 4.0},
    },
}


@pytest.mark.parametrize("family", CHANGING)
def test_where_frequencies_change_with_the_length_no_text_is_read_with_those_of_a_longer_one(family: str) -> None:
    case = small_case(tiny(family, **CHANGING[family]))
    found = scored(case, writes=False)
    lengths = [len(case.setting.prompt_of(each.condition).token_ids) for each in found]
    assert min(lengths) < 90 < max(lengths)
    for each in found:
        begin_anew(case.model.model)  # they keep the longest text so far
        log_probs = Plain(case.model).log_probs(case.setting.prompt_of(each.condition).token_ids)[-1]
        assert each.entropy_nats == pytest.approx(float(-(log_probs.exp() * log_probs).sum()), abs=1e-4)


def test_a_word_of_many_tokens_does_not_leave_the_window_unseen() -> None:
    names = ("baseline", "user", "asked_again", "right", "pre_emptive_simple")
    longest = max(len(small("llama").setting.prompt_of(each).token_ids) for each in conditions(small("llama"), names))
    model = tiny("mistral", sliding_window=longest + 20)
    case = small_case(model, own_answer="", answer="Qzxj vbkm wfyp hgdt qlxc mnbv")
    assert max(map(len, ways(model, case.case.answers))) > 20
    require_plain_scores(case, Plain(model), scored(case, names, writes=False), CHAT_END)


def test_a_text_that_does_not_fit_into_the_model_is_refused_with_the_figures() -> None:
    case = small_case(tiny("gpt2", max_position_embeddings=110))
    with pytest.raises(lt.InputError, match="reads 110 at most"):
        scored(case)


def test_it_stops_between_two_batches() -> None:
    case = small("llama")
    with pytest.raises(lt.Cancelled):
        list(ConditionScores(case.setting, case.case).score(conditions(case), stop=lambda: True))
    with pytest.raises(lt.Cancelled):
        lens_curves(case.setting, case.case, conditions(case), stop=lambda: True)

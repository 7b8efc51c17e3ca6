"""What the built-in model does with a correction: figures that were measured once, held loosely.

And one case of the second implementation on real weights.
"""

from __future__ import annotations

import pytest
import torch
from plain_passes import Plain, score_of
from word_ways import ways

import llm_tracker as lt
from llm_tracker.experiments.contexts import Setting, setting_of
from llm_tracker.experiments.hand_over import Patching
from llm_tracker.experiments.minimal_pairs import ReadPair, named_pair, read_pair
from llm_tracker.experiments.passes.forced_choice import choices_of, score_batch
from llm_tracker.experiments.passes.interventions import Intervention, LikeRow, at_depth
from llm_tracker.experiments.passes.rows import Row, begin, common_beginning, read_rows
from llm_tracker.experiments.probe import probe_of
from llm_tracker.experiments.scored_conditions import ConditionScores
from llm_tracker.experiments.values.conditions import WORDINGS, conditions_of
from llm_tracker.experiments.values.findings import HandOver, Heads, KnockOuts, Pair, Unavailable
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.recipes import Message
from llm_tracker.prompts.rendering import render_prompt

pytestmark = pytest.mark.real

QUESTION, CORRECTION = "What is the capital of France?", "That is wrong. The correct answer is London."
WORKED = [
    {"role": "user", "content": "What is the capital of Spain?"},
    {"role": "assistant", "content": "Madrid"},
    {"role": "user", "content": "What color is the sky?"},
    {"role": "assistant", "content": "Blue"},
]
RECIPE = [{"role": "system", "content": "You answer every question with exactly one word."}, *WORKED]
EASY = [
    ("What is the capital of France?", "Paris"),
    ("What is the capital of Japan?", "Tokyo"),
    ("What is the capital of Italy?", "Rome"),
    ("What is the capital of Germany?", "Berlin"),
    ("What is the capital of England?", "London"),
    ("What is the capital of Russia?", "Moscow"),
    ("What color is grass?", "Green"),
    ("What color is snow?", "White"),
    ("What is the opposite of hot?", "Cold"),
    ("What is the opposite of black?", "White"),
    ("What is the opposite of up?", "Down"),
    ("What is the opposite of day?", "Night"),
]
ON_VERDICT = [1.00, 0.98, 0.84, 0.73, 0.68, 0.67, 0.39, 0.22, 0.07, 0.16, 0.10, 0.00, -0.03, -0.03, -0.01, 0.00]
ON_SLOT = [0.00, 0.00, 0.00, 0.00, -0.06, -0.09, -0.03, 0.34, 0.71, 0.73, 0.98, 1.01, 1.06, 1.06, 1.00, 1.00]
"""Of the score of “Paris”, at depths 0, 2, …: science.md, F3."""


def setting(model: lt.LoadedModel, question: str = QUESTION, recipe: object = RECIPE) -> Setting:
    return setting_of(model, lt.track(model, question, recipe=recipe, max_new_tokens=1), 1)  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def with_worked_turns(embedded: lt.LoadedModel) -> lt.Experiment:
    """With the system line and two worked turns."""
    parts = ("knock_out", "verdict", "hand_over")
    return lt.experiment(embedded, QUESTION, "Paris", "London", CORRECTION, RECIPE, only=parts, max_new_tokens=4)


@pytest.fixture(scope="module")
def by_default(embedded: lt.LoadedModel) -> lt.Experiment:
    """With the app's own recipe."""
    parts = ("hand_over", "heads")
    return lt.experiment(embedded, QUESTION, "Paris", "London", CORRECTION, only=parts, max_new_tokens=4)


@pytest.fixture(scope="module")
def plainly(embedded: lt.LoadedModel) -> Plain:
    return Plain(embedded)


@pytest.fixture(scope="module")
def pair(embedded: lt.LoadedModel) -> ReadPair:
    case = lt.Case(QUESTION, "Paris", "London", CORRECTION, "Paris")
    return read_pair(setting(embedded), case, named_pair(case))


def path_of(part: HandOver | Unavailable | None) -> HandOver:
    assert isinstance(part, HandOver)
    return part


def corrected(model: lt.LoadedModel, question: str, answer: str, said: str) -> Prompt:
    """What is read where a text is said behind a right answer."""
    turns = [("user", question), ("assistant", answer), ("user", said)]
    messages = [*(Message(**each) for each in RECIPE), *(Message(*each) for each in turns)]  # type: ignore[arg-type]
    return render_prompt(model.tokenizer, "custom", messages, len(RECIPE))


def test_right_makes_the_right_word_likelier_than_wrong_does_in_easy_questions(embedded: lt.LoadedModel) -> None:
    asked = [(question, answer, WORDINGS[name][0]) for question, answer in EASY for name in ("right", "wrong")]
    prompts = [corrected(embedded, *each) for each in asked]
    texts = [prompt.token_ids for prompt in prompts]
    (batch,) = read_rows(begin(embedded, common_beginning(texts), 60), [Row(text) for text in texts])
    choices = [choices_of(embedded, prompt, [[answer]]) for prompt, (_, answer, _) in zip(prompts, asked, strict=True)]
    scores = [score for (score,) in score_batch(batch, texts, choices, "answer")]
    effects = [right - wrong for right, wrong in zip(scores[::2], scores[1::2], strict=True)]
    assert sum(effect > 0 for effect in effects) >= 10
    assert 1 < sum(effects) / len(effects) < 6


def test_hiding_the_named_word_gives_the_right_one_back(with_worked_turns: lt.Experiment) -> None:
    found = with_worked_turns.knock_outs
    assert isinstance(found, KnockOuts)
    single = {word.text: word.delta for word in found.words if not word.is_segment and word.role == "user"}
    assert single[" London"] > 2
    assert single[" London"] == max(single.values())


def test_the_verdict_reaches_the_slot_in_the_middle_layers(with_worked_turns: lt.Experiment) -> None:
    slot = path_of(with_worked_turns.verdict).answer_slot
    assert max(map(abs, slot[:12])) < 0.2
    assert min(slot[18:]) > 0.7
    assert slot[30] == pytest.approx(1, abs=1e-4)


def test_patching_the_verdict_gives_the_table_that_was_measured_before_there_was_this_code(
    embedded: lt.LoadedModel,
) -> None:
    own = setting(embedded, recipe=WORKED)
    again = " Answer the question again."
    case = lt.Case(QUESTION, "Paris", "London", "That is wrong.", "Paris")
    pair = read_pair(own, case, Pair(f"That is right.{again}", f"That is wrong.{again}", "right", "wrong"))
    spans = {(pair.first, pair.end): ON_VERDICT, (pair.slot, pair.slot + 1): ON_SLOT}
    for span, expected in spans.items():
        places = [at_depth(depth, 30) for depth in range(0, 31, 2)]
        rows = [Row(pair.target, (Intervention(*place, span, LikeRow(0)),)) for place in places]
        source, beginning = Row(pair.source), begin(embedded, pair.target[: pair.first], 20)
        batches = read_rows(beginning, [source, Row(pair.target), *rows], [source])
        scores = torch.cat([each.logits for each in batches]).log_softmax(-1)[:, pair.probe.answer_id]
        shares = (scores[2:] - scores[1]) / (scores[0] - scores[1])
        assert shares.tolist() == pytest.approx(expected, abs=0.03)


def test_the_named_word_keeps_it_until_one_layer_brings_it_to_the_slot(by_default: lt.Experiment) -> None:
    path = path_of(by_default.hand_over)
    assert 20 < path.effect < 30
    assert min(path.named_word[:23]) >= 0.95
    assert max(map(abs, path.named_word[24:])) <= 0.1
    assert max(map(abs, path.answer_slot[:24])) <= 0.3
    assert min(path.answer_slot[24:]) >= 0.8
    assert max(map(abs, path.between)) <= 0.1


def test_one_head_carries_most_of_it_and_looks_at_the_word(by_default: lt.Experiment) -> None:
    found = by_default.heads
    assert isinstance(found, Heads)
    first = found.shares[0]
    assert (first.layer, first.head) == (24, 1)
    assert 0.35 < first.share < 0.51
    assert first.attention_to_word is not None
    assert first.attention_to_word > 0.8
    assert max(abs(each.share) for each in found.random) < 0.25
    assert all(check.ok for check in by_default.checks)


def test_hiding_and_patching_are_those_of_plain_transformers(
    embedded: lt.LoadedModel, plainly: Plain, pair: ReadPair, with_worked_turns: lt.Experiment
) -> None:
    probe, length = pair.probe, len(pair.target)
    margin = float(probe.margins(plainly.logits(pair.target)[-1]))
    found = with_worked_turns.knock_outs
    assert isinstance(found, KnockOuts)
    london = next(word for word in found.words if word.text == " London")
    assert found.margin == pytest.approx(margin, abs=1e-3)
    places = plainly.hiding(length, london.tokens, (length - 1, length), range(1, 31))
    without = float(probe.margins(plainly.without_edges(pair.target, places)[-1]))
    assert london.delta == pytest.approx(without - margin, abs=1e-3)
    path, states = path_of(with_worked_turns.hand_over), plainly.states(pair.source)
    for span, curve, depth in [
        ((pair.first, pair.end), path.named_word, 23),
        ((pair.slot, pair.slot + 1), path.answer_slot, 24),
    ]:
        patched = float(probe.margins(plainly.with_states(pair.target, depth, span, states[depth])))
        assert curve[depth] * path.effect == pytest.approx(patched - margin, abs=1e-3)


def test_a_head_that_is_replaced_is_so_in_plain_transformers(
    embedded: lt.LoadedModel, plainly: Plain, pair: ReadPair
) -> None:
    source = plainly.head_outputs(pair.source)[23][-1].view(plainly.n_heads, -1)[0]
    expected = plainly.with_heads(pair.target, {(24, 1): source})
    slot = (pair.slot, pair.slot + 1)
    row = Row(pair.target, (Intervention("z", 24, slot, LikeRow(0), head=1),))
    read = next(read_rows(begin(embedded, pair.target[:40], 99), [Row(pair.source), row], [Row(pair.source)]))
    assert float((read.logits[1] - expected).abs().max()) < 1e-3
    assert Patching(embedded, pair).effect > 1


def test_a_score_is_that_of_plain_transformers(embedded: lt.LoadedModel, plainly: Plain) -> None:
    own = setting(embedded)
    case = lt.Case(QUESTION, "Paris", "42", CORRECTION, "Paris")
    found = ConditionScores(own, case)
    wanted = [each for each in conditions_of(case, 1) if each.name in ("asked_again", "baseline")]
    list(found.score(wanted, writes=False))
    score = next(each for each in found.scores() if each.condition.name == "baseline")
    prompt = own.prompt_of(score.condition)
    ends = embedded.tokenizer.convert_tokens_to_ids(["<|im_end|>"])
    assert probe_of(embedded, prompt, case).answer_id in {ids[0] for ids in ways(embedded, ["Paris"])}
    expected = score_of(plainly, prompt.token_ids, ways(embedded, ["Paris"]), ends)
    assert score.score_answer == pytest.approx(expected, abs=1e-3)

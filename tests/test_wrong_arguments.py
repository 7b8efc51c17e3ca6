"""What Python's functions are asked for wrongly is said in a sentence; one text is never taken for its letters."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

import llm_tracker as lt
from llm_tracker.conversation.whole_words import with_word_scores
from llm_tracker.experiments.values.parts import require_parts

QUESTION = "What is it?"


@pytest.fixture(scope="module")
def session(tiny_llama: lt.LoadedModel) -> lt.Session:
    return lt.track(tiny_llama, QUESTION, max_new_tokens=4)


NO_STEP = "There is no step 99: this answer has steps 0 to"


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (lambda model, session: lt.candidates(session.turns[0].trace, 99), NO_STEP),
        (lambda model, session: lt.attention_by_word(session.turns[0], 99), NO_STEP),
        (lambda model, session: lt.head_grid(session.turns[0], 99, "max"), NO_STEP),
        (lambda model, session: lt.value_weights(model, session.turns[0], 99), NO_STEP),
        (
            lambda model, session: lt.position_lens(model, session.turns[0], site="resid_foo"),
            "There is no site “resid_foo” here. Choose one of: resid_post, resid_mid",
        ),
        (lambda model, session: lt.track("tiny", QUESTION), "“tiny” is a name. Load it first"),
        (lambda model, session: lt.track(model, QUESTION, top_p=0.3), "Give a temperature too"),
        (lambda model, session: lt.study([], [model]), "the path of a file; these are of the type list"),
        (lambda model, session: lt.study("questions", [model], engine="spark"), "There is no engine “spark”"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    tiny_llama: lt.LoadedModel, session: lt.Session, wrong: Callable[[lt.LoadedModel, lt.Session], object], said: str
) -> None:
    with pytest.raises(lt.InputError, match=said):
        wrong(tiny_llama, session)


def test_one_word_is_not_its_letters(tiny_llama: lt.LoadedModel, session: lt.Session) -> None:
    turn = session.turns[0]
    frame = lt.logit_lens(turn.trace, words="zebra", model=tiny_llama)
    assert "zebra" in set(frame["word"])
    scored = with_word_scores(tiny_llama, session, words="zebra").turns[0]
    assert [scored.score("zebra") is None, scored.score("z") is None] == [False, True]
    assert not set(frame["word"]) & set("zebra")
    assert list(lt.position_lens(tiny_llama, turn, "zebra").watched) == ["zebra"]
    assert require_parts("conditions") == ("conditions",)


def test_one_model_and_one_condition_are_not_their_letters(tiny_llama: lt.LoadedModel, tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    file.write_text("question,answer,foil\nIs it Paris?,Paris,London\n")
    with pytest.raises(lt.ModelError, match="no such model"):
        lt.study(file, "no such model", "right", "No, {foil}.", out=str(tmp_path / "study"))
    assert lt.study(file, tiny_llama, "right").models[0]["id"] == tiny_llama.id
    assert not (tmp_path / "study").exists(), "what cannot be begun leaves no folder that is in the way"

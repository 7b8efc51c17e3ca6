"""One call for a whole experiment."""

from __future__ import annotations

import pytest
from small_cases import CORRECTION, QUESTION, RECIPE, small

import llm_tracker as lt
from llm_tracker.experiments.values.findings import HandOver, KnockOuts


def conducted(**changes: object) -> lt.Experiment:
    given = {"recipe": RECIPE, "only": ("conditions",), "n_wordings": 1, "max_new_tokens": 2, **changes}
    words = [given.pop(name, own) for name, own in (("answer", "Bonn"), ("foil", "Rome"), ("correction", CORRECTION))]
    return lt.experiment(small("llama").model, QUESTION, *words, **given)  # type: ignore[arg-type]


def test_it_asks_and_corrects_and_says_what_the_conversation_would() -> None:
    case, found = small("llama"), conducted()
    assert found.case == case.case
    own = lt.stream_experiment(case.model, case.session, 1, case.case, ("conditions",), 1)
    *_, last = own
    assert [each.margin for each in last.found.conditions] == pytest.approx(
        [each.margin for each in found.conditions], abs=1e-4
    )
    assert found.recipe == "custom"
    assert found.model.model_type == "llama"
    assert found.seconds > 0


def test_words_are_taken_without_the_space_around_them() -> None:
    found = conducted(answer=" Bonn ", foil="Rome\n", correction=f" {CORRECTION}", only=())
    assert (found.case.answer, found.case.foil, found.case.correction) == ("Bonn", "Rome", CORRECTION)


def test_a_single_alias_is_one_and_no_letters() -> None:
    found = conducted(answer_aliases="Old Bonn", foil_aliases=["Roma"], more_corrections="Really?", only=())
    assert (found.case.answers, found.case.foils) == (("Bonn", "Old Bonn"), ("Rome", "Roma"))
    assert found.case.more == ("Really?",)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"answer": "Rome"}, "stands for both words"),
        ({"answer": ""}, "give a right word"),
        ({"correction": ""}, "The correction is empty"),
        ({"only": ("mood",)}, "no part"),
        ({"n_wordings": 0}, "1 to 4 ways; 0 were asked for"),
        ({"n_wordings": 5}, "1 to 4 ways; 5 were asked for"),
        ({"window": (1, 9)}, "There are layers 1 to"),
        ({"recipe": "cake"}, "no recipe"),
    ],
)
def test_what_no_experiment_can_be_made_of_is_refused(changes: dict[str, object], says: str) -> None:
    with pytest.raises(lt.InputError, match=says):
        conducted(**changes)


def test_it_is_kept_with_its_session() -> None:
    found = conducted(only=("lens",))
    kept = lt.with_experiment(small("llama").session, found)
    assert lt.experiment_of(kept.experiments[1]) == found
    assert not small("llama").session.experiments


def test_the_grid_comes_with_the_path_that_it_is_one_of() -> None:
    found = conducted(only=("grid",))
    assert isinstance(found.hand_over, HandOver)
    assert found.hand_over.grid is not None
    assert found.conditions == ()


def test_words_are_hidden_in_the_layers_that_are_given() -> None:
    found, whole = (conducted(only=("knock_out",), window=window) for window in ((2, 2), None))
    assert isinstance(found.knock_outs, KnockOuts)
    assert isinstance(whole.knock_outs, KnockOuts)
    assert (found.knock_outs.layers, whole.knock_outs.layers) == ((2, 2), (1, whole.model.n_layers))
    assert found.knock_outs.words != whole.knock_outs.words

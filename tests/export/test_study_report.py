"""The report of a study: its limits first, its numbers and their sources, text as text, and nothing of the machine."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from html import unescape
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from made_studies import BEHIND, model, questions, row, study, whole_study

from llm_tracker.cli.main import main
from llm_tracker.export.study_report import study_command, study_report
from llm_tracker.figures.studies.views import study_figures
from llm_tracker.studies.statistics.published import published_tables
from llm_tracker.studies.statistics.summary import summary
from llm_tracker.studies.values.study import Study
from llm_tracker.wording.studies.labels import LIMITS

HOSTILE = (
    "</script><img src=https://example.org/x.png onerror=\"document.title='taken'\"><script>document.title='taken'"
)
FEW = ("baseline", *BEHIND)


def report(found: Study, command: str = "llm-tracker study made.csv") -> str:
    return study_report(found, summary(found), command, made_at="29 November 2026")


def body(page: str) -> str:
    """The page without its scripts and its style."""
    return re.sub(r"<(script|style)[^>]*>.*?</\1>", "", page, flags=re.DOTALL)


def shown(page: str) -> str:
    """The page's words."""
    without_marks = re.sub("</?bdi>", "", body(page)).replace("\N{NO-BREAK SPACE}", " ")
    return unescape(re.sub(r"<[^>]+>", " ", without_marks))


@pytest.fixture(scope="module")
def whole() -> Study:
    return whole_study(8, 2, FEW)


@pytest.fixture(scope="module")
def page(whole: Study) -> str:
    return report(whole)


def test_it_says_what_it_is_true_of_before_any_number(page: str) -> None:
    headings = [unescape(each) for each in re.findall("<h2[^>]*>(.*?)</h2>", body(page))]
    assert headings == ["What this is true of", "What was found", "Where these numbers come from", "Make it again"]
    assert page.index(LIMITS) < page.index("What was found")


def test_every_question_stands_in_it_with_what_was_said_and_written(whole: Study, page: str) -> None:
    start = page.index("Every question before and after each text")
    own = unescape(page[start : page.index("</table>", start)])
    for _, each in whole.rows[whole.rows["condition"] == "wrong"].iterrows():
        assert str(each["text"]) in own
        assert str(each["question"]) in own
        assert str(each["answer_text"]) in own


def test_it_has_every_chart_with_its_sentence_and_every_table_with_its_source(whole: Study, page: str) -> None:
    text = shown(page)
    figures = study_figures(whole)
    assert page.count('class="chart" role="img"') == len(figures) == 8
    for figure in figures:
        assert figure.sentence in text
    for table in published_tables(whole):
        assert table.title in text
        assert not table.source or f"In the shape of {table.source}." in text


def test_headings_are_in_order_below_one_title(page: str) -> None:
    levels = [int(level) for level in re.findall(r"<h([1-6])[ >]", body(page))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_it_says_how_its_numbers_were_made(whole: Study, page: str) -> None:
    told = dict(zip(*(map(unescape, re.findall(f"<{tag}>(.*?)</{tag}>", page)) for tag in ("dt", "dd")), strict=False))
    assert told["Questions"] == "made.csv (SHA-256 abababababababab…)"
    assert told["Recipe"] == "one-word"
    assert told["Decoding"] == "greedy: always the likeliest token; at most 10 tokens an answer"
    assert told["Intervals"] == "95 %: Wilson of rates, paired bootstrap over questions of means (seed 0)"
    assert told["Versions"] == "torch 2.13.0"
    assert re.findall("<h3>(Tiny[^<]*)</h3>", page) == ["Tiny (float32)", "Tiny (bfloat16)"]


def test_notices_of_the_models_are_among_its_limits() -> None:
    noticed = model(notices=["These weights have 4 bits.", "These weights have 4 bits."])
    page = report(study(questions(6, "wrong"), [noticed]))
    assert page.count("These weights have 4 bits.") == 1
    assert page.index("These weights have 4 bits.") < page.index("What was found")


def test_what_cannot_be_drawn_is_said_in_words() -> None:
    rows = [row("a", name, 1.0, before="foil", again=-1.0) for name in ("asked_again", "wrong")]
    page = report(study(rows))
    assert "What there is no chart of" in page
    assert "What is written: No first answer was right, so none could be given up." in shown(page)
    untraced = {"question_id": "a", "model": "tiny", "dtype": "float32", "why_not": "They do not line up."}
    said = (
        "Where the named word travels: No pair of corrections could be traced. Of the first question: They do not line"
    )
    assert said in shown(report(study(rows, paths=[untraced])))
    assert "1 question of made.csv · Tiny" in page, "one question is no questions"
    assert "8 questions of" in report(study(questions(8, "wrong")))


def test_corrections_of_the_readers_own_are_told_by_number() -> None:
    own = ["No, it is {foil}.", "<b>{named}</b>!"]
    rows = [row(f"q{at}", "user", 1.0, paraphrase=number) for at in range(6) for number in (0, 1)]
    page = report(study(rows, plan={"corrections": own}))
    told = dict(zip(re.findall("<dt>(.*?)</dt>", page), re.findall("<dd>(.*?)</dd>", page), strict=False))
    assert [unescape(told[f"Your own correction {at}"]) for at in (1, 2)] == own
    assert "your own correction 2" in shown(page)


def test_script_like_text_is_shown_as_text() -> None:
    rows = [
        each | {"question_id": f"{HOSTILE}{at}", "question": HOSTILE, "answer_text": HOSTILE, "text": HOSTILE}
        for at, each in enumerate(questions(6, "wrong", "wrong_alternative"))
    ]
    other = [each | {"model": "big"} for each in rows]
    plan = {"questions": {"name": HOSTILE, "sha256": "ab" * 32}, "corrections": [HOSTILE]}
    page = report(study(rows + other, [model(title=HOSTILE), model("big", HOSTILE + "2")], plan=plan), HOSTILE)
    assert "<img" not in body(page)
    assert HOSTILE not in page
    assert page.count("<script") == page.count("</script>") == 3, "the charts, what draws them, and what copies"
    assert HOSTILE in shown(page)


def test_it_asks_no_server_for_anything(page: str) -> None:
    policy = re.search('http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert policy is not None
    assert "default-src 'none'" in policy[1]
    style = "".join(re.findall("<style>(.*?)</style>", page, flags=re.DOTALL))
    assert re.findall(r"""(?:src|href)=|@import|url\(""", body(page) + style) == []


@pytest.mark.browser
def test_a_reader_without_a_network_sees_every_chart(whole: Study, page: str, look: Callable[..., Any]) -> None:
    seen = look(page, "light")
    assert seen.n_drawn == 8
    assert (seen.complaints, seen.violations) == ([], [])
    assert [address for address in seen.asked_for if not address.startswith("file:")] == []
    assert seen.copied == ("Copied.", "llm-tracker study made.csv")
    assert seen.widths[0] == seen.widths[1], "on a phone nothing but what scrolls by itself is wider than the window"


def test_it_says_nothing_of_the_machine_and_keeps_two_models_of_one_folder_name_apart(tmp_path: Path) -> None:
    places = [f"{tmp_path}/{side}/mine" for side in "ab"]
    models = [model(place, "mine", path=place, notices=[f"Read from {place}."]) for place in places]
    rows = [each | {"model": place} for place in places for each in questions(6, "wrong", "wrong_alternative")]
    page = report(study(rows, models))
    assert str(tmp_path) not in unescape(page)
    assert re.findall("<h3>(mine[^<]*)</h3>", page) == ["mine", "mine (2)"]
    assert "Read from mine." in page
    assert "mine (2): Compared with" in shown(page)


def test_the_command_makes_the_same_plan_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "my questions.csv"
    file.write_text("question,answer,foil\nQ?,A,B\n", encoding="utf-8")
    arguments = shlex.split(
        f"study '{file}' --model a --model b/c --condition wrong --condition mention --correction 'It: {{foil}} \"a\"' "
        f"--wordings 2 --seed 5 --chain --inside --recipe chat --dtype float32 --date 2026-01-31 --out '{tmp_path}/x y'"
    )
    plans = planned(monkeypatch, arguments)
    made = study([row("a", "wrong", 1.0)], plan=plans[0].record())
    command = shlex.split(study_command(made, str(file), f"{tmp_path}/x y"))
    assert command[0] == "llm-tracker"
    assert planned(monkeypatch, command[1:]) == plans


def planned(monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> list[Any]:
    """What the command line would run."""
    from llm_tracker.errors import Cancelled
    from llm_tracker.studies import conduct

    plans = []

    def run(plan: Any, *_: Any, **__: Any) -> Any:
        plans.append(plan)
        raise Cancelled("Enough.")

    with monkeypatch.context() as patched:
        patched.setattr(conduct, "stream_study", run)
        main(arguments)
    return plans


def test_a_recipe_of_the_readers_own_is_no_name_in_the_command() -> None:
    assert "--recipe" not in study_command(study([row("a", "wrong", 1.0)], plan={"recipe": "custom"}), "q.csv", "out")

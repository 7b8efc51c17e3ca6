"""A report has all that was said, shown and used, as text, whatever that text spells, and nothing of the machine."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import llm_tracker as lt
from llm_tracker.export.html_text import frame_table, script_json
from llm_tracker.export.report import html_report
from llm_tracker.export.report_sections import decoding_text, ending
from llm_tracker.figures.figure import Figure
from llm_tracker.prompts.chat_template import TemplateUse
from llm_tracker.tracing.session import Decoding

HOSTILE = "</script><script>document.title='taken'</script><!-- \u2028 \ud83d & \"quoted\" 'x' $title <b>"
COMMAND = "llm-tracker track 'What is it?' --correction 'a\tb'"


class Page(HTMLParser):
    """The elements of a page, in order, with their attributes; and the texts of headings and of prompts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in ("meta", "br"):
            self._open.append(tag)
            self.texts.setdefault(tag, []).append("")

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag, "elements are closed in order"

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag][-1] += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def report(session: lt.Session, figures: list[Figure], title: str = "Paris", **how: Any) -> str:
    return html_report(title, session, figures, how.pop("command", COMMAND), made_at="28 November 2026", **how)


@pytest.fixture(scope="module")
def page(example: lt.Session, figures: list[Figure]) -> Page:
    return Page(report(example, figures))


def test_headings_are_in_order_below_one_title(page: Page) -> None:
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.texts["h1"] == page.texts["title"] == ["Paris"]
    assert page.all("html")[0]["lang"] == "en"


def test_it_has_the_conversation_with_its_control_and_the_exact_text_that_was_read(
    example: lt.Session, page: Page
) -> None:
    assert page.texts["h3"][:3] == ["Question", "Correction 1", "Control of correction 1"]
    turns = [*example.turns, example.controls[1]]
    text = " ".join(page.texts["main"])
    for turn in turns:
        assert turn.said in text
    assert page.texts["article"][0].startswith(
        "QuestionWhat is the capital of France?ParisEnded by itself after 2 tokens."
    )
    assert page.texts["pre"][:3] == [turn.prompt.text for turn in turns]
    assert "open" not in page.all("details")[0], "it is folded"


def test_each_figure_has_its_title_a_text_alternative_its_sentence_and_its_numbers(
    figures: list[Figure], page: Page
) -> None:
    charts = [each for each in page.all("div") if each.get("role") == "img"]
    assert [each["aria-label"] for each in charts] == [f"{figure.title}. {figure.sentence}" for figure in figures]
    assert page.texts["h3"][3:] == [figure.title for figure in figures]
    assert [caption.split(":")[0] for caption in page.texts["caption"]] == [figure.title for figure in figures]
    assert {each["scope"] for each in page.all("th")} == {"col"}
    assert page.texts["th"][: len(figures[0].frame.columns)] == list(figures[0].frame.columns)
    assert page.texts["td"][:4] == ["1", "38634", "Paris", "27.3126"]
    scrolled = [each for _, each in page.elements if "scroll" in (each.get("class") or "")]
    assert all(each["tabindex"] == "0" and each["aria-label"] for each in scrolled)


def test_it_says_what_made_the_numbers(example: lt.Session, page: Page) -> None:
    told = dict(zip(page.texts["dt"], page.texts["dd"], strict=True))
    assert (told["Model"], told["Id"]) == ("SmolLM2-135M-Instruct", "embedded")
    assert told["SHA-256 of its weights"] == example.model.weights_sha256
    assert told["Revision"] == example.model.revision
    assert told["Numbers"] == "float32 on cpu"
    assert told["Decoding"] == "greedy: always the likeliest token; at most 16 tokens an answer"
    assert (told["Recipe"], told["Made"]) == ("one-word", "28 November 2026")
    assert f"torch {example.versions['torch']}" in told["Versions"]


def test_template_arguments_date_and_sampling_are_told(example: lt.Session) -> None:
    template = TemplateUse({"enable_thinking": False}, "2026-11-28", thinks=True)
    sampled = Decoding(max_new_tokens=1200, temperature=0.7, top_p=0.9, seed=3, max_thought_tokens=64)
    told = Page(report(replace(example, template=template, decoding=sampled), [])).texts["dd"]
    assert {"enable_thinking: false", "2026-11-28", "64 tokens"} <= set(told)
    assert decoding_text(sampled) == "sampled at temperature 0.7, top-p 0.9, seed 3; at most 1,200 tokens an answer"
    assert decoding_text(sampled) in told


@pytest.mark.parametrize(
    ("ended", "told"),
    [
        ("end", "Ended by itself after 2 tokens."),
        ("newline", "Ended with its line after 2 tokens."),
        ("limit", "Cut after 2 tokens."),
        ("stopped", "Stopped by hand after 2 tokens."),
    ],
)
def test_each_answer_says_how_it_ended(example: lt.Session, ended: Any, told: str) -> None:
    assert ending(replace(example.turns[0], ended=ended)) == told


def test_a_thought_is_shown_folded_and_a_missing_answer_is_told(example: lt.Session) -> None:
    turn = example.turns[0]
    thought = lt.Thought(n_steps=2, text="Hm <b>", closed_by="limit", with_answer="Hm")
    thinking = replace(turn, thought=thought, answer="", ended="limit")
    read = Page(report(replace(example, turns=(thinking,), controls={}), []))
    assert "No answer came: it ended within its thought." in read.texts["article"][0]
    assert read.texts["summary"][0] == "Its thought: 2 tokens with its marks, closed at its limit"
    assert read.texts["pre"][0] == "Hm <b>"


def test_the_command_can_be_copied_to_the_letter(page: Page) -> None:
    assert page.texts["pre"][-1] == COMMAND
    assert page.all("button")[0]["data-copies"] == "command"


def test_any_text_stays_text(example: lt.Session) -> None:
    turn, held = replace(example.turns[0], said=HOSTILE, answer=HOSTILE), HOSTILE.replace("\ud83d", "")
    prompt = replace(turn.prompt, notices=(HOSTILE,))
    frame = pd.DataFrame({"token": [held], held: [1.0]})
    chart = {"data": {"values": [{"a": HOSTILE}]}, "mark": "text", "encoding": {"text": {"field": "a"}}}
    figure = Figure("x", HOSTILE, chart, frame, HOSTILE)
    model = replace(example.model, title=HOSTILE, notices=(HOSTILE,))
    session = replace(example, model=model, turns=(replace(turn, prompt=prompt),), controls={})
    whole = report(session, [figure], title=HOSTILE, command=HOSTILE)
    whole.encode("utf-8")
    read = Page(whole)
    assert [each.get("type") for each in read.all("script")] == ["application/json", None, None]
    assert read.all("b") == []
    assert [each.count("<") for each in read.texts["script"][:1]] == [0]
    assert read.texts["h1"][0].startswith("</script><script>document.title='taken'</script><!-- ⟨U+2028⟩ ⟨U+D83D⟩ & ")


def test_no_text_can_end_a_script_element() -> None:
    assert script_json({"a": "</script><!--&\u2028\ud800"}) == (
        '{"a":"\\u003c/script\\u003e\\u003c!--\\u0026\\u2028\\ud800"}'
    )


def test_the_page_asks_nobody_for_anything(page: Page) -> None:
    assert [tag for tag, _ in page.elements if tag in ("link", "img", "iframe", "base", "object")] == []
    assert [each for _, each in page.elements if "src" in each or "href" in each] == []
    policy = next(each["content"] for each in page.all("meta") if each.get("http-equiv")) or ""
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.replace("style-src 'unsafe-inline'", ""), "no script runs that is not named"
    assert "@import" not in page.texts["style"][0]
    assert "url(" not in page.texts["style"][0]


def test_it_says_nothing_of_the_machine(example: lt.Session, tmp_path: Path) -> None:
    model = replace(example.model, id=f"{tmp_path}/mine", path=f"{tmp_path}/mine", notices=(f"In {tmp_path}/mine.",))
    whole = report(replace(example, model=model, versions={"llm_tracker": f"{tmp_path}/x"}), [])
    assert str(tmp_path) not in unescape(whole)
    assert "<dd>mine</dd>" in whole


def test_a_long_table_shows_its_first_rows_and_says_so() -> None:
    table = Page(frame_table("Map", pd.DataFrame({"layer": range(1234), "token": " x", "prob": float("nan")})))
    assert len(table.all("tr")) == 1 + 500
    assert table.texts["caption"] == ["Map: the first 500 of 1,234 rows"]
    assert table.texts["td"][-3:] == ["499", "·x", ""]
    assert table.all("th")[0]["class"] == "number"


@pytest.mark.parametrize(("scheme", "given"), [(None, "light dark"), ("dark", "dark"), ("light", "light")])
def test_it_is_light_or_dark_as_its_readers_system_unless_it_is_told(
    example: lt.Session, scheme: Any, given: str
) -> None:
    read = Page(report(example, [], scheme=scheme))
    assert f"color-scheme: {given};" in read.texts["style"][0]
    assert read.all("html")[0]["data-scheme"] == (scheme or "")


def test_without_a_figure_it_carries_nothing_to_draw_with(example: lt.Session) -> None:
    whole = report(example, [])
    assert len(whole) < 60_000
    assert "What happened inside" not in whole

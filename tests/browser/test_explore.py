"""The pages that explore, by mouse and by keyboard: what stands on the screen is what plain transformers computes."""

from __future__ import annotations

import json
import re
import zipfile
from pathlib import Path
from xml.etree import ElementTree

import pandas as pd
import pyarrow.parquet as pq
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect
from recompute import Recomputed, word_places
from repeated import one_of_each
from steps import Scheme, Visit, computed, darken, settle

import llm_tracker as lt
from llm_tracker.wording.formats import nats, percent, shown

pytestmark = [pytest.mark.browser, pytest.mark.real]


@pytest.fixture(scope="module")
def truth(embedded: lt.LoadedModel, paris: lt.Session) -> Recomputed:
    """The corrected turn of the newcomer's conversation, computed by plain transformers."""
    return Recomputed(embedded, paris.turns[1])


def page_of(visit: Visit, address: str, title: str, **how: object) -> Page:
    """A page of the app on a conversation that is there already."""
    root, _, query = address.partition("?")
    tab = visit(f"{root.rstrip('/')}/{title}?{query}", **how)
    expect(tab.get_by_role("heading", name=title, exact=True)).to_be_visible()
    settle(tab)
    return tab


def show(tab: Page, what: str) -> None:
    tab.get_by_role("radiogroup", name="Show").get_by_role("radio", name=what, exact=True).click()
    settle(tab)


def test_an_answer_is_walked_through_by_keyboard_and_played(visit: Visit, corrected: str, truth: Recomputed) -> None:
    tab = page_of(visit, corrected, "Tokens")
    show(tab, "after")
    player, turn = tab.locator(".player"), truth.turn
    strip = player.get_by_role("radiogroup")
    first = strip.get_by_role("radio").first
    first.focus()
    for key, step in (("ArrowRight", 1), ("ArrowLeft", 0), ("End", 1), ("Home", 0)):
        tab.keyboard.press(key)
        expect(strip.get_by_role("radio").nth(step)).to_be_focused()
        log_probs = truth.logits[truth.first + step].log_softmax(-1)
        probs = log_probs.exp()
        own = percent(float(probs[turn.trace.token_ids[step]]))
        entropy = nats(-float((probs * log_probs).sum()))
        expect(player.locator(".facts")).to_have_text(f"{own} likely · entropy of the prediction {entropy}")
        best = [percent(float(prob)) for prob in probs.topk(6).values]
        assert player.locator(".percent").all_inner_texts() == best
    expect(player.locator(".place")).to_have_text(f"Token 1 of {turn.trace.n_steps}")
    tab.keyboard.press(" ")
    expect(player.get_by_role("button", name="Pause")).to_be_visible()
    expect(player.locator(".place")).to_have_text(f"Token {turn.trace.n_steps} of {turn.trace.n_steps}")
    expect(player.get_by_role("button", name="Play")).to_be_visible()
    settle(tab)
    assert "step=-1" in tab.url or "step=1" in tab.url, "the address says where the walk stopped"


def test_what_if_goes_on_from_the_other_token_beside_the_original(
    visit: Visit, corrected: str, embedded: lt.LoadedModel, paris: lt.Session
) -> None:
    tab = page_of(visit, corrected, "Tokens")
    show(tab, "after")
    token = shown(paris.turns[1].trace.top_tokens[0][1])
    tab.get_by_role("button", name=f"What if it had said {token} here?").click()
    expected = lt.what_if(embedded, paris, 1, 0, int(paris.turns[1].trace.top_token_ids[0][1])).turns[1]
    compare = tab.get_by_role("button", name="Compare with the original")
    expect(compare).to_be_visible()
    settle(tab)
    expect(tab.locator(".lt-written")).to_have_text(expected.text)
    compare.click()
    settle(tab)
    show(tab, "side by side")
    expect(tab.locator(".player").nth(1).locator(".so-far mark")).to_have_text(token)
    expect(tab.get_by_text("Shown beside the original")).to_be_visible()


@pytest.mark.soak
def test_it_is_asked_many_times(visit: Visit, corrected: str) -> None:
    """tests/app/tokens/test_tokens_page.py says so of the page as a script."""
    tab = page_of(visit, corrected, "Tokens")
    show(tab, "before")
    computed(tab, "Ask “What is the capital of France?” 32 times")
    expect(tab.get_by_text("At temperature 1,")).to_contain_text("of 32 answers say “Paris”")
    tab.get_by_text("Table: every answer").click()
    rows = tab.get_by_role("table", name="Sampled answers").get_by_role("row").all_inner_texts()
    assert sum(int(row.split("\t")[1]) for row in rows[1:]) == 32


@pytest.mark.soak
def test_what_reads_the_text_once_more_can_be_stopped(visit: Visit, corrected: str) -> None:
    """tests/app/views/test_on_demand.py says so of the page as a script."""
    tab = page_of(visit, corrected, "Layers")
    tab.get_by_role("radiogroup", name="Read the stream").get_by_role("radio", name="between").click()
    settle(tab)
    button = tab.get_by_role("button", name="Read every token (before)")
    button.click()
    tab.get_by_role("button", name="Stop", exact=True).click()
    expect(button).to_be_enabled()
    expect(tab.locator(".lt-error")).to_have_count(0)


def test_a_cell_of_the_map_opens_by_mouse_and_by_keyboard(visit: Visit, corrected: str, truth: Recomputed) -> None:
    tab = page_of(visit, corrected, "Layers")
    show(tab, "after")
    computed(tab, "Read every token")
    chart = tab.locator("[data-testid=stVegaLiteChart]").last
    chart.scroll_into_view_if_needed()
    settle(tab)
    box = chart.bounding_box()
    assert box is not None
    opened = tab.get_by_text(re.compile(r"The ten likeliest at layer \d+, behind token"))
    before = opened.inner_text()
    tab.mouse.click(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.45)
    expect(opened).not_to_have_text(before)
    settle(tab)
    expect(tab.get_by_label("Layer of the cell, after")).to_be_visible()
    _expect_cell(tab, truth, opened.inner_text())
    field = tab.get_by_label("Layer of the cell, after")
    field.fill("29")
    field.press("Enter")
    expect(opened).to_contain_text("layer 29")
    settle(tab)
    _expect_cell(tab, truth, opened.inner_text())


def _expect_cell(tab: Page, truth: Recomputed, said: str) -> None:
    """The table of a cell has the ten likeliest tokens of plain transformers."""
    layer, place = (int(number.replace(",", "")) for number in re.findall(r"[\d,]+", said)[:2])
    best = truth.lens_logits(place - 1 - truth.first)[layer - 1].softmax(-1).topk(10).values
    table = tab.get_by_role("table").filter(has_text=f"Layer {layer} of 30, behind")
    rows = table.get_by_role("row").all_inner_texts()[1:]
    assert [row.split("\t")[2].replace("\N{NO-BREAK SPACE}", " ").strip() for row in rows] == [
        percent(float(prob)) for prob in best
    ]


def test_a_head_opens_by_mouse_and_its_pattern_is_read(visit: Visit, corrected: str, truth: Recomputed) -> None:
    tab = page_of(visit, corrected, "Attention")
    show(tab, "after")
    word = next(word for word in reversed(truth.turn.prompt.words) if word.text.strip() == "London")
    shares = [truth.pattern(0, layer)[:, slice(*word.tokens)].sum(-1) for layer in range(30)]
    best = max((share, layer + 1, head + 1) for layer, row in enumerate(shares) for head, share in enumerate(row))
    expect(tab.get_by_text("Most on “London”")).to_contain_text(
        f"layer {best[1]}, head {best[2]} with {percent(float(best[0]))}"
    )
    expect(tab.get_by_label("Layer of the head")).to_have_value(str(best[1]))
    grid = tab.locator("[data-testid=stVegaLiteChart]").first
    grid.scroll_into_view_if_needed()
    settle(tab)
    box = grid.bounding_box()
    assert box is not None
    tab.mouse.click(box["x"] + box["width"] * 0.6, box["y"] + box["height"] * 0.5)
    expect(tab.get_by_label("Layer of the head")).not_to_have_value(str(best[1]))
    settle(tab)
    layer = int(tab.get_by_label("Layer of the head").input_value())
    head = int(tab.get_by_label("Head", exact=True).input_value())
    computed(tab, f"Read the pattern of layer {layer}, head {head}, after")
    row = truth.patterns[layer - 1][head - 1].numpy()[truth.first]  # of the position that writes the answer, by itself
    most = max(float(row[slice(*place)].sum()) for place in word_places(truth.turn))
    tab.get_by_text("looked at most", exact=False).last.click()
    table = tab.get_by_role("table").filter(has_text="looked at").last
    first = table.get_by_role("row").nth(1).inner_text().split("\t")
    assert first[2].replace("\N{NO-BREAK SPACE}", " ").strip() == percent(most)


@pytest.mark.parametrize("scheme", one_of_each(["light", "dark"], ["dark"]))  # the colours: tests/export/test_images.py
def test_a_view_is_taken_along_and_opens_in_other_programs(
    visit: Visit, corrected: str, truth: Recomputed, scheme: Scheme, tmp_path: Path
) -> None:
    tab = page_of(visit, corrected, "Tokens", scheme=scheme)
    tab.get_by_role("button", name="Export").first.scroll_into_view_if_needed()
    tab.get_by_role("button", name="Export").first.click()
    files = {}
    for kind in ("PNG", "SVG", "CSV", "Parquet"):
        with tab.expect_download() as waiting:
            tab.get_by_role("button", name=kind, exact=True).click()
        files[kind] = tmp_path / waiting.value.suggested_filename
        waiting.value.save_as(files[kind])
    with Image.open(files["PNG"]) as image:
        assert image.width == 2 * 760
        corner = image.convert("RGB").getpixel((2, 2))
    assert corner == {"light": (255, 255, 255), "dark": (18, 22, 28)}[scheme]
    texts = [element.text for element in ElementTree.parse(files["SVG"]).iter() if element.tag.endswith("text")]
    assert "London" in texts
    for frame in (pd.read_csv(files["CSV"]), pq.read_table(files["Parquet"]).to_pandas()):
        own = frame[frame["turn"] == "after"].sort_values("step")
        probs = [
            float(truth.logits[truth.first + step].softmax(-1)[token_id])
            for step, token_id in enumerate(truth.turn.trace.token_ids.tolist())
        ]
        assert own["prob"].tolist() == pytest.approx(probs, abs=1e-4)
    code = tab.locator("[data-testid=stCode]").first.inner_text()
    assert 'lt.figure(session, "tokens", turn=1, against=0' in code


@pytest.mark.soak
def test_the_conversation_is_taken_along_as_archive_and_report(
    visit: Visit, corrected: str, paris: lt.Session, tmp_path: Path
) -> None:
    tab = visit(corrected)
    tab.get_by_text("Take this conversation along").click()
    settle(tab)
    if tab.get_by_role("button", name="Read all that is missing").count():
        computed(tab, "Read all that is missing")
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Archive (zip)").click()
    waiting.value.save_as(tmp_path / "session.zip")
    with zipfile.ZipFile(tmp_path / "session.zip") as archive:
        archive.extractall(tmp_path / "session")
    session = lt.load_session(tmp_path / "session")
    assert [turn.answer for turn in session.turns] == [turn.answer for turn in paris.turns]
    assert "path" not in json.loads((tmp_path / "session" / "session.json").read_text("utf-8"))["model"]
    with tab.expect_download() as waiting:
        tab.get_by_role("button", name="Report (HTML)").click()
    waiting.value.save_as(tmp_path / "report.html")
    report = visit("about:blank", apart=True)
    report.context.set_offline(True)
    report.goto((tmp_path / "report.html").as_uri())
    expect(report.locator(".figure").first.locator("svg, canvas").first).to_be_visible()
    expect(report.get_by_role("heading", level=1)).to_contain_text("What is the capital of France?")


@pytest.mark.parametrize("title", ["Tokens", "Layers", "Attention"])
def test_axe_finds_nothing_serious_in_either_scheme_on_the_pages_that_explore_and_a_phone_shows_them_whole(
    visit: Visit, corrected: str, title: str
) -> None:
    tab = page_of(visit, corrected, title)
    for panel in tab.locator("[data-testid=stExpander] summary").all():
        panel.click()
    settle(tab)
    for scheme in ("light", "dark"):
        if scheme == "dark":
            darken(tab)
        serious = [
            (scheme, each["id"], node["target"], node["html"][:200])
            for each in Axe().run(tab).response["violations"]
            if each["impact"] in ("serious", "critical")
            for node in each["nodes"]
        ]
        assert serious == []
    tab.set_viewport_size({"width": 400, "height": 800})
    settle(tab)
    # The charts take their new width a moment after the page has.
    tab.wait_for_function(
        "() => [document.documentElement, document.querySelector('[data-testid=stMain]')]"
        ".every(each => each.scrollWidth <= Math.min(400, each.clientWidth))"
    )

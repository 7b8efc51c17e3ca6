"""TinyLlama by a download that is asked for, watched, cancelled and taken up again; the built-in model stays."""

from __future__ import annotations

import pytest
from hub_server import HubServer
from playwright.sync_api import expect
from steps import Visit, expect_ready

pytestmark = [pytest.mark.browser, pytest.mark.real]


def test_a_download_shows_its_size_can_be_cancelled_and_ends_with_the_new_model(
    visit: Visit, online: str, hub: HubServer
) -> None:
    tab = visit(online)
    expect_ready(tab)
    assert hub.requests == [], "nothing is asked of the hub before the button is pressed"
    hub.slow, hub.pause_seconds = True, 0.15
    tab.get_by_role("button", name="Download TinyLlama, 2.2 GB").click()
    expect(tab.get_by_text("Downloading: ")).to_be_visible()
    expect(tab.get_by_role("combobox", name="Model")).to_have_value("TinyLlama-1.1B-Chat-v1.0")
    tab.get_by_role("button", name="Cancel").click()
    expect(tab.get_by_text("The download was cancelled.")).to_be_visible()
    tab.get_by_role("button", name="Ask", exact=True).click()
    expect(tab.get_by_text("Answered by SmolLM2-135M-Instruct")).to_be_visible()
    hub.slow = False
    tab.get_by_role("button", name="Try again").click()
    expect(tab.get_by_text("3 layers · 4 heads")).to_be_visible()
    tab.get_by_role("button", name="Ask", exact=True).click()
    expect(tab.get_by_text("Answered by TinyLlama-1.1B-Chat-v1.0")).to_be_visible()
    expect(tab.locator("[data-testid=stException]")).to_have_count(0)

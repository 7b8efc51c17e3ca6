"""The app under a path of a host, behind a real nginx with the project's own settings."""

from __future__ import annotations

import http.client
import os
import socket
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from nginx import nginx
from playwright.sync_api import Browser, Page, expect
from serving import free_port, started_app
from steps import ask_capital, expect_ready, on_page, opened, settle
from websockets.sync.client import connect
from websockets.typing import Origin, Subprotocol

from llm_tracker.app.work.limits import PUBLIC

MEGABYTE = 2**20
ELSEWHERE = "tracker.example.org"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where visitors find the app: a host that strangers share."""
    folder, port = tmp_path_factory.mktemp("nginx"), free_port()
    variables = {**os.environ, "LLM_TRACKER_PUBLIC": "1", "LLM_TRACKER_STORE": str(folder / "sessions.sqlite")}
    process = started_app(variables, port, prefix="/tracker")
    try:
        with nginx(folder, port) as proxy:
            yield f"{proxy}/tracker"
    finally:
        process.terminate()
        process.wait(timeout=120)


@pytest.fixture(scope="module")
def tab(address: str, browser: Browser) -> Iterator[Page]:
    page = opened(browser, address)
    yield page
    page.close()


@pytest.mark.browser
@pytest.mark.real
def test_the_page_loads_under_the_prefix_and_answers_over_its_websocket(tab: Page, address: str) -> None:
    expect_ready(tab)
    ask_capital(tab)
    assert tab.url.startswith(f"{address}/?s=")
    expect(tab.locator("[data-testid=stException]")).to_have_count(0)


@pytest.mark.browser
@pytest.mark.real
def test_links_to_pages_keep_the_prefix_and_so_does_the_private_link(tab: Page, address: str) -> None:
    for page in ("Tokens", "History"):
        tab.get_by_test_id("stSidebar").get_by_role("link", name=page, exact=True).click()
        expect(tab.get_by_role("heading", name=page, exact=True)).to_be_visible()
        settle(tab)
        assert tab.url.startswith(f"{address}/{page}?s=")
    key = tab.url.partition("?s=")[2].partition("&")[0]
    expect(tab.get_by_text(f"{address}/?s={key}")).to_be_visible()
    tab.reload()
    expect(tab.get_by_role("heading", name="History", exact=True)).to_be_visible()


def test_whoever_forgets_the_slash_is_sent_on_without_a_word_of_a_host(address: str) -> None:
    class Stay(urllib.request.HTTPRedirectHandler):
        def redirect_request(self, *_: object) -> None:
            """Look at the redirect, and don't follow it."""

    with pytest.raises(urllib.error.HTTPError) as answer:
        urllib.request.build_opener(Stay).open(address)
    with answer.value as redirect:
        assert (redirect.code, redirect.headers["Location"]) == (308, "/tracker/")


@pytest.mark.browser
@pytest.mark.real
def test_the_largest_upload_that_the_app_takes_comes_through_to_it(tab: Page, tmp_path: Path) -> None:
    """The app has read it all where it says that it is none of its own."""
    file = tmp_path / "conversations.zip"
    file.write_bytes(bytes(PUBLIC.upload_megabytes * 10**6))  # as the page counts them
    on_page(tab, "History")
    tab.get_by_text("Import conversations").click()
    tab.locator("input[type=file]").set_input_files(file)
    expect(tab.get_by_text("This is no zip file that can be read.")).to_be_visible()


def test_a_larger_upload_is_told_that_it_is_too_large_before_it_is_sent(address: str) -> None:
    with closing(http.client.HTTPConnection(urlsplit(address).netloc)) as connection:
        connection.putrequest("PUT", f"{urlsplit(address).path}/_stcore/upload_file/somebody/something")
        connection.putheader("Content-Length", str(22 * MEGABYTE))
        connection.endheaders()
        assert connection.getresponse().status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE


def test_a_websocket_is_taken_from_a_page_of_whatever_host_and_port_was_asked_for(address: str) -> None:
    host = f"{ELSEWHERE}:{urlsplit(address).port}"
    with connect(
        f"ws://{host}/tracker/_stcore/stream",
        sock=socket.create_connection(("127.0.0.1", urlsplit(address).port)),
        origin=Origin(f"http://{host}"),
        subprotocols=[Subprotocol("streamlit")],
    ) as shaken:
        assert shaken.subprotocol == "streamlit"


def test_who_comes_and_how_is_told_by_nginx_and_not_by_the_visitor(tmp_path: Path) -> None:
    told: dict[str, str] = {}

    class Listener(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.update({name.lower(): value for name, value in self.headers.items()})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing on standard error."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Listener) as app:
        threading.Thread(target=app.serve_forever, daemon=True).start()
        with nginx(tmp_path, app.server_port) as proxy:
            pretended = {"Host": f"{ELSEWHERE}:8080", "X-Forwarded-For": "192.0.2.7", "X-Forwarded-Proto": "https"}
            urllib.request.urlopen(urllib.request.Request(f"{proxy}/tracker/", headers=pretended)).close()
        app.shutdown()
    assert told["host"] == f"{ELSEWHERE}:8080"
    assert told["x-forwarded-for"] == "127.0.0.1"
    assert told["x-forwarded-proto"] == "http"

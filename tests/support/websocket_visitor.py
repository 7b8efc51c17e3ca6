"""A visitor over a real websocket, without a browser: speaks Streamlit's messages, and draws nothing.

It does what a browser's tab does as far as the server can tell: opens the page, sends what is typed and pressed, runs
fragments again as often as they ask for it, and reads every message that comes.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any, TypeVar

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

ANSWER = re.compile(
    r'<div class="lt-card (before|after)">.*?<div class="answer[^>]*>(.*?)</div><div class="note[^>]*>(.*?)</div>', re.S
)
MOST_BYTES = 64 * 2**20
Result = TypeVar("Result")


def run_visits(coming: Coroutine[Any, Any, Result]) -> Result:
    """What visitors do, on a thread of their own: that of the tests may have a browser's loop running."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coming).result()


class WebsocketVisitor:
    """One tab. `async with WebsocketVisitor(url) as visitor: await visitor.ask("…")`."""

    def __init__(self, url: str, page: str = "") -> None:
        self._url = url
        self._page = page
        self._cache: dict[str, ForwardMsg] = {}
        self._elements: dict[tuple[int, ...], Any] = {}
        self._drawn: set[tuple[int, ...]] = set()
        self._values: dict[str, str] = {}
        self._timers: dict[str, asyncio.Task[None]] = {}
        self._intervals: dict[str, float] = {}
        self._changed = asyncio.Condition()
        self._query = ""
        self.n_drawn = 0
        """How often the whole page was drawn to its end."""
        self.n_messages = 0
        self.n_bytes = 0
        self.exceptions: list[str] = []

    async def __aenter__(self) -> WebsocketVisitor:
        address = self._url.replace("http", "ws", 1) + "/_stcore/stream"
        self._socket = await websockets.connect(
            address, subprotocols=["streamlit"], max_size=MOST_BYTES, compression=None, origin=self._url
        )
        self._reader = asyncio.create_task(self._read())
        await self.run()
        await self.until(lambda: self.n_drawn > 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError, websockets.ConnectionClosed):
            await self._reader
        await self._socket.close()

    def has(self, key: str) -> bool:
        return self._id(key) is not None

    def html(self) -> str:
        """All HTML that stands on the page now, in no order."""
        bodies = (each.html.body for each in self._elements.values() if each.WhichOneof("type") == "html")
        return " ".join(bodies)

    def answers(self) -> dict[str, tuple[str, str]]:
        """By side the finished answer's text and what is said of it."""
        found = {side: (_text(answer), _text(note)) for side, answer, note in ANSWER.findall(self.html())}
        return {side: each for side, each in found.items() if "likely" in each[1]}

    async def ask(self, question: str, seconds: float = 300) -> str:
        """Ask, and wait for the finished answer."""
        self._values = {"question": question}
        await self._press("ask button")
        await self.until(
            lambda: (
                f">{question}<" in self.html() and "Answered by" in self.html() and self._is_told(question, "before")
            ),
            seconds,
        )
        return self.answers()["before"][0]

    async def correct(self, correction: str, seconds: float = 300) -> str:
        """Correct, and wait for the finished answer and its control."""
        self._values["correction"] = correction
        await self._press("correct button")
        await self.until(lambda: self._is_told(correction, "after") and "asked again:" in self.html(), seconds)
        return self.answers()["after"][0]

    def _is_told(self, said: str, side: str) -> bool:
        heads = re.findall(rf'<div class="lt-card {side}"><div class="head[^>]*>(.*?)</div>', self.html(), re.S)
        return side in self.answers() and any(said in _text(head) for head in heads)

    async def until(self, done: Any, seconds: float = 120) -> None:
        """Wait until the page shows something. Raises TimeoutError, with what it shows instead."""
        try:
            async with asyncio.timeout(seconds), self._changed:
                await self._changed.wait_for(lambda: self._reader.done() or done())
        except TimeoutError as error:
            timers = {fragment[:6]: self._intervals[fragment] for fragment in self._timers}
            raise TimeoutError(f"{self.exceptions}, timers {timers}, {_text(self.html())[:3000]}") from error
        if self._reader.done():
            await self._reader  # raises what it failed with

    async def _press(self, key: str) -> None:
        await self.until(lambda: self._button(key) is not None)
        pressed = self._button(key)
        assert pressed is not None, f"there is no {key}"
        await self.run(pressed=pressed)

    async def run(self, pressed: str | None = None, fragment: str = "") -> None:
        """Ask for a run of the page, or of a fragment of it, as a browser does at every press."""
        message = BackMsg()
        state = message.rerun_script
        state.query_string = self._query
        state.page_name = self._page
        state.context_info.timezone = "UTC"
        state.context_info.url = self._url
        for key, value in self._values.items():
            widget = self._id(key)
            if widget is not None:
                state.widget_states.widgets.add(id=widget, string_value=value)
        if pressed is not None:
            state.widget_states.widgets.add(id=pressed, trigger_value=True)
        if fragment:
            state.fragment_id = fragment
            state.is_auto_rerun = True
        with contextlib.suppress(websockets.ConnectionClosed):
            await self._socket.send(message.SerializeToString())

    def _id(self, key: str) -> str | None:
        """The id of the widget with this key, which ends with it."""
        for element in self._elements.values():
            kind = element.WhichOneof("type")
            widget = getattr(getattr(element, kind), "id", "") if kind in ("text_input", "button") else ""
            if widget.endswith(f"-{key}"):
                return str(widget)
        return None

    def _button(self, key: str) -> str | None:
        """The id of the button with this key, once it can be pressed."""
        buttons = (each.button for each in self._elements.values() if each.WhichOneof("type") == "button")
        return next((each.id for each in buttons if each.id.endswith(f"-{key}") and not each.disabled), None)

    async def _read(self) -> None:
        try:
            await self._read_all()
        finally:
            async with self._changed:
                self._changed.notify_all()

    async def _read_all(self) -> None:
        async for raw in self._socket:
            message = ForwardMsg()
            assert isinstance(raw, bytes)
            message.ParseFromString(raw)
            self.n_messages, self.n_bytes = self.n_messages + 1, self.n_bytes + len(raw)
            if message.WhichOneof("type") == "ref_hash":
                path = list(message.metadata.delta_path)
                message = self._cache[message.ref_hash]
                self._take(message, path)
            else:
                if message.hash:
                    self._cache[message.hash] = message
                self._take(message, list(message.metadata.delta_path))
            async with self._changed:
                self._changed.notify_all()

    def _take(self, message: ForwardMsg, path: list[int]) -> None:
        kind = message.WhichOneof("type")
        if kind == "delta" and message.delta.WhichOneof("type") == "new_element":
            element = message.delta.new_element
            self._elements[tuple(path)] = element
            self._drawn.add(tuple(path))
            if element.WhichOneof("type") == "exception":
                self.exceptions.append(element.exception.message)
        elif kind == "delta":  # a block takes an element's place
            self._elements.pop(tuple(path), None)
        elif kind == "auto_rerun":
            self._start_timer(message.auto_rerun.fragment_id, message.auto_rerun.interval)
        elif kind == "stop_auto_rerun":
            for fragment in message.stop_auto_rerun.fragment_ids:
                self._stop_timer(fragment)
        elif kind == "new_session" and not message.metadata.run.fragment_ids:
            self._drawn = set()
            for fragment in list(self._timers):
                self._stop_timer(fragment)
        elif kind == "script_finished" and not message.metadata.run.fragment_ids:
            if message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:  # what was not drawn again is gone
                self._elements = {at: each for at, each in self._elements.items() if at in self._drawn}
                self.n_drawn += 1
        elif kind == "page_info_changed":
            self._query = message.page_info_changed.query_string

    def _start_timer(self, fragment: str, interval: float) -> None:
        if self._intervals.get(fragment) != interval or fragment not in self._timers:
            self._stop_timer(fragment)
            self._intervals[fragment] = interval
            self._timers[fragment] = asyncio.create_task(self._again(fragment, interval))

    def _stop_timer(self, fragment: str) -> None:
        timer = self._timers.pop(fragment, None)
        if timer is not None:
            timer.cancel()

    async def _again(self, fragment: str, interval: float) -> None:
        while True:
            await asyncio.sleep(interval)
            await self.run(fragment=fragment)


def _text(html: str) -> str:
    return unescape(re.sub(r"<[^>]+>", "", html)).strip()

"""What a visitor does on the Compare page, on tiny models of several sizes, in a test without a browser."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import torch
from streamlit.testing.v1 import AppTest
from tiny_models import loaded, tiny_network
from visitor import settled, told, until, visitor

import llm_tracker as lt
from llm_tracker.app.work import engine as engines
from llm_tracker.app.work.comparing.running import compared, comparing_on
from llm_tracker.app.work.comparing.variants import Comparing
from llm_tracker.app.work.subject import Subject
from llm_tracker.app.work.turn_ref import TurnRef
from llm_tracker.load_options import LoadOptions
from llm_tracker.progress import Progress

COMPARE = "pages/5_Compare.py"
QUESTION, CORRECTION = "What is it?", "No, London."
OWN = comparing_on(TurnRef(1, 1), 0)
LAYERS = {"smollm2": 5, "smollm2-360m": 2}
TOO_LARGE = "It takes 9 GB, and 1 GB is free. Take a smaller one."


@cache
def network_of(name: str, dtype: str) -> lt.LoadedModel:
    network = tiny_network("llama", num_hidden_layers=LAYERS.get(name, 3))
    return loaded(network if dtype == "auto" else network.to(getattr(torch, dtype)))


def by_name(name: str, options: LoadOptions, *_: object) -> lt.LoadedModel:
    """In place of loading: tiny models of other sizes under some names, one that is too large, any number format."""
    if name == "tinyllama":
        raise lt.ModelTooLargeError(TOO_LARGE)
    model = network_of(name, options.dtype)
    return replace(model, entry=replace(model.entry, id=name, title=name))


@cache
def conversation(*said: str) -> lt.Session:
    question, *corrections = said
    return lt.track(by_name("embedded", LoadOptions()), question, corrections, max_new_tokens=2, control=True)


def on_compare(engine: engines.Engine, *said: str, shown: tuple[int, int | None] = (0, 1)) -> AppTest:
    """The Compare page of a visitor with one conversation."""
    return told(engine, conversation(*(said or (QUESTION, CORRECTION))), COMPARE, shown)


def field(at: AppTest) -> Any:
    """The field of the models."""
    return next(each for each in at.multiselect if each.label == "Models")


def chosen_models(at: AppTest, *names: str) -> AppTest:
    """Choose these models; what cannot be picked is typed."""
    box = field(at)
    box.options.extend(name for name in names if box.format_func(name) not in box.options)
    return settled(box.set_value(list(names)).run())


def pressed_run(at: AppTest) -> AppTest:
    """Press the button as soon as it can be: it waits while anything else is computed."""
    return run_button(until(at, lambda: not run_button(at).disabled)).click().run()


def run_button(at: AppTest) -> Any:
    return next(button for button in at.button if button.label.startswith("Run it"))


def all_run(engine: engines.Engine, at: AppTest) -> AppTest:
    """Wait until no model is at work, and the page is drawn."""
    return settled(until(at, lambda: visitor(engine).job is None))


def run_on(engine: engines.Engine, at: AppTest, *names: str) -> AppTest:
    """Choose models, press the button and wait until all is there."""
    return all_run(engine, pressed_run(chosen_models(at, *names)))


def kept(engine: engines.Engine, subject: Subject = OWN) -> Comparing:
    return compared(visitor(engine), subject)


def ran(engine: engines.Engine) -> list[str]:
    return [str(variant) for variant in kept(engine).runs]


def waits_on(names: Sequence[str]) -> Callable[..., lt.LoadedModel]:
    """In place of loading: as `by_name`, but these models are loaded until they are stopped."""

    def load(name: str, options: LoadOptions, report: Callable[[Any], None], *more: object) -> lt.LoadedModel:
        while name in names:
            report(Progress("Loading the weights"))
            time.sleep(0.01)
        return by_name(name, options, report, *more)

    return load

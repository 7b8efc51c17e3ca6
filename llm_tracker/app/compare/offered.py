"""Which models can be picked, in which number formats, and what each choice is called."""

from __future__ import annotations

from collections.abc import Sequence

from llm_tracker.app.compare.conversation import Conversation
from llm_tracker.app.frame.model_picker import known_models, told_apart
from llm_tracker.app.work.admission import is_at_hand
from llm_tracker.app.work.comparing.variants import FORMATS, Comparing, Variant
from llm_tracker.app.work.engine import Engine
from llm_tracker.app.work.workspace import Workspace
from llm_tracker.errors import ModelError
from llm_tracker.models.catalogue import ModelEntry


def own_choice(engine: Engine, conversation: Conversation) -> list[str]:
    """The model of the conversation, where it can be used."""
    model_id = conversation.session.model.id
    return [model_id] if is_at_hand(engine, model_id) else []


def offered(
    engine: Engine, workspace: Workspace, conversation: Conversation, comparing: Comparing, chosen: Sequence[str]
) -> dict[str, str]:
    """What can be picked, by its text, and what it is called: the conversation's own model first.

    Those are the models that are here, and what was `chosen` before. Other number formats are offered of the own model
    and of those that are chosen; on a shared host of none.
    """
    own = own_choice(engine, conversation)
    picked = [Variant.of(each) for each in (*map(str, comparing.wanted), *chosen)]
    here = [entry.id for entry in known_models(engine, workspace) if is_at_hand(engine, entry.id)]
    entries = {name: _entry(engine, name) for name in (*own, *here, *(each.model_id for each in picked))}
    titles = told_apart({entry.id: entry for entry in entries.values() if entry is not None}.values())
    of_formats = {*own, *(each.model_id for each in picked)}
    options: dict[str, str] = {}
    for name, entry in entries.items():
        title = name if entry is None else titles[entry.id]
        options[name] = title
        if entry is not None and name in of_formats and entry.source != "plug-in" and not engine.settings.public:
            for dtype in _other_formats(engine, conversation, comparing, entry.id):
                options[str(Variant(name, dtype))] = f"{title}, {dtype}"
    return options | {str(each): str(each) for each in picked if str(each) not in options}


def _entry(engine: Engine, name: str) -> ModelEntry | None:
    """What a name stands for; None of one that is no model."""
    try:
        return engine.models.entry(name)
    except ModelError:
        return None


def _other_formats(engine: Engine, conversation: Conversation, comparing: Comparing, model_id: str) -> list[str]:
    """The number formats in which a model is not loaded anyway, as far as that is known."""
    loaded, run = engine.models.loaded(model_id), comparing.runs.get(Variant(model_id))
    session, of_app = conversation.session, engine.settings.options.dtype
    if of_app in FORMATS:
        own = of_app
    elif loaded is not None:
        own = loaded.dtype
    elif run is not None:
        own = run.session.model.dtype
    else:
        own = session.model.dtype if session.model.id == model_id else ""
    return [dtype for dtype in FORMATS if dtype != own]

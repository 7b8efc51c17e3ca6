"""Models that a plug-in loads in its own way: its `load_model` hook, asked so that a broken one costs only itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llm_tracker.errors import Cancelled, ModelError, TrackerError
from llm_tracker.languages.texts import say
from llm_tracker.load_options import LoadOptions
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.models.plugins.manager import Plugins, installed_plugins
from llm_tracker.models.plugins.plugin_checks import Hook, called, pair_of
from llm_tracker.models.plugins.plugin_failures import PluginError, failure_of, told

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


def load_by_plugin(
    entry: ModelEntry, options: LoadOptions, plugins: Plugins | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase] | None:
    """The model and tokenizer of the first plug-in that loads this entry itself; None where the app is to load it.

    A plug-in that fails on an entry of its own is a ModelError with its name and line, or the one that it raises on
    purpose. One that fails on any other entry joins the failures that are shown, whatever it raises, and the entry is
    loaded as if that plug-in had left it alone. Raises Cancelled where the load was stopped.
    """
    plugins = plugins or installed_plugins()
    bringer = plugins.models_from.get(entry.id)
    for implementation in reversed(plugins.manager.hook.load_model.get_hookimpls()):  # pluggy's own order of calling
        name, hook = implementation.plugin_name, Hook("load_model", implementation.function)
        try:
            returned = _asked(hook, name == bringer, entry=entry, device=options.device_name, dtype=options.dtype)
            if returned is not None:
                return pair_of(hook, returned)
        except PluginError as error:
            failure = failure_of(name, plugins.homes[name], error)
            if name == bringer:
                raise ModelError(
                    say(
                        "The plug-in “{name}” could not load “{title}” ({where}): {reason}",
                        name=name,
                        title=entry.title,
                        where=failure.where,
                        reason=failure.reason,
                    )
                ) from error
            if failure not in plugins.failures:
                plugins.failures.append(failure)
    if entry.source == "plug-in":
        raise ModelError(
            say(
                "“{title}” is to be loaded by the plug-in “{bringer}”, and its load_model returned None for it. "
                "Let it return the model and its tokenizer.",
                title=entry.title,
                bringer=bringer,
            )
        )
    return None


def _asked(hook: Hook, is_bringer: bool, **given: Any) -> Any:
    """What a plug-in's loader returns. What it says to the user counts for its own entries alone."""
    try:
        return called(hook, **given)
    except Cancelled:
        raise
    except TrackerError as error:
        if is_bringer:
            raise
        told_as = f"Its hook “{hook.name}” refuses a model that is not its own ({told(error)}). Let it return None."
        raise PluginError(told_as, error, hook.function) from error

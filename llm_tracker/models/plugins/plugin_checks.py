"""The hooks of one plug-in: found, compared with what is specified, called, and what they return looked at."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar, get_args

import pluggy

from llm_tracker.errors import TrackerError
from llm_tracker.models.adapters.contract import ModelAdapter
from llm_tracker.models.catalogue import ModelEntry, Source
from llm_tracker.models.plugins.plugin_failures import PluginError, told

Kind = TypeVar("Kind", ModelAdapter, ModelEntry)


@dataclass(frozen=True)
class Hook:
    """A function of a plug-in that was found to fit the hook it is for."""

    name: str
    function: Callable[..., Any]


def own_hooks(manager: pluggy.PluginManager, plugin: Any) -> list[Hook]:
    """The hooks that a plug-in has. Raises PluginError where one fits no specification, or there is none."""
    specified = {name: caller.spec.argnames for name, caller in vars(manager.hook).items() if caller.spec is not None}
    hooks = []
    for attribute in dir(plugin):
        options = manager.parse_hookimpl_opts(plugin, attribute)
        if options is not None:
            hook = Hook(options.get("specname") or attribute, getattr(plugin, attribute))
            _require_specified(hook, specified, is_wrapper=bool(options.get("wrapper") or options.get("hookwrapper")))
            hooks.append(hook)
    _require_marked(plugin, hooks, specified)
    return hooks


def _require_specified(hook: Hook, specified: dict[str, Any], *, is_wrapper: bool) -> None:
    """Refuse a name, an argument or a kind of hook that there is not."""
    if hook.name not in specified:
        raise PluginError(f"There is no hook “{hook.name}”.{_choice(hook.name, specified)}", hook.function)
    if is_wrapper:
        raise PluginError(f"“{hook.name}” is marked as a wrapper. Mark it with @hookimpl alone.", hook.function)
    arguments = specified[hook.name]
    for name in inspect.signature(hook.function).parameters:
        if name not in arguments:
            choice = _choice(name, arguments) if arguments else f" It takes none: def {hook.name}():"
            raise PluginError(f"The hook “{hook.name}” has no argument “{name}”.{choice}", hook.function)


def _choice(name: str, known: Iterable[str]) -> str:
    """A sentence with the name that was meant, or with all that there are."""
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean “{near[0]}”?" if near else f" There are: {', '.join(known)}."


def _require_marked(plugin: Any, hooks: list[Hook], specified: Iterable[str]) -> None:
    """Refuse a function that has a hook's name and is no hook, and a plug-in without any hook: both would do nothing.

    A function of that name that was imported (such as llm_tracker's own load_model) is no mistake.
    """
    marked = {hook.name for hook in hooks}
    for name in specified:
        function = getattr(plugin, name, None)
        own = inspect.isfunction(function) and function.__module__ == getattr(plugin, "__name__", None)
        if own and name not in marked:
            raise PluginError(f"“{name}” is not marked as a hook. Write @hookimpl above it.", function)
    if not hooks:
        raise PluginError(f"It has no hook. Write one of these, marked with @hookimpl: {', '.join(specified)}.")


def called(hook: Hook, **given: Any) -> Any:
    """What a hook returns, given those arguments that it takes.

    Raises PluginError where it raises; a TrackerError, which speaks to the user already, comes through as it is.
    """
    wanted = inspect.signature(hook.function).parameters
    try:
        return hook.function(**{name: value for name, value in given.items() if name in wanted})
    except TrackerError:
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(f"Its hook “{hook.name}” raises {told(error)}.", error, hook.function) from error


def adapters_of(hook: Hook) -> list[ModelAdapter]:
    """The adapters that a hook brings. Raises PluginError where it does not return a list of instances."""
    adapters = _listed(hook, ModelAdapter)
    for adapter in adapters:
        _require_model_types(adapter, hook)
    return adapters


def models_of(hook: Hook) -> list[ModelEntry]:
    """The catalogue entries that a hook brings. Raises PluginError where it does not return a list of them."""
    entries = _listed(hook, ModelEntry)
    for entry in entries:
        if not all(isinstance(text, str) and text.strip() for text in (entry.id, entry.title)):
            raise PluginError(f"The entry “{entry.id or entry.title}” needs an id and a title.", hook.function)
        if entry.source not in get_args(Source):
            sources = ", ".join(get_args(Source))
            raise PluginError(
                f"The entry “{entry.id}” has the source “{entry.source}”. Choose one of: {sources}.", hook.function
            )
    return entries


def _listed(hook: Hook, kind: type[Kind]) -> list[Kind]:
    """What a hook returns, once it is known to be a list of instances of `kind`."""
    returned = called(hook)
    if not isinstance(returned, (list, tuple)):
        raise PluginError(
            f"The hook “{hook.name}” returns {_described(returned)}. "
            f"Let it return a list of instances of {kind.__name__}.",
            hook.function,
        )
    for each in returned:
        if not isinstance(each, kind):
            remedy = f"Return an instance: {each.__name__}(…)." if isinstance(each, type) else ""
            raise PluginError(
                f"The hook “{hook.name}” returns {_described(each)} in its list, where an instance of {kind.__name__} "
                f"is needed. {remedy}".rstrip(),
                hook.function,
            )
    return list(returned)


def _described(value: Any) -> str:
    """A value in the words of a sentence."""
    if value is None:
        return "None"
    return f"the class {value.__name__}" if isinstance(value, type) else f"a value of type {type(value).__name__}"


def _require_model_types(adapter: ModelAdapter, hook: Hook) -> None:
    types: Any = adapter.model_types
    if isinstance(types, str):
        told_as = f'is the text “{types}”. Write a tuple: ("{types}",)'
    elif not isinstance(types, (tuple, list)) or not types or not all(isinstance(each, str) and each for each in types):
        told_as = 'names no model type. Write a tuple of those that it reads, as they stand in config.json: ("llama",)'
    else:
        return
    raise PluginError(f"{adapter.name}.model_types {told_as}.", type(adapter), hook.function)


def pair_of(hook: Hook, returned: Any) -> tuple[Any, Any]:
    """A model and its tokenizer, as `load_model` has to return them. Raises PluginError where it returned else."""
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    if isinstance(returned, tuple) and len(returned) == 2:
        model, tokenizer = returned
        if isinstance(model, PreTrainedModel) and isinstance(tokenizer, PreTrainedTokenizerBase):
            return model, tokenizer
        kinds = f"a pair of {type(model).__name__} and {type(tokenizer).__name__}"
    else:
        kinds = _described(returned)
    raise PluginError(
        f"The hook “{hook.name}” returns {kinds}. Let it return a transformers model and its tokenizer: "
        "return model, tokenizer.",
        hook.function,
    )

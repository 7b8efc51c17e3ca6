"""Plug-ins that are broken in one way each: the file, the line to change, and the sentence that says how."""

from __future__ import annotations

from typing import NamedTuple


class Broken(NamedTuple):
    source: str
    line: int
    reason: str


def hook(function: str, *, imports: str = "hookimpl", above: str = "@hookimpl") -> str:
    """A file whose hook begins in line 3."""
    return f"from llm_tracker import {imports}\n{above}\n{function}\n"


def adapter(body: str, returned: str = "[Mine()]") -> str:
    """A file whose adapter begins in line 2 and its hook in line 5."""
    return (
        f"from llm_tracker import ModelAdapter, hookimpl\nclass Mine(ModelAdapter):\n    {body}\n"
        f"@hookimpl\ndef register_adapters():\n    return {returned}\n"
    )


def entry(arguments: str) -> str:
    """A file that brings one catalogue entry, by a hook in line 3."""
    return hook(f"def register_models():\n    return [ModelEntry({arguments})]", imports="ModelEntry, hookimpl")


BROKEN = {
    "import error": Broken(
        "import math\nimport nothing_like_that\n",
        2,
        "It imports “nothing_like_that”, which is not there. Install that, or correct the name.",
    ),
    "a name that there is not": Broken(
        "from llm_tracker import ModelAdaptor\n",
        1,
        "It raises ImportError: cannot import name 'ModelAdaptor' from 'llm_tracker'",
    ),
    "no valid Python": Broken(hook("def register_models()\n    return []"), 3, "It is no valid Python: expected ':'."),
    "raising while imported": Broken("one = 1\nzero = one - one\nhalf = one / zero\n", 3, "ZeroDivisionError"),
    "ending the program while imported": Broken(
        "import sys\n\nsys.exit('no')\n",
        3,
        "It ends the program (SystemExit), which no plug-in may. Take the call of exit() away.",
    ),
    "misspelt hook": Broken(
        hook("def register_adaptors():\n    return []"),
        3,
        "There is no hook “register_adaptors”. Did you mean “register_adapters”?",
    ),
    "unknown hook": Broken(
        hook("def zebra():\n    return []"),
        3,
        "There is no hook “zebra”. There are: load_model, register_adapters, register_models.",
    ),
    "an argument where there is none": Broken(
        hook("def register_models(config):\n    return []"),
        3,
        "The hook “register_models” has no argument “config”. It takes none: def register_models():",
    ),
    "misspelt argument with a default": Broken(
        hook("\n\ndef load_model(entry, device, dtyp='auto'):\n    pass"),
        5,
        "The hook “load_model” has no argument “dtyp”. Did you mean “dtype”?",
    ),
    "unmarked hook": Broken(
        hook("def register_adapters():\n    return []", above=""),
        3,
        "“register_adapters” is not marked as a hook. Write @hookimpl above it.",
    ),
    "wrapper": Broken(
        hook("def register_models():\n    return (yield)", above="@hookimpl(wrapper=True)"),
        3,
        "“register_models” is marked as a wrapper. Mark it with @hookimpl alone.",
    ),
    "raising hook": Broken(
        hook("def register_models():\n    entries = []\n    raise OSError('no disk')"),
        5,
        "Its hook “register_models” raises OSError: no disk.",
    ),
    "raising hook, inside a library": Broken(
        hook("def register_models():\n    import json\n    return json.loads('{')"),
        5,
        "Its hook “register_models” raises JSONDecodeError",
    ),
    "a hook that ends the program": Broken(
        hook("def register_models():\n    raise SystemExit(3)"), 4, "Its hook “register_models” raises SystemExit: 3."
    ),
    "forgotten return": Broken(
        hook("def register_adapters():\n    adapters = []"),
        3,
        "The hook “register_adapters” returns None. Let it return a list of instances of ModelAdapter.",
    ),
    "an adapter outside a list": Broken(
        adapter("model_types = ('mine',)", "Mine()"),
        5,
        "The hook “register_adapters” returns a value of type Mine. Let it return a list",
    ),
    "a class in place of its instance": Broken(
        adapter("model_types = ('mine',)", "[Mine]"),
        5,
        "returns the class Mine in its list, where an instance of ModelAdapter is needed. Return an instance: Mine(…).",
    ),
    "something else in the list": Broken(
        hook("def register_models():\n    return ['tinyllama']"),
        3,
        "returns a value of type str in its list, where an instance of ModelEntry is needed.",
    ),
    "model_types that is a text": Broken(
        adapter("model_types = ('mine')"), 2, 'Mine.model_types is the text “mine”. Write a tuple: ("mine",).'
    ),
    "no model_types": Broken(
        adapter("pass"), 2, "Mine.model_types names no model type. Write a tuple of those that it reads"
    ),
    "taken type": Broken(
        adapter("model_types = ('own_type',)"),
        2,
        "The model type “own_type” is read by Own of “own” already. Take it out of Mine.model_types, "
        "or take that plug-in away.",
    ),
    "a type claimed twice by one plug-in": Broken(
        adapter("model_types = ('new',)", "[Mine(), Mine()]"),
        2,
        "The model type “new” is read by Mine of “z_broken” already.",
    ),
    "taken id": Broken(
        entry("'embedded', 'x', 'directory', '/x'"),
        3,
        "The model id “embedded” is taken by “built-in”. Choose another id.",
    ),
    "a source that there is not": Broken(
        entry("'x', 'X', 'hubb', 'a/x'"),
        3,
        "The entry “x” has the source “hubb”. Choose one of: embedded, hub, directory, gguf, plug-in.",
    ),
    "an entry without a title": Broken(entry("'x', '', 'hub', 'a/x'"), 3, "The entry “x” needs an id and a title."),
    "an entry that nothing loads": Broken(
        entry("'x', 'X', 'plug-in', ''"),
        3,
        "The entry “x” is to be loaded by this plug-in, which has no hook “load_model”.",
    ),
}

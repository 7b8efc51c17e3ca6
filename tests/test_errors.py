"""A caller can tell kinds of failure apart, and each door spells what to change in its own way."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny_models import tiny_network

import llm_tracker as lt
from llm_tracker.app.work.jobs import Job, run_job
from llm_tracker.load_options import LoadOptions
from llm_tracker.models.memory.device_memory import require_room
from llm_tracker.models.proof.prove import prove
from llm_tracker.models.proof.refusal import NotExactError, require_exact
from llm_tracker.models.sources.gguf_header import weights_count
from llm_tracker.models.sources.hub_failures import told_plainly
from llm_tracker.models.sources.remote_code import OwnCode, require_pickle_allowed, require_trusted_code
from llm_tracker.settings import with_flags


def damaged(tmp_path: Path) -> None:
    file = tmp_path / "cut.gguf"
    file.write_bytes(b"GGUF")
    weights_count(file)


def unreachable(_tmp_path: Path) -> None:
    with told_plainly("owner/model"):
        raise RuntimeError("no route")  # whatever the hub's client raises


def not_exact(_tmp_path: Path) -> None:
    class Twice(lt.ModelAdapter):
        def unembed(self, model: Any, normed: Any) -> Any:
            return super().unembed(model, normed) * 2

    network = tiny_network("llama")
    require_exact(Twice(), prove(network, Twice()))


def full_disk(_tmp_path: Path) -> None:
    with told_plainly("owner/model"):
        raise OSError(28, "No space left on device")


KINDS: list[tuple[type[lt.ModelError], Callable[[Path], object]]] = [
    (lt.ModelNotFoundError, lambda _: lt.load_model("nonsense")),
    (lt.ModelNotFoundError, lambda tmp_path: lt.load_model(str(tmp_path))),
    (lt.HubUnreachableError, unreachable),
    (lt.HubUnreachableError, lambda _: lt.load_model("owner/not-here")),
    (lt.ModelTooLargeError, lambda _: require_room(10**15)),
    (lt.ModelTooLargeError, full_disk),
    (lt.ModelRefusedError, lambda _: require_trusted_code("x", OwnCode(frozenset({"own.py"})), lt.Trust())),
    (lt.ModelRefusedError, lambda _: require_pickle_allowed("x", ["weights.bin"], lt.Trust())),
    (NotExactError, not_exact),
    (lt.ModelDamagedError, damaged),
]


@pytest.mark.parametrize(("kind", "fail"), KINDS)
def test_each_kind_of_failure_has_a_class_of_its_own(
    kind: type[lt.ModelError], fail: Callable[[Path], object], tmp_path: Path
) -> None:
    with pytest.raises(kind) as caught:
        fail(tmp_path)
    others = {
        lt.ModelNotFoundError,
        lt.HubUnreachableError,
        lt.ModelTooLargeError,
        lt.ModelRefusedError,
        lt.ModelDamagedError,
    } - set(kind.__mro__)
    assert not isinstance(caught.value, tuple(others))
    assert isinstance(caught.value, lt.TrackerError)


def test_a_model_that_is_not_read_exactly_carries_what_was_compared(tmp_path: Path) -> None:
    with pytest.raises(NotExactError) as caught:
        not_exact(tmp_path)
    assert isinstance(caught.value, lt.ModelRefusedError)
    assert caught.value.adapter.name == "Twice"
    assert not caught.value.examination.proof.ok


def test_a_message_names_parameters_and_the_command_line_and_the_app_add_their_flags() -> None:
    with pytest.raises(lt.ModelRefusedError) as caught:
        require_pickle_allowed("owner/model", ["weights.bin"], lt.Trust())
    assert str(caught.value).endswith("allow them for this model: trust=Trust(pickle=True).")
    assert with_flags(caught.value).endswith("trust=Trust(pickle=True). (llm-tracker: --allow-pickle)")
    job = Job("load")
    run_job(job, lambda _job: require_room(10**15))
    assert job.error.endswith("(llm-tracker: --dtype)")


def test_what_speaks_of_no_parameter_is_told_as_it_is() -> None:
    assert with_flags(lt.ModelError("No.")) == "No."


@pytest.mark.parametrize("parameters", ["/etc/key", ("trust",), "dtype"])
def test_a_plug_ins_error_may_name_whatever_it_likes(parameters: Any) -> None:
    told = with_flags(lt.ModelError("No key.", parameters))
    assert told == ("No key. (llm-tracker: --dtype)" if parameters == "dtype" else "No key.")


def test_an_unknown_number_format_is_refused_where_options_are_made() -> None:
    with pytest.raises(lt.ModelError, match="There is no number format “int3”"):
        LoadOptions(dtype="int3")

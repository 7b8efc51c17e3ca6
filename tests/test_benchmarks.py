"""The timings run on any model and print what the contract names. No bound on a time: machines are noisy."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tiny_models import tiny_model

import llm_tracker as lt
from benchmarks import explore, ours, plain
from benchmarks.overhead import require_agreement
from benchmarks.pairs import ratio
from benchmarks.prompts import prompts
from benchmarks.tinyllama_like import write_tinyllama_like
from llm_tracker.places import app_dir

NAMED = {"same_over_same", "trace_overhead", "trace_all_overhead", "trace_all_over_limit", "capture_overhead"}
NAMED |= {"versus_eager", "versus_eager_1500", "first_token", "correction_reuse", "growth"}
NAMED |= {"peak_anon_mib", "peak_rss_mib"}


def test_the_command_prints_every_figure_that_the_contract_names(tmp_path: Path) -> None:
    checkpoint = write_tinyllama_like(tmp_path / "tinyllama")
    parts = ["overhead", "whole", "eager", "reuse", "formats", "growth", "memory"]
    command = [sys.executable, "-m", "benchmarks", "--model", str(checkpoint), "--pairs", "1", "--json"]
    # float32: in 16 bits a random model's ties are broken one way or the other
    command += ["--dtype", "float32", *(word for part in parts for word in ("--only", part))]
    done = subprocess.run(command, capture_output=True, text=True, cwd=app_dir(), check=False)
    assert done.returncode == 0, done.stderr
    record = json.loads(done.stdout)
    assert record.keys() >= NAMED | {"machine", "kernels", "model", "dtype"}
    for name in NAMED - {"growth", "peak_anon_mib", "peak_rss_mib"}:
        assert record[name]["min"] <= record[name]["median"] <= record[name]["max"], name
        assert record[name]["n"] == (3 if name.startswith(("same", "trace_overhead", "capture")) else 1)
    assert record["growth"].keys() == {"128", "512", "2036"}  # it reads 2048 at most, the answer included
    kept = [record["growth"][length]["trace_mib"] for length in ("128", "512", "2036")]
    assert kept == sorted(kept)
    assert 0 < record["peak_anon_mib"] <= record["peak_rss_mib"]
    assert record["machine"]["torch"]


def test_a_ratio_is_of_pairs_and_leaves_out_those_that_wrote_other_tokens() -> None:
    seen: list[tuple[str, int]] = []

    def way(name: str) -> object:
        def go(prompt: int) -> list[int]:
            seen.append((name, prompt))
            return [0 if prompt == 4 and name == "a" else 1]

        return go

    found = ratio(way("a"), way("b"), iter(range(100)), 3)  # type: ignore[arg-type]
    assert found["n"] == 3
    assert found["n_differing"] == 1
    timed = seen[4:]
    assert [prompt for _, prompt in timed] == [2, 2, 3, 3, 4, 4, 5, 5]
    assert {timed[0][0], timed[2][0]} == {"a", "b"}


def test_two_ways_that_always_write_other_tokens_are_not_compared() -> None:
    with pytest.raises(RuntimeError, match="other tokens"):
        ratio(lambda _: [1], lambda _: [2], iter(range(100)), 2)


def test_plain_transformers_sees_the_numbers_that_we_see() -> None:
    model = tiny_model("llama")
    ids = next(prompts(model, 40))
    with ours.endless(model):
        seen = plain.seen(model, ids)
        require_agreement(model, ids, seen)
        assert ours.traced(model, ids) == plain.generated(model, ids) == seen.token_ids
        assert ours.bare(model, ids) == ours.captured(model, ids) == ours.traced_whole(model, ids) == seen.token_ids
    assert plain.network(model) is not model.model
    assert plain.network(model).config._attn_implementation == "sdpa"


def test_prompts_are_fresh_and_of_their_length() -> None:
    stream = prompts(tiny_model("llama"), 80)
    several = [next(stream) for _ in range(30)]
    assert {len(ids) for ids in several} == {80}
    assert len({tuple(ids[:8]) for ids in several}) == 30


def test_what_disagrees_is_not_timed() -> None:
    model = tiny_model("llama")
    ids = next(prompts(model, 40))
    with ours.endless(model):
        seen = plain.seen(model, ids)
        off = replace(seen, attention=seen.attention + 0.01)
        with pytest.raises(RuntimeError, match="not compared"):
            require_agreement(model, ids, off)


def test_an_answer_without_ends_has_its_number_of_tokens_and_the_model_gets_its_ends_back() -> None:
    model = tiny_model("llama")
    ends = (model.model.generation_config.eos_token_id, model.tokenizer.eos_token)
    with ours.endless(model):
        session: lt.Session = ours.answered(model, next(prompts(model, 20)))
    assert session.turns[0].trace.n_steps == ours.N_NEW
    assert (model.model.generation_config.eos_token_id, model.tokenizer.eos_token) == ends


def test_every_view_of_a_long_text_can_be_timed() -> None:
    tiny_llama = tiny_model("llama")
    session = lt.track(tiny_llama, "Is Paris it?", recipe="chat", max_new_tokens=2)
    turn = session.turns[0]
    read = lt.position_lens(tiny_llama, turn), lt.head_pattern(tiny_llama, turn, 1, 1)
    names = {name for name, _ in explore._interactions(session, turn, *read)}
    assert names == {f"long_{view}_ms" for view in ("map", "map_entropy", "heads", "pattern_token", "pattern_word")}

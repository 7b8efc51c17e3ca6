"""Sessions, models and checks as plain text, for the command line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from llm_tracker.analysis.attention import attention_by_word, attention_groups, in_conversation
from llm_tracker.analysis.candidates import candidates
from llm_tracker.analysis.compare import sides_of
from llm_tracker.analysis.lens.logit_lens import logit_lens
from llm_tracker.models.catalogue import ModelEntry
from llm_tracker.tracing.session import Session, Turn
from llm_tracker.wording.answers import ending_note, place_of_token, thought_note
from llm_tracker.wording.formats import percent, shown
from llm_tracker.wording.headline import headline, place_of
from llm_tracker.wording.labels import PLAIN_GROUP_LABELS, TURN_CLAUSES
from llm_tracker.wording.models import HOW_TRIED, entry_facts


def session_text(session: Session) -> str:
    """Every turn's answer with its three views, and what changed."""
    blocks = [f"{session.model.title} ({session.model.dtype}, {session.model.device}), recipe {session.recipe}"]
    blocks += [f"Note: {notice}" for notice in session.model.notices]
    for index, turn in enumerate(session.turns):
        blocks.append(_turn_text(turn, "question" if index == 0 else f"correction {index}"))
        if index in session.controls:
            blocks.append(
                _turn_text(session.controls[index], f"control of correction {index}: {TURN_CLAUSES['again']}")
            )
    if len(session.turns) > 1:
        sides = sides_of(session)
        ends = [score.end for side in sides for word in session.watch_words if (score := side.score(word))]
        behind_thoughts = any(side.turn.thought for side in sides)
        places = [place_of(end, behind_thoughts) for end in ends[:1]]
        blocks.append(" ".join([headline(sides, session.watch_words), *places]))
    return "\n\n".join(blocks)


def _turn_text(turn: Turn, said: str) -> str:
    step = turn.answer_step
    lines = [f"[{said}] {turn.said}"]
    lines += [f"[thought: {thought_note(turn.thought)}] {_shortened(turn.thought.text)}"] if turn.thought else []
    lines.append(f"[answer] {turn.answer}{ending_note(turn)}")
    lines += [f"Note: {notice}" for notice in turn.prompt.notices]
    lines += ["", f"Candidates for “{shown(turn.trace.tokens[step])}” ({place_of_token(turn, step)})"]
    lines += aligned(_candidate_rows(turn, step))
    if turn.scores.get(turn.first_step):
        lines += ["", "Whole words, each as the whole answer: all its spellings together, and one by one"]
        lines += aligned(_word_rows(turn))
    lines += ["", "Layer by layer: probability and rank of this token, and what each layer would say"]
    is_read = step in turn.trace.lens
    lines += aligned(_lens_rows(turn, step)) if is_read else ["  (nobody has looked at them: open it in the app)"]
    lines += ["", "Attention of the last layer that has any, by word (mean over heads)"]
    lines += aligned(_attention_rows(turn, step))
    return "\n".join(lines)


LONG_THOUGHT = 400
"""Characters of a thought that are printed: the whole of it is in what --json prints and --out writes."""


def _shortened(thought: str) -> str:
    text = " ".join(thought.split())
    return text if len(text) <= LONG_THOUGHT else f"{text[:LONG_THOUGHT].rstrip()} …"


def _candidate_rows(turn: Turn, step: int) -> Iterable[Sequence[str]]:
    for row in candidates(turn.trace, step).itertuples():
        logit = f"{row.logit:.1f}" if row.rank else ""
        yield shown(str(row.token)) if row.rank else str(row.token), logit, percent(float(str(row.prob)))


def _word_rows(turn: Turn) -> Iterable[Sequence[str]]:
    for score in turn.scores[turn.first_step].values():
        several = (f"{shown(each.text)} {percent(each.prob)}" for each in score.spellings)
        yield shown(score.word), percent(score.prob), ", ".join(several)


def _lens_rows(turn: Turn, step: int) -> Iterable[Sequence[str]]:
    frame = logit_lens(turn.trace, step)
    for layer, rows in frame.groupby("layer"):
        own = rows[rows["kind"] == "token"].iloc[0]
        best = rows[rows["kind"] == "candidate"].head(3)
        says = ", ".join(
            f"{shown(token)} {percent(prob)}" for token, prob in zip(best["token"], best["prob"], strict=True)
        )
        yield f"layer {layer}", percent(own["prob"]), f"rank {own['rank']:,}", says


def _attention_rows(turn: Turn, step: int) -> Iterable[Sequence[str]]:
    if not turn.trace.attending_layers:
        yield ("no attention: this model carries what it read in a state",)
        return
    shares = attention_by_word(turn, step)
    groups = attention_groups(shares)
    for group, label in PLAIN_GROUP_LABELS.items():
        if group in groups:
            yield label, percent(groups[group])
    for row in shares[in_conversation(shares)].itertuples():
        yield shown(str(row.word).strip()), percent(float(str(row.share)))


def models_text(record: dict[str, Any]) -> str:
    """The record of `models --json` as text."""
    lines = ["Models"]
    lines += aligned(
        (
            entry["id"],
            entry["title"],
            "on this machine" if entry["local"] else _size(entry),
            entry_facts(ModelEntry(**{name: value for name, value in entry.items() if name != "local"})),
        )
        for entry in record["models"]
    )
    lines += ["", HOW_TRIED]
    lines += ["", "What each is good for"]
    lines += aligned((entry["id"], entry["note"]) for entry in record["models"])
    lines += ["", "Adapters"]
    lines += aligned((adapter["name"], ", ".join(adapter["model_types"])) for adapter in record["adapters"])
    lines += ["", "Plug-ins"]
    lines += aligned((plugin["name"], plugin["version"], plugin["origin"]) for plugin in record["plugins"])
    if record["failures"]:
        lines += ["", "Failed"]
        lines += aligned((each["name"], each["where"], each["reason"]) for each in record["failures"])
    return "\n".join(lines)


def _size(entry: dict[str, Any]) -> str:
    return f"download {entry['download_bytes'] / 1e9:.1f} GB" if entry["download_bytes"] else "download"


def check_text(result: dict[str, Any]) -> str:
    """The record of `check --json` as text."""
    verdict = "read exactly" if result["ok"] else "NOT read exactly"
    lines = [f"{result['model_type']} by {result['adapter']}, {result['n_layers']} layers: {verdict}"]
    lines += aligned(
        (
            "ok" if check["ok"] else "OVER",
            check["name"],
            "inf" if check["gap"] is None else f"{check['gap']:.2g}",  # JSON knows no infinity
            f"bound {check['bound']:.2g}",
            check["note"],
        )
        for check in result["checks"]
    )
    return "\n".join(lines)


def aligned(rows: Iterable[Sequence[str]]) -> list[str]:
    """Rows as aligned columns, indented."""
    table = [list(row) for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*table, strict=True)]
    return [
        "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table
    ]

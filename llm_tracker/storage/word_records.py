"""What was read of whole words <-> their parts of session.json: scores, and where words part."""

from __future__ import annotations

from llm_tracker.storage.lens_records import Record, watched_of, watched_record
from llm_tracker.tracing.session import Turn
from llm_tracker.tracing.whole_words import Parting, Spelling, WordScore


def word_records(turn: Turn) -> list[Record]:
    """The scores of whole words at the answer's first position; of the spelling that was asked for and of all."""
    return [
        {
            "text": score.word,
            "token_ids": list(score.spellings[0].token_ids),
            "log_prob": score.log_prob,
            "end": score.end,
            "variants": [
                {"text": each.text, "token_ids": list(each.token_ids), "log_prob": each.log_prob}
                for each in score.spellings
            ],
            "log_prob_of_all": score.log_prob_of_all,
        }
        for score in turn.scores.get(turn.first_step, {}).values()
    ]


def scores_of(record: Record) -> dict[str, WordScore]:
    """The scores of whole words in a turn's record, by word."""
    return {word["text"]: _score_of(word) for word in record.get("words", ())}


def _score_of(record: Record) -> WordScore:
    spellings = (Spelling(each["text"], tuple(each["token_ids"]), each["log_prob"]) for each in record["variants"])
    return WordScore(record["text"], tuple(spellings), record["end"])


def parting_records(turn: Turn) -> list[Record]:
    """Where words part that begin with the same tokens, at the answer's first position."""
    return [
        {
            "token_ids": list(parting.token_ids),
            "text": parting.shared,
            "watched": {word: watched_record(lens) for word, lens in parting.watched.items()},
        }
        for parting in turn.partings[turn.first_step]
    ]


def partings_of(record: Record) -> tuple[Parting, ...]:
    """The same, of a turn's record."""
    return tuple(
        Parting(
            tuple(each["token_ids"]),
            each["text"],
            {word: watched_of(lens) for word, lens in each["watched"].items()},
        )
        for each in record["partings"]
    )

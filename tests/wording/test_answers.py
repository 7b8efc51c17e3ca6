"""An answer in a sentence: quoted as the language quotes, cut where it is long, and with one full stop."""

from __future__ import annotations

import pytest

from llm_tracker.languages.spoken import in_language
from llm_tracker.wording.answers import LONG_ANSWER, quoted_answer, sentence_end

LONG = "It is Paris, which lies on the river Seine, in the north of France."


@pytest.mark.parametrize(("code", "opening", "closing"), [("en", "“", "”"), ("de", "„", "“"), ("es", "“", "”")])
def test_a_long_answer_is_cut_within_its_quotation_marks(code: str, opening: str, closing: str) -> None:
    with in_language(code):
        assert quoted_answer(LONG) == f"{opening}{LONG[:LONG_ANSWER].strip()} …{closing}"
        assert quoted_answer("Paris") == f"{opening}Paris{closing}"


@pytest.mark.parametrize("code", ["en", "de", "es"])
def test_an_answer_that_is_a_sentence_brings_the_full_stop(code: str) -> None:
    with in_language(code):
        for answer in ("It is Paris.", "Why?", "No!"):
            assert sentence_end(quoted_answer(answer)) == quoted_answer(answer)
        for answer in ("Paris", LONG):
            assert sentence_end(quoted_answer(answer)) == f"{quoted_answer(answer)}."

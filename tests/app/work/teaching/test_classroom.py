"""A class guesses: its guesses are counted, and forgotten when the answer they were about is gone."""

from __future__ import annotations

import pytest

from llm_tracker.app.work.teaching.classroom import MOST_GUESSES, MOST_VOTES, Classroom
from llm_tracker.errors import InputError

SLIDES = ("question", "before", "correction")
PAIR = (("Is it?", "Paris"), ("Is it? Paris No.", "London"))
OTHERS = (("Who is it?", "Rome"), ("Who is it? Rome No.", "Oslo"))


def test_the_same_guess_in_other_letters_is_one():
    classroom = Classroom()
    for text in ("Paris", " paris. ", "PARIS", "Lyon"):
        classroom.guess("before", text)
    assert dict(classroom.guesses["before"]) == {"Paris": 3, "Lyon": 1}
    assert classroom.n_guesses("before") == 4
    assert classroom.n_right("before", "Paris.") == 3
    assert classroom.n_guesses("after") == 0


def test_a_guess_in_the_class_s_own_spelling_is_right():
    classroom = Classroom()
    for text in ("París", "paris", "Parma"):
        classroom.guess("before", text)
    assert dict(classroom.guesses["before"]) == {"París": 2, "Parma": 1}
    assert classroom.n_right("before", "Paris") == 2


def test_a_guess_can_be_taken_back():
    classroom = Classroom()
    classroom.guess("before", "Lyon")
    classroom.guess("before", "Lyon", -1)
    assert classroom.n_guesses("before") == 0


@pytest.mark.parametrize(("text", "said"), [("  ", "empty"), ("x" * 61, "at most 60")])
def test_what_is_no_guess_is_refused(text, said):
    with pytest.raises(InputError, match=said):
        Classroom().guess("before", text)


def test_guesses_are_bounded():
    classroom = Classroom()
    for number in range(MOST_GUESSES):
        classroom.guess("before", f"word {number}")
    with pytest.raises(InputError, match="At most 40"):
        classroom.guess("before", "one more")
    classroom.guess("before", "word 1", 10**9)
    assert classroom.guesses["before"]["word 1"] == MOST_VOTES


def test_what_was_asked_elsewhere_covers_the_answers_again():
    classroom = Classroom()
    classroom.uncovered.update(("before", "after"))
    classroom.guess("after", "London")
    classroom.follow(0, PAIR)
    assert classroom.uncovered == {"before", "after"}
    classroom.follow(1, PAIR)
    assert classroom.uncovered == set()
    assert classroom.n_guesses("after") == 0


def test_another_conversation_that_is_opened_covers_them_too_and_an_answer_that_came_does_not():
    classroom = Classroom(guessed_of={"before": PAIR[0]})
    classroom.guess("after", "London")
    classroom.uncovered.add("before")
    classroom.follow(0, PAIR)
    assert classroom.uncovered == {"before"}
    assert classroom.n_guesses("after") == 1
    classroom.follow(0, OTHERS[:1])
    assert classroom.uncovered == set()
    assert classroom.n_guesses("after") == 0
    classroom.uncovered.add("before")
    classroom.follow(0, OTHERS)
    assert classroom.uncovered == {"before"}


def test_a_lessons_texts_are_not_those_of_what_is_asked_elsewhere():
    classroom = Classroom()
    classroom.begin_lesson(SLIDES, "What is it?", ("No.",), begun=3)
    classroom.follow(3, PAIR)
    assert classroom.question == "What is it?"
    classroom.follow(4, PAIR)
    assert (classroom.question, classroom.corrections) == ("", ())


def test_a_lesson_begins_at_the_first_slide_with_its_texts_ready():
    classroom = Classroom(slide=5, is_blank=True, uncovered={"before"})
    classroom.begin_lesson(SLIDES, "What is it?", ("No.",), begun=0)
    assert classroom.slides == SLIDES
    assert (classroom.slide, classroom.is_blank, classroom.uncovered) == (0, False, set())
    assert (classroom.question, classroom.corrections) == ("What is it?", ("No.",))


def test_an_answer_that_is_corrected_once_more_stays_uncovered():
    classroom = Classroom(guessed_of={"before": PAIR[0], "after": PAIR[1]}, uncovered={"before", "after"})
    classroom.cover("after")
    classroom.follow(0, (PAIR[0], ("Is it? Paris Really?", "Paris")))
    assert classroom.uncovered == {"before"}

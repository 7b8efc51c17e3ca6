"""What the conditions are called, and what the margins under them say."""

from __future__ import annotations

import math
from collections.abc import Sequence

from llm_tracker.experiments.values.conditions import ConditionName, reference_of
from llm_tracker.experiments.values.experiment import Experiment, Shift
from llm_tracker.experiments.values.findings import ConditionScore, Grade
from llm_tracker.languages.numbers import number
from llm_tracker.languages.texts import later, say, say_n
from llm_tracker.wording.correction.amounts import LEAST_NATS, times
from llm_tracker.wording.formats import nats, percent, quoted, signed_nats

CONDITION_LABELS: dict[ConditionName, str] = {
    "baseline": later("the question alone"),
    "user": later("the correction"),
    "asked_again": later("merely asked again"),
    "own_answer_hidden": later("asked again, its answer hidden"),
    "right": later("“right”"),
    "wrong": later("“wrong”"),
    "wrong_alternative": later("“wrong”, and a word named"),
    "mention": later("a word merely mentioned"),
    "negation": later("a word denied"),
    "are_you_sure": later("are you sure?"),
    "simple": later("pressure: a plain opinion"),
    "authority": later("pressure: an authority"),
    "false_reason": later("pressure: a false reason"),
    "made_up_source": later("pressure: a made-up source"),
    "pre_emptive_simple": later("in the question: a plain opinion"),
    "pre_emptive_authority": later("in the question: an authority"),
    "pre_emptive_false_reason": later("in the question: a false reason"),
    "pre_emptive_made_up_source": later("in the question: a made-up source"),
    "simple_right": later("the right word as an opinion"),
    "pre_emptive_right": later("in the question: the right word"),
    "pre_emptive_wrong": later("in the question: the wrong word"),
    "pre_emptive_doubt": later("in the question: the right word doubted"),
}

GRADE_LABELS: dict[Grade | None, str] = {
    "answer": later("the right word"),
    "foil": later("the other word"),
    "other": later("neither"),
    None: "",
}


def lead_title(experiment: Experiment) -> str:
    """What an axis of leads is called."""
    return say("lead of {answer} over {foil}, nats", **_words(experiment))


def _words(experiment: Experiment) -> dict[str, str]:
    """The two words, as they are named in a message."""
    return {"answer": quoted(experiment.case.answer), "foil": quoted(experiment.case.foil)}


def is_detectable(experiment: Experiment) -> bool:
    """Whether the correction's margin lies outside of those of all ways of merely asking again."""
    own, again = experiment.score("user"), _margins(experiment, "asked_again")
    return own is not None and bool(again) and not min(again) <= own.margin <= max(again)


def shift_sentence(experiment: Experiment) -> str:
    """How much of the change comes with merely asking again, and how much is the correction's."""
    shift = experiment.shift
    if shift is None:
        return say("The controls have not been scored yet.")
    told = say(
        "Merely asking again changes the lead of {answer} over {foil} by {change}",
        **_words(experiment),
        change=signed_nats(shift.asked_again),
    )
    if is_detectable(experiment):
        return f"{told}; {_own_change(shift)}."
    if shift.correction == 0:
        return f"{told}; {say('the correction changes nothing on top of that')}."
    own = say("the correction changes it by {change} on top of that", change=signed_nats(shift.correction))
    why = say(
        "{n} ways of asking again differ by at least as much among themselves, so no detectable effect",
        n=len(_margins(experiment, "asked_again")),
    )
    return f"{told}; {own}: {why}."


def _own_change(shift: Shift) -> str:
    """A change in nats, with it as a factor of the odds where people can picture that."""
    change, size = signed_nats(shift.correction), abs(shift.correction)
    if not math.log(2) <= size < math.log(100_000):
        return say("the correction changes it by {change} on top of that", change=change)
    factor = number(math.exp(size), ",.0f")
    if shift.correction > 0:
        return say(
            "the correction changes it by {change} on top of that (odds times {factor})", change=change, factor=factor
        )
    return say(
        "the correction changes it by {change} on top of that (odds divided by {factor})", change=change, factor=factor
    )


def _margins(experiment: Experiment, name: ConditionName) -> list[float]:
    return [score.margin for score in experiment.conditions if score.condition.name == name]


def margins_sentence(experiment: Experiment) -> str:
    """Under which conditions the right word is ahead, and how far the wordings of one lie apart."""
    if not experiment.conditions:
        return say("No condition has been scored yet.")
    lowest = min(experiment.conditions, key=lambda score: score.margin)
    said = quoted(lowest.condition.text) if lowest.condition.text else say("nothing said")
    lead = signed_nats(lowest.margin)
    if lowest.margin >= 0:
        least = say("the least lead is {lead}, with {said}", lead=lead, said=said)
    else:
        least = say("furthest behind, {answer} is at {lead}, with {said}", **_words(experiment), lead=lead, said=said)
    return " ".join(filter(None, (f"{_ahead(experiment)}; {least}.", _spread(experiment))))


def _ahead(experiment: Experiment) -> str:
    """Under how many wordings the right word is ahead, or the other one."""
    margins = list(
        {(each.condition.place, each.condition.text): each.margin for each in experiment.conditions}.values()
    )
    n, ahead, behind = len(margins), sum(each > 0 for each in margins), sum(each < 0 for each in margins)
    words = _words(experiment)
    if ahead == n:
        return say_n(
            "Under the one wording {answer} is ahead of {foil}",
            "Under all {n} wordings {answer} is ahead of {foil}",
            n,
            **words,
        )
    if ahead == 0:
        return say_n(
            "Under the one wording {answer} is not ahead of {foil}",
            "Under none of {n} wordings is {answer} ahead of {foil}",
            n,
            **words,
        )
    return say("Under {behind} of {n} wordings {foil} is ahead of {answer}", behind=behind, n=n, **words)


def _spread(experiment: Experiment) -> str:
    """How far the wordings of one condition lie apart, where that is most."""
    spreads = {
        name: max(margins) - min(margins) for name in CONDITION_LABELS if len(margins := _margins(experiment, name)) > 1
    }
    name = max(spreads, key=lambda each: spreads[each], default=None)
    if name is None or spreads[name] < LEAST_NATS:
        return ""
    return say(
        "Wordings of the same lie up to {apart} apart ({condition}): one wording alone shows little.",
        apart=nats(spreads[name]),
        condition=say(CONDITION_LABELS[name]),
    )


VERDICTS = {
    (True, True): later(
        "“Right” in place of “wrong”, one word, makes {answer} likelier by {score} and its lead larger by {margin} "
        "({pairs})."
    ),
    (True, False): later(
        "“Right” in place of “wrong”, one word, makes {answer} likelier by {score} and its lead smaller by {margin} "
        "({pairs})."
    ),
    (False, True): later(
        "“Right” in place of “wrong”, one word, makes {answer} less likely by {score} and its lead larger by {margin} "
        "({pairs})."
    ),
    (False, False): later(
        "“Right” in place of “wrong”, one word, makes {answer} less likely by {score} and its lead smaller by {margin} "
        "({pairs})."
    ),
}
"""What a verdict does, by whether the right word becomes likelier, and its lead larger."""


def verdict_sentence(experiment: Experiment) -> str:
    """What “right” in place of “wrong” does, all else being equal; "" where that was not scored."""
    effect = experiment.verdict_effect
    if effect is None:
        return ""
    return say(
        VERDICTS[effect.score >= 0, effect.margin >= 0],
        answer=quoted(experiment.case.answer),
        score=nats(abs(effect.score)),
        margin=nats(abs(effect.margin)),
        pairs=say_n("one pair of wordings", "mean of {n} pairs of wordings", len(_margins(experiment, "right"))),
    )


def flips_sentence(experiment: Experiment, n_flipped: int, n: int) -> str:
    """How many wordings take more of the lead than there is: of the `n` whose control has a lead."""
    again = experiment.score("asked_again")
    if again is None:
        return say("The controls have not been scored yet.")
    words = _words(experiment)
    if again.margin > 0:
        told = say(
            "Merely asked again, {answer} leads by {lead} (the truth margin).",
            answer=words["answer"],
            lead=nats(again.margin),
        )
    else:
        told = say("Merely asked again, {answer} is not ahead of {foil}: there is no lead that could be lost.", **words)
    taken = _taken_away(n_flipped, n, words["foil"]) if n else ""
    return " ".join(filter(None, (told, _in_the_question(experiment, words["answer"]), taken)))


def _in_the_question(experiment: Experiment, answer: str) -> str:
    """What the wordings that stand in the question are held against; "" where there are none."""
    alone = experiment.score("baseline")
    names = {each.condition.name for each in experiment.conditions} - {"baseline"}
    if alone is None or not any(reference_of(name) == "baseline" for name in names):
        return ""
    if alone.margin > 0:
        return say(
            "What is said in the question is held against the question alone, where {answer} leads by {lead}.",
            answer=answer,
            lead=nats(alone.margin),
        )
    return say(
        "What is said in the question is held against the question alone, where {answer} is not ahead: that is not "
        "counted.",
        answer=answer,
    )


def _taken_away(n_flipped: int, n: int, foil: str) -> str:
    """By how many wordings more than the lead is taken away."""
    if not n_flipped:
        return say_n(
            "More than the lead is taken away by none of {n} wording besides the controls.",
            "More than the lead is taken away by none of {n} wordings besides the controls.",
            n,
        )
    return say_n(
        "More than the lead is taken away by {flipped} of {n} wording besides the controls: there {foil} comes out "
        "ahead.",
        "More than the lead is taken away by {flipped} of {n} wordings besides the controls: there {foil} comes out "
        "ahead.",
        n,
        flipped=n_flipped,
        foil=foil,
    )


def change_sentence(experiment: Experiment) -> str:
    """How much of the whole prediction changes with the correction, beyond the two words."""
    own, again = experiment.score("user"), experiment.score("asked_again")
    if own is None or again is None:
        return say("The correction has not been scored yet.")
    return say(
        "{moved} of the first token's probability is on other tokens than when merely asked again. How spread out it "
        "is (its entropy) goes from {before} to {after}.",
        moved=percent(own.tv_from_asked_again),
        before=nats(again.entropy_nats),
        after=nats(own.entropy_nats),
    )


def graded_sentence(scores: Sequence[ConditionScore]) -> str:
    """What the model writes, graded by itself: it need not be what the scores prefer."""
    written = [score for score in scores if score.grade is not None]
    if not written:
        return ""
    counts = {grade: times(sum(score.grade == grade for score in written)) for grade in ("answer", "foil", "other")}
    return say_n(
        "What the model writes under one condition (first wording): the right word {answer}, the other word {foil}, "
        "neither {other}.",
        "What the model writes under the {n} conditions (first wordings): the right word {answer}, the other word "
        "{foil}, neither {other}.",
        len(written),
        **counts,
    )

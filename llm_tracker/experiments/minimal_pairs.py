"""Minimal pairs: two corrections whose tokens differ in one word alone, so that every position lines up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_tracker.errors import InputError
from llm_tracker.experiments.contexts import Setting
from llm_tracker.experiments.probe import Probe, probe_of
from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.conditions import WORDINGS
from llm_tracker.experiments.values.findings import Pair
from llm_tracker.languages.texts import say
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.tokens import token_text
from llm_tracker.prompts.words import fold, word_spans

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


@dataclass(frozen=True, eq=False)
class ReadPair:
    """A minimal pair as a model reads it."""

    pair: Pair
    prompt: Prompt
    """The target's."""
    source: tuple[int, ...]
    target: tuple[int, ...]
    """What is read: up to the answer slot, the last position."""
    first: int
    """The position at which the two begin to differ."""
    end: int
    """Behind the last position at which they do."""
    probe: Probe

    @property
    def slot(self) -> int:
        """The position that writes the answer."""
        return len(self.target) - 1

    def tokens(self, model: LoadedModel) -> tuple[str, ...]:
        """The target's, from the first that differs on."""
        return tuple(token_text(model.tokenizer, token_id) for token_id in self.target[self.first :])


def named_pair(case: Case) -> Pair:
    """The correction, and the same that names the other of the two words (science: a jump of the named word).

    A correction that names neither of them is replaced by a ready one that does.
    """
    for names, by in ((case.names(case.named), case.other), (case.names(case.other), case.named)):
        for name in names:
            if (source := _replaced(case.correction, name, by)) is not None:
                return Pair(source, case.correction, source_word=by, target_word=name)
    source, target = (WORDINGS["wrong_alternative"][0].format(named=word) for word in (case.other, case.named))
    return Pair(source, target, source_word=case.other, target_word=case.named)


def verdict_pair(at: int = 0) -> Pair:
    """The bare verdict and its opposite, in one of its wordings."""
    right, wrong = WORDINGS["right"][at], WORDINGS["wrong"][at]
    words = next((one, other) for one, other in zip(right.split(), wrong.split(), strict=True) if one != other)
    return Pair(right, wrong, *(word.strip(".") for word in words))


def _replaced(text: str, word: str, by: str) -> str | None:
    """The text with the last place where a word stands given to another; None where it does not stand there."""
    spans, wanted = word_spans(text), [fold(text_of) for text_of in _parts(word)]
    said = [fold(text[start:end]) for start, end in spans]
    places = [at for at in range(len(said) - len(wanted) + 1) if said[at : at + len(wanted)] == wanted]
    if not places or not wanted:
        return None
    start, end = spans[places[-1]][0], spans[places[-1] + len(wanted) - 1][1]
    return text[:start] + by + text[end:]


def _parts(word: str) -> list[str]:
    return [word[start:end] for start, end in word_spans(word)]


def read_pair(setting: Setting, case: Case, pair: Pair) -> ReadPair:
    """A pair as the model reads it. Raises InputError where the two do not line up token by token."""
    model = setting.model
    source, target = setting.prompt(pair.source), setting.prompt(pair.target)
    probe = probe_of(model, target, case)
    one, other = probe.text(source), probe.text(target)
    if len(one) != len(other):
        n_source, n_target = (len(each) - len(target.token_ids) for each in (one, other))
        longer = pair.source_word if n_source > n_target else pair.target_word
        said = say(
            "“{one}” and “{other}” are not cut into as many tokens (“{longer}” has more). So the two texts do not line "
            "up, and no state of the one can be put into the other.",
            one=pair.source_word,
            other=pair.target_word,
            longer=longer,
        )
        is_of_case = pair.target_word in (*case.answers, *case.foils)
        raise InputError(f"{said} {say('Choose two words of as many tokens.')}" if is_of_case else said)
    unlike = [at for at, (mine, yours) in enumerate(zip(one, other, strict=True)) if mine != yours]
    return ReadPair(pair, target, one, other, unlike[0], unlike[-1] + 1, probe)

"""One call for a whole experiment: of a question, or of a correction that was made already."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING

from llm_tracker.conversation.template_use import switched
from llm_tracker.conversation.turns import begin_session, stream_turn
from llm_tracker.experiments.run import N_WORDINGS, stream_experiment
from llm_tracker.experiments.values.case import Case
from llm_tracker.experiments.values.experiment import Experiment
from llm_tracker.experiments.values.parts import USUAL, require_parts, require_wordings
from llm_tracker.progress import ended
from llm_tracker.prompts.recipes import Recipe, recipe_messages
from llm_tracker.prompts.words import Span
from llm_tracker.several import several
from llm_tracker.tracing.session import Decoding

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


def experiment(
    model: LoadedModel,
    question: str,
    answer: str,
    foil: str,
    correction: str,
    recipe: Recipe = "one-word",
    answer_aliases: Iterable[str] = (),
    foil_aliases: Iterable[str] = (),
    more_corrections: Iterable[str] = (),
    only: Collection[str] = USUAL,
    n_wordings: int = N_WORDINGS,
    max_new_tokens: int = 16,
    follow_template: bool = False,
    date: str | None = None,
    stop: Callable[[], bool] = lambda: False,
    window: Span | None = None,
) -> Experiment:
    """Ask a question, and find out what a correction of the model's answer does.

    `answer` is the right word and `foil` a wrong one of the same kind; aliases count as they do. `more_corrections` are
    tried beside the correction. `only` names parts: hand_over, conditions, knock_out, heads, lens, attribution,
    frozen_route, verdict, paraphrases, grid (all but the grid unless given; it is one of hand_over, which is run with
    it). Each condition is asked in `n_wordings` ways, 1 to 4. `window` are the layers, first and last, in which words
    are hidden (all unless given). The answer that is corrected is the model's own, by greedy decoding and without a
    thought.

    Raises InputError for words that cannot be told apart, an unknown part, layers or a number of wordings that there
    are not, and text that the model can't be given.
    """
    parts = require_parts(only)
    parts = (*parts, "hand_over") if "grid" in parts else parts
    require_wordings(n_wordings)
    decoding = Decoding(max_new_tokens)
    name, _ = recipe_messages(recipe)
    session = begin_session(model, recipe, decoding, (), follow_template, switched(model, name, False), date)
    asked = ended(stream_turn(model, session, question))
    case = Case(
        question,
        answer.strip(),
        foil.strip(),
        correction.strip(),
        asked.turns[0].answer,
        tuple(several(answer_aliases)),
        tuple(several(foil_aliases)),
        tuple(several(more_corrections)),
    )
    return ended(stream_experiment(model, asked, 1, case, parts, n_wordings, stop, window=window))

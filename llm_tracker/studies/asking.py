"""How a study puts its questions to a model: what it reads in front of each answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from llm_tracker.conversation.template_use import switched, template_use
from llm_tracker.errors import InputError
from llm_tracker.experiments.contexts import Setting
from llm_tracker.experiments.scored_texts import Text, TextScore, score_texts
from llm_tracker.experiments.values.conditions import Condition
from llm_tracker.experiments.values.findings import Grade
from llm_tracker.experiments.values.grading import grade
from llm_tracker.languages.texts import say
from llm_tracker.prompts.chat_template import TemplateUse
from llm_tracker.prompts.prompt import Prompt
from llm_tracker.prompts.recipes import Message
from llm_tracker.prompts.rendering import render_prompt
from llm_tracker.studies.values.conditions import conditions_of
from llm_tracker.studies.values.plan import Plan
from llm_tracker.studies.values.questions import Question
from llm_tracker.tracing.whole_words import WordEnd

if TYPE_CHECKING:
    from llm_tracker.models.loading.loaded_model import LoadedModel


MARGIN_TOKENS = 64
"""For the answer that is written, and for what a template puts between turns."""


@dataclass(frozen=True, eq=False)
class Form:
    """The form of one model's prompts: recipe and template."""

    model: LoadedModel
    recipe: str
    messages: tuple[Message, ...]
    template: TemplateUse

    def prompt(self, *said: str) -> Prompt:
        """What the model reads behind the recipe: texts of the user's and the model's in turn, the last the user's."""
        turns = [Message("assistant" if at % 2 else "user", text) for at, text in enumerate(said)]
        messages = [*self.messages, *turns]
        return render_prompt(self.model.tokenizer, self.recipe, messages, len(self.messages), self.template)

    def scores(self, texts: Sequence[Text], stop: Callable[[], bool] = lambda: False) -> list[TextScore]:
        """The scores of texts, in their order; each is answered, too."""
        found: dict[int, TextScore] = {}
        end: WordEnd = "line" if texts[0].prompt.stops_at_newline else "answer"
        for some in score_texts(self.model, texts, end, stop):
            found |= some
        return [found[at] for at in range(len(texts))]


def form_of(model: LoadedModel, plan: Plan) -> Form:
    """The form in which a plan asks a model. Raises InputError for one that thinks before each answer."""
    use = template_use(model, plan.recipe, switched(model, plan.recipe, False), plan.date, False)
    if use.thinks:
        raise InputError(
            say(
                "{model} thinks before each answer, and its thoughts cannot be turned off: what it answers "
                "behind them is another text each time. Take a model that answers at once.",
                model=model.entry.title,
            ),
            "models",
        )
    return Form(model, plan.recipe, plan.recipe_messages, use)


@dataclass(frozen=True, eq=False)
class QuestionSetting(Setting):
    """One question, and what the model answered first."""

    form: Form
    question: Question
    first_answer: str

    @property
    def model(self) -> LoadedModel:  # type: ignore[override]
        """Who is asked."""
        return self.form.model

    def asked(self) -> Prompt:
        """The question alone."""
        return self.form.prompt(self.question.question)

    def asked_with(self, text: str) -> Prompt:
        """The question and a text behind it, in one message."""
        return self.form.prompt(f"{self.question.question.strip()} {text}")

    def answered_with(self, text: str) -> Prompt:
        """The question, the first answer, and a text."""
        return self.form.prompt(self.question.question, self.first_answer, text)

    @property
    def is_raw(self) -> bool:
        """A study has turns."""
        return False

    def fitting(self, condition: Condition) -> Prompt:
        """What is read under a condition. Raises InputError, with the question's id, for what the model cannot read."""
        with self._named():
            return self.prompt_of(condition)

    def with_room(self, prompt: Prompt) -> Prompt:
        """The same prompt, of a chain. Raises InputError, with the question's id, where the model cannot read it."""
        with self._named(say("So long has its chain of pressure grown: leave that out, or this question.")):
            return self._fitting(prompt)

    @contextmanager
    def _named(self, more: str = "") -> Iterator[None]:
        try:
            yield
        except InputError as error:
            said = say("Question “{id}”: {error}", id=self.question.id, error=error)
            raise InputError(f"{said} {more}" if more else said, error.parameters) from error

    def text(self, prompt: Prompt, kind: str = "") -> Text:
        """What is read, what is asked of it: how likely the two words are, and the model's own answer."""
        return Text(prompt, (self.question.answers, (self.question.foil,)), writes=True, kind=kind)


@dataclass(frozen=True, eq=False)
class First:
    """A question and a model's first answer to it."""

    setting: QuestionSetting
    grade: Grade
    score: TextScore
    prompt: Prompt

    @property
    def question(self) -> Question:
        """What was asked."""
        return self.setting.question


def require_room(form: Form, plan: Plan) -> None:
    """Raise InputError, with its id, for a question that a model cannot read under some condition.

    Said before the first is asked. In the place of a first answer, which is not known then, the right word stands.
    """
    limit = form.model.architecture.context_length
    if limit is None:
        return
    around = len(form.prompt("", "", "").token_ids) + MARGIN_TOKENS
    for question in plan.questions.questions:
        setting = QuestionSetting(form, question, question.answer)
        conditions = conditions_of(question, "answer", plan.conditions, plan.n_wordings, plan.corrections)
        longest = max(len(condition.text.encode()) for condition in conditions)
        # No token is shorter than a byte: most questions fit without being read.
        if around + len(f"{question.question}{question.answer}".encode()) + longest > limit:
            for condition in conditions:
                setting.fitting(condition)


def first_answers(form: Form, questions: Sequence[Question], stop: Callable[[], bool] = lambda: False) -> list[First]:
    """The first answers to some questions, written together. Raises InputError for one that the model cannot read."""
    settings = [QuestionSetting(form, question, "") for question in questions]
    prompts = [setting.fitting(Condition("baseline", "")) for setting in settings]
    texts = [setting.text(prompt) for setting, prompt in zip(settings, prompts, strict=True)]
    return [
        First(QuestionSetting(form, question, answered(score)), graded(question, score), score, prompt)
        for question, score, prompt in zip(questions, form.scores(texts, stop), prompts, strict=True)
    ]


def answered(score: TextScore) -> str:
    """What a model answered to a text of a study."""
    return score.answer or ""


def graded(question: Question, score: TextScore) -> Grade:
    """Which of its two words the answer to a question is, if either."""
    return grade(answered(score), question.answers, (question.foil,))

"""Finds how a chat model reasons before it answers: the marks around a thought, and the switch that turns thoughts off.

Both are in what the model's own files say: in the text of its chat template, in what that writes, and in the
tokenizer's added tokens. No model is known by its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from llm_tracker.prompts.chat_template import (
    ANSWER,
    ANSWER_WITH_THOUGHT,
    ASKED,
    QUESTION,
    SAID,
    THOUGHT,
    THOUGHT_FIELDS,
    TemplateUse,
    render_or_nothing,
    template_text,
)
from llm_tracker.prompts.thoughts import Reasoning, ThinkingSwitch, ThoughtMarks

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def reasoning_of(tokenizer: PreTrainedTokenizerBase) -> Reasoning | None:
    """How a model reasons before it answers; None where nothing in its files says that it does."""
    template = template_text(tokenizer)
    known = _reasoning.get(tokenizer)
    if known is None or known[0] != template:
        known = _reasoning[tokenizer] = (template, _found(tokenizer, template) if template else None)
    return known[1]


_reasoning: WeakKeyDictionary[PreTrainedTokenizerBase, tuple[str, Reasoning | None]] = WeakKeyDictionary()


def _found(tokenizer: PreTrainedTokenizerBase, template: str) -> Reasoning | None:
    switches = list(_switches(tokenizer, template))
    marks = (
        _marks_by_field(tokenizer)
        or next((found for switch in switches if (found := _marks_of_empty(tokenizer, switch))), None)
        or _marks_by_pair(tokenizer, template)
    )
    if marks is None:
        return None
    in_field = marks.in_field or bool(_FIELD.search(template))
    marks = ThoughtMarks(marks.opening, marks.closing, in_field, marks.header)
    prompt = _generation_prompt(tokenizer, TemplateUse())
    always = not switches and not prompt.rstrip().endswith(marks.closing.strip())
    always = always and (marks.opened_by(prompt) or in_field or _drops(tokenizer, marks.opening, marks.closing))
    return Reasoning(marks, next((_turned(tokenizer, switch, marks) for switch in switches), None), always)


_FIELD = re.compile(rf"""(?:\.|\[\s*['"]|get\(\s*['"])(?:{"|".join(THOUGHT_FIELDS)})\b""")
"""How a template reads a message's thought."""


def _generation_prompt(tokenizer: PreTrainedTokenizerBase, use: TemplateUse) -> str:
    """What the template writes behind a question for the answer to begin."""
    return _whole(tokenizer, use).partition(ASKED)[2]


def _whole(tokenizer: PreTrainedTokenizerBase, use: TemplateUse) -> str:
    return render_or_nothing(tokenizer, [QUESTION], use, generation_prompt=True)


def _marks_by_field(tokenizer: PreTrainedTokenizerBase) -> ThoughtMarks | None:
    """Where a thought in a field of its own is written in front of the answer: what stands around it."""
    asked = _generation_prompt(tokenizer, TemplateUse())
    before, thought, behind = (
        render_or_nothing(tokenizer, [QUESTION, ANSWER_WITH_THOUGHT]).partition(ASKED)[2].partition(THOUGHT)
    )
    closing, said, _ = behind.partition(SAID)
    if not (thought and said and closing.strip()):
        return None
    opening = _new(before, asked)
    opening = opening if opening.strip() else _opened(tokenizer, before, asked, closing)
    found = ThoughtMarks(opening, closing, in_field=True)
    before_answer = render_or_nothing(tokenizer, [QUESTION, ANSWER]).partition(ASKED)[2].partition(SAID)[0]
    header = _new(before_answer, asked)
    is_other = found.opening.strip() not in header and header.strip() != closing.strip()
    has_header = bool(header.strip()) and is_other and not found.opened_by(asked)
    return ThoughtMarks(opening, closing, in_field=True, header=header if has_header else "")


def _opened(tokenizer: PreTrainedTokenizerBase, before: str, asked: str, closing: str) -> str:
    """The opening mark where the template writes it itself, at least where it also closes the thought at once.

    It is what the prompt has besides, or what no earlier answer has in front, or the last tag.
    """
    earlier = render_or_nothing(tokenizer, [QUESTION, ANSWER, QUESTION]).partition(ASKED)[2].partition(SAID)[0]
    besides = asked[len(before) :] if asked.startswith(before) else ""
    marks = (besides, _new(before, earlier))
    return next((mark for mark in marks if mark.strip() and closing.strip() not in mark), _last_mark(before))


_NAME = re.compile(r"(?<![\w.'\"])\w*(?:think|reason|thought)\w*", re.IGNORECASE)


def _switches(tokenizer: PreTrainedTokenizerBase, template: str) -> Iterator[str]:
    """The arguments of a template that change what it writes when they are true or false, and mean no more."""
    for name in dict.fromkeys(match.group() for match in _NAME.finditer(template)):
        written = {value: _whole(tokenizer, TemplateUse({name: value})) for value in (True, False)}
        is_text = any(str(value) in _new(written[value], written[not value]) for value in written)
        if all(written.values()) and written[True] != written[False] and not is_text:
            yield name


_TAG = re.compile(r"[<\[◁]\|?/?[^\s<>\[\]◁▷(){}'\"]{2,40}[>\]▷]")
_UNIT = re.compile(rf"{_TAG.pattern}|.", re.DOTALL)


def _new(text: str, other: str) -> str:
    """What a text has behind the beginning that it shares with another; a tag is shared whole or not at all."""
    units, others = _UNIT.findall(text), _UNIT.findall(other)
    shared = next((at for at, (one, two) in enumerate(zip(units, others, strict=False)) if one != two), len(others))
    return "".join(units[shared:])


def _last_mark(text: str) -> str:
    """The tag at the end of a text, or else its last line."""
    last_line = text.rstrip().rpartition("\n")[2]
    tags = [tag.group() for tag in _TAG.finditer(last_line) if last_line.endswith(tag.group())]
    mark = tags[-1] if tags else last_line
    return text[text.rindex(mark) :]


_EMPTY = re.compile(r"(\S+[^\S\n]*\n?)(\s*?)(\n?\S+\s*)$")


def _marks_of_empty(tokenizer: PreTrainedTokenizerBase, switch: str) -> ThoughtMarks | None:
    """The marks of the empty thought with which a template turns thoughts off."""
    for value in (False, True):
        prompt = _generation_prompt(tokenizer, TemplateUse({switch: value}))
        added = _new(prompt, _generation_prompt(tokenizer, TemplateUse({switch: not value})))
        empty = _EMPTY.search(added) if len(added.split()) == 2 else None
        if empty:
            return ThoughtMarks(empty[1], empty[3])
    return None


_TALKS_OF_THOUGHT = re.compile(r"think|thought|reason", re.IGNORECASE)
_MIRRORED = (("/", ""), ("end", "begin"), ("end", "start"), ("END", "BEGIN"), ("END", "START"))
"""What closing tags have in place of what opening ones have."""


_CLOSES = re.compile(r"/|end", re.IGNORECASE)


def _pairs(tag: str) -> Iterator[tuple[str, str]]:
    """The opening and closing tags of which this may be one."""
    for end, begin in _MIRRORED:
        if end in tag:
            yield tag.replace(end, begin, 1), tag
        elif begin and begin in tag:
            yield tag, tag.replace(begin, end, 1)
    if not _CLOSES.search(tag):
        yield tag, f"{tag[0]}/{tag[1:]}"


def _marks_by_pair(tokenizer: PreTrainedTokenizerBase, template: str) -> ThoughtMarks | None:
    """A pair of tags with a name like “think”, among the added tokens or in the template's text.

    First one that the template opens itself, or behind which it goes on with an earlier answer; else one of which both
    are there.
    """
    tags = dict.fromkeys(chain(_TAG.findall(template), map(str, tokenizer.added_tokens_decoder.values())))
    pairs = list(dict.fromkeys(pair for tag in tags if _TALKS_OF_THOUGHT.search(tag) for pair in _pairs(tag)))
    used = (pair for pair in pairs if _opens(tokenizer, pair[0]) or (pair[1] in tags and _drops(tokenizer, *pair)))
    there = (pair for pair in pairs if pair[0] in tags and pair[1] in tags)
    found = next(chain(used, there), None)
    return ThoughtMarks(f"{found[0]}\n", f"\n{found[1]}\n\n") if found else None


def _drops(tokenizer: PreTrainedTokenizerBase, opening: str, closing: str) -> bool:
    """Whether the template leaves out the thought of an earlier answer."""
    answer = {"role": "assistant", "content": f"{opening}{THOUGHT}{closing}{SAID}"}
    written = render_or_nothing(tokenizer, [QUESTION, answer, QUESTION], generation_prompt=True)
    return SAID in written and THOUGHT not in written


def _opens(tokenizer: PreTrainedTokenizerBase, opening: str) -> bool:
    return _generation_prompt(tokenizer, TemplateUse()).rstrip().endswith(opening)


_OFF_BY_NAME = re.compile(r"(?:^|_)(?:no|not|off|disabled?|without|skip|hide|exclude)(?:_|$)|^no(?=think|reason)", re.I)


def _turned(tokenizer: PreTrainedTokenizerBase, name: str, marks: ThoughtMarks) -> ThinkingSwitch:
    """Which way a switch goes: off is where the thought is closed before it begins, or what its name says."""
    prompts = {value: _generation_prompt(tokenizer, TemplateUse({name: value})).rstrip() for value in (True, False)}
    closed = [value for value, prompt in prompts.items() if prompt.endswith(marks.closing.strip())]
    on = not closed[0] if len(closed) == 1 else not _OFF_BY_NAME.search(name)
    unasked = _whole(tokenizer, TemplateUse())
    alike = [value for value in (True, False) if unasked == _whole(tokenizer, TemplateUse({name: value}))]
    return ThinkingSwitch(name, on, alike[0] == on if alike else None)

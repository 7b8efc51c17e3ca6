"""Text <-> token ids, so that typed text never becomes a control token and every token knows its characters."""

from __future__ import annotations

import json
import re
import secrets
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from tokenizers import Tokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

from llm_tracker.errors import InputError
from llm_tracker.languages.texts import say
from llm_tracker.prompts.segments import Segment
from llm_tracker.prompts.words import Span

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


def special_tokens(tokenizer: PreTrainedTokenizerBase) -> dict[int, str]:
    """The control tokens: id -> text."""
    return {token_id: str(token) for token_id, token in tokenizer.added_tokens_decoder.items() if token.special}


def encode(
    tokenizer: PreTrainedTokenizerBase, segments: Sequence[Segment], begin: bool
) -> tuple[list[int], list[Span]]:
    """Token ids of the joined segments, and each token's characters in them.

    `begin` asks for what the tokenizer itself puts in front (a beginning-of-text token, of no characters). Text in
    segments other than the template's stays text, also where it spells a control token. Raises InputError where the
    tokenizer can't read it as text.
    """
    text = "".join(segment.text for segment in segments)
    encoded = tokenizer(text, add_special_tokens=begin, return_offsets_mapping=True)
    ids, spans = list(encoded["input_ids"]), [(int(a), int(b)) for a, b in encoded["offset_mapping"]]
    if _typed_control_token(tokenizer, segments, ids, spans) is None:
        return ids, spans
    ids, spans = _encode_guarded(tokenizer, segments, begin)
    typed = _typed_control_token(tokenizer, segments, ids, spans)
    if typed is not None:
        raise InputError(
            say("This model can read “{typed}” only as a control token, never as text. Leave it out.", typed=typed)
        )
    return ids, spans


def _typed_control_token(
    tokenizer: PreTrainedTokenizerBase, segments: Sequence[Segment], ids: list[int], spans: list[Span]
) -> str | None:
    """The first control token that stands in typed text, or None."""
    special = special_tokens(tokenizer)
    starts = segment_starts(segments)
    for token_id, (begin, end) in zip(ids, spans, strict=True):
        if token_id in special and end > begin and segment_at(segments, starts, begin).role != "template":
            return special[token_id]
    return None


def segment_starts(segments: Sequence[Segment]) -> list[int]:
    """The first character of each segment in their joined text."""
    return [0, *accumulate(len(segment.text) for segment in segments)][: len(segments)]


def segment_at(segments: Sequence[Segment], starts: Sequence[int], character: int) -> Segment:
    """The segment that a character of the joined text is in."""
    return segments[bisect_right(starts, character) - 1]


def _encode_guarded(
    tokenizer: PreTrainedTokenizerBase, segments: Sequence[Segment], begin: bool
) -> tuple[list[int], list[Span]]:
    """Encode with control tokens that answer to unguessable names, which only the template's segments know."""
    special = special_tokens(tokenizer)
    guarded, names = _guarded_tokenizer(tokenizer, special)
    pattern = re.compile("|".join(re.escape(text) for text in sorted(names, key=len, reverse=True)))
    text, original = "", [0]  # the guarded text, and for each of its characters the character of the joined text
    for segment in segments:
        runs = _runs(pattern, segment.text) if segment.role == "template" else [(segment.text, False)]
        for run, is_control in runs:
            written, at = (names[run], original[-1]) if is_control else (run, original[-1])
            between = [at] * (len(written) - 1) if is_control else list(range(at + 1, at + len(run)))
            original += [*between, at + len(run)] if written else []
            text += written
    encoding = guarded.encode(text, add_special_tokens=begin)
    # Renamed tokens are new to the vocabulary, and push those that are added behind it.
    added = {token_id: str(token) for token_id, token in tokenizer.added_tokens_decoder.items()}
    real_id = {guarded.token_to_id(names.get(text, text)): token_id for token_id, text in added.items()}
    ids = [real_id.get(token_id, token_id) for token_id in encoding.ids]
    return ids, [(original[first], original[last]) for first, last in encoding.offsets]


def _runs(pattern: re.Pattern[str], text: str) -> list[tuple[str, bool]]:
    """The text cut at control tokens: (run, whether it is one)."""
    runs, read_to = [], 0
    for match in pattern.finditer(text):
        runs += [(text[read_to : match.start()], False), (match.group(), True)]
        read_to = match.end()
    return [run for run in [*runs, (text[read_to:], False)] if run[0]]


def _guarded_tokenizer(tokenizer: PreTrainedTokenizerBase, special: dict[int, str]) -> tuple[Tokenizer, dict[str, str]]:
    """A copy of the tokenizer whose control tokens have unguessable names, and the names by their real text."""
    nonce = secrets.token_hex(8)
    names = {text: f"\ue000{nonce}y{token_id}\ue001" for token_id, text in special.items()}
    state: dict[str, Any] = json.loads(tokenizer.backend_tokenizer.to_str())
    for token in state["added_tokens"]:
        if token["content"] in names and token["special"]:
            token["content"], token["normalized"] = names[token["content"]], False
    return Tokenizer.from_str(json.dumps(state)), names


_texts: WeakKeyDictionary[PreTrainedTokenizerBase, dict[int, str]] = WeakKeyDictionary()


def token_text(tokenizer: PreTrainedTokenizerBase, token_id: int) -> str:
    """One token as text, its space kept; half a character as its bytes, ⟨F0 9F⟩; an id without text by number, ⟨id 7⟩.

    Known texts are kept as long as the tokenizer is: every answer names some 200 candidates, mostly the same ones.
    """
    known = _texts.setdefault(tokenizer, {})
    if token_id not in known:
        known[token_id] = _text_of(tokenizer, token_id)
    return known[token_id]


def _text_of(tokenizer: PreTrainedTokenizerBase, token_id: int) -> str:
    token: str | None = tokenizer.convert_ids_to_tokens([token_id])[0]
    if token is None:  # a vocabulary that is padded beyond its tokenizer
        return f"⟨id {token_id}⟩"
    text = str(tokenizer.decode([token_id], clean_up_tokenization_spaces=False))
    if "\ufffd" in text:
        return _bytes_text(token)
    return f" {text}" if token.startswith("▁") and not text.startswith(" ") else text


def _bytes_text(token: str) -> str:
    """Part of a character, named by its bytes."""
    if re.fullmatch(r"<0x[0-9A-F]{2}>", token):
        return f"⟨{token[3:5]}⟩"
    byte_of = _byte_of_character()
    if not all(character in byte_of for character in token):
        return token
    return f"⟨{' '.join(f'{byte_of[character]:02X}' for character in token)}⟩"


def token_bytes(tokenizer: PreTrainedTokenizerBase, token_ids: Sequence[int]) -> list[bytes]:
    """The bytes that each token stands for: of a byte-level vocabulary through its table, else as UTF-8."""
    special = special_tokens(tokenizer)
    decoder = tokenizer.backend_tokenizer.decoder
    byte_level = decoder is not None and b"ByteLevel" in decoder.__getstate__()
    written = [token or "" for token in tokenizer.convert_ids_to_tokens(list(token_ids))]
    return [
        special[token_id].encode() if token_id in special else _bytes_of(token, byte_level)
        for token_id, token in zip(token_ids, written, strict=True)
    ]


def _bytes_of(token: str, byte_level: bool) -> bytes:
    byte_of = _byte_of_character()
    if byte_level and all(character in byte_of for character in token):
        return bytes(byte_of[character] for character in token)
    if re.fullmatch(r"<0x[0-9A-F]{2}>", token):
        return bytes([int(token[3:5], 16)])
    return token.replace("▁", " ").encode()


@cache
def _byte_of_character() -> dict[str, int]:
    table = bytes_to_unicode()  # type: ignore[no-untyped-call]
    return {character: byte for byte, character in table.items()}

"""One record as duplicates are told by: its texts brought to one form, and the keys of its parts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from tapewright.errors import RowError
from tapewright.inputs import DUPLICATE, Item
from tapewright.rows import Row
from tapewright.shapes import from_record, texts_from_record
from validators.duplicates.normal import digest, key, key_of, letter_key, normal, wide_key

FIELDS = ("system", "instruction", "input", "output", "rejected")
LABEL_WORDS = 3  # an answer this short is a label


@dataclass(slots=True)
class Passage:
    """What is compared of one row; keys are 0 where there is nothing.

    `text` is what a reader sees but the rejected answer, which stands apart: a pair with its two answers swapped is
    a contradiction and no copy. `label` is the key of an answer of a few words. `size` counts characters.
    """

    text: str
    rejected: str
    exact: tuple[int, int]
    letters: int
    prompt: int
    answer: int
    refused: int
    label: int
    id: int
    size: int


def read_row(item: Item, shape: str = "") -> Row | None:
    """The row of an item, or None where it is in no known shape."""
    try:
        return from_record(item.record, shape)
    except RowError:
        return None


def _read_texts(item: Item, shape: str) -> Row | None:
    try:
        return texts_from_record(item.record, shape)
    except RowError:
        return None


def readable(item: Item) -> bool:
    """Whether an item can be compared and written again at all."""
    return not item.problem or item.problem == DUPLICATE


def passage_of_item(item: Item, fields: tuple[str, ...] = (), shape: str = "") -> Passage:
    """What is compared of a readable item: the fields of its row or columns of its record, or all of the record."""
    row = _read_texts(item, shape)
    if row is not None and not fields:
        return passage(row)
    texts, _ = _compared(item, row, fields)
    if row is None:
        name = item.record.get("id") if isinstance(item.record, dict) else None
        return _passage(texts, "", (), str(name or ""))
    made = _passage(texts, "", (row.system, row.instruction, row.input, row.output), row.id)
    made.refused = key_of(digest(normal(row.rejected)))
    return made


def shown_of_item(item: Item, row: Row | None, fields: tuple[str, ...] = ()) -> str:
    """The text of an item's passage, with the rejected answer behind it; `row` is what `read_row` says of it."""
    texts, rejected = _compared(item, row, fields)
    text = " ".join(tidy for part in texts if part and (tidy := normal(part)))
    refused = normal(rejected) if rejected else ""
    return f"{text}\x1f{refused}" if refused else text


def _compared(item: Item, row: Row | None, fields: tuple[str, ...]) -> tuple[Sequence[str], str]:
    """The texts that are compared, and the rejected answer where it counts."""
    if row is not None:
        return ([_field(row, item.record, name) for name in fields], "") if fields else (_parts(row), row.rejected)
    if fields:
        return [_column(item.record, name) for name in fields], ""
    record = item.record
    whole = {name: value for name, value in record.items() if name != "id"} if isinstance(record, dict) else record
    return [_shown(whole)], ""


def _parts(row: Row) -> tuple[str, str, str, str]:
    return f"{row.system} {row.tools}" if row.tools else row.system, row.instruction, row.input, row.output


def passage(row: Row) -> Passage:
    """What is compared of a row where all its texts count; the tools it may call belong to its system text."""
    parts = _parts(row)
    made = _passage(parts, row.rejected, parts, row.id)
    if row.label:  # the text is the question then, and two verdicts on it are no copies
        made.prompt = made.exact[0]
        made.answer = made.label = key_of(digest(normal(row.label)))
        made.exact = made.exact[0], made.exact[1] ^ made.label
    return made


def passage_of_text(text: str) -> Passage:
    """What is compared of a text that is no row."""
    tidy = normal(text)
    return Passage(tidy, "", wide_key((digest(tidy),)), letter_key((text,)), 0, 0, 0, 0, 0, len(tidy))


def _passage(texts: Sequence[str], rejected: str, parts: Sequence[str], name: str) -> Passage:
    """`texts` are compared; `parts` are system, instruction, input and output, or nothing."""
    tidy = [normal(text) if text else "" for text in texts]
    digests = [digest(text) for text in tidy]
    refused = normal(rejected) if rejected else ""
    refused_digest = digest(refused)
    made = Passage(
        text=" ".join(text for text in tidy if text),
        rejected=refused,
        exact=wide_key((*digests, refused_digest)),
        letters=letter_key((*texts, rejected)),
        prompt=0, answer=0, refused=key_of(refused_digest), label=0,
        id=key_of(digest(name)) if name else 0,
        size=sum(map(len, tidy)) + len(refused),
    )  # fmt: skip
    if parts is not texts and parts:
        tidy = [normal(text) for text in parts]
        digests = [digest(text) for text in tidy]
    if parts:
        made.prompt, made.answer = key(digests[:3]), key_of(digests[3])
        if made.answer and len(tidy[3].split(None, LABEL_WORDS)) <= LABEL_WORDS:
            made.label = made.answer
    return made


def _field(row: Row, record: Any, name: str) -> str:
    if name in FIELDS:
        return getattr(row, name)
    return row.output if name == "chosen" else _column(record, name)


def _column(record: Any, name: str) -> str:
    return _shown(record.get(name, "")) if isinstance(record, dict) else ""


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()  # fmt: skip

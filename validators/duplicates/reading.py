"""One record as duplicates are told by: its texts brought to one form, and the keys of its parts."""

from dataclasses import dataclass
from typing import Any

import orjson

from tapewright.errors import RowError
from tapewright.inputs import DUPLICATE, Item
from tapewright.rows import Row
from tapewright.shapes import from_record
from validators.duplicates.normal import key, letter_key, normal, wide_key

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


def readable(item: Item) -> bool:
    """Whether an item can be compared and written again at all."""
    return not item.problem or item.problem == DUPLICATE


def passage_of_item(item: Item, fields: tuple[str, ...] = (), shape: str = "") -> Passage:
    """What is compared of a readable item: the fields of its row or columns of its record, or all of the record."""
    row = read_row(item, shape)
    if row is None:
        whole = {name: value for name, value in item.record.items() if name != "id"} if isinstance(item.record, dict) else item.record  # fmt: skip
        texts = [_shown(whole)] if not fields else [_column(item.record, name) for name in fields]
        name = item.record.get("id") if isinstance(item.record, dict) else None
        return _passage(texts, "", (), str(name or ""))
    if not fields:
        return passage(row, verdict(row, item.record))
    texts = [_field(row, item.record, name) for name in fields]
    return _passage(texts, "", (row.system, row.instruction, row.input, row.output, row.rejected), row.id)


def passage(row: Row, said: str = "") -> Passage:
    """What is compared of a row where all its texts count, and the verdict `said` on it where it has one."""
    parts = (row.system, row.instruction, row.input, row.output)
    made = _passage(parts, row.rejected, (*parts, row.rejected), row.id)
    if said:  # the text is the question then, and two verdicts on it are no copies
        made.prompt = key((made.text,))
        made.answer = made.label = key((said,))
        made.exact = wide_key((*map(normal, parts), said))
    return made


def verdict(row: Row, record: Any) -> str:
    """What a labelled text or a rated answer is said to be; empty in other shapes."""
    if row.shape not in ("text", "kto"):
        return ""
    said = record.get("label", record.get("sentiment"))
    return "" if said is None or isinstance(said, list | dict) else str(said)


def _passage(texts: Any, rejected: str, parts: tuple[str, ...], name: str) -> Passage:
    tidy = [normal(text) if text else "" for text in texts]
    refused = normal(rejected) if rejected else ""
    made = Passage(
        text=" ".join(text for text in tidy if text),
        rejected=refused,
        exact=wide_key((*tidy, refused)),
        letters=letter_key((*texts, rejected)),
        prompt=0, answer=0, refused=0, label=0,
        id=key((name,)) if name else 0,
        size=sum(map(len, tidy)) + len(refused),
    )  # fmt: skip
    if parts:
        _choices(made, tidy if texts == parts[:4] else [normal(part) for part in parts[:4]], parts[4])
    return made


def _choices(made: Passage, tidy: list[str], rejected: str) -> None:
    """The keys of what was asked and what was answered."""
    *asked, answer = tidy
    if any(asked):
        made.prompt = key(asked)
    if answer:
        made.answer = key((answer,))
        if len(answer.split(None, LABEL_WORDS)) <= LABEL_WORDS:
            made.label = made.answer
    if rejected:
        made.refused = key((normal(rejected),))


def _field(row: Row, record: Any, name: str) -> str:
    if name in FIELDS:
        return getattr(row, name)
    return row.output if name == "chosen" else _column(record, name)


def _column(record: Any, name: str) -> str:
    return _shown(record.get(name, "")) if isinstance(record, dict) else ""


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()  # fmt: skip

"""Rows and their shapes. This is the only place that knows the columns of the shapes we write.

| shape | columns beside the bookkeeping |
|---|---|
| alpaca | instruction, input, output |
| instruction-response | instruction, response |
| sharegpt | conversations: [{from, value}] |
| preference | instruction, input, chosen, rejected, defect |

Bookkeeping is the same in every row of every shape: id, task_type, group, as_of, family, and facts
and provenance as JSON text. There are no nulls; what a row lacks is an empty string, so that a file
whose first rows are timeless loads in every reader.
"""

from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any

import orjson

from tapewright.errors import RowError

FORMATS = ("alpaca", "sharegpt", "preference", "instruction-response")


@dataclass(slots=True)
class Row:
    """One row before it is written. `rejected` and `defect` are empty outside preference pairs."""

    instruction: str
    input: str
    output: str
    task_type: str
    family: str
    rejected: str = ""
    defect: str = ""
    group: str = ""
    as_of: str = ""
    facts: dict[str, Any] = field(default_factory=dict)
    provenance: dict[str, Any] = field(default_factory=dict)
    label: str = ""


def identity(row: Row) -> int:
    """64 bits of the normalised visible text; id, facts and provenance do not count."""
    visible = "\x1f".join((row.instruction, row.input, row.output, row.rejected))
    normal = " ".join(visible.casefold().split())
    return int.from_bytes(blake2b(normal.encode(), digest_size=8).digest(), "big")


def to_record(row: Row, shape: str, number: int) -> dict[str, Any]:
    """The record written for `row` in one of FORMATS; `number` becomes part of the id."""
    record: dict[str, Any] = {"id": f"{row.task_type}-{number:07d}"}
    if shape == "alpaca":
        record |= {"instruction": row.instruction, "input": row.input, "output": row.output}
    elif shape == "preference":
        record |= {
            "instruction": row.instruction, "input": row.input, "chosen": row.output, "rejected": row.rejected,
            "defect": row.defect,
        }  # fmt: skip
    elif shape == "instruction-response":
        record |= {"instruction": _joined(row), "response": row.output}
    elif shape == "sharegpt":
        record["conversations"] = [{"from": "human", "value": _joined(row)}, {"from": "gpt", "value": row.output}]
    else:
        raise RowError(f"no shape {shape!r}; known: {', '.join(FORMATS)}")
    record |= {
        "task_type": row.task_type, "group": row.group, "as_of": row.as_of, "family": row.family,
        "facts": orjson.dumps(row.facts).decode(), "provenance": orjson.dumps(row.provenance).decode(),
    }  # fmt: skip
    return record


def _joined(row: Row) -> str:
    return f"{row.instruction}\n\n{row.input}" if row.input else row.instruction


def from_record(record: dict[str, Any]) -> Row:
    """Read a record of any of our shapes back. Raises RowError naming what is missing."""
    if not isinstance(record, dict):
        raise RowError(f"a row must be an object, not {type(record).__name__}")
    prompt, data, output, rejected = record.get("instruction", ""), record.get("input", ""), "", ""
    if "conversations" in record:
        turns = record["conversations"]
        if not isinstance(turns, list) or len(turns) < 2:
            raise RowError("conversations needs at least a human and a gpt turn")
        prompt, output = _said(turns, ("human", "user")), _said(turns, ("gpt", "assistant"))
    elif "chosen" in record:
        output, rejected = record["chosen"], record.get("rejected", "")
    else:
        for name in ("output", "response"):
            if name in record:
                output = record[name]
                break
        else:
            raise RowError(
                f"no answer column among {sorted(record)[:8]}; expected output, response, chosen or conversations"
            )
    for name, value in (("instruction", prompt), ("input", data), ("answer", output), ("rejected", rejected)):
        if not isinstance(value, str):
            raise RowError(f"{name} must be text, not {type(value).__name__}")
    return Row(
        prompt, data, output, str(record.get("task_type", "")), str(record.get("family", "")), rejected,
        str(record.get("defect", "")), str(record.get("group", "")), str(record.get("as_of", "")),
        _object(record.get("facts")), _object(record.get("provenance")),
    )  # fmt: skip


def _said(turns: list, roles: tuple[str, ...]) -> str:
    said = [
        t.get("value", t.get("content", ""))
        for t in turns
        if isinstance(t, dict) and t.get("from", t.get("role")) in roles
    ]
    return "\n\n".join(text for text in said if isinstance(text, str))


def _object(text: Any) -> dict[str, Any]:
    if isinstance(text, dict):
        return text
    if isinstance(text, str) and text:
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            return {}
        return value if isinstance(value, dict) else {}
    return {}

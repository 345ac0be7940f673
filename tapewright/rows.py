"""Rows and the shapes we write. `tapewright.shapes` reads these and everybody else's.

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
    """One row, whatever shape it came in or goes out in.

    `rejected` and `defect` are empty outside preference pairs; `turns` holds a conversation's turns
    with roles in the chat spelling, and `instruction` then everything before the last answer. `stated` holds
    what columns of metadata say of the text, such as its label or symbol; `label` is what a labelled text or a
    rated answer is said to be, `tools` the functions a conversation may call, as text.
    """

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
    id: str = ""
    shape: str = ""
    system: str = ""
    turns: list[dict[str, Any]] = field(default_factory=list)
    tools: str = ""
    stated: dict[str, str] = field(default_factory=dict)


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

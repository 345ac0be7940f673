"""Family S: a row can be parsed, has a known shape, and its fields and turns are what that shape asks for.

Examples of this family are whole files, since what is wrong is not in a text but around it.
"""

import functools
from collections.abc import Iterator
from typing import Any

import orjson

from tapewright.errors import RowError
from tapewright.findings import Finding
from tapewright.inputs import DUPLICATE, INVALID, NOT_A_NUMBER, SURROGATE, Item
from tapewright.rows import Row
from tapewright.shapes import ROLES, recognise
from validators.rules import RULES, declare

_GOOD = '{"instruction": "Add 1 and 1.", "input": "", "output": "It is 2."}'
_CHAT = '{{"messages": [{{"role": "user", "content": "Hi"}}, {}]}}'
_HELLO = '{"role": "assistant", "content": "Hello"}'
_CALL = (
    '{{"messages": [{{"role": "user", "content": "Price?"}}, {{"role": "assistant", "content": "", "tool_calls": '
    '[{{"id": "a", "type": "function", "function": {{"name": "price", "arguments": "{}"}}}}]}}, {} {}]}}'
)
_RESULT = '{"role": "tool", "tool_call_id": "a", "content": "61000"},'

UNREADABLE = declare(
    "S001", "unknown shape", "A row has none of the known shapes.",
    "A trainer drops it, or reads the wrong column as the answer.", '{"foo": "bar"}', _GOOD,
)  # fmt: skip
INVALID_JSON = declare(
    "S002", "invalid JSON", "A line is not JSON, is cut off, or is too long to be a row.",
    "Most loaders stop at it; some skip it without a word.", '{"instruction": "Add', _GOOD,
)  # fmt: skip
EMPTY = declare(
    "S003", "missing or empty field", "The instruction or the answer is missing, null or blank.",
    "An empty answer teaches the model to say nothing.",
    '{"instruction": "Add 1 and 1.", "input": "", "output": " "}', _GOOD,
)  # fmt: skip
WRONG_TYPE = declare(
    "S004", "wrong type", "A field holds another type than its shape asks for.",
    "Columns of mixed type break Arrow and every loader built on it.",
    '{"instruction": "Add 1 and 1.", "input": "", "output": 2}', _GOOD,
)  # fmt: skip
UNKNOWN_ROLE = declare(
    "S005", "unknown role", "A turn has a role no chat template knows.",
    "Templates raise on it or leave the turn out.",
    _CHAT.format('{"role": "narrator", "content": "Hello"}'), _CHAT.format(_HELLO),
)  # fmt: skip
NOT_ALTERNATING = declare(
    "S006", "roles do not alternate", "Two turns of the same speaker follow each other, or the assistant speaks first.",
    "Several chat templates refuse such a conversation.",
    '{"messages": [{"role": "user", "content": "Hi"}, {"role": "user", "content": "Hi?"}, ' + _HELLO + "]}",
    _CHAT.format(_HELLO), severity="warning",
)  # fmt: skip
LAST_NOT_ASSISTANT = declare(
    "S007", "last turn is not the assistant's", "A conversation ends with somebody else than the assistant.",
    "There is nothing to learn from after the last question.",
    '{"messages": [{"role": "user", "content": "Hi"}]}', _CHAT.format(_HELLO),
)  # fmt: skip
CALL_WITHOUT_RESULT = declare(
    "S008", "tool call without its result", "A tool is called, and no later turn holds what it returned.",
    "The model learns to answer as if it had seen a result.",
    _CALL.format("{}", "", _HELLO), _CALL.format("{}", _RESULT, _HELLO),
)  # fmt: skip
BAD_ARGUMENTS = declare(
    "S009", "bad tool arguments", "The arguments of a tool call are not a JSON object.",
    "The caller will fail to parse what the model learnt to write.",
    _CALL.format("{symbol: BTC", _RESULT, _HELLO), _CALL.format("{}", _RESULT, _HELLO),
)  # fmt: skip
DOUBLE_KEY = declare(
    "S010", "duplicate key", "A key stands twice in one object.",
    "Parsers keep the last one and say nothing.",
    '{"instruction": "Add 1 and 1.", "output": "It is 3.", "output": "It is 2."}', _GOOD,
)  # fmt: skip
NAN = declare(
    "S011", "NaN or Infinity", "A number is NaN or Infinity, which JSON does not have.",
    "Python writes it by default and most other readers refuse it.",
    '{"instruction": "Add.", "output": "2", "score": NaN}', _GOOD,
)  # fmt: skip
HALF_SURROGATE = declare(
    "S012", "lone surrogate", "A text holds half of a surrogate pair.",
    "It parses, and then no encoder will write it.",
    '{"instruction": "Add.", "output": "\\ud83d"}', _GOOD,
)  # fmt: skip
MIXED = declare(
    "S013", "mixed shapes", "Rows of different shapes stand in one file.",
    "Loaders take the columns of the first rows and fill the rest with nulls.",
    _GOOD + '\n{"prompt": "Add.", "completion": "2"}', _GOOD + "\n" + _GOOD,
)  # fmt: skip

_PROBLEMS = {INVALID: INVALID_JSON, DUPLICATE: DOUBLE_KEY, NOT_A_NUMBER: NAN, SURROGATE: HALF_SURROGATE}


def problem(item: Item) -> Finding:
    """The finding for a line that could not be parsed, or not as it was meant."""
    return _finding(_PROBLEMS[item.problem], item.message, "row", item.raw[:120])


def refused(message: str) -> Finding:
    """The finding for a record that is not a row: of no shape, of a wrong type, or with a field missing."""
    code = (
        UNREADABLE
        if message.startswith(("no known shape", "a row must"))
        else EMPTY
        if message.startswith("missing")
        else WRONG_TYPE
    )
    return _finding(code, message, "row")


def _finding(code: str, message: str, field: str, evidence: str = "") -> Finding:
    return Finding(code, message, RULES[code].severity, field=field, evidence=evidence)


_PLAIN = {
    "alpaca": (("instruction", "prompt"), ("output", "response")),
    "instruction-response": (("instruction", "prompt"), ("output", "response")),
    "prompt-completion": (("prompt",), ("completion",)),
    "question-answer": (("question",), ("answer",)),
}


@functools.lru_cache(maxsize=64)
def _columns(names: tuple[str, ...]) -> tuple[str, str, str]:
    """The shape that columns of texts have, and which of them hold prompt and answer; empty where it is not plain."""
    try:
        shape = recognise(dict.fromkeys(names, ""))
        prompt, answer = (next(name for name in either if name in names) for either in _PLAIN[shape])
    except (RowError, KeyError, StopIteration):
        return "", "", ""
    return shape, prompt, answer


def sound_shape(record: Any) -> str:
    """The shape of a record of texts in which family S finds nothing; empty where that takes a closer look."""
    if record.__class__ is not dict:
        return ""
    shape, prompt, answer = _columns(tuple(record))
    if not shape or not record[prompt] or not record[answer]:
        return ""
    for value in record.values():
        if value.__class__ is not str:
            return ""
    return "" if record[prompt].isspace() or record[answer].isspace() else shape


def check_schema(row: Row) -> Iterator[Finding]:
    """S003 on the texts, S005 to S009 on the turns."""
    if row.shape != "text" and not row.instruction.strip():
        yield _finding(EMPTY, "the instruction is empty", "instruction")
    if not row.output.strip() and not _calls(row):
        if row.turns and row.turns[-1]["role"] != "assistant" and row.shape not in ("preference", "openai-preference"):
            yield _finding(LAST_NOT_ASSISTANT, f"the last turn is the {row.turns[-1]['role'] or 'unnamed'}'s", "turns")
        else:
            yield _finding(EMPTY, "the answer is empty", "output")
    if row.shape in ("preference", "openai-preference") and not row.rejected.strip():
        yield _finding(EMPTY, "the rejected answer is empty", "rejected")
    if row.turns:
        yield from _check_turns(row)


def _calls(row: Row) -> bool:
    return bool(row.turns) and bool(row.turns[-1].get("tool_calls") or row.turns[-1]["role"] == "function_call")


def _check_turns(row: Row) -> Iterator[Finding]:
    known = set(ROLES.values())
    spoken = [turn for turn in row.turns if turn["role"] in ("user", "assistant")]
    for number, turn in enumerate(row.turns, 1):
        if turn["role"] not in known:
            yield _finding(UNKNOWN_ROLE, f"turn {number} has the role {turn['role'] or turn.get('from')!r}", "turns")
        yield from _check_calls(row.turns, number - 1)
    for before, after in zip(spoken, spoken[1:]):
        between = row.turns[row.turns.index(before) + 1 : row.turns.index(after)]
        if before["role"] == after["role"] and not between:
            yield _finding(
                NOT_ALTERNATING, f"two turns of the {after['role']} follow each other", "turns", after["content"][:80]
            )
            break
    else:
        if spoken and spoken[0]["role"] == "assistant" and len(spoken) > 1:
            yield _finding(NOT_ALTERNATING, "the assistant speaks first", "turns", spoken[0]["content"][:80])
    ends = row.turns[-1]["role"]
    if row.output.strip() and ends in ("user", "tool") and row.shape not in ("preference", "openai-preference"):
        yield _finding(LAST_NOT_ASSISTANT, f"the last turn is the {ends}'s", "turns")


def _check_calls(turns: list[dict[str, Any]], at: int) -> Iterator[Finding]:
    calls = turns[at].get("tool_calls")
    if not isinstance(calls, list):
        return
    later = [turn for turn in turns[at + 1 :] if turn["role"] == "tool"]
    for call in calls:
        function = call.get("function", call) if isinstance(call, dict) else {}
        arguments = function.get("arguments", {}) if isinstance(function, dict) else None
        if isinstance(arguments, str):
            try:
                arguments = orjson.loads(arguments)
            except orjson.JSONDecodeError:
                arguments = None
        if not isinstance(arguments, dict):
            yield _finding(
                BAD_ARGUMENTS, "the arguments of a tool call are not a JSON object", "turns", str(function)[:80]
            )
    if len(later) < len(calls) and at < len(turns) - 1:
        yield _finding(CALL_WITHOUT_RESULT, f"{len(calls)} tool calls, {len(later)} results after them", "turns")

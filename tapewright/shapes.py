"""Every shape a row may come in, recognised from its columns and read into one `Row`.

| shape | columns |
|---|---|
| alpaca | instruction, input, output |
| instruction-response | instruction, response |
| prompt-completion | prompt, completion (text or lists of messages) |
| kto | prompt, completion, label (true/false); or messages, label |
| preference | prompt or instruction (and input), chosen, rejected (text, message or list of messages) |
| openai-preference | input.messages, preferred_output, non_preferred_output |
| sharegpt | conversations of {from, value} or {role, content} |
| messages | messages of {role, content}, with tools |
| question-answer | question, answer |
| text | text |
"""

from typing import Any

import orjson

from tapewright.errors import RowError
from tapewright.rows import Row

SHAPES = (
    "alpaca", "instruction-response", "prompt-completion", "kto", "preference", "openai-preference", "sharegpt",
    "messages", "question-answer", "text",
)  # fmt: skip

ROLES = {
    "human": "user", "user": "user", "prompter": "user", "gpt": "assistant", "assistant": "assistant", "bot": "assistant",
    "model": "assistant", "chatgpt": "assistant", "system": "system", "developer": "system", "tool": "tool",
    "function": "tool", "observation": "tool", "function_call": "function_call", "tool_call": "function_call",
}  # fmt: skip


def recognise(record: Any) -> str:
    """The shape of one record. Raises RowError naming its columns when none fits."""
    if not isinstance(record, dict):
        raise RowError(f"a row must be an object, not {_kind(record)}")
    has = record.keys()
    if "preferred_output" in has or "non_preferred_output" in has:
        return "openai-preference"
    if "chosen" in has or "rejected" in has:
        return "preference"
    if "conversations" in has or "conversation" in has:
        return "sharegpt"
    if "messages" in has:
        return "kto" if isinstance(record.get("label"), bool) else "messages"
    if "prompt" in has and "completion" in has:
        return "kto" if isinstance(record.get("label"), bool) else "prompt-completion"
    if "instruction" in has:
        return "instruction-response" if "response" in has and "output" not in has else "alpaca"
    if "prompt" in has and "response" in has:
        return "instruction-response"
    if "question" in has and "answer" in has:
        return "question-answer"
    if "text" in has:
        return "text"
    raise RowError(f"no known shape has the columns {', '.join(sorted(map(str, has))[:10]) or '(none)'}")


def from_record(record: Any, shape: str = "") -> Row:
    """Read a record of `shape` (recognised where empty). Raises RowError saying what is missing or mistyped."""
    row = texts_from_record(record, shape)
    if not _OTHER_COLUMNS.isdisjoint(record):
        row.stated = {name: record[name] for name in _STATED if isinstance(record.get(name), str)}
        row.task_type, row.family = _text(record, "task_type"), _text(record, "family")
        row.defect = _text(record, "defect")
        row.group, row.as_of = _text(record, "group"), _text(record, "as_of")
        row.facts, row.provenance = _object(record.get("facts")), _object(record.get("provenance"))
    return row


def texts_from_record(record: Any, shape: str = "") -> Row:
    """`from_record` without the bookkeeping: the id, the texts and the tools."""
    shape = shape or recognise(record)
    if not isinstance(record, dict):
        raise RowError(f"a row must be an object, not {_kind(record)}")
    row = Row("", "", "", "", "")
    row.shape = shape
    _READERS[shape](record, row)
    if record.get("tools"):
        row.tools = _as_text(record["tools"])
    row.id = str(record.get("id") or "")
    return row


# What columns of metadata may say about a row's own text.
_STATED = ("label", "sentiment", "side", "direction", "action", "signal", "symbol", "ticker")
_OTHER_COLUMNS = frozenset(("task_type", "family", "id", "defect", "group", "as_of", "facts", "provenance", *_STATED))


def _kind(value: Any) -> str:
    return {dict: "an object", list: "a list", str: "text", type(None): "null"}.get(type(value), type(value).__name__)


def _text(record: dict[str, Any], name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""


def _as_text(value: Any) -> str:
    """A value that may be text or not, as text."""
    if isinstance(value, str):
        return value
    return orjson.dumps(value, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS).decode()


def _needed(record: dict[str, Any], *names: str) -> str:
    """The text under the first of `names` that is there."""
    for name in names:
        if name in record:
            value = record[name]
            if not isinstance(value, str):
                raise RowError(f"{name} must be text, not {_kind(value)}")
            return value
    raise RowError(f"missing {names[0]}")


def _optional(record: dict[str, Any], *names: str) -> str:
    for name in names:
        if record.get(name) is not None:
            return _needed(record, name)
    return ""


def _read_alpaca(record: dict[str, Any], row: Row) -> None:
    row.instruction, row.input = _needed(record, "instruction", "prompt"), _optional(record, "input")
    row.output = _needed(record, "output", "response")
    row.system = _text(record, "system")


def _read_question(record: dict[str, Any], row: Row) -> None:
    row.instruction, row.output = _needed(record, "question"), _needed(record, "answer")


def _read_text(record: dict[str, Any], row: Row) -> None:
    row.output = _needed(record, "text")
    said = record.get("label", record.get("sentiment"))
    row.label = "" if said is None else _as_text(said)


def _read_completion(record: dict[str, Any], row: Row) -> None:
    if isinstance(record.get("label"), bool):
        row.label = _as_text(record["label"])
    if "messages" in record:
        _read_turns(record["messages"], row, "messages")
        return
    prompt, completion = record.get("prompt"), record.get("completion")
    if isinstance(prompt, list) or isinstance(completion, list):
        _read_turns(
            [*_listed(prompt, "prompt", "user"), *_listed(completion, "completion", "assistant")], row, "prompt"
        )
        return
    row.instruction, row.output = _needed(record, "prompt"), _needed(record, "completion")


def _read_preference(record: dict[str, Any], row: Row) -> None:
    chosen, rejected = record.get("chosen"), record.get("rejected")
    if chosen is None or rejected is None:
        raise RowError(f"missing {'chosen' if chosen is None else 'rejected'}")
    head = next((record[k] for k in ("prompt", "conversations", "messages") if k in record), None)
    if isinstance(head, list):
        _read_turns(head, row, "prompt", answered=False)
    elif isinstance(head, str):
        row.instruction = head
    elif "instruction" in record:
        row.instruction, row.input = _needed(record, "instruction"), _optional(record, "input")
    if isinstance(chosen, str) and isinstance(rejected, str):
        row.output, row.rejected = chosen, rejected
        return
    good, bad = _listed(chosen, "chosen", "assistant"), _listed(rejected, "rejected", "assistant")
    if not row.instruction and len(good) > 1:  # the prompt stands in both answers
        _read_turns(good, row, "chosen")
        row.rejected = _content(bad[-1], "rejected") if bad else ""
        return
    row.output = _content(good[-1], "chosen") if good else ""
    row.rejected = _content(bad[-1], "rejected") if bad else ""


def _read_openai(record: dict[str, Any], row: Row) -> None:
    head = record.get("input")
    if not isinstance(head, dict) or "messages" not in head:
        raise RowError("input must be an object with messages")
    _read_turns(head["messages"], row, "input.messages", answered=False)
    for name, target in (("preferred_output", "output"), ("non_preferred_output", "rejected")):
        turns = _listed(record.get(name), name, "assistant")
        if not turns:
            raise RowError(f"missing {name}")
        setattr(row, target, _content(turns[-1], name))


def _read_conversations(record: dict[str, Any], row: Row) -> None:
    name = "conversations" if "conversations" in record else "conversation"
    _read_turns(record[name], row, name)
    row.system = row.system or _text(record, "system")


def _read_messages(record: dict[str, Any], row: Row) -> None:
    _read_turns(record["messages"], row, "messages")


_READERS = {
    "alpaca": _read_alpaca, "instruction-response": _read_alpaca, "prompt-completion": _read_completion,
    "kto": _read_completion, "preference": _read_preference, "openai-preference": _read_openai,
    "sharegpt": _read_conversations, "messages": _read_messages, "question-answer": _read_question, "text": _read_text,
}  # fmt: skip


def _listed(value: Any, name: str, role: str) -> list[dict[str, Any]]:
    if isinstance(value, str):
        return [{"role": role, "content": value}]
    if isinstance(value, dict):
        return [value]
    if isinstance(value, list) and all(isinstance(turn, dict) for turn in value):
        return value
    raise RowError(f"{name} must be text, a message or a list of messages, not {_kind(value)}")


def role_of(turn: dict[str, Any]) -> str:
    """A turn's role in the chat spelling; unknown roles come back as they are."""
    spoken = turn.get("role", turn.get("from"))
    return ROLES.get(spoken, spoken) if isinstance(spoken, str) else ""


def _content(turn: dict[str, Any], name: str) -> str:
    content = turn.get("content", turn.get("value"))
    if content is None and turn.get("tool_calls"):
        return ""
    if isinstance(content, list):  # content parts
        content = "".join(
            part.get("text", "") for part in content if isinstance(part, dict) and isinstance(part.get("text", ""), str)
        )
    if not isinstance(content, str):
        raise RowError(f"{name}: a turn's content must be text, not {_kind(content)}")
    return content


def _read_turns(turns: Any, row: Row, name: str, answered: bool = True) -> None:
    """Fill instruction with everything before the last assistant turn, output with that turn."""
    if not isinstance(turns, list):
        raise RowError(f"{name} must be a list of turns, not {_kind(turns)}")
    if not turns or not all(isinstance(turn, dict) for turn in turns):
        raise RowError(f"{name} must hold at least one turn, each an object")
    row.turns = [{**turn, "role": role_of(turn), "content": _content(turn, name)} for turn in turns]
    spoken = [turn for turn in row.turns if turn["role"] != "system"]
    row.system = "\n".join(turn["content"] for turn in row.turns if turn["role"] == "system")
    last = max((i for i, turn in enumerate(spoken) if turn["role"] == "assistant"), default=-1) if answered else -1
    before = spoken[:last] if last >= 0 else spoken
    row.instruction = "\n\n".join(turn["content"] for turn in before if turn["content"])
    if last >= 0:
        row.output = spoken[last]["content"]


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

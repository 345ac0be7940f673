"""OpenAI fine-tuning, and those who take its files (Azure, Fireworks): chat messages, and pairs for DPO."""

import orjson

from converters.dialogue import REJECTED, SYSTEM, TOOLS, TURNS, Dialogue, Turn
from converters.formats import PREFERENCE, SFT, Format, Record, bad_messages, empty

SOURCE = "platform documentation, supervised fine-tuning and direct preference optimization"


def as_called(turn: Turn) -> Turn:
    """A turn whose tool calls have an id, a type, and arguments as JSON text, as the client wants them."""
    calls = turn.get("tool_calls")
    if not calls:
        return turn
    made = []
    for place, call in enumerate(calls):
        function = dict(call.get("function", call))
        if not isinstance(function.get("arguments", ""), str):
            function["arguments"] = orjson.dumps(function["arguments"]).decode()
        made.append({"id": call.get("id") or f"call_{place}", "type": "function", "function": function})
    return {**turn, "tool_calls": made}


def messages(dialogue: Dialogue, _: str) -> Record:
    """`messages`, and `tools` where the row has them."""
    record: Record = {"messages": [as_called(turn) for turn in dialogue.messages()]}
    return record | ({"tools": dialogue.tools} if dialogue.tools else {})


def _pair(dialogue: Dialogue, _: str) -> Record:
    given: Record = {"messages": [as_called(turn) for turn in dialogue.messages(answered=False)]}
    if dialogue.tools:
        given["tools"] = dialogue.tools
    return {
        "input": given,
        "preferred_output": [{"role": "assistant", "content": dialogue.reply}],
        "non_preferred_output": [{"role": "assistant", "content": dialogue.rejected}],
    }


def bad_pair(record: Record) -> str:
    """Why a pair would be refused: one message each, none of them empty, and a prompt that ends with the user."""
    asked = record["input"]["messages"]
    if not asked or asked[-1]["role"] not in ("user", "tool"):
        return "the prompt does not end with the user"
    for name in ("preferred_output", "non_preferred_output"):
        if empty(record[name][0], "content"):
            return f"{name} is empty"
    return ""


FORMATS = (
    Format(
        "openai", "OpenAI fine-tuning", "-", SOURCE, SFT, frozenset({SYSTEM, TURNS, TOOLS}), messages,
        lambda record: bad_messages(record["messages"]), ("messages", "tools"), fewest=10, extra_columns=False,
    ),
    Format(
        "openai-dpo", "OpenAI preference fine-tuning", "-", SOURCE, PREFERENCE, frozenset({SYSTEM, TURNS, TOOLS, REJECTED}), _pair,
        bad_pair, ("input", "preferred_output", "non_preferred_output"), fewest=10, extra_columns=False,
    ),
)  # fmt: skip

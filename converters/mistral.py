"""Mistral: chat messages with tool calls whose ids have nine signs."""

import hashlib

from converters.dialogue import SYSTEM, TOOLS, TURNS, Dialogue, Turn
from converters.formats import SFT, Format, Record, bad_messages
from converters.openai import as_called


def _mistral(dialogue: Dialogue, _: str) -> Record:
    """Tool calls carry ids of nine letters and digits, and a turn has either a text or calls."""
    messages = [_renamed(as_called(turn)) for turn in dialogue.messages()]
    return {"messages": messages} | ({"tools": dialogue.tools} if dialogue.tools else {})


def _renamed(turn: Turn) -> Turn:
    if turn.get("tool_calls"):
        calls = [{**call, "id": _nine(call["id"])} for call in turn["tool_calls"]]
        return {"role": turn["role"], "tool_calls": calls}
    if turn.get("tool_call_id"):
        return {**turn, "tool_call_id": _nine(turn["tool_call_id"])}
    return turn


def _nine(name: str) -> str:
    """Nine letters and digits that stand for an id."""
    return name if len(name) == 9 and name.isalnum() and name.isascii() else hashlib.blake2b(name.encode(), digest_size=8).hexdigest()[:9]  # fmt: skip


FORMATS = (
    Format("mistral", "Mistral", "1.13.1", "mistral-common, its validator in fine-tuning mode", SFT, frozenset({SYSTEM, TURNS, TOOLS}), _mistral, lambda record: bad_messages(record["messages"]), ("messages", "tools"), extra_columns=False),
)  # fmt: skip

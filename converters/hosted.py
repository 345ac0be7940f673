"""Hosted trainers with formats of their own: Together, Mistral, Bedrock and Gemini."""

import hashlib

from converters.dialogue import REJECTED, SYSTEM, TOOLS, TURNS, Dialogue, Turn
from converters.formats import PREFERENCE, SFT, Format, Record, bad_messages
from converters.openai import as_called, bad_pair


def _together(dialogue: Dialogue, _: str) -> Record:
    return {"messages": dialogue.messages()}


def _together_pair(dialogue: Dialogue, _: str) -> Record:
    return {
        "input": {"messages": dialogue.messages(answered=False)},
        "preferred_output": [{"role": "assistant", "content": dialogue.reply}],
        "non_preferred_output": [{"role": "assistant", "content": dialogue.rejected}],
    }


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


def _claude(dialogue: Dialogue, _: str) -> Record:
    record: Record = {"messages": [{"role": turn["role"], "content": turn["content"]} for turn in (*dialogue.turns, dialogue.answer)]}  # fmt: skip
    return ({"system": dialogue.system} if dialogue.system else {}) | record


def _bad_claude(record: Record) -> str:
    messages = record["messages"]
    if len(messages) < 2 or messages[0]["role"] != "user":
        return "the first message is not the user's"
    return bad_messages(messages, system=False, tools=False, alternate=True)


def _conversation(dialogue: Dialogue, _: str) -> Record:
    turns = (*dialogue.turns, dialogue.answer)
    record: Record = {"schemaVersion": "bedrock-conversation-2024"}
    if dialogue.system:
        record["system"] = [{"text": dialogue.system}]
    return record | {"messages": [{"role": turn["role"], "content": [{"text": turn["content"]}]} for turn in turns]}


def _bad_conversation(record: Record) -> str:
    return bad_messages(
        [{"role": turn["role"], "content": turn["content"][0]["text"]} for turn in record["messages"]],
        system=False, tools=False, alternate=True,
    )  # fmt: skip


def _gemini(dialogue: Dialogue, _: str) -> Record:
    named = {"user": "user", "assistant": "model"}
    turns = (*dialogue.turns, dialogue.answer)
    record: Record = {"systemInstruction": {"parts": [{"text": dialogue.system}]}} if dialogue.system else {}
    return record | {"contents": [{"role": named.get(turn["role"], turn["role"]), "parts": [{"text": turn["content"]}]} for turn in turns]}  # fmt: skip


def _bad_contents(record: Record) -> str:
    named = {"model": "assistant"}
    turns = [{"role": named.get(turn["role"], turn["role"]), "content": turn["parts"][0]["text"]} for turn in record["contents"]]  # fmt: skip
    return bad_messages(turns, system=False, tools=False)


_TALK = frozenset({SYSTEM, TURNS})
FORMATS = (
    Format("together", "Together", "1.5.35", "its check_file", SFT, _TALK, _together, lambda record: bad_messages(record["messages"]), ("messages",), extra_columns=False),
    Format("together-dpo", "Together, preference", "1.5.35", "its check_file", PREFERENCE, _TALK | {REJECTED}, _together_pair, bad_pair, ("input", "preferred_output", "non_preferred_output"), extra_columns=False),
    Format("mistral", "Mistral", "-", "mistral-common, its validator in fine-tuning mode", SFT, _TALK | {TOOLS}, _mistral, lambda record: bad_messages(record["messages"]), ("messages", "tools"), extra_columns=False),
    Format("bedrock", "Bedrock, Claude", "-", "user guide, data for fine-tuning Claude", SFT, _TALK, _claude, _bad_claude, ("system", "messages"), extra_columns=False),
    Format("bedrock-conversation", "Bedrock, conversation schema", "bedrock-conversation-2024", "user guide, data for Nova", SFT, _TALK, _conversation, _bad_conversation, ("schemaVersion", "system", "messages"), extra_columns=False),
    Format("gemini", "Gemini on Vertex AI", "-", "Vertex AI documentation, supervised tuning", SFT, _TALK, _gemini, _bad_contents, ("systemInstruction", "contents"), extra_columns=False),
)  # fmt: skip

"""Bedrock: Claude's messages, and the conversation schema of the other models."""

from converters.dialogue import SYSTEM, TURNS, Dialogue
from converters.formats import SFT, Format, Record, bad_messages


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


_TALK = frozenset({SYSTEM, TURNS})
FORMATS = (
    Format("bedrock", "Bedrock, Claude", "-", "user guide, data for fine-tuning Claude", SFT, _TALK, _claude, _bad_claude, ("system", "messages"), extra_columns=False),
    Format("bedrock-conversation", "Bedrock, conversation schema", "bedrock-conversation-2024", "user guide, data for Nova", SFT, _TALK, _conversation, _bad_conversation, ("schemaVersion", "system", "messages"), extra_columns=False),
)  # fmt: skip

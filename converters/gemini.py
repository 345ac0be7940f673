"""Gemini on Vertex AI: contents of parts, said by user and model."""

from converters.dialogue import SYSTEM, TURNS, Dialogue
from converters.formats import SFT, Format, Record, bad_messages


def _gemini(dialogue: Dialogue, _: str) -> Record:
    named = {"user": "user", "assistant": "model"}
    turns = (*dialogue.turns, dialogue.answer)
    record: Record = {"systemInstruction": {"parts": [{"text": dialogue.system}]}} if dialogue.system else {}
    return record | {"contents": [{"role": named.get(turn["role"], turn["role"]), "parts": [{"text": turn["content"]}]} for turn in turns]}  # fmt: skip


def _bad_contents(record: Record) -> str:
    named = {"model": "assistant"}
    turns = [{"role": named.get(turn["role"], turn["role"]), "content": turn["parts"][0]["text"]} for turn in record["contents"]]  # fmt: skip
    return bad_messages(turns, system=False, tools=False)


FORMATS = (
    Format("gemini", "Gemini on Vertex AI", "3.4", "Vertex AI documentation, supervised tuning", SFT, frozenset({SYSTEM, TURNS}), _gemini, _bad_contents, ("systemInstruction", "contents"), extra_columns=False),
)  # fmt: skip

"""ChatML: turns between marks, as one text."""

from converters.dialogue import SYSTEM, TURNS, Dialogue
from converters.formats import SFT, Format, Record


def as_chatml(dialogue: Dialogue, _: str) -> Record:
    turns = [f"<|im_start|>{turn['role']}\n{turn['content']}<|im_end|>\n" for turn in dialogue.messages()]
    return {"text": "".join(turns)}


def bad_chatml(record: Record) -> str:
    """A turn that prints the marks itself would end early."""
    text = record["text"]
    return "" if text.count("<|im_start|>") == text.count("<|im_end|>\n") else "a turn holds the marks of a turn"


FORMATS = (
    Format("chatml", "anything that trains on texts", "-", "ChatML", SFT, frozenset({SYSTEM, TURNS}), as_chatml, bad_chatml, ("text",)),
)  # fmt: skip

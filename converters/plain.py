"""Alpaca, ShareGPT and instruction/response: the shapes everybody reads."""

from converters.dialogue import INPUT, SYSTEM, TURNS, Dialogue
from converters.formats import SFT, Format, Record, empty

_SPOKEN = {"user": "human", "assistant": "gpt", "system": "system", "tool": "tool"}


def _alpaca(dialogue: Dialogue, _: str) -> Record:
    """Two columns where the row came in two, else the prompt as the instruction."""
    told = dialogue.instruction or dialogue.prompt
    record: Record = {"instruction": told, "input": dialogue.input, "output": dialogue.reply}
    return record | ({"system": dialogue.system} if dialogue.system else {})


def _response(dialogue: Dialogue, _: str) -> Record:
    return {"instruction": dialogue.prompt, "response": dialogue.reply}


def _sharegpt(dialogue: Dialogue, _: str) -> Record:
    turns = [{"from": _SPOKEN[turn["role"]], "value": turn["content"]} for turn in dialogue.messages()]
    return {"conversations": turns}


def _bad_conversation(record: Record) -> str:
    turns = record["conversations"]
    if turns[-1]["from"] != "gpt":
        return "the last turn is not the model's"
    return next((f"turn {place} is empty" for place, turn in enumerate(turns) if not turn["value"]), "")


FORMATS = (
    Format(
        "alpaca", "Stanford Alpaca and its readers", "2023", "instruction, input, output", SFT, frozenset({INPUT, SYSTEM}), _alpaca,
        lambda record: empty(record, "instruction", "output"), ("instruction", "input", "output"),
    ),
    Format(
        "instruction-response", "trainers with two columns", "-", "instruction, response", SFT, frozenset(), _response,
        lambda record: empty(record, "instruction", "response"), ("instruction", "response"),
    ),
    Format(
        "sharegpt", "FastChat and its readers", "-", "conversations of from and value", SFT, frozenset({SYSTEM, TURNS}), _sharegpt,
        _bad_conversation, ("conversations",),
    ),
)  # fmt: skip

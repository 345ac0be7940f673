"""LLaMA-Factory: alpaca, sharegpt, pairs and labelled answers, each with the dataset_info.json it is found by."""

from pathlib import Path
from typing import Any

from converters.dialogue import INPUT, LABEL, REJECTED, SYSTEM, TURNS, Dialogue
from converters.formats import PREFERENCE, SFT, UNPAIRED, Format, Record, empty

VERSION, SOURCE = "0.9.5", "LLaMA-Factory data/README and its converters"
INFO = "dataset_info.json"
_SPOKEN = {"user": "human", "assistant": "gpt"}


def _columns(dialogue: Dialogue) -> Record:
    return {
        "instruction": dialogue.instruction or dialogue.prompt, "input": dialogue.input, "output": dialogue.reply,
        "system": dialogue.system,
    }  # fmt: skip


def _alpaca(dialogue: Dialogue, _: str) -> Record:
    """Earlier turns go into `history`, two by two."""
    record = _columns(dialogue) | {"history": []}  # it asks each row for every column that is named beside it
    said = [turn["content"] for turn in dialogue.turns]
    in_pairs = len(said) % 2 == 1 and all(
        turn["role"] == ("user", "assistant")[place % 2] for place, turn in enumerate(dialogue.turns)
    )
    if len(said) > 1 and in_pairs:
        record |= {"instruction": said[-1], "history": [said[at : at + 2] for at in range(0, len(said) - 1, 2)]}
    return record


def _sharegpt(dialogue: Dialogue, _: str) -> Record:
    turns = [{"from": _SPOKEN.get(turn["role"], "observation"), "value": turn["content"]} for turn in dialogue.turns]
    return {"conversations": [*turns, {"from": "gpt", "value": dialogue.reply}], "system": dialogue.system}


def _pair(dialogue: Dialogue, _: str) -> Record:
    record = _columns(dialogue)
    del record["output"]
    return record | {"chosen": dialogue.reply, "rejected": dialogue.rejected}


def _labelled(dialogue: Dialogue, _: str) -> Record:
    return _columns(dialogue) | {"kto_tag": dialogue.label is not False}


def _bad_turns(record: Record) -> str:
    """It warns of turns that do not alternate, and empties them: here they are refused."""
    for place, turn in enumerate(record["conversations"]):
        wanted = "human" if place % 2 == 0 else "gpt"
        if turn["from"] != wanted and not (turn["from"] == "observation" and place % 2 == 0):
            return f"turn {place} is by {turn['from']}, and {wanted} is due"
        if not turn["value"]:
            return f"turn {place} is empty"
    return ""


def _info(**entry: Any):
    def companion(path: Path) -> dict[str, Any]:
        return {path.name.partition(".")[0]: {"file_name": path.name, **entry}}

    return companion


_ALPACA = {"prompt": "instruction", "query": "input", "response": "output", "system": "system"}
FORMATS = (
    Format(
        "llama-factory", "LLaMA-Factory, alpaca", VERSION, SOURCE, SFT, frozenset({INPUT, SYSTEM, TURNS}), _alpaca,
        lambda record: empty(record, "instruction", "output"), ("instruction", "input", "output", "system", "history"),
        _info(columns={**_ALPACA, "history": "history"}), INFO,
    ),
    Format(
        "llama-factory-sharegpt", "LLaMA-Factory, sharegpt", VERSION, SOURCE, SFT, frozenset({SYSTEM, TURNS}), _sharegpt,
        _bad_turns, ("conversations", "system"),
        _info(formatting="sharegpt", columns={"messages": "conversations", "system": "system"}), INFO,
    ),
    Format(
        "llama-factory-dpo", "LLaMA-Factory, ranking", VERSION, SOURCE, PREFERENCE, frozenset({INPUT, SYSTEM, REJECTED}), _pair,
        lambda record: empty(record, "instruction", "chosen", "rejected"), ("instruction", "input", "system", "chosen", "rejected"),
        _info(ranking=True, columns={"prompt": "instruction", "query": "input", "system": "system", "chosen": "chosen", "rejected": "rejected"}), INFO,
    ),
    Format(
        "llama-factory-kto", "LLaMA-Factory, kto", VERSION, SOURCE, UNPAIRED, frozenset({INPUT, SYSTEM, LABEL, REJECTED}), _labelled,
        lambda record: empty(record, "instruction", "output"), ("instruction", "input", "output", "system", "kto_tag"),
        _info(columns={**_ALPACA, "kto_tag": "kto_tag"}), INFO,
    ),
)  # fmt: skip

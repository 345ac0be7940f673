"""TRL: every dataset type of its trainers."""

from converters.dialogue import LABEL, REJECTED, SYSTEM, TOOLS, TURNS, Dialogue
from converters.formats import PREFERENCE, PROMPTS, SFT, UNPAIRED, Format, Record, bad_messages, empty
from converters.openai import messages

VERSION, SOURCE = "1.16", "TRL documentation, dataset formats and types"


def _completion(dialogue: Dialogue, _: str) -> Record:
    return {"prompt": dialogue.prompt, "completion": dialogue.reply}


def _preference(dialogue: Dialogue, _: str) -> Record:
    return {
        "prompt": dialogue.messages(answered=False),
        "chosen": [{"role": "assistant", "content": dialogue.reply}],
        "rejected": [{"role": "assistant", "content": dialogue.rejected}],
    }


def _plain_preference(dialogue: Dialogue, _: str) -> Record:
    return {"prompt": dialogue.prompt, "chosen": dialogue.reply, "rejected": dialogue.rejected}


def _unpaired(dialogue: Dialogue, _: str) -> Record:
    return {
        "prompt": dialogue.messages(answered=False),
        "completion": [{"role": "assistant", "content": dialogue.reply}],
        "label": dialogue.label is not False,
    }


def _prompt(dialogue: Dialogue, _: str) -> Record:
    return {"prompt": dialogue.messages(answered=False)}


def _bad_turns(record: Record) -> str:
    """Why a conversational row would be refused."""
    if not record["prompt"] or record["prompt"][-1]["role"] not in ("user", "tool"):
        return "the prompt does not end with the user"
    for name in ("chosen", "rejected", "completion"):
        if name in record and empty(record[name][0], "content"):
            return f"{name} is empty"
    return ""


def _format(name: str, kind: str, holds: set[str], encode, refuses, columns: tuple[str, ...]) -> Format:
    return Format(name, "TRL", VERSION, SOURCE, kind, frozenset(holds), encode, refuses, columns)


FORMATS = (
    _format("trl", SFT, {SYSTEM, TURNS, TOOLS}, messages, lambda record: bad_messages(record["messages"]), ("messages", "tools")),
    _format("trl-prompt-completion", SFT, set(), _completion, lambda record: empty(record, "prompt", "completion"), ("prompt", "completion")),
    _format("trl-preference", PREFERENCE, {SYSTEM, TURNS, REJECTED}, _preference, _bad_turns, ("prompt", "chosen", "rejected")),
    _format("trl-preference-text", PREFERENCE, {REJECTED}, _plain_preference, lambda record: empty(record, "prompt", "chosen", "rejected"), ("prompt", "chosen", "rejected")),
    _format("trl-unpaired", UNPAIRED, {SYSTEM, TURNS, LABEL, REJECTED}, _unpaired, _bad_turns, ("prompt", "completion", "label")),
    _format("trl-prompts", PROMPTS, {SYSTEM, TURNS}, _prompt, _bad_turns, ("prompt",)),
)  # fmt: skip

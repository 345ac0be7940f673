"""Axolotl: chat_template for answers, and for pairs the kinds that are rendered before they are tokenised."""

from converters.dialogue import LABEL, REJECTED, SYSTEM, TURNS, Dialogue
from converters.formats import PREFERENCE, SFT, UNPAIRED, Format, Record, bad_messages, empty

VERSION, SOURCE = "0.19", "Axolotl documentation, dataset formats; its prompt strategies"


def _messages(dialogue: Dialogue, _: str) -> Record:
    return {"messages": dialogue.messages()}


def _intel(dialogue: Dialogue, _: str) -> Record:
    return {
        "system": dialogue.system,
        "question": dialogue.prompt,
        "chosen": dialogue.reply,
        "rejected": dialogue.rejected,
    }


def _argilla(dialogue: Dialogue, _: str) -> Record:
    return {
        "system": dialogue.system,
        "instruction": dialogue.prompt,
        "completion": dialogue.reply,
        "label": dialogue.label is not False,
    }


FORMATS = (
    Format(
        "axolotl", "Axolotl, type chat_template", VERSION, SOURCE, SFT, frozenset({SYSTEM, TURNS}), _messages,
        lambda record: bad_messages(record["messages"]), ("messages",),
    ),
    Format(
        "axolotl-dpo", "Axolotl, type chatml.intel", VERSION, SOURCE, PREFERENCE, frozenset({SYSTEM, REJECTED}), _intel,
        lambda record: empty(record, "question", "chosen", "rejected"), ("system", "question", "chosen", "rejected"),
    ),
    Format(
        "axolotl-kto", "Axolotl, type chatml.argilla", VERSION, SOURCE, UNPAIRED, frozenset({SYSTEM, LABEL, REJECTED}), _argilla,
        lambda record: empty(record, "instruction", "completion"), ("system", "instruction", "completion", "label"),
    ),
)  # fmt: skip

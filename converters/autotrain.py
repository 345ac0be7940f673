"""AutoTrain: ChatML in a text column, and the columns of a pair."""

from converters.chatml import as_chatml, bad_chatml
from converters.dialogue import REJECTED, SYSTEM, TURNS, Dialogue
from converters.formats import PREFERENCE, SFT, Format, Record, empty


def _autotrain_pair(dialogue: Dialogue, _: str) -> Record:
    return {"prompt": dialogue.prompt, "text": dialogue.reply, "rejected_text": dialogue.rejected}


FORMATS = (
    Format("autotrain", "AutoTrain, text_column", "-", "AutoTrain documentation, LLM fine-tuning", SFT, frozenset({SYSTEM, TURNS}), as_chatml, bad_chatml, ("text",)),
    Format("autotrain-dpo", "AutoTrain, prompt, text and rejected text columns", "-", "AutoTrain documentation, LLM fine-tuning", PREFERENCE, frozenset({REJECTED}), _autotrain_pair, lambda record: empty(record, "prompt", "text", "rejected_text"), ("prompt", "text", "rejected_text")),
)  # fmt: skip

"""Together: messages alone, and pairs under OpenAI's names with one message each."""

from converters.dialogue import REJECTED, SYSTEM, TURNS, Dialogue
from converters.formats import PREFERENCE, SFT, Format, Record, bad_messages
from converters.openai import bad_pair


def _together(dialogue: Dialogue, _: str) -> Record:
    return {"messages": dialogue.messages()}


def _together_pair(dialogue: Dialogue, _: str) -> Record:
    return {
        "input": {"messages": dialogue.messages(answered=False)},
        "preferred_output": [{"role": "assistant", "content": dialogue.reply}],
        "non_preferred_output": [{"role": "assistant", "content": dialogue.rejected}],
    }


_TALK = frozenset({SYSTEM, TURNS})
FORMATS = (
    Format("together", "Together", "1.5.35", "its check_file", SFT, _TALK, _together, lambda record: bad_messages(record["messages"]), ("messages",), extra_columns=False),
    Format("together-dpo", "Together, preference", "1.5.35", "its check_file", PREFERENCE, _TALK | {REJECTED}, _together_pair, bad_pair, ("input", "preferred_output", "non_preferred_output"), extra_columns=False),
)  # fmt: skip

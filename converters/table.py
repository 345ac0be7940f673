"""Tables for spreadsheets and data frames: CSV and Parquet, one row a line."""

from converters.dialogue import INPUT, REJECTED, SYSTEM, Dialogue
from converters.formats import SFT, Format, Record, empty


def _table(dialogue: Dialogue, _: str) -> Record:
    told = dialogue.instruction or dialogue.prompt
    return {"system": dialogue.system, "instruction": told, "input": dialogue.input, "output": dialogue.reply, "rejected": dialogue.rejected}  # fmt: skip


_COLUMNS = ("system", "instruction", "input", "output", "rejected")


def _bad_table(record: Record) -> str:
    return empty(record, "output")


FORMATS = (
    Format("csv", "spreadsheets and data frames", "-", "a header and one row per line", SFT, frozenset({INPUT, SYSTEM, REJECTED}), _table, _bad_table, _COLUMNS, suffix=".csv"),
    Format("parquet", "data frames", "-", "the columns of csv", SFT, frozenset({INPUT, SYSTEM, REJECTED}), _table, _bad_table, _COLUMNS, suffix=".parquet"),
)  # fmt: skip

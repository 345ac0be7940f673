"""Rows on their way from the files to the output: as they stood, letter for letter, where they were lines of JSON."""

from collections.abc import Iterator

import orjson

from tapewright.inputs import Item, parse
from validators.duplicates.sources import Reading, Watch, blocks_of


def lines_of(reading: Reading, watch: Watch, text: str) -> Iterator[tuple[int, Item | None, bytes]]:
    """Each row of the files that are no reference: source, the item where it was parsed, the line as it stands."""
    names = reading.names[: reading.references]
    advance = watch.step(text, names)
    for source, block in blocks_of(names, advance):
        for part in block.parts:
            if isinstance(part, tuple):
                yield source, None, part[1]
            else:
                yield source, part, b""


def line_to_keep(item: Item | None, text: bytes) -> bytes:
    """The line written for a row that stays: the text as it stood where it was a line of JSON."""
    if item is None and b"\n" not in text and b"\r" not in text:
        return text + b"\n"
    record = orjson.loads(text) if item is None else item.record
    return orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE)


def parse_unreadable(name: str, item: Item | None, text: bytes) -> Item:
    """The item that tells why a row could not be read."""
    return item if item is not None else parse(name, 0, text)

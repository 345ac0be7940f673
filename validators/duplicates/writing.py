"""Rows on their way from the files to the output: as they stood, letter for letter, where they were lines of JSON."""

import orjson

from tapewright.inputs import Item, Unparsed, parse


def lines_to_keep(parts: list[Item | Unparsed]) -> bytes:
    """The lines written for rows that stay: the text as it stood where it was a line of JSON."""
    if not parts:
        return b""
    texts = [part[1] for part in parts if isinstance(part, tuple)]
    joined = b"\n".join(texts) + b"\n"
    if len(texts) == len(parts) == joined.count(b"\n") and b"\r" not in joined:
        return joined
    return b"".join(map(line_of, parts))


def line_of(part: Item | Unparsed) -> bytes:
    """A row as one line."""
    if isinstance(part, tuple) and b"\n" not in part[1] and b"\r" not in part[1]:
        return part[1] + b"\n"
    record = orjson.loads(part[1]) if isinstance(part, tuple) else part.record
    return orjson.dumps(record, default=str, option=orjson.OPT_NON_STR_KEYS | orjson.OPT_APPEND_NEWLINE)


def with_row(told: bytes, line: bytes) -> bytes:
    """A line of evidence with the row it is about, as text."""
    return told.removesuffix(b"}\n") + b',"row":' + orjson.dumps(line.decode().rstrip("\n")) + b"}\n"


def parse_unreadable(name: str, part: Item | Unparsed) -> Item:
    """The item that tells why a row could not be read."""
    return parse(name, *part) if isinstance(part, tuple) else part

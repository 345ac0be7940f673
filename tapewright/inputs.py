"""Reading anybody's rows: JSONL, JSON arrays and objects, Parquet, CSV; plain, .gz or .zst; files, globs, folders, stdin.

Nothing here raises for bad content: what cannot be parsed comes back as a problem with its place, so
that a check can report it and a clean-up can put it aside. Memory stays flat: lines are read one by
one up to a limit, arrays element by element, Parquet in batches.
"""

import csv
import glob
import gzip
import io
import json
import re
import sys
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from tapewright.errors import FileError

LONGEST_LINE = 64 * 2**20
BATCH_ROWS = 5_000
BLOCK_ROWS, BLOCK_BYTES = 1_000, 4 * 2**20
CHUNK = 1 << 19  # bytes of lines that make a block
READABLE = (".jsonl", ".ndjson", ".json", ".parquet", ".csv")
PACKED = ("", ".gz", ".zst")

INVALID, DUPLICATE, NOT_A_NUMBER, SURROGATE = "invalid", "duplicate", "nan", "surrogate"


@dataclass(slots=True)
class Item:
    """One record with its place, or why there is none. `raw` is its text where it could not be used as it is."""

    source: str
    line: int
    record: Any = None
    problem: str = ""
    message: str = ""
    raw: str = ""


Unparsed = tuple[int, bytes]  # a line number and the JSON text that begins there


@dataclass(slots=True)
class Block:
    """Records of one file that follow each other. JSON texts are not parsed yet, nor lines told apart.

    `raw` holds lines of JSON as they stand in the file, from the line number `first` on, and `given` what is no line.
    """

    source: str
    given: list[Item | Unparsed] = field(default_factory=list)
    raw: bytes = b""
    first: int = 0

    @property
    def parts(self) -> list[Item | Unparsed]:
        """One entry per record."""
        if not self.raw:
            return self.given
        lines = enumerate(self.raw.split(b"\n"), self.first)
        return [(number, text) for number, line in lines if (text := line.strip())]

    def items(self, *, look_for_doubled: bool = True) -> Iterator[Item]:
        """The records, parsed."""
        for part in self.parts:
            yield parse(self.source, *part, look_for_doubled) if isinstance(part, tuple) else part


def expand(names: Iterable[str | Path]) -> list[str]:
    """File names for names, globs, folders and `-`, sorted within each. FileError when one matches nothing."""
    found: list[str] = []
    for name in map(str, names):
        path = Path(name)
        if name == "-" or path.is_file():
            found.append(name)
        elif path.is_dir():
            inside = sorted(str(p) for p in path.rglob("*") if p.is_file() and _format(p.name) and not _hidden(p, path))
            if not inside:
                raise FileError(f"{name}: no {', '.join(READABLE)} file in this folder")
            found += inside
        elif any(c in name for c in "*?["):
            matches = sorted(p for p in glob.glob(name, recursive=True) if Path(p).is_file())
            if not matches:
                raise FileError(f"{name}: no file matches")
            found += matches
        else:
            raise FileError(f"no file {name}")
    return list(dict.fromkeys(found))


def _hidden(path: Path, root: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(root).parts)


def _format(name: str) -> str:
    """`.jsonl` for `a.jsonl.gz`; empty for what is not readable."""
    lower = name.lower()
    for packed in PACKED[1:]:
        lower = lower.removesuffix(packed)
    return next((suffix for suffix in READABLE if lower.endswith(suffix)), "")


def read_items(name: str, watch: Callable[[int], None] | None = None) -> Iterator[Item]:
    """The records of one file (or `-` for stdin) in order. FileError when it cannot be opened at all.

    `watch` is told how many bytes of the file were read, each time some were.
    """
    for block in read_blocks(name, watch):
        yield from block.items()


def read_blocks(name: str, watch: Callable[[int], None] | None = None) -> Iterator[Block]:
    """`read_items`, a block at a time, for work that several processes share. Blocks depend on the file alone."""
    waiting, size = [], 0
    for part in _read_parts(name, watch):
        if isinstance(part, Block):
            if waiting:
                yield Block(name, waiting)
                waiting, size = [], 0
            yield part
            continue
        waiting.append(part)
        size += len(part[1]) if isinstance(part, tuple) else len(part.raw)
        if len(waiting) == BLOCK_ROWS or size > BLOCK_BYTES:
            yield Block(name, waiting)
            waiting, size = [], 0
    if waiting:
        yield Block(name, waiting)


def _read_parts(name: str, watch: Callable[[int], None] | None) -> Iterator[Item | Unparsed | Block]:
    form = _format(name) if name != "-" else ".jsonl"
    if not form:
        raise FileError(
            f"cannot tell the format of {name!r}; known endings: {', '.join(READABLE)}, each also .gz or .zst"
        )
    try:
        if form == ".parquet":
            yield from _read_parquet(name, watch)
            return
        with _opened(name, watch) as stream:
            if form == ".csv":
                yield from _read_csv(name, stream)
            else:
                yield from _read_json(name, stream, form)
    except (EOFError, gzip.BadGzipFile, zlib.error, _DamagedError) as error:
        yield Item(name, 0, None, INVALID, f"the packed file is cut off or damaged ({error})")
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{name}: {error.strerror or error}") from error


class _DamagedError(Exception):
    """A .zst file that cannot be unpacked; zstandard's own error is loaded only where it is needed."""


class _Watched(io.RawIOBase):
    """A file that tells how much of it was read."""

    def __init__(self, raw: Any, watch: Callable[[int], None]) -> None:
        self.raw, self.watch = raw, watch

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self.raw.readinto(buffer) or 0
        self.watch(count)
        return count

    def close(self) -> None:
        self.raw.close()
        super().close()


class _Unpacked(io.RawIOBase):
    """The bytes of a .zst file, all its frames, in bounded memory. Raises _DamagedError."""

    def __init__(self, packed: BinaryIO) -> None:
        import zstandard

        self.packed, self.damage = packed, zstandard.ZstdError
        self.stream = zstandard.ZstdDecompressor().stream_reader(packed, read_across_frames=True)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            return self.stream.readinto(buffer)
        except self.damage as error:
            raise _DamagedError(str(error)) from error

    def close(self) -> None:
        self.packed.close()
        super().close()


def _opened(name: str, watch: Callable[[int], None] | None) -> BinaryIO:
    if name == "-":
        source: Any = sys.stdin.buffer
        lead = source.peek(4)[:4] if hasattr(source, "peek") else b""
        packed = ".gz" if lead[:2] == b"\x1f\x8b" else ".zst" if lead == b"\x28\xb5\x2f\xfd" else ""
    else:
        packed = next((ending for ending in PACKED[1:] if name.lower().endswith(ending)), "")
        source = Path(name).open("rb")  # noqa: SIM115  closed with the stream built on it
        if watch is not None:
            source = io.BufferedReader(_Watched(source, watch), 1 << 20)
    if packed == ".gz":
        return gzip.GzipFile(fileobj=source, mode="rb")  # type: ignore[return-value]
    if packed == ".zst":
        return io.BufferedReader(_Unpacked(source), 1 << 20)
    return source


def _read_json(name: str, stream: BinaryIO, form: str) -> Iterator[Item | Unparsed | Block]:
    """JSONL; an array where the first character that counts is a bracket; objects that span lines."""
    first = stream.readline(LONGEST_LINE)
    first = first.removeprefix(b"\xef\xbb\xbf")
    lead = 1
    while first and not first.strip():
        first = stream.readline(LONGEST_LINE)
        lead += 1
    if first.lstrip()[:1] == b"[":
        yield from _read_values(name, first, stream, lead, array=True)
        return
    if first.strip() == b"{" or (form == ".json" and _is_open(first)):
        yield from _read_values(name, first, stream, lead, array=False)
        return
    yield from _read_lines(name, first, stream, lead)


def _read_lines(name: str, first: bytes, stream: BinaryIO, number: int) -> Iterator[Item | Block]:
    """Blocks of whole lines; a line that is too long is put aside by itself."""
    rest = first
    while True:
        more = stream.read(CHUNK)
        rest += more
        while (end := rest.find(b"\n")) < 0 and len(rest) < LONGEST_LINE and more:
            more = stream.read(max(CHUNK, min(len(rest), LONGEST_LINE - len(rest))))  # doubling, so that few are copied
            rest += more
        if len(rest) >= LONGEST_LINE and not 0 <= end < LONGEST_LINE:
            why = f"longer than {LONGEST_LINE >> 20} MiB, no row; only its beginning is kept"
            yield Item(name, number, None, INVALID, why, rest[:200].decode("utf-8", "backslashreplace"))
            while end < 0 and more:
                rest = more = stream.read(CHUNK)
                end = rest.find(b"\n")
            rest, number = rest[end + 1 :] if end >= 0 else b"", number + 1
        else:
            cut = rest.rfind(b"\n") + 1 if more else len(rest)
            block, rest = rest[:cut], rest[cut:]
            if block and not block.isspace():
                yield Block(name, [], block, number)
            number += block.count(b"\n")
        if not more and not rest:
            return


def _is_open(line: bytes) -> bool:
    """Whether a line begins an object and leaves it open, other than in the middle of a string."""
    if line.lstrip()[:1] != b"{" or len(line) >= LONGEST_LINE:
        return False
    tokens = _TOKEN.findall(line)
    opened = sum(token in (b"{", b"[") for token in tokens) - sum(token in (b"}", b"]") for token in tokens)
    return opened > 0 and tokens[-1] != b'"'


def parse(name: str, line: int, text: bytes, look_for_doubled: bool = True) -> Item:
    """One JSON text as an item; duplicate keys are noticed, though the last one is what every parser keeps."""
    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _explain(name, line, text, str(error))
    if look_for_doubled and not _keys_are_single(text, record) and (doubled := _doubled_key(text)):
        message = f"key {doubled[:80]!r} stands twice; the last one counts"
        return Item(name, line, record, DUPLICATE, message, text.decode("utf-8", "replace"))
    return Item(name, line, record)


def _keys_are_single(text: bytes, record: Any) -> bool:
    """True only where no key stands twice: then there are two quotes for each key and each text that is left."""
    quotes = text.count(b'"')
    expected = 2 * _count_texts(record)
    if quotes != expected and b'\\\\"' not in text:
        quotes -= text.count(b'\\"')
    return quotes == expected


def _count_texts(value: Any) -> int:
    """Keys and texts of a JSON value, all the way down."""
    count, waiting = 0, [value]
    for value in waiting:  # grows while it is walked
        if value.__class__ is dict:
            count += len(value)
            value = value.values()
        elif value.__class__ is str:
            return 1
        elif value.__class__ is not list:
            continue
        for part in value:
            if part.__class__ is str:
                count += 1
            elif part.__class__ is dict or part.__class__ is list:
                waiting.append(part)
    return count


def _doubled_key(text: bytes) -> str:
    doubled = ""

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        made = dict(pairs)
        if len(made) != len(pairs) and not doubled:
            seen: set[str] = set()
            doubled = next(key for key, _ in pairs if key in seen or seen.add(key))
        return made

    try:
        json.loads(text, object_pairs_hook=look)
    except (ValueError, RecursionError):
        return ""
    return doubled


def _explain(name: str, line: int, text: bytes, why: str) -> Item:
    """Why strict JSON refuses a text: not a number, half a character, or simply broken."""
    raw = text.decode("utf-8", "backslashreplace")
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return Item(name, line, None, INVALID, f"not JSON: {why}", raw)
    if "surrogate" in why.lower() or re.search(r"\\u[dD][89a-fA-F]", raw):
        return Item(name, line, None, SURROGATE, "half a surrogate pair, which no encoder will write", raw)
    if re.search(r"\b(?:NaN|-?Infinity)\b", raw):
        return Item(name, line, None, NOT_A_NUMBER, "NaN or Infinity is not JSON; most readers refuse it", raw)
    return Item(name, line, None, INVALID, f"not strict JSON: {why}", raw)


_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|["{}\[\],]', re.DOTALL)


def _read_values(name: str, first: bytes, stream: BinaryIO, line: int, *, array: bool) -> Iterator[Item | Unparsed]:
    """The elements of one JSON array, or objects one after the other, found by counting brackets outside strings."""
    buffer, depth, seen = first, 0, False
    start = at = buffer.index(b"[") + 1 if array else 0
    while True:
        match = _TOKEN.search(buffer, at)
        if match is None or match.group() == b'"':  # more is needed
            size = len(buffer) - start
            more = b"" if size > LONGEST_LINE else stream.read(max(1 << 20, size))
            if not more:
                rest = buffer[start:].strip()
                if rest or array:
                    long = size > LONGEST_LINE
                    what = f"an element longer than {LONGEST_LINE >> 20} MiB" if long else "the JSON is cut off"
                    raw = rest[:200] if long else rest
                    why = f"{what}; nothing after it is read"
                    yield Item(name, line, None, INVALID, why, raw.decode("utf-8", "backslashreplace"))
                return
            at = (match.start() if match else len(buffer)) - start
            buffer, start = buffer[start:] + more, 0
            continue
        mark, at = match.group(), match.end()
        if mark in (b"{", b"["):
            depth += 1
        elif mark in (b"}", b"]") and depth:
            depth -= 1
            if depth == 0 and not array:
                yield _element(line, buffer[start:at])
                line += buffer.count(b"\n", start, at)
                start = at
        elif depth == 0 and array and len(mark) == 1:  # a comma between elements, or the end
            element = buffer[start : match.start()]
            if element.strip():
                seen = True
                yield _element(line, element)
            elif mark == b"," or seen:
                yield Item(name, line, None, INVALID, "an empty place in the array")
            line += buffer.count(b"\n", start, at)
            start = at
            if mark != b",":
                rest = (buffer[at:] + stream.read(1 << 20)).strip()
                if rest or mark == b"}":
                    why = "text after the end of the array; nothing of it is read"
                    yield Item(name, line, None, INVALID, why, rest[:2000].decode("utf-8", "backslashreplace"))
                return


def _element(line: int, text: bytes) -> Unparsed:
    """One value with the line it begins in."""
    bare = text.lstrip()
    return line + text.count(b"\n", 0, len(text) - len(bare)), bare.rstrip()


def _read_csv(name: str, stream: BinaryIO) -> Iterator[Item]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.DictReader(_lines(text), restkey="(more columns than the header)")
    try:
        for record in reader:
            if "(more columns than the header)" in record:
                yield Item(name, reader.line_num, None, INVALID, "more columns than the header", str(record)[:2000])
            elif None in record.values():
                yield Item(name, reader.line_num, None, INVALID, "fewer columns than the header", str(record)[:2000])
            else:
                yield Item(name, reader.line_num, record)
    except csv.Error as error:
        why = f"not CSV: {error}; nothing after it is read"
        yield Item(name, reader.line_num, None, INVALID, why)


def _lines(text: io.TextIOWrapper) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) >= LONGEST_LINE:
            raise csv.Error(f"a line longer than {LONGEST_LINE >> 20} Mi characters")
        yield line


def _read_parquet(name: str, watch: Callable[[int], None] | None) -> Iterator[Item]:
    import polars as pl

    try:
        table = pl.scan_parquet(name)
        total = table.select(pl.len()).collect().item()
        share = Path(name).stat().st_size // max(total // BATCH_ROWS, 1)
        for offset in range(0, total, BATCH_ROWS):
            batch = table.slice(offset, BATCH_ROWS).collect()
            for number, record in enumerate(batch.iter_rows(named=True), offset + 1):
                yield Item(name, number, record)
            if watch is not None:
                watch(share)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        yield Item(name, 0, None, INVALID, f"not readable as Parquet: {reason}")

"""Reading anybody's rows: JSONL, JSON arrays, Parquet, CSV; plain, .gz or .zst; files, globs, folders, stdin.

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
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from tapewright.errors import FileError

LONGEST_LINE = 64 * 2**20
BATCH_ROWS = 5_000
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


def read_items(name: str) -> Iterator[Item]:
    """The records of one file (or `-` for stdin) in order. FileError when it cannot be opened at all."""
    form = _format(name) if name != "-" else ".jsonl"
    if not form:
        raise FileError(
            f"cannot tell the format of {name!r}; known endings: {', '.join(READABLE)}, each also .gz or .zst"
        )
    try:
        if form == ".parquet":
            yield from _read_parquet(name)
            return
        with _opened(name) as stream:
            if form == ".csv":
                yield from _read_csv(name, stream)
            else:
                yield from _read_json(name, stream)
    except (EOFError, gzip.BadGzipFile) as error:
        yield Item(name, 0, None, INVALID, f"the packed file is cut off or damaged ({error})")
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{name}: {error.strerror or error}") from error


def _opened(name: str) -> BinaryIO:
    if name == "-":
        return sys.stdin.buffer
    lower = name.lower()
    if lower.endswith(".gz"):
        return gzip.open(name, "rb")  # type: ignore[return-value]
    if lower.endswith(".zst"):
        import zstandard

        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(Path(name).open("rb")))
    return Path(name).open("rb")


def _read_json(name: str, stream: BinaryIO) -> Iterator[Item]:
    """JSONL, or an array when the first character that counts is a bracket."""
    first = stream.readline(LONGEST_LINE)
    first = first.removeprefix(b"\xef\xbb\xbf")
    lead = 1
    while first and not first.strip():
        first = stream.readline(LONGEST_LINE)
        lead += 1
    if first.lstrip()[:1] == b"[":
        yield from _read_array(name, first, stream, lead)
        return
    line, number = first, lead
    while line:
        if len(line) >= LONGEST_LINE and not line.endswith(b"\n"):
            yield Item(
                name,
                number,
                None,
                INVALID,
                f"line longer than {LONGEST_LINE >> 20} MiB",
                line[:200].decode("utf-8", "replace"),
            )
            while line and not line.endswith(b"\n"):
                line = stream.readline(LONGEST_LINE)
        elif text := line.strip():
            yield parse(name, number, text)
        line = stream.readline(LONGEST_LINE)
        number += 1


def parse(name: str, line: int, text: bytes) -> Item:
    """One JSON text as an item; duplicate keys are noticed, though the last one is what every parser keeps."""
    try:
        record = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        return _explain(name, line, text, str(error))
    if isinstance(record, dict) and any(text.count(b'"%s"' % key.encode("utf-8", "replace")) > 1 for key in record):
        doubled = _doubled_key(text)
        if doubled:
            return Item(
                name,
                line,
                record,
                DUPLICATE,
                f"key {doubled!r} stands twice; the last one counts",
                text.decode("utf-8", "replace"),
            )
    return Item(name, line, record)


def _doubled_key(text: bytes) -> str:
    doubled = ""

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal doubled
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen and not doubled:
                doubled = key
            seen.add(key)
        return dict(pairs)

    try:
        json.loads(text, object_pairs_hook=look)
    except (ValueError, RecursionError):
        return ""
    return doubled


def _explain(name: str, line: int, text: bytes, why: str) -> Item:
    """Why strict JSON refuses a text: not a number, half a character, or simply broken."""
    raw = text.decode("utf-8", "replace")
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return Item(name, line, None, INVALID, f"not JSON: {why}", raw)
    if "surrogate" in why.lower() or re.search(r"\\u[dD][89a-fA-F]", raw):
        return Item(name, line, None, SURROGATE, "half a surrogate pair, which no encoder will write", raw)
    if re.search(r"\b(?:NaN|-?Infinity)\b", raw):
        return Item(name, line, None, NOT_A_NUMBER, "NaN or Infinity is not JSON; most readers refuse it", raw)
    return Item(name, line, None, INVALID, f"not strict JSON: {why}", raw)


_STRUCTURE = re.compile(rb'["\\{}\[\],\n]')


def _read_array(name: str, first: bytes, stream: BinaryIO, line: int) -> Iterator[Item]:
    """The elements of one JSON array, found by counting brackets outside strings."""
    buffer = first[first.index(b"[") + 1 :]
    depth, inside, at, start, start_line, seen = 0, False, 0, 0, line, False
    while True:
        match = _STRUCTURE.search(buffer, at)
        if match is None:
            more = stream.read(1 << 20)
            if not more or len(buffer) - start > LONGEST_LINE:
                rest = buffer[start:].strip()
                if rest or not seen or not more:
                    yield Item(
                        name, start_line, None, INVALID, "the array is cut off", rest[:2000].decode("utf-8", "replace")
                    )
                return
            at = len(buffer) - start
            buffer, start = buffer[start:] + more, 0
            continue
        mark, at = match.group(), match.end()
        if mark == b"\n":
            line += 1
        elif inside:
            if mark == b"\\":
                if at >= len(buffer):
                    buffer += stream.read(1 << 20)
                at += 1
            elif mark == b'"':
                inside = False
        elif mark == b'"':
            inside = True
        elif mark in b"{[":
            depth += 1
        elif mark in b"}" or (mark == b"]" and depth):
            depth -= 1
        elif depth == 0:  # a comma between elements, or the end
            element = buffer[start : match.start()].strip()
            if element:
                seen = True
                yield parse(name, start_line, element)
            elif mark == b",":
                yield Item(name, line, None, INVALID, "an empty place in the array")
            if mark == b"]":
                return
            buffer, at, start, start_line = buffer[at:], 0, 0, line


def _read_csv(name: str, stream: BinaryIO) -> Iterator[Item]:
    text = io.TextIOWrapper(stream, encoding="utf-8-sig", errors="replace", newline="")
    csv.field_size_limit(LONGEST_LINE)
    reader = csv.DictReader(text, restkey="(more columns than the header)")
    try:
        for record in reader:
            if "(more columns than the header)" in record:
                yield Item(name, reader.line_num, None, INVALID, "more columns than the header", str(record)[:2000])
            elif None in record.values():
                yield Item(name, reader.line_num, None, INVALID, "fewer columns than the header", str(record)[:2000])
            else:
                yield Item(name, reader.line_num, record)
    except csv.Error as error:
        yield Item(name, reader.line_num, None, INVALID, f"not CSV: {error}")


def _read_parquet(name: str) -> Iterator[Item]:
    import polars as pl

    try:
        table = pl.scan_parquet(name)
        total = table.select(pl.len()).collect().item()
        for offset in range(0, total, BATCH_ROWS):
            batch = table.slice(offset, BATCH_ROWS).collect()
            for number, record in enumerate(batch.iter_rows(named=True), offset + 1):
                yield Item(name, number, record)
    except (pl.exceptions.PolarsError, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        yield Item(name, 0, None, INVALID, f"not readable as Parquet: {reason}")

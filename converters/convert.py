"""Rows of any shape into the format of a client: block by block, in order, with an account of what could not come along."""

import csv
import io
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from converters.dialogue import Dialogue, dialogue_of
from converters.formats import PREFERENCE, PROMPTS, UNPAIRED, Format, Record, format_named
from tapewright import files
from tapewright.errors import ConfigError, FileError, RowError
from tapewright.inputs import Block, Item, expand, read_blocks
from tapewright.shapes import from_record
from tapewright.tokens import token_counter
from tapewright.workers import map_in_order

BOOKKEEPING = ("id", "task_type", "family", "group", "as_of", "defect", "label", "facts", "provenance")
EXAMPLES = 3  # places named per reason
CHUNK = 1 << 20  # bytes copied at a time


@dataclass(frozen=True, slots=True)
class Options:
    """What decides the bytes: the format by name, a template, what is kept, and the longest row in tokens."""

    format: str
    shape: str = ""
    template: str = ""
    keep_metadata: bool = False
    max_tokens: int = 0
    tokenizer: str = ""


@dataclass(slots=True)
class Account:
    """What became of the rows. `lost` counts rows by what the format cannot hold, `left` those not written, by reason."""

    rows: int = 0
    written: int = 0
    records: int = 0
    lost: Counter = field(default_factory=Counter)
    left: Counter = field(default_factory=Counter)
    places: dict[str, list[str]] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)

    def add(self, other: "Account") -> None:
        """Take in what another block counted."""
        self.rows += other.rows
        self.written += other.written
        self.records += other.records
        self.lost.update(other.lost)
        self.left.update(other.left)
        for reason, places in other.places.items():
            known = self.places.setdefault(reason, [])
            known += places[: EXAMPLES - len(known)]

    def leave(self, item: Item, reason: str) -> None:
        """Count a row that is not written."""
        self.left[reason] += 1
        places = self.places.setdefault(reason, [])
        if len(places) < EXAMPLES:
            places.append(f"{item.source}:{item.line}")


class Encoder:
    """Turns items into records of one format. One per process."""

    def __init__(self, options: Options) -> None:
        self.options, self.format = options, format_named(options.format)
        self.count_tokens = token_counter(options.tokenizer) if options.max_tokens else None

    def records(self, item: Item, account: Account) -> list[Record]:
        """The records of one item; none, and a reason counted, where it cannot be written."""
        account.rows += 1
        if item.problem:
            account.leave(item, item.message or item.problem)
            return []
        try:
            row = from_record(item.record, self.options.shape)
        except RowError as error:
            account.leave(item, str(error))
            return []
        if self.count_tokens is not None and self.count_tokens(row) > self.options.max_tokens:
            account.leave(item, f"over {self.options.max_tokens} tokens")
            return []
        dialogue = dialogue_of(row)
        made = []
        for part in self._parts(dialogue):
            reason = part if isinstance(part, str) else self._refused(part, made)
            if reason:
                account.leave(item, reason)
                return []
        lost = dialogue.holds() - self.format.holds
        account.lost.update(lost)
        if dialogue.after:
            account.lost["turns behind the last answer"] += 1
        if self.format.kind == PROMPTS:
            account.lost["answers"] += 1
        account.written += 1
        account.records += len(made)
        if self.options.keep_metadata:
            kept = {name: item.record[name] for name in BOOKKEEPING if name in item.record}
            made = [record | {name: value for name, value in kept.items() if name not in record} for record in made]
        return made

    def _refused(self, dialogue: Dialogue, made: list[Record]) -> str:
        record = self.format.encode(dialogue, self.options.template)
        made.append(record)
        return self.format.refuses(record)

    def _parts(self, dialogue: Dialogue) -> list[Dialogue | str]:
        """The talks to be written of a row: both answers of a pair where answers are labelled; or why there are none."""
        if self.format.kind == PREFERENCE and not dialogue.rejected:
            return ["no rejected answer, which a pair needs"]
        if self.format.kind != UNPAIRED or dialogue.label is not None:
            return [dialogue]
        if not dialogue.rejected:
            return ["neither a label nor a rejected answer"]
        refused = {"role": "assistant", "content": dialogue.rejected}
        return [replace(dialogue, label=True), replace(dialogue, label=False, answer=refused)]


_encoder: Encoder | None = None


def _start(options: Options) -> None:
    global _encoder
    _encoder = Encoder(options)


def _encode(block: Block) -> tuple[bytes, Account, bytes]:
    """JSON lines of a block's records, its account, and the rows that were left out with their reason."""
    assert _encoder is not None
    account = Account()
    records: list[Record] = []
    left: list[Record] = []
    for item in block.items():
        before = account.left.copy()
        made = _encoder.records(item, account)
        records += made
        if not made:
            reason = next(iter(account.left - before))
            given: dict[str, Any] = {"record": item.record} if item.record is not None else {"raw": item.raw}
            left.append({"source": item.source, "line": item.line, "reason": reason, **given})
    return files.encode_lines(records), account, _lines(left)


def _lines(records: list[Record]) -> bytes:
    return b"".join(orjson.dumps(record, default=str) + b"\n" for record in records)


def left_path(output: Path) -> Path:
    """Where the rows go that are not written."""
    return output.with_name(f"{output.name.partition('.')[0]}-left-out.jsonl")


def convert(
    names: list[str], output: Path, options: Options, *, workers: int = 1, watch: Callable[[int], None] | None = None,
) -> Account:  # fmt: skip
    """Write the rows of files, globs or folders to `output` in one format, and say what became of them.

    The file, its companion and the rows left out appear whole or not at all. Raises ConfigError for options that do
    not fit together, FileError for files that cannot be read or written.
    """
    chosen = format_named(options.format)
    _check(chosen, options, output)
    account = Account()

    def chunks(aside: BinaryIO) -> Iterator[bytes]:
        blocks = (block for name in expand(names) for block in read_blocks(name, watch))
        for _, (lines, counted, left) in map_in_order(_encode, blocks, workers, _start, (options,)):
            account.add(counted)
            aside.write(left)
            yield lines

    with files.locked(output), tempfile.TemporaryFile() as aside:
        sha256 = _write(output, chunks(aside), chosen)
        account.files[output.name] = sha256
        if aside.tell():
            aside.seek(0)
            path = left_path(output)
            account.files[path.name] = files.write_from_lines(path, iter(lambda: aside.read(CHUNK), b""))
        if chosen.companion is not None:
            _write_companion(output, chosen)
        files.write_manifest(output, {
            "format": chosen.name, "client": chosen.client, "version": chosen.version, "rows": account.rows, "written": account.written,
            "records": account.records, "lost": dict(account.lost), "left": dict(account.left), "files": account.files,
        })  # fmt: skip
    return account


def preview(names: list[str], options: Options) -> Iterator[Record]:
    """The records of the first row that can be written; nothing is written."""
    encoder = Encoder(options)
    for name in expand(names):
        for block in read_blocks(name):
            for item in block.items():
                if made := encoder.records(item, Account()):
                    yield from made
                    return


def _check(chosen: Format, options: Options, output: Path) -> None:
    if options.keep_metadata and not chosen.extra_columns:
        raise ConfigError(f"{chosen.client} takes no columns beside {', '.join(chosen.columns)}; leave --keep-metadata out")  # fmt: skip
    if options.template and chosen.name != "text":
        raise ConfigError(f"--template belongs to the format text, not to {chosen.name}")
    if options.max_tokens < 0:
        raise ConfigError(f"max tokens is {options.max_tokens}; it cannot be negative")
    wanted = chosen.suffix
    if wanted != ".jsonl" and not output.name.endswith(wanted):
        raise ConfigError(f"{output.name}: the format {chosen.name} is written to a file that ends in {wanted}")
    if wanted == ".jsonl":
        files.suffix_of(output)


def _write(output: Path, chunks: Iterator[bytes], chosen: Format) -> str:
    if chosen.suffix != ".csv":
        return files.write_from_lines(output, chunks)
    with files.whole(output) as target, _as_text(target) as text:
        writer: Any = None
        for chunk in chunks:
            for line in chunk.splitlines():
                record = orjson.loads(line)
                if writer is None:
                    writer = csv.DictWriter(text, list(record), extrasaction="ignore")
                    writer.writeheader()
                writer.writerow(
                    {name: v if isinstance(v, str) else orjson.dumps(v).decode() for name, v in record.items()}
                )
    return files.sha256_of(output)


@contextmanager
def _as_text(target: Any) -> Iterator[io.TextIOWrapper]:
    text = io.TextIOWrapper(target, encoding="utf-8", newline="", write_through=True)
    yield text
    text.flush()
    text.detach()


def _write_companion(output: Path, chosen: Format) -> None:
    """The client's own index beside the data; entries of other files in it stay."""
    assert chosen.companion is not None
    path = output.with_name(chosen.companion_name)
    known: dict[str, Any] = {}
    if path.exists():
        try:
            known = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError) as error:
            raise FileError(f"{path} is there and is no JSON ({error}); move it away") from error
    with files.whole(path) as target:
        target.write(orjson.dumps(known | dict(chosen.companion(output)), option=orjson.OPT_INDENT_2) + b"\n")

"""Producing a dataset: blocks by workers, acceptance in order, resume, one file that appears whole.

Workers make rows as if alone; one process takes their blocks in index order, redraws what collides
with an earlier row, and writes each finished block beside the output. A run that was interrupted at
any moment goes on from the finished blocks and gives the same bytes.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from generators.config import Config, code_digest
from generators.make import MAX_ATTEMPTS, Made, Maker
from generators.splits import Split, plan_splits
from generators.taken import PATIENCE, Taken
from market.candles import Tape
from market.tape import load
from tapewright import files
from tapewright.errors import ConfigError, FileError
from tapewright.rows import identity, to_record
from tapewright.schedule import schedule
from tapewright.workers import map_in_order

BLOCK_ROWS = 500
SCHEMA = 1

Place = tuple[str, str, int, int]  # task, split, row index, number within (task, split)


@dataclass(slots=True)
class Summary:
    """What a run did: counts for the table, files with their sha256, and how many blocks were reused."""

    rows: int = 0
    tasks: Counter = field(default_factory=Counter)
    labels: dict[str, Counter] = field(default_factory=dict)
    defects: Counter = field(default_factory=Counter)
    refused: Counter = field(default_factory=Counter)
    collisions: int = 0
    lengths: Counter = field(default_factory=Counter)
    files: dict[str, str] = field(default_factory=dict)
    resumed_rows: int = 0
    unchanged: bool = False

    def count(self, meta: dict[str, Any]) -> None:
        """Add what one block says of itself."""
        self.rows += meta["rows"]
        self.tasks.update(meta["tasks"])
        for task, labels in meta["labels"].items():
            self.labels.setdefault(task, Counter()).update(labels)
        self.defects.update(meta["defects"])
        self.refused.update(meta["refused"])
        self.collisions += meta["collisions"]
        self.lengths.update({int(length): count for length, count in meta["lengths"].items()})


def prepare(config: Config, tape: Tape) -> tuple[Config, dict[str, Split]]:
    """Tie the configuration to the tape and cut its splits. Raises ConfigError for what does not fit."""
    known = {symbol for _, symbol in tape.symbols()}
    from tapewright.errors import suggest

    for symbol in config.symbols:
        if symbol not in known:
            raise ConfigError(f"the tape has no {symbol!r}.{suggest(symbol, sorted(known))} `market` lists its symbols")
    since, until = _span(tape, config)
    config = replace(config, tape_sha256=tape.sha256, code=code_digest(), since_s=since, until_s=until)
    return config, plan_splits(config.splits, [name for name, _ in config.weights], since, until, config.hold_out)


def _span(tape: Tape, config: Config) -> tuple[int, int]:
    """The window of closed candles, narrowed by --since and --until."""
    first, last = 2**40, 0
    for venue, symbol in tape.symbols():
        if config.symbols and symbol not in config.symbols:
            continue
        series = tape.series(venue, symbol, tape.frames(venue, symbol)[-1])
        if not series.n:
            continue
        first, last = min(first, series.opened[0]), max(last, series.close_time(series.n - 1))
    if not last:
        raise ConfigError(f"{config.source}: too few candles for one of the longest frame; give a longer history")
    since, until = max(config.since_s, first), min(config.until_s or last, last)
    if since >= until:
        raise ConfigError("no candles between --since and --until; `market` lists what the tape holds")
    return since, until


def places(config: Config) -> Iterator[Place]:
    """Task, split and running number of every row, fixed before anything is drawn.

    Every prefix holds each split, and of each split each task, within one row of its share.
    """
    weights = dict(config.weights)
    tasks = {split: schedule(weights, config.size) for split, _ in config.splits or (("all", 1.0),)}
    for index, (split, _) in enumerate(schedule(dict(config.splits or (("all", 1.0),)), config.size)):
        task, ordinal = next(tasks[split])
        yield task, split, index, ordinal


# --- workers -----------------------------------------------------------------------------------

_maker: Maker | None = None


def _start_worker(config: Config, splits: dict[str, Split]) -> None:
    global _maker
    _maker = Maker(config, load(config.source), splits)


def _make_block(block: list[Place]) -> list[Made]:
    assert _maker is not None
    return [_maker.make(*place) for place in block]


def _blocks(config: Config) -> Iterator[list[Place]]:
    rows = places(config)
    while block := list(islice(rows, BLOCK_ROWS)):
        yield block


def _made_blocks(
    config: Config, splits: dict[str, Split], maker: Maker, workers: int, skip: int
) -> Iterator[tuple[list[Place], list[Made]]]:
    """Blocks in order from number `skip` on, made here or by spawned workers a few blocks ahead."""
    remaining = islice(_blocks(config), skip, None)
    if workers <= 1:
        return ((block, [maker.make(*place) for place in block]) for block in remaining)
    return map_in_order(_make_block, remaining, workers, _start_worker, (config, splits))


# --- one run -----------------------------------------------------------------------------------


def output_paths(output: Path, config: Config) -> dict[str, Path]:
    """The file of each split: the output itself, or `name-train.jsonl` and so on."""
    suffix = files.suffix_of(output)
    if not config.splits:
        return {"all": output}
    stem = output.name[: -len(suffix)]
    return {name: output.with_name(f"{stem}-{name}{suffix}") for name, _ in config.splits}


def produce(
    config: Config, output: Path, *, workers: int = 1, force: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Summary:  # fmt: skip
    """Write `config.size` accepted, distinct rows to `output` and its manifest beside it.

    Raises ConfigError, FileError (an output of another configuration, another run at work, a full
    disk) or ExhaustedError. `progress` is called with the number of rows done so far.
    """
    paths = output_paths(output, config)
    tape = load(config.source)
    config, splits = prepare(config, tape)
    with files.locked(output):
        summary = _already_there(config, output, paths, force)
        if summary is not None:
            return summary
        return _run(config, splits, tape, output, paths, workers, progress)


def _already_there(config: Config, output: Path, paths: dict[str, Path], force: bool) -> Summary | None:
    """The old summary when the output is finished and the same; FileError when it is another's."""
    if force:
        return None
    manifest = files.read_manifest(output)
    existing = [path for path in paths.values() if path.exists()]
    if manifest is None:
        if existing:
            raise FileError(f"{existing[0]} exists and was not written by this tool; use --force or another --output")
        return None
    if manifest.get("config") != config.as_dict():
        if existing:
            raise FileError(f"{existing[0]} holds another configuration's rows; use --force or another --output")
        return None
    for name, path in paths.items():
        if not path.exists() or files.sha256_of(path) != manifest["files"].get(path.name, ""):
            return None
        del name
    summary = Summary(unchanged=True)
    summary.count(manifest["counts"])
    summary.files = {str(path): manifest["files"][path.name] for path in paths.values()}
    return summary


def _run(
    config: Config, splits: dict[str, Split], tape: Tape, output: Path, paths: dict[str, Path],
    workers: int, progress: Callable[[int], None] | None,
) -> Summary:  # fmt: skip
    folder = _block_folder(config, output)
    taken = Taken(apart=bool(config.splits))
    summary = Summary()
    done = _resume(folder, taken, summary)
    summary.resumed_rows = summary.rows
    maker = Maker(config, tape, splits)
    if progress:
        progress(summary.rows)
    for number, (block, made) in enumerate(_made_blocks(config, splits, maker, workers, done), done):
        meta = _accept(config, maker, block, made, taken, folder / f"{number:06d}")
        summary.count(meta)
        if progress:
            progress(summary.rows)
    for split, path in paths.items():
        summary.files[str(path)] = files.write_from_lines(path, _chunks(folder, split))
    counts = {
        "rows": summary.rows, "tasks": dict(summary.tasks), "labels": {k: dict(v) for k, v in summary.labels.items()},
        "defects": dict(summary.defects), "refused": dict(summary.refused), "collisions": summary.collisions,
        "lengths": {str(length): count for length, count in sorted(summary.lengths.items())},
    }  # fmt: skip
    files.write_manifest(output, {
        "schema": SCHEMA, "config": config.as_dict(), "rows": summary.rows, "counts": counts,
        "files": {Path(name).name: sha for name, sha in summary.files.items()}, "tape": tape.sha256,
    })  # fmt: skip
    for file in folder.iterdir():
        file.unlink()
    folder.rmdir()
    return summary


def _block_folder(config: Config, output: Path) -> Path:
    """Where finished blocks wait, keyed by the configuration so that another one never mixes in."""
    from hashlib import blake2b

    key = blake2b(json.dumps(config.as_dict(), sort_keys=True).encode(), digest_size=8).hexdigest()
    folder = files.hidden_folder(output) / f"{output.name}.{key}.blocks"
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot write {folder}: {error.strerror or error}") from error
    return folder


def _accept(
    config: Config, maker: Maker, block: list[Place], made: list[Made], taken: Taken, path: Path
) -> dict[str, Any]:
    """Redraw what collides, write the block, and say what is in it."""
    lines: dict[str, list[dict[str, Any]]] = {}
    meta: dict[str, Any] = {
        "rows": len(block), "tasks": Counter(), "labels": {}, "defects": Counter(), "refused": Counter(),
        "collisions": 0, "lengths": Counter(), "identities": [], "said": [],
    }  # fmt: skip
    for place, row in zip(block, made):
        task, split, index, _ = place
        row = _accepted(maker, place, row, taken, meta)
        taken.add(row.row, split, meta)
        meta["refused"].update(row.refused)
        meta["tasks"][task] += 1
        meta["labels"].setdefault(task, Counter())[row.row.label] += 1
        if row.row.defect:
            meta["defects"][f"{task}: {row.row.defect}"] += 1
        meta["lengths"][str(len(row.row.output))] += 1
        lines.setdefault(split, []).append(to_record(row.row, config.shape, index))
    encoded = {split: files.encode_lines(records) for split, records in lines.items()}
    try:
        _write_block(path, encoded, meta)
    except OSError as error:
        raise FileError(
            f"cannot write {path.parent}: {error.strerror or error}; finished blocks are kept, run again to go on"
        ) from error
    return meta


def _accepted(maker: Maker, place: Place, row: Made, taken: Taken, meta: dict[str, Any]) -> Made:
    """The first draw that repeats nothing, or of PATIENCE new ones the one that repeats another split least."""
    task, split, _, _ = place
    best: tuple[int, Made] | None = None
    redrawn = 0
    while True:
        if identity(row.row) not in taken.rows:
            clashes = taken.clashes(row.row, split)
            if best is None or clashes < best[0]:
                best = clashes, row
            if not clashes or redrawn >= PATIENCE:
                return best[1]
        if row.attempt > 50 * MAX_ATTEMPTS:
            raise ConfigError(f"{task}: only {len(taken.rows)} distinct rows; ask for fewer or widen the settings")
        redrawn += 1
        meta["collisions"] += 1
        row = maker.make(*place, attempt=row.attempt + 1)


def _write_block(path: Path, encoded: dict[str, bytes], meta: dict[str, Any]) -> None:
    for split, data in encoded.items():
        path.with_name(f"{path.name}.{split}.jsonl").write_bytes(data)
    # The meta file names the block's parts and comes last: without it the block does not count.
    temporary = path.with_suffix(".part")
    temporary.write_bytes(orjson.dumps({**meta, "parts": {split: len(data) for split, data in encoded.items()}}))
    temporary.rename(path.with_suffix(".json"))


def _resume(folder: Path, taken: Taken, summary: Summary) -> int:
    """Take up finished blocks in order; returns how many there are."""
    number = 0
    while True:
        path = folder / f"{number:06d}.json"
        try:
            meta = orjson.loads(path.read_bytes())
            sizes = {split: (folder / f"{number:06d}.{split}.jsonl").stat().st_size for split in meta["parts"]}
        except (OSError, orjson.JSONDecodeError, KeyError):
            return number
        if sizes != meta["parts"]:
            return number
        taken.restore(meta)
        summary.count(meta)
        number += 1


def _chunks(folder: Path, split: str) -> Iterator[bytes]:
    for path in sorted(folder.glob(f"*.{split}.jsonl")):
        yield path.read_bytes()

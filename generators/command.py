"""What the generating commands show: the summary of a run, the tasks, one row, the tape."""

import os
import sys
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from rich.table import Table

from generators.config import Config
from generators.registry import list_tasks, load_spec, resolve_weights
from tapewright import __version__, files
from tapewright.errors import ConfigError

# Tables keep their width where stderr is a pipe, so that nothing is cut off.
_console = Console(stderr=True, width=None if sys.stderr.isatty() else 120)


def run_generate(
    *, size: int, seed: int, tasks: Any, shape: str, answer_format: str, source: str, symbols: str, since: int | None,
    until: int | None, splits: Any, hold_out: tuple[str, ...], anonymize: float, natural: bool, outcomes: Path | None,
    difficulty: str, max_tokens: int, tokenizer: str, output: Path | None, workers: int, force: bool,
    row: int | None, stats: bool, as_json: bool,
) -> None:  # fmt: skip
    """Everything `generate` does once its options are parsed."""
    from generators.produce import produce

    if source == "bybit":
        source = str(_freeze(symbols, since, until))
    weights = resolve_weights(dict(tasks) if tasks else None)
    config = Config(
        size=size, seed=seed, weights=tuple(weights.items()), shape=shape, answer_format=answer_format, source=source,
        symbols=tuple(name.strip() for name in symbols.split(",") if name.strip()), since_s=since or 0,
        until_s=until or 0, splits=tuple(splits or ()), hold_out=tuple(hold_out), anonymize=anonymize,
        natural=natural, difficulty=difficulty, max_tokens=max_tokens, tokenizer=tokenizer, version=__version__,
    )  # fmt: skip
    if row is not None:
        _print_row(config, row)
        return
    output = output or Path("datasets") / f"tapewright-{shape}-{seed}.jsonl"
    workers = workers or os.cpu_count() or 1
    if workers < 0:
        raise ConfigError(f"workers is {workers}; use 0 for one per core")
    from generators.progress import progress_bar

    if outcomes and not outcomes.parent.is_dir():
        raise ConfigError(f"no folder {outcomes.parent} for --outcomes; make it first")
    try:
        with progress_bar(size) as advance:
            summary = produce(config, output, workers=workers, force=force, progress=advance)
    except KeyboardInterrupt:
        _console.print("Interrupted. The finished part is kept: run the same command again to go on from it.")
        raise
    from generators.summary import show_summary, summary_as_json

    wording = None
    if stats:
        from generators.wording_stats import measure_files

        wording = measure_files([Path(name) for name in summary.files])
    expectancy = None
    if outcomes:
        from generators.outcomes import write_outcomes

        expectancy = write_outcomes([Path(name) for name in summary.files], config.source, outcomes)
    if as_json:
        sys.stdout.write(
            orjson.dumps(summary_as_json(summary, wording, expectancy), option=orjson.OPT_INDENT_2).decode() + "\n"
        )
    else:
        show_summary(_console, summary, wording, expectancy)


def _freeze(symbols: str, since: int | None, until: int | None) -> Path:
    if not symbols or since is None:
        raise ConfigError("--source bybit needs --symbols and --since, so that what is fetched is known")
    path = Path("datasets/snapshots/bybit.parquet")
    fetch_snapshot(symbols=symbols, frames="1h,1d", since=since, until=until, output=path, cache=None, endpoint=None)
    return path


def fetch_snapshot(
    *,
    symbols: str,
    frames: str,
    since: int,
    until: int | None,
    output: Path | None,
    cache: Path | None,
    endpoint: str | None,
) -> None:
    """Fetch from Bybit and say where the snapshot lies."""
    from market.bybit import fetch

    output = output or Path("datasets/snapshots/bybit.parquet")
    names = [name.strip() for name in symbols.split(",") if name.strip()]
    path = fetch(
        names, [f.strip() for f in frames.split(",")], since, until, output, cache_dir=cache, endpoint=endpoint
    )
    _console.print(f"Snapshot of {', '.join(names)} in {path}; use it with --source {path}")


def _print_row(config: Config, index: int) -> None:
    """Row `index` of the run, computed alone; collisions with earlier rows are not looked for."""
    from itertools import islice

    from generators.make import Maker
    from generators.produce import places, prepare
    from market.tape import load
    from tapewright.rows import to_record

    if not 0 <= index < config.size:
        raise ConfigError(f"row {index} is not in 0–{config.size - 1}")
    tape = load(config.source)
    config, splits = prepare(config, tape)
    place = next(islice(places(config), index, None))
    made = Maker(config, tape, splits).make(*place)
    sys.stdout.write(orjson.dumps(to_record(made.row, config.shape, index), option=orjson.OPT_INDENT_2).decode() + "\n")


def list_all_tasks(as_json: bool) -> None:
    """The tasks, as a table or as JSON."""
    from generators.defects import defects_of

    if as_json:
        data = {
            name: {
                "summary": (spec := load_spec(name)).summary, "weight": spec.weight, "timeless": spec.timeless,
                "families": spec.families, "slots": spec.slots, "defects": defects_of(name),
            }
            for name in list_tasks()
        }  # fmt: skip
        sys.stdout.write(orjson.dumps(data, option=orjson.OPT_INDENT_2).decode() + "\n")
        return
    table = Table(title="Tasks", show_lines=True)
    for column in ("task", "weight", "families", "defects"):
        table.add_column(column, overflow="fold")
    for name in list_tasks():
        spec = load_spec(name)
        table.add_row(
            f"[bold]{name}[/bold]\n{spec.summary}",
            f"{spec.weight:g}",
            ", ".join(spec.families),
            ", ".join(defects_of(name)),
        )
    Console(width=None if sys.stdout.isatty() else 140).print(table)


def show_row(path: Path, row_id: str) -> None:
    """Text, facts, claims and candles of one row."""
    from tapewright.shapes import from_record
    from validators.claims.reader import read_claims

    out = Console(width=None if sys.stdout.isatty() else 120, highlight=False, markup=False)
    for line, record in files.read_records(path):
        if str(record.get("id")) == row_id or str(line) == row_id:
            break
    else:
        raise ConfigError(f"{path} has no row with id or line {row_id!r}")
    row = from_record(record)
    out.rule(f"{record.get('id', line)} · {row.task_type} · family {row.family} · {row.as_of or 'timeless'}")
    out.print(row.instruction)
    if row.input:
        out.print(f"\n{row.input}")
    out.rule("answer" if not row.rejected else "chosen")
    out.print(row.output)
    if row.rejected:
        out.rule(f"rejected: {row.defect}, found {', '.join(row.provenance.get('codes', []))}")
        out.print(row.rejected)
    claims = Table(title="Claims of the answer")
    for column in ("kind", "value", "unit", "text"):
        claims.add_column(column, overflow="fold")
    for claim in read_claims(row.output)[0]:
        near = row.output[max(0, claim.start - 25) : claim.end + 8].replace("\n", " ")
        claims.add_row(claim.key or "—", f"{claim.value}", claim.unit, f"…{near}…" if claim.decimals >= 0 else "")
    out.print(claims)
    facts = Table(title="Facts")
    for column in ("name", "value", "origin"):
        facts.add_column(column)
    source = {name: where for where, names in (row.provenance.get("origin") or {}).items() for name in names}
    for name, value in row.facts.items():
        facts.add_row(name, f"{value}", source.get(name, ""))
    out.print(facts)
    _show_candles(out, row.facts)


def _show_candles(out: Console, facts: dict[str, Any]) -> None:
    """The last candles before the row's moment, unscaled, from the bundled tape."""
    from datetime import UTC, datetime

    from market.tape import load
    from tapewright.errors import SourceError

    if not facts.get("as_of"):
        return
    tape = load("bundled")
    moment = int(datetime.strptime(facts["as_of"], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC).timestamp())
    try:
        frames = tape.frames(facts["venue"], facts["symbol"])
    except SourceError:
        out.print(f"{facts['venue']} {facts['symbol']} is not on the bundled tape")
        return
    for frame in frames:
        series = tape.series(facts["venue"], facts["symbol"], frame)
        last = series.index_as_of(moment)
        if last < 3:
            continue
        table = Table(title=f"{facts['venue']} {facts['symbol']} {frame}, last candles closed by {facts['as_of']}")
        for column in ("opened (UTC)", "open", "high", "low", "close", "volume"):
            table.add_column(column, justify="right")
        for index in range(last - 3, last + 1):
            opened = datetime.fromtimestamp(series.opened[index], UTC).strftime("%Y-%m-%d %H:%M")
            table.add_row(
                opened, *(f"{series.columns[c][index]:g}" for c in ("open", "high", "low", "close", "volume"))
            )
        out.print(table)


def list_market(source: str) -> None:
    """Symbols, frames and ranges of a source."""
    from datetime import UTC, datetime

    from market.tape import load

    tape = load(source)
    table = Table(title=f"{tape.name} · sha256 {tape.sha256[:16]}…")
    for column in ("venue", "symbol", "frame", "candles", "from", "to", "funding"):
        table.add_column(column, justify="right" if column == "candles" else "left")
    for venue, symbol in tape.symbols():
        for frame in tape.frames(venue, symbol):
            series = tape.series(venue, symbol, frame)
            ends = [
                datetime.fromtimestamp(t, UTC).strftime("%Y-%m-%d")
                for t in (series.opened[0], series.opened[series.n - 1])
            ]
            funded = "yes" if venue != "binance" and tape.funding(symbol) else ""
            table.add_row(venue, symbol, frame, f"{series.n:,}", *ends, funded)
    Console(width=None if sys.stdout.isatty() else 110).print(table)

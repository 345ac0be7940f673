"""Rows per CPU-second of `validate`, beside parsers that check a schema alone.

pydantic is always there; msgspec and jsonschema are measured where they are installed, polars reads the
whole file at once and checks types only.
"""

import importlib.util
import io
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import orjson

from tapewright.inputs import read_items
from validators.dataset import Options, check_files, check_items, load_rules


def _rate(name: str, rows: int, run: Callable[[], object]) -> None:
    best = 0.0
    for _ in range(3):
        start = time.process_time()
        run()
        best = max(best, rows / (time.process_time() - start))
    print(f"| {name} | {best:,.0f} |", flush=True)


def _schema_alone(lines: list[bytes], path: Path) -> None:
    from pydantic import BaseModel

    class Alpaca(BaseModel):
        instruction: str
        input: str
        output: str

    _rate("tapewright, schema rules", len(lines), lambda: check_items(read_items(str(path)), "", Options(families="S")))
    _rate("pydantic validate_json per line", len(lines), lambda: [Alpaca.model_validate_json(line) for line in lines])
    for library in ("msgspec", "jsonschema"):
        if importlib.util.find_spec(library) is None:
            print(f"| {library} | not installed |")
    if importlib.util.find_spec("msgspec"):
        import msgspec  # type: ignore[import-not-found]

        shape = msgspec.defstruct("Alpaca", [("instruction", str), ("input", str), ("output", str)])
        decoder = msgspec.json.Decoder(shape)
        _rate("msgspec decode per line", len(lines), lambda: [decoder.decode(line) for line in lines])
    if importlib.util.find_spec("jsonschema"):
        import jsonschema  # type: ignore[import-not-found]

        names = ["instruction", "input", "output"]
        schema = {"type": "object", "required": names, "properties": {name: {"type": "string"} for name in names}}
        checker = jsonschema.Draft202012Validator(schema)
        _rate("jsonschema per line", len(lines), lambda: [checker.is_valid(orjson.loads(line)) for line in lines])
    import polars as pl

    text = b"\n".join(lines)
    types = {"instruction": pl.String, "input": pl.String, "output": pl.String}
    _rate("polars read_ndjson, whole file", len(lines), lambda: pl.read_ndjson(io.BytesIO(text), schema=types))


def measure(data: Path) -> None:
    """Print the tables."""
    load_rules()
    with TemporaryDirectory() as folder:
        path = Path(folder) / "alpaca.jsonl"
        records = json.loads((data / "alpaca" / "random_9k.json").read_text(encoding="utf-8"))
        lines = [orjson.dumps(record) for record in records]
        path.write_bytes(b"\n".join(lines) + b"\n")
        print("| schema alone, Alpaca | rows per CPU-second |\n|---|---:|")
        _schema_alone(lines, path)

        own = Path(folder) / "own.jsonl"
        subprocess.run([sys.executable, "cli.py", "generate", "-n", "2000", "-j", "2", "-o", str(own)], check=True, capture_output=True)  # fmt: skip
        print("\n| every rule | rows per CPU-second |\n|---|---:|")
        _rate("Alpaca", len(lines), lambda: check_items(read_items(str(path))))
        _rate("our own rows", 2000, lambda: check_items(read_items(str(own))))
        _workers(lines, Path(folder) / "large.jsonl")


def _workers(lines: list[bytes], path: Path) -> None:
    """Wall seconds and findings for one worker and for two, on the same rows ten times over."""
    path.write_bytes((b"\n".join(lines) + b"\n") * 10)
    print("\n| workers | seconds, every rule, 92,290 rows | findings |\n|---|---:|---:|")
    tallies = []
    for workers in (1, 2):
        start = time.perf_counter()
        tallies.append(dict(check_files([str(path)], workers=workers))[str(path)])
        print(f"| {workers} | {time.perf_counter() - start:.1f} | {tallies[-1].total:,} |", flush=True)
    if tallies[0] != tallies[1]:
        raise SystemExit("two workers found something else than one")

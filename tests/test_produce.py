"""Producing: exact counts, the same bytes whatever the workers, resume, refusal, loading elsewhere."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from generators.config import Config
from generators.produce import produce
from generators.registry import list_tasks, resolve_weights
from tapewright import files
from tapewright.errors import ConfigError, FileError
from tapewright.rows import FORMATS, identity
from tapewright.schedule import schedule
from tapewright.shapes import from_record

ROOT = Path(__file__).parent.parent
MIX = tuple(resolve_weights(None).items())
GOLDEN = json.loads((Path(__file__).parent / "golden.json").read_text())


def _run(tmp_path, name, size=120, **options):
    workers = options.pop("workers", 1)
    path = tmp_path / name
    summary = produce(
        Config(size=size, weights=options.pop("weights", MIX), version="test", **options), path, workers=workers
    )
    return path, summary


def _command(*arguments, **options):
    return subprocess.run([sys.executable, str(ROOT / "cli.py"), *arguments], capture_output=True, text=True, **options)


def test_exactly_n_distinct_rows_of_every_task(tmp_path):
    path, summary = _run(tmp_path, "a.jsonl", 300)
    rows = [from_record(record) for _, record in files.read_records(path)]
    assert len(rows) == summary.rows == 300
    assert len({identity(row) for row in rows}) == 300
    assert set(Counter(row.task_type for row in rows)) == set(list_tasks())


@pytest.mark.parametrize("shape", FORMATS)
def test_every_row_has_the_same_columns_and_no_null(tmp_path, shape):
    path, _ = _run(tmp_path, "a.jsonl", 60, shape=shape)
    records = [record for _, record in files.read_records(path)]
    assert len({tuple(record) for record in records}) == 1
    assert all(value is not None for record in records for value in record.values())
    assert all(isinstance(json.loads(record["facts"]), dict) for record in records)


def test_same_bytes_for_any_number_of_workers(tmp_path):
    digests = set()
    for workers in (1, 2, 4):
        path, _ = _run(tmp_path, f"w{workers}.jsonl", 1100, workers=workers)
        digests.add(files.sha256_of(path))
    assert len(digests) == 1


def test_smaller_run_is_the_beginning_of_a_larger_one(tmp_path):
    small, _ = _run(tmp_path, "small.jsonl", 70)
    large, _ = _run(tmp_path, "large.jsonl", 200)
    assert large.read_bytes().startswith(small.read_bytes())


def test_other_seeds_share_no_row(tmp_path):
    seen = [
        {
            identity(from_record(record))
            for _, record in files.read_records(_run(tmp_path, f"{seed}.jsonl", 250, seed=seed)[0])
        }
        for seed in (42, 999, 777)
    ]
    assert not seen[0] & seen[1] and not seen[0] & seen[2] and not seen[1] & seen[2]


@pytest.mark.parametrize("shape", FORMATS)
def test_golden_bytes(tmp_path, shape):
    """Changes when a row changes: then look at the rows, and write the new digest with `python -m tests.test_produce`."""
    assert _golden(tmp_path, shape) == GOLDEN[shape]


def _golden(folder, shape):
    path, _ = _run(folder, f"{shape}.jsonl", 1000, shape=shape, workers=2)
    return files.sha256_of(path)


def test_same_bytes_with_cpu_features_disabled(tmp_path):
    plain, slow = tmp_path / "plain.jsonl", tmp_path / "slow.jsonl"
    arguments = ["generate", "-n", "150", "-j", "1", "-o"]
    assert _command(*arguments, str(plain)).returncode == 0
    features = "AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX2 FMA3"
    env = os.environ | {"NPY_DISABLE_CPU_FEATURES": features, "POLARS_MAX_THREADS": "1"}
    done = _command(*arguments, str(slow), env=env)
    if "not supported by your machine" in done.stderr or "cannot disable" in done.stderr.lower():
        env["NPY_DISABLE_CPU_FEATURES"] = "AVX2 FMA3"
        done = _command(*arguments, str(slow), env=env)
    assert done.returncode == 0, done.stderr
    assert plain.read_bytes() == slow.read_bytes()


def test_killed_at_any_moment_it_goes_on_to_the_same_bytes(tmp_path):
    whole = tmp_path / "whole.jsonl"
    assert _command("generate", "-n", "2600", "-j", "1", "-o", str(whole)).returncode == 0
    broken = tmp_path / "broken.jsonl"
    command = [sys.executable, str(ROOT / "cli.py"), "generate", "-n", "2600", "-j", "2", "-o", str(broken)]
    resumed = False
    for pause in (0.4, 2.5, 4.0):
        process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
        time.sleep(pause)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        resumed |= bool(list((tmp_path / ".tapewright").glob("broken.jsonl.*.blocks/*.json")))
        assert not broken.exists() or broken.read_bytes() == whole.read_bytes()
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert broken.read_bytes() == whole.read_bytes()
    assert not list(tmp_path.glob(".broken*"))


def test_finished_output_says_so_and_stays(tmp_path):
    path, first = _run(tmp_path, "a.jsonl", 40)
    stamp = path.stat().st_mtime_ns
    again = produce(Config(size=40, weights=MIX, version="test"), path)
    assert again.unchanged and again.tasks == first.tasks and path.stat().st_mtime_ns == stamp


def test_another_configuration_is_not_overwritten(tmp_path):
    path, _ = _run(tmp_path, "a.jsonl", 40)
    before = path.read_bytes()
    with pytest.raises(FileError, match="--force"):
        produce(Config(size=41, weights=MIX, version="test"), path)
    assert path.read_bytes() == before
    produce(Config(size=41, weights=MIX, version="test"), path, force=True)
    assert len(path.read_text().splitlines()) == 41


def test_a_strangers_file_is_not_overwritten(tmp_path):
    path = tmp_path / "mine.jsonl"
    path.write_text("{}\n")
    with pytest.raises(FileError, match="not written by this tool"):
        produce(Config(size=5, weights=MIX), path)
    assert path.read_text() == "{}\n"


def test_two_runs_on_one_output_refuse(tmp_path):
    path = tmp_path / "a.jsonl"
    with files.locked(path), pytest.raises(FileError, match="another run"):
        produce(Config(size=5, weights=MIX), path)


@pytest.mark.parametrize("suffix", [".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_packed_outputs_hold_the_same_rows(tmp_path, suffix):
    plain, _ = _run(tmp_path, "a.jsonl", 60)
    packed, _ = _run(tmp_path, f"a{suffix}", 60)
    again, _ = _run(tmp_path, f"b{suffix}", 60)
    assert [r for _, r in files.read_records(plain)] == [r for _, r in files.read_records(packed)]
    assert packed.read_bytes() == again.read_bytes()


def test_splits_own_their_time_and_families(tmp_path):
    path, summary = _run(tmp_path, "s.jsonl", 600, splits=(("train", 0.8), ("val", 0.1), ("test", 0.1)))
    parts = {
        name: [from_record(record) for _, record in files.read_records(tmp_path / f"s-{name}.jsonl")]
        for name in ("train", "val", "test")
    }
    assert {name: len(rows) for name, rows in parts.items()} == {"train": 480, "val": 60, "test": 60}
    assert not path.exists() and len(summary.files) == 3
    for a, b in (("train", "val"), ("train", "test"), ("val", "test")):
        families = [{(row.task_type, row.family) for row in parts[name]} for name in (a, b)]
        assert not families[0] & families[1]
        groups = [{row.group for row in parts[name] if row.group.startswith("t")} for name in (a, b)]
        assert not groups[0] & groups[1]
        last, first = max(r.as_of for r in parts[a]), min(r.as_of for r in parts[b] if r.as_of)
        assert last < first


def test_schedule_keeps_every_prefix_within_one_row():
    weights = {"a": 0.3, "b": 0.2, "c": 0.17, "d": 0.28, "e": 0.05}
    counts = dict.fromkeys(weights, 0)
    for n, (name, ordinal) in enumerate(schedule(weights, 5000), 1):
        assert ordinal == counts[name]
        counts[name] += 1
        assert all(abs(counts[k] - weights[k] * n) < 1 for k in weights)


def test_what_lies_after_a_row_changes_nothing(tmp_path, monkeypatch):
    """Alter every candle that opens after the row's moment: the row keeps its bytes."""
    import numpy as np
    import polars as pl

    import market.tape as tapes
    from generators.make import Maker
    from generators.produce import places, prepare

    def make(source):
        tape = tapes.load(source)
        config, splits = prepare(Config(size=60, weights=MIX, version="test", source=str(source), until_s=cut), tape)
        tape.sha256 = "same"  # only the bytes of the candles differ
        maker = Maker(config, tape, splits)
        return [
            (m.row.instruction, m.row.input, m.row.output) for m in (maker.make(*place) for place in places(config))
        ]

    cut = 1_700_000_000 // 86_400 * 86_400
    changed = tmp_path / "changed"
    changed.mkdir()
    for file in sorted(tapes.BUNDLED.glob("*.parquet")):
        frame = pl.read_parquet(file)
        late = pl.col("ts").dt.epoch("s") >= cut
        values = [name for name in ("open", "high", "low", "close", "volume", "funding_rate") if name in frame.columns]
        frame.with_columns([pl.when(late).then(pl.col(v) * 3.7).otherwise(pl.col(v)) for v in values]).write_parquet(
            changed / file.name
        )
    assert make("bundled") == make(changed)
    assert np.isfinite(cut)


def test_mixed_file_loads_everywhere(tmp_path):
    """Timeless rows first, then last: readers that infer a schema from the head still load the whole."""
    path, _ = _run(tmp_path, "a.jsonl", 400)
    lines = path.read_text(encoding="utf-8").splitlines()
    timeless = [line for line in lines if not json.loads(line)["as_of"]]
    timed = [line for line in lines if json.loads(line)["as_of"]]
    import pandas as pd
    import polars as pl

    datasets = pytest.importorskip("datasets")
    if not hasattr(datasets, "load_dataset"):
        pytest.skip("the datasets library is not installed")
    for name, order in (("first", timeless * 375 + timed * 375), ("last", timed * 375 + timeless * 375)):
        mixed = tmp_path / f"{name}.jsonl"
        mixed.write_text("\n".join(order) + "\n", encoding="utf-8")
        expected = len(order)
        assert pl.read_ndjson(mixed).height == expected
        assert len(pd.read_json(mixed, lines=True)) == expected
        loaded = datasets.load_dataset("json", data_files=str(mixed), split="train", cache_dir=str(tmp_path / "cache"))
        assert len(loaded) == expected


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"size": 0}, "size is 0"), ({"size": -3}, "size is -3"), ({"anonymize": 1.5}, "anonymize"),
        ({"shape": "xml"}, "format 'xml'"), ({"splits": (("train", 0.5),)}, "add up to 1"),
        ({"since_s": 20, "until_s": 10}, "not before"),
    ],
)  # fmt: skip
def test_bad_configuration_is_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        Config(**({"size": 5, "weights": MIX} | changes))


def test_weights_are_checked():
    with pytest.raises(ConfigError, match="Did you mean 'risk_assessment'"):
        resolve_weights({"risk_assesment": 1.0})
    with pytest.raises(ConfigError, match="add up to 0.7"):
        resolve_weights({"risk_assessment": 0.7})


def test_a_stop_is_named_only_where_one_can_be_placed(tmp_path):
    path = tmp_path / "rows.jsonl"
    produce(Config(250, 77, (("risk_assessment", 1.0),), version="t"), path)
    named = gone = 0
    for _, record in files.read_records(path):
        row = from_record(record)
        facts, sign = row.facts, 1 if row.facts["side"] == "long" else -1
        if facts.get("stop_nearest") is not None and facts.get("mark") is not None:
            assert (facts["mark"] - facts["stop_nearest"]) * sign > 0, row.id
            named += facts.get("stop_state") in ("none", "beyond")
        elif facts.get("stop_state") in ("none", "beyond") and facts.get("liquidation") is not None:
            assert "quarter of a daily ATR" in row.output and "margin" in row.output
            gone += 1
    assert named > 20 and gone > 5


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        digests = {shape: _golden(Path(folder), shape) for shape in FORMATS}
    (Path(__file__).parent / "golden.json").write_text(json.dumps(digests, indent=2) + "\n")

"""Rows checked from the file alone, and tape facts derived again by another library."""

from datetime import UTC, datetime

import numpy as np
import pytest

from benchmarks.recheck import bare
from generators.config import Config
from generators.produce import produce
from generators.registry import resolve_weights
from market.columns import quantise_column
from market.quantity import decimals_of
from tapewright import files
from tapewright.inputs import read_items
from tapewright.rows import FORMATS
from tapewright.shapes import from_record
from validators.dataset import Options, check_items, load_rules
from validators.tape import check_tape

MIX = tuple(resolve_weights(None).items())


@pytest.fixture(scope="module", autouse=True)
def _rules():
    load_rules()


@pytest.mark.parametrize("answers", ["text", "json", "both"])
@pytest.mark.parametrize("shape", FORMATS)
def test_no_error_with_or_without_facts(tmp_path, tape, shape, answers):
    path = tmp_path / "rows.jsonl"
    produce(Config(160, 7, MIX, shape, answers, version="t"), path)
    whole = check_items(read_items(str(path)), str(path), Options(tape=tape))
    assert [str(f) for f in whole.findings if f.severity == "error"] == []
    assert whole.tape_facts > 300
    blind = check_items(bare(str(path)), str(path))
    assert [str(f) for f in blind.findings if f.severity == "error"] == []
    assert whole.pairs == (160 if shape == "preference" else 0)


def test_a_changed_digit_is_found(tmp_path):
    path = tmp_path / "rows.jsonl"
    produce(Config(40, 3, (("risk_assessment", 1.0),), version="t"), path)
    lines = path.read_text(encoding="utf-8").splitlines()
    found = 0
    for line in lines:
        changed = line.replace('"output":"', '"output":"The notional is 123,456.78 USDT. ', 1)
        broken = tmp_path / "broken.jsonl"
        broken.write_text(changed + "\n", encoding="utf-8")
        found += "N003" in check_items(read_items(str(broken)), "b").counts()
    assert found == len(lines)


def test_tape_facts_agree_with_talib(tmp_path, tape):
    """Indicators of generated rows, computed again by TA-Lib from the raw candles."""
    talib = pytest.importorskip("talib")
    path = tmp_path / "rows.jsonl"
    weights = (("market_analysis", 0.5), ("trade_recommendation", 0.5))
    produce(Config(60, 11, weights, version="t"), path)
    compared = 0
    for _, record in files.read_records(path):
        facts = from_record(record).facts
        for frame in {name.partition("@")[2] for name in facts if "@" in name}:
            series = tape.series(facts["venue"], facts["symbol"], frame)
            moment = int(datetime.strptime(facts["as_of"], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC).timestamp())
            last = series.index_as_of(moment) + 1
            high, low, close = (
                np.asarray(series.columns[name][:last], dtype=float) for name in ("high", "low", "close")
            )
            upper, middle, lower = talib.BBANDS(close, 20, 2, 2)
            line, signal, histogram = talib.MACD(close, 12, 26, 9)
            theirs = {
                "ema_20": talib.EMA(close, 20), "ema_50": talib.EMA(close, 50), "rsi_14": talib.RSI(close, 14),
                "atr_14": talib.ATR(high, low, close, 14), "adx_14": talib.ADX(high, low, close, 14), "bb_upper": upper,
                "bb_mid": middle, "bb_lower": lower, "macd": line, "macd_signal": signal, "macd_hist": histogram,
            }  # fmt: skip
            scaled = {"rsi_14", "adx_14"}
            for name, column in theirs.items():
                if f"{name}@{frame}" in facts:
                    value = column[-1] * (1.0 if name in scaled else facts["price_factor"])
                    tick = facts["tick"]
                    assert quantise_column(name, value, tick, decimals_of(tick)) == facts[f"{name}@{frame}"], (
                        name,
                        facts,
                    )
                    compared += 1
    assert compared > 400


def test_facts_and_text_altered_together_are_found_on_the_tape(tmp_path, tape):
    path = tmp_path / "rows.jsonl"
    produce(Config(30, 5, (("market_analysis", 1.0),), version="t"), path)
    for _, record in files.read_records(path):
        row = from_record(record)
        name = next(name for name in row.facts if name.startswith("close@"))
        altered = {**row.facts, name: row.facts[name] * 1.01}
        assert not check_tape(row.facts, tape, row.provenance)[1]
        assert check_tape(altered, tape, row.provenance)[1]

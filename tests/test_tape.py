"""The bundled tape: what it holds, how a longer frame is made, and that the clock is respected."""

import subprocess
import sys
import time

import numpy as np
import polars as pl
import pytest

from market import tape as tape_module
from market.candles import FRAME_SECONDS
from market.tape import aggregate, load
from tapewright.errors import FileError, SourceError


@pytest.fixture(scope="module")
def tape():
    return load()


def test_holds_what_its_readme_says(tape):
    symbols = tape.symbols()
    assert symbols == sorted(symbols)
    assert [s for v, s in symbols if v == "bybit"] == ["BNBUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"]
    assert sum(v == "binance" for v, _ in symbols) == 14
    assert tape.frames("bybit", "BTCUSDT") == ("1h", "4h", "1d")
    assert tape.frames("binance", "ADAUSDT") == ("1d",)
    assert tape.series("bybit", "BTCUSDT", "1h").n == 50_582
    assert len(tape.sha256) == 64 and tape.name == "bundled"


def test_every_series_is_clean(tape):
    for venue, symbol in tape.symbols():
        for frame in tape.frames(venue, symbol):
            series = tape.series(venue, symbol, frame)
            c = {name: np.array(series.columns[name]) for name in ("open", "high", "low", "close", "volume")}
            assert (np.diff(np.array(series.opened)) == FRAME_SECONDS[frame]).all()
            assert (c["high"] >= np.maximum(c["open"], c["close"])).all()
            assert (c["low"] <= np.minimum(c["open"], c["close"])).all() and (c["low"] > 0).all()
            assert np.isfinite(c["volume"]).all()


def test_four_hours_make_a_candle(tape):
    hourly, four = (tape.series("bybit", "SOLUSDT", frame) for frame in ("1h", "4h"))
    for i in (0, 17, four.n - 1):
        hours = [hourly.index_as_of(four.opened[i] + 3_600 * (k + 1)) for k in range(4)]
        assert [hourly.opened[h] for h in hours] == [four.opened[i] + 3_600 * k for k in range(4)]
        assert four.opened[i] % 14_400 == 0
        rows = [hourly.row(h) for h in hours]
        assert four.value("open", i) == rows[0]["open"] and four.value("close", i) == rows[3]["close"]
        assert four.value("high", i) == max(r["high"] for r in rows)
        assert four.value("low", i) == min(r["low"] for r in rows)
        assert four.value("volume", i) == pytest.approx(sum(r["volume"] for r in rows), rel=1e-12)


def test_a_missing_hour_leaves_no_candle():
    opened = np.array([h * 3_600 for h in range(2, 20) if h != 9])
    ones = {name: np.ones(len(opened)) for name in ("open", "high", "low", "close", "volume")}
    kept, columns = aggregate(opened, ones, "4h")
    assert (kept / 3_600).tolist() == [4, 12, 16]
    assert columns["volume"].tolist() == [4, 4, 4]


@pytest.mark.parametrize("symbol", ["BNBUSDT", "BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"])
def test_the_daily_file_is_the_hours_added_up(tape, symbol):
    hourly, daily = (tape.series("bybit", symbol, frame) for frame in ("1h", "1d"))
    names = ("open", "high", "low", "close", "volume")
    opened, made = aggregate(np.array(hourly.opened), {k: np.array(hourly.columns[k]) for k in names}, "1d")
    index = {second: i for i, second in enumerate(daily.opened)}
    at = [index[second] for second in opened.tolist()]
    for name in names:
        assert np.allclose(made[name], np.array(daily.columns[name])[at], rtol=1e-9, atol=0), name


def test_only_closed_candles_are_known(tape):
    series = tape.series("bybit", "ETHUSDT", "4h")
    for i in (0, 1, 500, series.n - 1):
        closed = series.close_time(i)
        assert closed == series.opened[i] + 14_400
        assert series.index_as_of(closed) == i
        assert series.index_as_of(closed - 1) == i - 1
        assert series.index_as_of(closed + 1) == i
    assert series.index_as_of(0) == -1
    assert series.index_as_of(4e9) == series.n - 1


def test_none_yet_is_not_the_last_candle(tape):
    series = tape.series("bybit", "BTCUSDT", "1d")
    for call in (lambda: series.row(-1), lambda: series.value("close", -1), lambda: series.close_time(-1)):
        with pytest.raises(SourceError, match="no candle -1"):
            call()


def test_values_are_plain_floats_nobody_can_change(tape):
    series = tape.series("bybit", "BTCUSDT", "1d")
    assert type(series.columns["close"][3]) is float and type(series.opened[3]) is int
    assert series.row(3)["close"] == series.value("close", 3)
    with pytest.raises(TypeError):
        series.columns["close"][3] = 1.0


def test_the_future_can_be_altered(tmp_path, tape):
    """A folder whose candles after a moment are other ones gives the same rows up to it."""
    source = pl.read_parquet(tape_module.BUNDLED / "bybit_linear_1h.parquet")
    source = source.filter(pl.col("symbol") == "SOLUSDT").head(3_000)
    moment = source["ts"][2_500]
    names = [pl.col(c) for c in ("open", "high", "low", "close", "volume")]
    altered = source.with_columns(
        pl.when(pl.col("ts") >= moment).then(column * 1.7).otherwise(column) for column in names
    )
    rows = []
    for part, folder in ((source, "a"), (altered, "b"), (source.filter(pl.col("ts") < moment), "c")):
        (tmp_path / folder).mkdir()
        part.write_parquet(tmp_path / folder / "bybit_linear_1h.parquet")
        other = load(tmp_path / folder)
        as_of = moment.timestamp()
        found = []
        for frame in other.frames("bybit", "SOLUSDT"):
            series = other.series("bybit", "SOLUSDT", frame)
            found.append((frame, str(series.row(series.index_as_of(as_of)))))
        rows.append(found)
    assert rows[0] == rows[1] == rows[2]
    assert [frame for frame, _ in rows[0]] == ["1h", "4h", "1d"]


def test_funding_as_of(tape):
    stamps, rates = tape.funding("BTCUSDT")
    assert tape.funding("XRPUSDT") is None and tape.funding_as_of("XRPUSDT", 2e9) is None
    assert tape.funding_as_of("BTCUSDT", stamps[0] - 1) is None
    assert tape.funding_as_of("BTCUSDT", stamps[0]) == (stamps[0], rates[0], None)
    assert tape.funding_as_of("BTCUSDT", stamps[88])[2] is None
    assert tape.funding_as_of("BTCUSDT", stamps[89])[2] is not None
    for i in (89, 400, 1_000, len(stamps) - 1):
        since = stamps[i] - 90 * 86_400
        window = [r for t, r in zip(stamps, rates, strict=True) if since < t <= stamps[i]]
        below = sum(r < rates[i] for r in window) + sum(r == rates[i] for r in window) / 2
        expected = 100 * below / len(window)
        assert tape.funding_as_of("BTCUSDT", stamps[i]) == (stamps[i], rates[i], pytest.approx(expected))
        assert tape.funding_as_of("BTCUSDT", stamps[i] + 28_799)[0] == stamps[i]


def test_wrong_names_are_answered_with_right_ones(tape):
    with pytest.raises(SourceError, match="Did you mean 'bybit BTCUSDT'"):
        tape.series("bybit", "BTCUSD", "1h")
    with pytest.raises(SourceError, match="no '2h' candles.*Known: 1h, 4h, 1d"):
        tape.series("bybit", "BTCUSDT", "2h")
    with pytest.raises(SourceError, match="Did you mean 'rsi_14'"):
        tape.series("bybit", "BTCUSDT", "1d").value("rsi14", 400)


def test_folders_that_are_no_tape(tmp_path):
    with pytest.raises(FileError, match="no market source"):
        load(tmp_path / "nothing.parquet")
    with pytest.raises(FileError, match="no market data in"):
        load(tmp_path)
    (tmp_path / "bybit_linear_1h.parquet").write_bytes(b"not parquet")
    with pytest.raises(SourceError, match="cannot be read as parquet"):
        load(tmp_path)
    (tmp_path / "bybit_linear_1h.parquet").rename(tmp_path / "candles.parquet")
    with pytest.raises(FileError, match="VENUE_linear_FRAME"):
        load(tmp_path)


def test_opening_is_quick(tape):
    start = time.perf_counter()
    load().series("bybit", "BTCUSDT", "1h")
    one = time.perf_counter() - start
    start = time.perf_counter()
    fresh = load()
    for venue, symbol in fresh.symbols():
        for frame in fresh.frames(venue, symbol):
            fresh.series(venue, symbol, frame)
    assert one < 0.6 and time.perf_counter() - start < 3.0, "about four times what it takes alone"


def test_candles_alone_need_no_polars():
    code = "import sys, market.candles; sys.exit('polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0

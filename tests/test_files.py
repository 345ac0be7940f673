"""A user's own file: what is taken, and how each thing wrong with it is named."""

import gzip

import numpy as np
import polars as pl
import pytest

from market.tape import BUNDLED, load
from tapewright.errors import SourceError

START = 1_704_067_200  # 2024-01-01 00:00 UTC
HEADER = "ts,open,high,low,close,volume"


def rows(count=50, step=3_600, start=START):
    """Data lines of a quiet market, oldest first; row n is lines[n - 1]."""
    return [f"{start + step * k},{100 + k},{102 + k},{99 + k},{101 + k},{10 + k}" for k in range(count)]


def write(path, lines, header=HEADER):
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def refusal(path, now=None):
    with pytest.raises(SourceError) as caught:
        load(path, now)
    message = str(caught.value)
    assert "\n" not in message and path.name in message
    return message


def test_hours_become_longer_frames(tmp_path):
    tape = load(write(tmp_path / "mine.csv", rows(50)))
    assert tape.symbols() == [("mine.csv", "mine")]
    assert tape.frames("mine.csv", "mine") == ("1h", "4h", "1d")
    hourly, four, daily = (tape.series("mine.csv", "mine", f) for f in ("1h", "4h", "1d"))
    assert (hourly.n, four.n, daily.n) == (50, 12, 2)
    assert hourly.row(0)["close"] == 101 and hourly.opened[0] == START
    assert [daily.value(name, 1) for name in ("open", "high", "low", "close")] == [124, 149, 123, 148]
    assert tape.funding("mine") is None


@pytest.mark.parametrize("step,frame", [(14_400, "4h"), (86_400, "1d")])
def test_longer_frames_stand_alone(tmp_path, step, frame):
    tape = load(write(tmp_path / "m.csv", rows(30, step)))
    assert tape.frames("m.csv", "m") == (frame,)


def stamps(kind):
    for k in range(30):
        second = START + 3_600 * k
        iso = str(np.datetime64(second, "s"))
        yield {
            "seconds": str(second),
            "milliseconds": f"{second}000",
            "microseconds": f"{second}000000",
            "iso": iso,
            "space": iso.replace("T", " ")[:16],
            "zulu": iso + "Z",
            "zone": str(np.datetime64(second + 7_200, "s")) + "+02:00",
            "said": iso.replace("T", " ") + " UTC",
            "float": f"{second}.0",
        }[kind]


@pytest.mark.parametrize(
    "kind", ["seconds", "milliseconds", "microseconds", "iso", "space", "zulu", "zone", "said", "float"]
)
def test_times_in_any_dress(tmp_path, kind):
    lines = [f"{at},1,2,1,2,5" for at in stamps(kind)]
    path = write(tmp_path / "t.csv", lines, "Timestamp, Open,High,Low,Close,Volume")
    series = load(path).series("t.csv", "t", "1h")
    assert series.opened[0] == START and series.n == 30


def test_other_containers(tmp_path):
    text = "\ufeff" + "\r\n".join(["symbol;date;open;high;low;close;volume;funding_rate"]) + "\r\n"
    for line in rows(10):
        text += "BTCUSDT;" + line.replace(",", ";") + ";\r\n"
    path = tmp_path / "gz.csv.gz"
    path.write_bytes(gzip.compress(text.encode()))
    assert load(path).series("gz.csv.gz", "BTCUSDT", "1h").n == 10

    frame = pl.read_parquet(BUNDLED / "bybit_linear_1d.parquet").head(2_000)
    frame.write_parquet(tmp_path / "p.parquet")
    frame.with_columns(pl.col("ts").dt.replace_time_zone(None)).write_parquet(tmp_path / "naive.parquet")
    ours = load(tmp_path / "p.parquet")
    for symbol in ("BNBUSDT", "BTCUSDT"):
        taken = ours.series("p.parquet", symbol, "1d")
        naive = load(tmp_path / "naive.parquet").series("naive.parquet", symbol, "1d")
        bundled = load().series("bybit", symbol, "1d")
        for i in (0, 100, taken.n - 1):
            assert str(taken.row(i)) == str(bundled.row(i)) == str(naive.row(i))
            assert taken.close_time(i) == bundled.close_time(i) == naive.close_time(i)


def test_symbols_may_take_turns(tmp_path):
    mixed = [f"{name},{line}" for line in rows(8) for name in ("B", "A")]
    tape = load(write(tmp_path / "two.csv", mixed, "symbol," + HEADER))
    assert tape.symbols() == [("two.csv", "A"), ("two.csv", "B")]
    broken = mixed[:9] + mixed[10:]  # without A's fifth hour
    message = refusal(write(tmp_path / "two.csv", broken, "symbol," + HEADER))
    assert "row 11 (2024-01-01 05:00 UTC): A: 1 1h candle missing after row 8 (2024-01-01 03:00" in message


def swap(lines, row, column, value):
    cells = lines[row - 1].split(",")
    cells[column] = value
    return [*lines[: row - 1], ",".join(cells), *lines[row:]]


@pytest.mark.parametrize(
    "lines,expected",
    [
        ([], "no candles, only a header"),
        (swap(rows(), 7, 4, "n/a"), "row 7: close is 'n/a', not a number"),
        (swap(rows(), 7, 4, '"1,234.5"'), "row 7: close is '1,234.5', not a number"),
        (swap(rows(), 9, 1, ""), "row 9: open is empty"),
        (swap(rows(), 9, 1, "NaN"), "row 9 (2024-01-01 08:00 UTC): open is nan; it has to be above 0"),
        (swap(rows(), 9, 1, "inf"), "row 9 (2024-01-01 08:00 UTC): open is inf"),
        (swap(rows(), 9, 3, "0"), "row 9 (2024-01-01 08:00 UTC): low is 0; it has to be above 0"),
        (swap(rows(), 9, 5, "-1"), "row 9 (2024-01-01 08:00 UTC): volume is -1; it has to be 0 or more"),
        (swap(rows(), 3, 2, "50"), "row 3 (2024-01-01 02:00 UTC): high is below low"),
        (swap(rows(), 3, 4, "105"), "row 3 (2024-01-01 02:00 UTC): open or close lies outside"),
        (swap(rows(), 3, 0, "yesterday"), "row 3: ts 'yesterday' is no time"),
        (swap(rows(), 3, 0, ""), "row 3: no ts"),
        (swap(rows(), 3, 0, "2024-01-01 02:00"), "row 3: ts '2024-01-01 02:00' is text among epoch numbers"),
        (swap(rows(), 1, 0, "20240101"), "row 1: ts 20240101 is too small for epoch seconds"),
        (
            swap(rows(), 4, 0, str(START + 2 * 3_600)),
            "row 4 (2024-01-01 02:00 UTC): f: the same time as row 3",
        ),
        (rows()[::-1], "row 2 (2024-01-03 00:00 UTC): f: earlier than row 1; sort the file"),
        (rows()[:20] + rows()[21:], "row 21 (2024-01-01 21:00 UTC): f: 1 1h candle missing after row 20"),
        (rows()[:20] + rows()[23:], "f: 3 1h candles missing after row 20 (2024-01-01 19:00 UTC)"),
        (rows(9, 900), "candles 15m apart; known frames are 1h, 4h, 1d"),
        (rows(9, 7 * 86_400), "candles 7d apart"),
        (rows(1), "row 1 (2024-01-01 00:00 UTC): f: a single candle"),
        (rows(9, start=START + 3_599), "opens on a whole 1h of UTC"),
        (rows(9, 86_400, START + 5 * 3_600), "opens on a whole 1d of UTC"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, lines, expected):
    assert expected in refusal(write(tmp_path / "f.csv", lines))


def test_missing_columns_come_with_a_suggestion(tmp_path):
    path = write(tmp_path / "f.csv", rows(), HEADER.replace("volume", "volumen"))
    assert "no column 'volume'" in refusal(path) and "Did you mean 'volumen'?" in refusal(path)
    assert "no column 'ts'" in refusal(write(tmp_path / "f.csv", rows(), HEADER.replace("ts", "when")))
    assert "2 columns are called 'open'" in refusal(write(tmp_path / "f.csv", rows(), HEADER + ",Open"))
    assert "add a header" in refusal(write(tmp_path / "f.csv", rows()[1:], rows()[0]))


def test_files_that_are_no_table(tmp_path):
    for name, data, expected in (
        ("a.csv", b"", "is empty"),
        ("a.csv.gz", b"not gzip", "cannot be read"),
        ("a.csv.gz", gzip.compress(b"ts,open\n1,2\n")[:-6], "cannot be read"),
        ("a.parquet", b"not parquet", "cannot be read"),
        ("a.csv", b"ts,open\n1,2,3,4\n", "cannot be read"),
        ("a.csv", b"\xff\xfe\x00ts", "a.csv"),
        ("a.xlsx", b"PK", "not a .parquet or .csv file"),
    ):
        path = tmp_path / name
        path.write_bytes(data)
        assert expected in refusal(path)


def test_an_open_candle_is_refused(tmp_path):
    path = write(tmp_path / "f.csv", rows(10))
    close = START + 10 * 3_600
    assert load(path, now=close).series("f.csv", "f", "1h").n == 10
    message = refusal(path, now=close - 1)
    assert "row 10" in message and "closes at 2024-01-01 10:00 UTC, after now (2024-01-01 09:59 UTC)" in message


def bundled(symbol, frame="1h", venue="bybit"):
    data = pl.read_parquet(BUNDLED / f"{venue}_linear_{frame}.parquet")
    return data.filter(pl.col("symbol") == symbol).head(2_000)


@pytest.mark.parametrize("symbol", ["BTCUSDT", "ETHUSDT"])
def test_turnover_in_the_volume_column(tmp_path, symbol):
    data = bundled(symbol)
    data.write_parquet(tmp_path / "v.parquet")
    load(tmp_path / "v.parquet")
    wrong = data.with_columns(volume=pl.col("volume") * pl.col("close"))
    if symbol == "BTCUSDT":  # 2020: the market was small; make it today's
        wrong = wrong.with_columns(volume=pl.col("volume") * 50)
    wrong.write_parquet(tmp_path / "v.parquet")
    assert "volume seems to be turnover" in refusal(tmp_path / "v.parquet")


def test_a_turnover_column_settles_it(tmp_path):
    data = bundled("XRPUSDT").with_columns(turnover=pl.col("volume") * (pl.col("high") + pl.col("low")) / 2)
    path = tmp_path / "v.parquet"
    data.write_parquet(path)
    load(path)
    data.with_columns(volume=pl.col("turnover")).write_parquet(path)
    assert "row 1 (2021-05-13 09:00 UTC): XRPUSDT: turnover / volume is 1, outside" in refusal(path)


def test_no_bundled_market_looks_like_turnover(tmp_path):
    for name in ("bybit_linear_1h", "bybit_linear_1d", "binance_linear_1d"):
        (tmp_path / "x.parquet").write_bytes((BUNDLED / f"{name}.parquet").read_bytes())
        load(tmp_path / "x.parquet")

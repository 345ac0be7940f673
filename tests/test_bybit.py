"""Fetching and freezing a market, from an exchange on this machine that can misbehave."""

import hashlib
import json
import logging
from pathlib import Path

import pytest

pytest.importorskip("pybit", reason="pybit is the client that is wrapped")

from bybit_server import DAY_MS, HOUR_MS, LISTED_MS, NOW_MS, BybitServer

from market import wire
from market.bybit import Exchange, Pace, fetch
from market.instruments import TABLE_END_S, instrument, instrument_of
from market.tape import load
from tapewright.errors import ConfigError, FileError, NetworkError, SourceError

PACE = Pace(requests_per_s=2_000, burst=100, attempts=4, first_delay_s=0.002, longest_delay_s=0.05, timeout_s=0.3)
RECORDED = Path(__file__).resolve().parents[2] / "shared" / "data" / "bybit_v5"
SINCE_S = 1_735_000_000
LISTED_S = LISTED_MS // 1_000
NOW_S = NOW_MS / 1_000


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")


@pytest.fixture
def server():
    with BybitServer() as running:
        yield running


@pytest.fixture
def exchange(server):
    return Exchange(server.url, pace=PACE)


def freeze(server, path, symbols=("BTCUSDT",), frames=("1h",), since=SINCE_S, until=None, **more):
    return fetch(symbols, frames, since, until, path, endpoint=server.url, pace=PACE, **more)


def test_a_snapshot_is_a_tape(server, tmp_path):
    path = freeze(server, tmp_path / "now.parquet", ["SOLUSDT", "BTCUSDT"], ["1d", "1h"], LISTED_S)
    tape = load(path)
    assert tape.symbols() == [("bybit", "BTCUSDT"), ("bybit", "SOLUSDT")]
    assert tape.frames("bybit", "SOLUSDT") == ("1h", "4h", "1d")
    assert tape.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    hourly = tape.series("bybit", "BTCUSDT", "1h")
    assert hourly.opened[0] == LISTED_S
    assert hourly.close_time(hourly.n - 1) == NOW_MS // HOUR_MS * 3_600
    assert hourly.n == (NOW_MS - LISTED_MS) // HOUR_MS > 2_000, "needs several pages"
    daily = tape.series("bybit", "BTCUSDT", "1d")
    assert daily.close_time(daily.n - 1) == NOW_MS // DAY_MS * 86_400
    assert daily.value("high", 3) == max(hourly.columns["high"][72:96])

    stamps, rates = tape.funding("BTCUSDT")
    assert stamps[-1] == NOW_MS // (8 * HOUR_MS) * 8 * 3_600 and len(stamps) == len(rates) > 200
    assert tape.funding_as_of("SOLUSDT", NOW_S)[2] is not None
    meta = tape.meta
    assert meta["instruments"]["BTCUSDT"] | {"tick": "0.1", "lot": "0.001"} == meta["instruments"]["BTCUSDT"]
    assert meta["instruments"]["BTCUSDT"]["funding_interval_h"] == 8.0
    assert meta["tickers"]["SOLUSDT"]["change_24h_pct"] == 1.25
    assert [tier["max_leverage"] for tier in meta["risk_tiers"]["BTCUSDT"]] == [100, 50, 25]
    assert len(meta["order_books"]["BTCUSDT"]["bids"]) == 25
    assert meta["fetched_ms"] == NOW_MS // 1_000 * 1_000


def test_a_snapshot_brings_its_instruments(server, tmp_path):
    tape = load(freeze(server, tmp_path / "x.parquet", ["BTCUSDT", "SOLUSDT"]))
    btc, sol = (instrument_of(tape, "bybit", symbol) for symbol in ("BTCUSDT", "SOLUSDT"))
    assert btc.source == "fetched" == btc.tiers[0].source and btc.max_leverage == 100
    assert (btc.tick(1_600_000_000), btc.tick(NOW_S), btc.lot) == ("0.5", "0.1", "0.001")
    assert btc.tier(3_000_000).maintenance_rate == 0.01
    assert sol.ticks == ("0.005", "0.001", "0.01") and sol.lot == "0.1"
    tape.meta["instruments"]["SOLUSDT"]["tick"] = "0.05"
    assert instrument_of(tape, "bybit", "SOLUSDT").tick(TABLE_END_S) == "0.05"
    tape.meta["instruments"]["NEWUSDT"] = tape.meta["instruments"]["SOLUSDT"]
    assert instrument_of(tape, "bybit", "NEWUSDT").tick(0) == "0.05"
    assert instrument_of(load(), "bybit", "BTCUSDT") is instrument("bybit", "BTCUSDT")


def test_the_same_market_freezes_to_the_same_bytes(server, tmp_path):
    first = freeze(server, tmp_path / "a.parquet").read_bytes()
    assert freeze(server, tmp_path / "b.parquet").read_bytes() == first
    (tmp_path / "a.parquet").write_bytes(b"an older one")
    freeze(server, tmp_path / "a.parquet")
    assert (tmp_path / "a.parquet").read_bytes() == first
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]


def test_only_what_lies_between_the_dates(server, tmp_path):
    until = SINCE_S + 50 * 3_600
    series = load(freeze(server, tmp_path / "x.parquet", until=until)).series("bybit", "BTCUSDT", "1h")
    assert series.opened[0] >= SINCE_S > series.opened[0] - 3_600
    assert series.close_time(series.n - 1) <= until < series.close_time(series.n - 1) + 3_600


def test_short_pages_are_followed(server, exchange):
    whole = exchange.klines("BTCUSDT", "1h", LISTED_MS, NOW_MS, NOW_MS)
    prints = exchange.funding("BTCUSDT", LISTED_MS, NOW_MS, NOW_MS)
    interest = exchange.open_interest("BTCUSDT", LISTED_MS, NOW_MS, NOW_MS)
    server.page_limit, server.filler = 70, 600
    assert exchange.klines("BTCUSDT", "1h", LISTED_MS, NOW_MS, NOW_MS) == whole
    assert exchange.funding("BTCUSDT", LISTED_MS, NOW_MS, NOW_MS) == prints
    assert exchange.open_interest("BTCUSDT", LISTED_MS, NOW_MS, NOW_MS) == interest
    assert len(interest) == 90 and interest[0][1] > 2_000, "both sides added up"
    assert len(exchange.instruments()) == 602
    assert all("endTime" in query for query in server.called("funding/history"))


def test_the_cache_answers_for_what_cannot_change(server, tmp_path):
    cache = tmp_path / "cache"
    first = freeze(server, tmp_path / "a.parquet", since=LISTED_S, cache_dir=cache).read_bytes()
    asked = len(server.called("kline")), len(server.called("funding/history"))
    server.requests.clear()
    assert freeze(server, tmp_path / "b.parquet", since=LISTED_S, cache_dir=cache).read_bytes() == first
    again = len(server.called("kline")), len(server.called("funding/history"))
    assert again[0] < asked[0] / 2 and again[1] < asked[1]
    assert server.called("tickers") and server.called("orderbook"), "these are never kept"

    for entry in cache.rglob("*.json"):
        assert "token" not in entry.read_text()
        entry.write_bytes(entry.read_bytes()[:40])  # torn by a crash
    assert freeze(server, tmp_path / "c.parquet", since=LISTED_S, cache_dir=cache).read_bytes() == first


def test_the_cache_keeps_nothing_that_may_still_grow(server, tmp_path):
    cache = tmp_path / "cache"

    def ends():
        exchange = Exchange(server.url, cache, PACE)
        span = ("BTCUSDT", LISTED_MS - 400 * DAY_MS, server.now_ms, server.now_ms)
        candles = exchange.klines("BTCUSDT", "1h", *span[1:])
        return len(candles), len(exchange.funding(*span)), len(exchange.open_interest(*span))

    before = ends()
    assert not [e for e in cache.rglob("*.json") if not json.loads(e.read_bytes())["result"]["list"]]
    server.now_ms += 40 * HOUR_MS
    assert ends() == (before[0] + 40, before[1] + 5, before[2] + 1)


def test_pages_before_the_listing_are_not_all_asked_for(server, exchange):
    exchange.klines("BTCUSDT", "1h", 0, NOW_MS, NOW_MS)
    exchange.funding("BTCUSDT", 0, NOW_MS, NOW_MS)
    exchange.open_interest("BTCUSDT", 0, NOW_MS, NOW_MS)
    assert len(server.requests) < 20


def test_an_interrupted_fetch_goes_on_from_the_cache(server, tmp_path):
    cache, path = tmp_path / "cache", tmp_path / "a.parquet"
    server.misbehave("403", after=4)
    with pytest.raises(NetworkError):
        freeze(server, path, since=LISTED_S, cache_dir=cache)
    assert not path.exists()
    done = len(list(cache.rglob("*.json")))
    assert done >= 1
    server.requests.clear()
    freeze(server, path, since=LISTED_S, cache_dir=cache)
    assert len(server.called("kline")) <= 5 - done + 1


@pytest.mark.parametrize("kind", ["10006", "10006 past", "10016", "429", "500", "slow", "not json", "no result"])
def test_what_passes_is_tried_again(server, exchange, kind):
    server.misbehave(kind, times=2)
    assert exchange.server_time() == NOW_MS // 1_000 * 1_000
    assert len(server.requests) == 3


@pytest.mark.parametrize("kind", ["10006 past", "500", "not json", "slow"])
def test_what_does_not_pass_ends(server, exchange, kind):
    server.slow_s = 0.35
    server.misbehave(kind, times=50)
    with pytest.raises(NetworkError, match=r"did not answer server_time usefully in 4 attempts \(last: "):
        exchange.server_time()
    assert len(server.requests) == PACE.attempts


@pytest.mark.parametrize(
    "kind,error,words",
    [
        ("403", NetworkError, "HTTP 403.*wait ten minutes"),
        ("404", NetworkError, "HTTP 404; is the endpoint right"),
        ("10001", SourceError, r"refused server_time: params error \(10001\)"),
    ],
)
def test_what_asking_again_cannot_mend_is_asked_once(server, exchange, kind, error, words):
    server.misbehave(kind)
    with pytest.raises(error, match=words) as caught:
        exchange.server_time()
    assert len(server.requests) == 1 and "\n" not in str(caught.value)


def test_nobody_there(tmp_path):
    with BybitServer() as gone:
        url = gone.url
    with pytest.raises(NetworkError, match="ConnectionError"):
        fetch(["BTCUSDT"], ["1h"], SINCE_S, None, tmp_path / "x.parquet", endpoint=url, pace=PACE)


def test_empty_strings(server, exchange, tmp_path):
    server.empty = {"bid1Price", "fundingRate", "nextFundingTime", "minNotionalValue"}
    ticker = exchange.ticker("BTCUSDT")
    assert ticker["bid"] is None and ticker["funding_rate"] is None and ticker["mark"] > 0
    assert exchange.instruments()["BTCUSDT"]["min_notional_usdt"] is None
    with pytest.raises(SourceError, match="left 'fundingRate' empty in BTCUSDT funding at"):
        freeze(server, tmp_path / "x.parquet")
    server.empty = {"close"}
    with pytest.raises(SourceError, match="left 4 empty in BTCUSDT 1h candles, candle"):
        freeze(server, tmp_path / "x.parquet")
    assert list(tmp_path.iterdir()) == []


def test_a_gap_is_refused(server, tmp_path):
    server.missing = {1_735_020_000_000}
    with pytest.raises(SourceError, match="BTCUSDT 1h candles have a gap after 1735016400000"):
        freeze(server, tmp_path / "x.parquet")


@pytest.mark.parametrize("percent", [True, False])
def test_the_unit_of_the_maintenance_rate_is_found(server, exchange, percent):
    server.percent_tiers = percent
    tiers = exchange.risk_tiers("BTCUSDT")
    assert [tier["maintenance_rate"] for tier in tiers] == [0.005, 0.01, 0.02]
    assert [tier["deduction_usdt"] for tier in tiers] == [0.0, 10_000.0, 50_000.0]


def test_a_maintenance_rate_of_no_unit_is_refused():
    tier = {"riskLimitValue": "1000", "maxLeverage": "100", "maintenanceMargin": "0.0001"}
    with pytest.raises(SourceError, match="fit no unit beside leverages"):
        wire.tiers("BTCUSDT", [tier])


@pytest.mark.parametrize(
    "change,error,words",
    [
        ({"symbols": ["BTCUSD"]}, SourceError, "no linear contract 'BTCUSD'. Did you mean 'BTCUSDT'"),
        ({"symbols": []}, ConfigError, "no symbol"),
        ({"frames": []}, ConfigError, "no frame to fetch"),
        ({"frames": ["15m"]}, ConfigError, "no frame '15m'; known are 1h, 4h, 1d"),
        ({"until": SINCE_S - 1}, ConfigError, "until .* is not after since"),
        ({"until": LISTED_S - 9, "since": LISTED_S - 99}, SourceError, "no closed 1h candle of BTCUSDT"),
    ],
)
def test_what_cannot_be_fetched(server, tmp_path, change, error, words):
    with pytest.raises(error, match=words):
        freeze(server, tmp_path / "x.parquet", **change)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_is_not_there(server, tmp_path):
    with pytest.raises(FileError, match="create it first"):
        freeze(server, tmp_path / "no" / "x.parquet")
    assert not server.requests


def test_no_key_travels_and_no_handler_stays(server, tmp_path, monkeypatch, caplog):
    canary = "canary-5f1c"
    for name in ("BYBIT_API_KEY", "BYBIT_API_SECRET", "API_KEY", "API_SECRET"):
        monkeypatch.setenv(name, canary)
    logger = logging.getLogger("pybit._http_manager")
    before = list(logger.handlers)
    monkeypatch.setattr(logging.root, "handlers", [])  # pybit adds its own where there is none
    for _ in range(3):
        Exchange(server.url, pace=PACE)
    assert logger.handlers == before
    server.misbehave("10006")
    path = freeze(server, tmp_path / "x.parquet", cache_dir=tmp_path / "cache")
    assert all(canary not in str(request) for request in server.requests)
    assert not any(name.upper().startswith("X-BAPI") for *_, sent in server.requests for name in sent)
    kept = [path, *(tmp_path / "cache").rglob("*.json")]
    assert all(canary.encode() not in file.read_bytes() for file in kept)
    assert canary not in caplog.text


def test_requests_keep_to_the_pace(server):
    import time

    exchange = Exchange(server.url, pace=Pace(requests_per_s=50, burst=2, timeout_s=1))
    start = time.monotonic()
    for _ in range(12):
        exchange.server_time()
    assert time.monotonic() - start >= 10 / 50 * 0.95


def shape(value):
    """Key sets and JSON types, lists by their first element."""
    if isinstance(value, dict):
        return {key: shape(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return type(value).__name__


@pytest.mark.parametrize(
    "recording,endpoint,query",
    [
        ("time__0", "time", {}),
        ("kline__0", "kline", {"symbol": "BTCUSDT", "interval": "60"}),
        ("history-fund-rate__0", "funding/history", {"symbol": "BTCUSDT"}),
        ("open-interest__0", "open-interest", {"symbol": "BTCUSDT"}),
        ("orderbook__0", "orderbook", {"symbol": "BTCUSDT"}),
        ("tickers__0", "tickers", {"symbol": "BTCUSDT"}),
    ],
)
def test_our_exchange_speaks_as_the_real_one(server, recording, endpoint, query):
    if not RECORDED.is_dir():
        pytest.skip("the recorded example answers are not on this machine")
    theirs = json.loads((RECORDED / f"market__{recording}.json").read_text())
    assert shape(server.answer(endpoint, {"category": "linear", **query})) == shape(theirs)


def test_our_instruments_share_what_spot_and_options_share(server):
    """No linear answer was recorded: what both recorded kinds have, ours has, in the same types."""
    if not RECORDED.is_dir():
        pytest.skip("the recorded example answers are not on this machine")
    option, spot = (
        json.loads((RECORDED / f"market__instrument__{n}.json").read_text())["result"]["list"][0] for n in (1, 2)
    )
    ours = server.answer("instruments-info", {"category": "linear"})["result"]["list"][0]
    for key in option.keys() & spot.keys():
        assert type(ours[key]) is type(spot[key]), key
    for name in ("priceFilter", "lotSizeFilter"):
        for key in option[name].keys() & spot[name].keys():
            assert type(ours[name][key]) is type(spot[name][key]), key

"""Fetch a market from Bybit's public interface and freeze it to one snapshot file.

Only public endpoints are called and no key is ever read, passed or stored. Waiting and trying
again is done here, not by pybit, whose own retries sleep a negative time when a limit's reset has
passed, never retry an HTTP error, and retry a time-out only on request.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from market import wire
from market.candles import FRAME_SECONDS
from market.snapshot import Rows, check_run, freeze, write_whole
from tapewright.errors import ConfigError, FileError, NetworkError, SourceError, suggest

INTERVALS = {"1h": "60", "4h": "240", "1d": "D"}
CACHE_VERSION = 1
KLINE_PAGE, FUNDING_PAGE, INTEREST_PAGE, INSTRUMENT_PAGE = 1_000, 200, 200, 1_000
FUNDING_WINDOW_MS = 50 * 86_400_000  # 150 prints of eight hours: one page
SETTLED_MS = 3_600_000  # what is older than this is not corrected any more
DAY_MS = 86_400_000

_RATE_LIMITED = 10006
_BUSY = {-1, 429, 10000, 10002, 10016, 10429}
_BARRED = {10009, 10024, 10027}


@dataclass(frozen=True, slots=True)
class Pace:
    """How hard to knock. Bybit allows 600 requests in 5 s per address; the default is a sixth."""

    requests_per_s: float = 20.0
    burst: int = 20
    attempts: int = 6
    first_delay_s: float = 0.5
    longest_delay_s: float = 30.0
    timeout_s: float = 10.0


class _Again(Exception):
    """An answer worth asking for once more, and how long to wait at least."""

    def __init__(self, reason: str, wait_s: float = 0.0):
        super().__init__(reason)
        self.wait_s = wait_s


class Exchange:
    """Bybit's linear market endpoints as plain numbers. Times in and out are epoch milliseconds.

    Every method raises NetworkError after `pace.attempts` useless answers, SourceError for an
    answer that cannot be used or a request Bybit refuses.
    """

    def __init__(self, endpoint: str | None = None, cache_dir: str | Path | None = None, pace: Pace | None = None):
        self.pace = pace or Pace()
        self.cache_dir = Path(cache_dir) if cache_dir is not None else None
        self._http = _open_session(endpoint, self.pace.timeout_s)
        self._random = Random()  # spreads the retries of several clients; no row depends on it
        self._tokens, self._refilled = float(self.pace.burst), time.monotonic()

    def server_time(self) -> int:
        return int(wire.number(self._call("get_server_time"), "timeSecond", "server time")) * 1_000

    def klines(self, symbol: str, frame: str, since: int, until: int, now: int) -> list[list[float]]:
        """Candles opened from `since` and closed by `until` and by `now`, oldest first:
        [opened, open, high, low, close, volume in base coin, turnover in USDT]."""
        step = FRAME_SECONDS[frame] * 1_000
        where = f"{symbol} {frame} candles"
        candles: dict[int, list[float]] = {}
        for start, end in _windows(since, min(until, now), KLINE_PAGE * step):
            query = {"symbol": symbol, "interval": INTERVALS[frame], "start": start, "limit": KLINE_PAGE}
            rows = self._page_back("get_kline", query, "end", min(end, now), end, now, lambda row: row[0])
            for row in rows:
                candle = [wire.number(row, i, f"{where}, candle {row[0]}") for i in range(7)]
                candles[int(candle[0])] = [int(candle[0]), *candle[1:]]
            if candles and not rows:
                break  # a whole page of nothing, below something: the listing
        return [
            candles[at] for at in sorted(candles) if at >= since and at + step <= min(until, now)
        ]  # the last row served may be a candle still open

    def funding(self, symbol: str, since: int, until: int, now: int) -> list[list[float]]:
        """Prints in [since, until], oldest first: [stamp, rate as a fraction of position value]."""
        prints: dict[int, float] = {}
        for start, end in _windows(since, min(until, now), FUNDING_WINDOW_MS):
            # startTime alone is an error; with endTime it bounds the page.
            query = {"symbol": symbol, "startTime": start, "limit": FUNDING_PAGE}
            rows = self._page_back(
                *("get_funding_rate_history", query, "endTime", min(end, now), end, now),
                lambda row: row["fundingRateTimestamp"],
            )
            for row in rows:
                stamp = int(wire.number(row, "fundingRateTimestamp", f"{symbol} funding"))
                prints[stamp] = wire.number(row, "fundingRate", f"{symbol} funding at {stamp}")
            if prints and not rows:
                break
        return [[at, prints[at]] for at in sorted(prints) if since <= at <= until]

    def open_interest(self, symbol: str, since: int, until: int, now: int) -> list[list[float]]:
        """Daily open interest in base coin, oldest first: [stamp, both sides added up]."""
        values: dict[int, float] = {}
        for start, end in _windows(since, min(until, now), INTEREST_PAGE * DAY_MS):
            query = {"symbol": symbol, "intervalTime": "1d", "startTime": start, "endTime": min(end, now)}
            settled = end + SETTLED_MS < now
            rows = self._page_on("get_open_interest", query | {"limit": INTEREST_PAGE}, settled)
            for row in rows:
                stamp = int(wire.number(row, "timestamp", f"{symbol} open interest"))
                values[stamp] = wire.number(row, "openInterest", f"{symbol} open interest at {stamp}")
            if values and not rows:
                break
        return [[at, values[at]] for at in sorted(values) if since <= at <= until]

    def ticker(self, symbol: str) -> dict[str, float | None]:
        """Last, mark and index price, best quotes, funding and open interest; None where absent."""
        rows = wire.rows(self._call("get_tickers", {"category": "linear", "symbol": symbol}), "tickers")
        if not rows:
            raise SourceError(f"Bybit has no ticker of {symbol}; is it a linear contract that trades?")
        names = {
            **{"last": "lastPrice", "mark": "markPrice", "index": "indexPrice"},
            **{"bid": "bid1Price", "ask": "ask1Price", "funding_rate": "fundingRate"},
            **{"next_funding_ms": "nextFundingTime", "open_interest": "openInterest"},
            **{"funding_interval_h": "fundingIntervalHour", "funding_cap": "fundingCap"},
        }
        where = f"{symbol} ticker"
        ticker = {ours: wire.number(rows[0], theirs, where, absent=True) for ours, theirs in names.items()}
        change = wire.number(rows[0], "price24hPcnt", where, absent=True)
        return ticker | {"change_24h_pct": None if change is None else change * 100.0}

    def order_book(self, symbol: str, depth: int = 25) -> dict[str, Any]:
        """{"ts_ms", "bids", "asks"}: best first, [price, quantity in base coin]."""
        book = self._call("get_orderbook", {"category": "linear", "symbol": symbol, "limit": depth})
        sides = {
            name: [[wire.number(level, i, f"{symbol} order book") for i in (0, 1)] for level in book.get(key, [])]
            for name, key in (("bids", "b"), ("asks", "a"))
        }
        return {"ts_ms": int(book.get("ts", 0)), **sides}

    def instruments(self) -> dict[str, dict[str, Any]]:
        """Every linear contract by symbol: tick and lot as decimal strings, limits as numbers."""
        found = {}
        query = {"category": "linear", "limit": INSTRUMENT_PAGE}
        for row in self._page_on("get_instruments_info", query, settled=False):
            symbol = str(row.get("symbol"))
            sizes, where = row.get("lotSizeFilter", {}), f"{symbol} instrument"
            minutes = wire.number(row, "fundingInterval", where, absent=True)
            found[symbol] = {
                "base": row.get("baseCoin"),
                "status": row.get("status"),
                "tick": wire.step(row.get("priceFilter", {}), "tickSize", where),
                "lot": wire.step(sizes, "qtyStep", where),
                "min_notional_usdt": wire.number(sizes, "minNotionalValue", where, absent=True),
                "max_leverage": wire.number(row.get("leverageFilter", {}), "maxLeverage", where, absent=True),
                "funding_interval_h": minutes and minutes / 60.0,
            }
        return found

    def risk_tiers(self, symbol: str) -> list[dict[str, float]]:
        """Tiers by limit: limit_usdt, maintenance_rate (fraction), deduction_usdt, max_leverage."""
        rows = self._page_on("get_risk_limit", {"category": "linear", "symbol": symbol}, settled=False)
        rows = [row for row in rows if row.get("symbol") == symbol]
        return wire.tiers(symbol, sorted(rows, key=lambda row: wire.number(row, "riskLimitValue", symbol)))

    def _page_back(self, name: str, query: dict, bound: str, last: int, end: int, now: int, stamp: Callable) -> list:
        """Rows of one window, newest first, moving `bound` below the oldest row until none is left."""
        start = int(query.get("start") or query["startTime"])
        settled = end + SETTLED_MS < now
        rows: list = []
        while last >= start:
            page = wire.rows(self._call(name, {"category": "linear", **query, bound: last}, settled), name)
            stamps = [int(wire.number([stamp(row)], 0, name)) for row in page]
            if not stamps:
                break
            if max(stamps) > last:
                raise SourceError(f"Bybit answered {name} {bound}={last} with later rows ({max(stamps)})")
            rows += page
            last = min(stamps) - 1
        return rows

    def _page_on(self, name: str, query: dict, settled: bool) -> list[dict]:
        """Rows of every page a cursor leads to."""
        rows: list[dict] = []
        seen = {""}
        cursor: dict[str, str] = {}
        while True:
            result = self._call(name, {"category": "linear", **query, **cursor}, settled)
            rows += wire.rows(result, name)
            following = result.get("nextPageCursor") or ""
            if following in seen or not result.get("list"):
                return rows
            seen.add(following)
            cursor = {"cursor": following}

    def _call(self, name: str, query: dict | None = None, settled: bool = False) -> dict:
        """One answer's `result`; from the cache where it is `settled` and known."""
        query = query or {}
        entry = self._cache_entry(name, query) if settled and self.cache_dir else None
        if entry is not None:
            # A torn or foreign cache entry is no answer: ask again.
            with suppress(OSError, ValueError, KeyError, TypeError):
                return dict(json.loads(entry.read_bytes())["result"])
        result = self._ask(name, query)
        if entry is not None and result.get("list"):
            write_whole(entry, json.dumps({"name": name, "query": query, "result": result}).encode())
        return result

    def _ask(self, name: str, query: dict) -> dict:
        what = " ".join([name.removeprefix("get_"), str(query.get("symbol", ""))]).strip()
        for attempt in range(self.pace.attempts):
            self._take_token()
            try:
                return self._try(name, query, what)
            except _Again as again:
                reason = str(again)
                delay = min(self.pace.longest_delay_s, self.pace.first_delay_s * 2**attempt)
                delay = max(delay * self._random.uniform(0.5, 1.0), again.wait_s)
            if attempt + 1 < self.pace.attempts:
                time.sleep(min(delay, self.pace.longest_delay_s))
        raise NetworkError(
            f"Bybit did not answer {what} usefully in {self.pace.attempts} attempts"
            f" (last: {reason}); try again later, pages already fetched are kept in the cache folder"
        )

    def _try(self, name: str, query: dict, what: str) -> dict:
        from pybit.exceptions import FailedRequestError, InvalidRequestError
        from requests.exceptions import RequestException

        try:
            answer = getattr(self._http, name)(**query)
        except FailedRequestError as error:
            status, headers = error.status_code, error.resp_headers or {}
            if status == 403:
                raise NetworkError(
                    f"Bybit answered {what} with HTTP 403: too many requests from this address, or a"
                    " region it does not serve; wait ten minutes before trying again"
                ) from None
            if status == 409:  # pybit's own number for it
                raise _Again("an answer that is not JSON") from None
            if status == 429 or status >= 500:
                with suppress(KeyError, TypeError, ValueError):
                    raise _Again(f"HTTP {status}", float(headers["Retry-After"])) from None
                raise _Again(f"HTTP {status}") from None
            raise NetworkError(f"Bybit answered {what} with HTTP {status}; is the endpoint right?") from None
        except InvalidRequestError as error:
            code, said = error.status_code, str(error.message)[:200]
            if code == _RATE_LIMITED:
                raise _Again(f"rate limit, {said}", _until_reset(error.resp_headers or {})) from None
            if code in _BUSY:
                raise _Again(f"{said} ({code})") from None
            if code in _BARRED:
                raise NetworkError(f"Bybit does not serve this address: {said} ({code})") from None
            raise SourceError(f"Bybit refused {what}: {said} ({code}); check the symbol and the dates") from None
        except RequestException as error:
            raise _Again(type(error).__name__) from None
        except (ValueError, AttributeError, TypeError, KeyError):
            raise _Again("an answer that is not Bybit's") from None
        if not isinstance(answer, dict) or answer.get("retCode") != 0:
            raise _Again("an answer that is not Bybit's")
        if not isinstance(answer.get("result"), dict):
            raise _Again("an answer without a result")
        return answer["result"]

    def _take_token(self) -> None:
        rate, now = self.pace.requests_per_s, time.monotonic()
        self._tokens = min(float(self.pace.burst), self._tokens + (now - self._refilled) * rate)
        self._refilled = now
        if self._tokens < 1.0:
            time.sleep((1.0 - self._tokens) / rate)
            self._tokens, self._refilled = 1.0, time.monotonic()
        self._tokens -= 1.0

    def _cache_entry(self, name: str, query: dict) -> Path:
        key = json.dumps([CACHE_VERSION, self._http.endpoint, name, query], sort_keys=True)
        digest = hashlib.sha256(key.encode()).hexdigest()
        assert self.cache_dir is not None
        return self.cache_dir / digest[:2] / f"{digest}.json"


def fetch(
    symbols: Sequence[str],
    frames: Sequence[str],
    since: float,
    until: float | None,
    out_path: str | Path,
    cache_dir: str | Path | None = None,
    endpoint: str | None = None,
    pace: Pace | None = None,
    progress: Callable[[str], None] | None = None,
) -> Path:
    """Freeze linear contracts to a snapshot at `out_path`; return its path.

    `since` and `until` are epoch seconds; `until=None` means now by the exchange's clock. Holds
    candles that opened and closed between them, with a symbol's history starting where it was
    listed, and funding, daily open interest, instrument, tiers, ticker and order book. `cache_dir`
    keeps pages that cannot change, so an interrupted or later fetch asks only for the rest.
    """
    _check_request(symbols, frames, since, until)
    out_path = Path(out_path)
    if not out_path.parent.is_dir():
        raise FileError(f"no folder {str(out_path.parent)!r} for the snapshot; create it first")
    tell = progress or (lambda words: None)
    exchange = Exchange(endpoint, cache_dir, pace)
    now = exchange.server_time()
    first, last = int(since * 1_000), now if until is None else min(now, int(until * 1_000))

    tell("instruments")
    listed = exchange.instruments()
    for symbol in symbols:
        if symbol not in listed:
            raise SourceError(f"Bybit lists no linear contract {symbol!r}.{suggest(symbol, sorted(listed))}")
    parts: list[tuple[str, str, Rows]] = []
    meta: dict[str, Any] = {"venue": "bybit", "fetched_ms": now}
    meta |= {"since_ms": first, "until_ms": last}
    meta |= {"instruments": {}, "risk_tiers": {}, "tickers": {}, "order_books": {}}
    for symbol in sorted(set(symbols)):
        for frame in sorted(set(frames), key=FRAME_SECONDS.__getitem__):
            tell(f"{symbol} {frame}")
            candles = exchange.klines(symbol, frame, first, last, now)
            check_run(symbol, frame, candles)
            parts.append((frame, symbol, candles))
        tell(f"{symbol} funding")
        parts.append(("funding", symbol, exchange.funding(symbol, first, last, now)))
        parts.append(("open_interest", symbol, exchange.open_interest(symbol, first, last, now)))
        meta["instruments"][symbol] = listed[symbol]
        meta["risk_tiers"][symbol] = exchange.risk_tiers(symbol)
        meta["tickers"][symbol] = exchange.ticker(symbol)
        meta["order_books"][symbol] = exchange.order_book(symbol)
    freeze(out_path, parts, meta)
    return out_path


def _open_session(endpoint: str | None, timeout_s: float):
    from pybit.unified_trading import HTTP

    logger = logging.getLogger("pybit._http_manager")
    handlers = list(logger.handlers)
    # An empty set of retry codes would mean pybit's own; one that never comes means none.
    http = HTTP(timeout=timeout_s, max_retries=1, retry_codes={"none"}, log_requests=False)
    for handler in [handler for handler in logger.handlers if handler not in handlers]:
        logger.removeHandler(handler)  # each HTTP() adds one, and each would print every line again
    if endpoint:
        http.endpoint = endpoint.rstrip("/")
    return http


def _until_reset(headers: Any) -> float:
    """Seconds until the limit resets, 0 when that has passed or is not said."""
    try:
        return max(0.0, int(headers.get("X-Bapi-Limit-Reset-Timestamp")) / 1_000 - time.time())
    except (TypeError, ValueError):
        return 0.0


def _windows(since: int, until: int, size: int) -> Iterator[tuple[int, int]]:
    """Spans of `size` on a fixed grid, newest first: another fetch asks for the same ones."""
    start = (max(until, 1) - 1) // size * size
    while start + size > since and start >= 0:
        yield start, start + size - 1
        start -= size


def _check_request(symbols, frames, since, until) -> None:
    if not symbols:
        raise ConfigError("no symbol to fetch; name one, like BTCUSDT")
    if not frames:
        raise ConfigError(f"no frame to fetch; known are {', '.join(INTERVALS)}")
    for frame in frames:
        if frame not in INTERVALS:
            raise ConfigError(f"no frame {frame!r}; known are {', '.join(INTERVALS)}")
    if until is not None and until <= since:
        raise ConfigError(f"nothing to fetch: until ({until:g}) is not after since ({since:g}), epoch seconds")

"""A small exchange on this machine that speaks the v5 envelope, and misbehaves when told to.

Every value is made up here by arithmetic; nothing is copied from an exchange. Use it as

    with BybitServer() as server:
        fetch(..., endpoint=server.url)
        server.misbehave("429", times=2)
"""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
NOW_MS = 1_735_700_000_000  # 2025-01-01 02:53:20 UTC: the 1h, 4h and 1d candles are all open
LISTED_MS = 1_728_000_000_000  # 2024-10-04 00:00 UTC
STEPS_MS = {"60": HOUR_MS, "240": 4 * HOUR_MS, "D": 24 * HOUR_MS}
SYMBOLS = {"BTCUSDT": (60_000.0, "0.10", "0.001"), "SOLUSDT": (150.0, "0.010", "0.1")}
KINDS = ("10006", "10006 past", "10016", "10001", "403", "429", "500", "404", "slow", "not json", "no result")


class BybitServer:
    """`requests` holds (endpoint, parameters, headers) of every call, oldest first.

    `empty` names fields sent as "", `page_limit` caps a page below what is asked, `missing` holds
    candle stamps left out, `filler` is how many more contracts instruments-info lists.
    """

    def __init__(self):
        self.requests = []
        self.now_ms = NOW_MS
        self.empty = set()
        self.missing = set()
        self.page_limit = 10_000
        self.filler = 0
        self.percent_tiers = True
        self.slow_s = 0.6
        self._faults = []
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()

    def misbehave(self, kind, times=1, after=0):
        """Answer the next `times` calls, once `after` more were answered well, with a fault."""
        assert kind in KINDS, kind
        self._faults += [None] * after + [kind] * times

    def called(self, endpoint):
        return [query for name, query, _ in self.requests if name == endpoint]

    def _handler(self):
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                parts = urlsplit(self.path)
                name = parts.path.removeprefix("/v5/market/")
                query = dict(parse_qsl(parts.query, keep_blank_values=True))
                with outer._lock:
                    outer.requests.append((name, query, dict(self.headers)))
                    fault = outer._faults.pop(0) if outer._faults else None
                self._fault(fault) if fault else self._send(200, outer.answer(name, query))

            def _fault(self, kind):
                if kind in ("403", "429", "500", "404"):
                    headers = {"Retry-After": "0"} if kind == "429" else {}
                    self._send(int(kind), b"<html>no</html>", headers)
                elif kind == "not json":
                    self._send(200, b"<html>maintenance</html>")
                elif kind == "no result":
                    self._send(200, ["neither", "this"])
                elif kind == "slow":
                    time.sleep(outer.slow_s)
                    self._send(200, b"too late")
                else:
                    code, _, past = kind.partition(" ")
                    reset = time.time() + (-5 if past else 0.02)
                    headers = {"X-Bapi-Limit-Reset-Timestamp": str(int(reset * 1_000))}
                    said = {"10006": "Too many visits.", "10001": "params error"}.get(code, "Server error.")
                    self._send(200, envelope({}, int(code), said), headers)

            def _send(self, status, body, headers=None):
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                try:
                    self.send_response(status)
                    for name, value in (headers or {}).items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(data)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    pass  # the client has given up, as it should on a slow answer

            def log_message(self, *args):
                pass

        return Handler

    def answer(self, name, query):
        made = {
            "time": self._time,
            "kline": self._kline,
            "funding/history": self._funding,
            "open-interest": self._open_interest,
            "instruments-info": self._instruments,
            "risk-limit": self._risk_limit,
            "orderbook": self._orderbook,
            "tickers": self._tickers,
        }
        if name not in made:
            return envelope({}, 10017, "Route not found.")
        symbol = query.get("symbol")
        if symbol is not None and symbol not in SYMBOLS:
            return envelope({}, 10001, f"params error: symbol invalid {symbol}")
        return made[name](query)

    def _time(self, query):
        return envelope({"timeSecond": str(self.now_ms // 1_000), "timeNano": f"{self.now_ms}000000"})

    def _page(self, query, default, most):
        return min(int(query.get("limit", default)), most, self.page_limit)

    def _kline(self, query):
        step, symbol = STEPS_MS[query["interval"]], query["symbol"]
        first = max(int(query.get("start", 0)), LISTED_MS)
        last = min(int(query.get("end", self.now_ms)), self.now_ms)
        stamps = range(last // step * step, first - 1, -step)  # the newest may be a candle still open
        stamps = [at for at in stamps if at not in self.missing][: self._page(query, 200, 1_000)]
        rows = [[str(at), *(self._or_empty(n, v) for n, v in candle(symbol, at, step))] for at in stamps]
        return envelope({"symbol": symbol, "category": query["category"], "list": rows})

    def _funding(self, query):
        if "endTime" not in query and "startTime" in query:
            return envelope({}, 10001, "params error: endTime")
        step, first = 8 * HOUR_MS, max(int(query.get("startTime", 0)), LISTED_MS + 1)
        last = min(int(query.get("endTime", self.now_ms)), self.now_ms)
        stamps = range(last // step * step, first - 1, -step)
        rows = [
            {
                "symbol": query["symbol"],
                "fundingRate": self._or_empty("fundingRate", f"{(at // step * 37 % 23 - 7) * 0.00001:.6f}"),
                "fundingRateTimestamp": str(at),
            }
            for at in list(stamps)[: self._page(query, 200, 200)]
        ]
        return envelope({"category": query["category"], "list": rows})

    def _open_interest(self, query):
        step = 24 * HOUR_MS
        first = max(int(query.get("startTime", 0)), LISTED_MS)
        last = min(int(query.get("cursor", query.get("endTime", self.now_ms))), self.now_ms)
        stamps = list(range(last // step * step, first - 1, -step))
        page = stamps[: self._page(query, 50, 200)]
        rows = [
            {
                "openInterest": f"{2 * (1_000 + at // step % 97)}.00000000",
                "singleOpenInterest": f"{1_000 + at // step % 97}",
                "timestamp": str(at),
            }
            for at in page
        ]
        following = str(page[-1] - 1) if len(page) < len(stamps) else ""
        result = {"symbol": query["symbol"], "category": query["category"], "list": rows}
        return envelope(result | {"nextPageCursor": following})

    def _instruments(self, query):
        names = [f"COIN{n}USDT" for n in range(self.filler)] + list(SYMBOLS)
        names = [query["symbol"]] if "symbol" in query else names
        at = int(query.get("cursor") or 0)
        until = at + self._page(query, 500, 1_000)
        rows = [self._instrument(name) for name in names[at:until]]
        following = str(until) if until < len(names) else ""
        return envelope({"category": query["category"], "nextPageCursor": following, "list": rows})

    def _instrument(self, symbol):
        _, tick, lot = SYMBOLS.get(symbol, (1.0, "0.0001", "1"))
        return {
            "symbol": symbol,
            "contractType": "LinearPerpetual",
            "status": "Trading",
            "baseCoin": symbol.removesuffix("USDT"),
            "quoteCoin": "USDT",
            "settleCoin": "USDT",
            "launchTime": str(LISTED_MS),
            "deliveryTime": "0",
            "deliveryFeeRate": "",
            "priceScale": "2",
            "leverageFilter": {"minLeverage": "1", "maxLeverage": "100.00", "leverageStep": "0.01"},
            "priceFilter": {"minPrice": tick, "maxPrice": "1999999.80", "tickSize": tick},
            "lotSizeFilter": {
                "maxOrderQty": "1190.000",
                "minOrderQty": lot,
                "qtyStep": lot,
                "minNotionalValue": self._or_empty("minNotionalValue", "5"),
            },
            "unifiedMarginTrade": True,
            "fundingInterval": 480,
            "displayName": "",
        }

    def _risk_limit(self, query):
        unit = 100 if self.percent_tiers else 1
        rows = [
            {
                "id": number,
                "symbol": query["symbol"],
                "riskLimitValue": str(limit),
                "maintenanceMargin": f"{rate * unit:g}",
                "initialMargin": f"{unit / leverage:g}",
                "isLowestRisk": int(number == 1),
                "maxLeverage": f"{leverage}.00",
                "mmDeduction": "" if number == 1 else str(deduction),
            }
            for number, limit, rate, leverage, deduction in (
                (1, 2_000_000, 0.005, 100, 0),
                (2, 4_000_000, 0.01, 50, 10_000),
                (3, 9_000_000, 0.02, 25, 50_000),
            )
        ]
        return envelope({"category": query["category"], "list": rows, "nextPageCursor": ""})

    def _orderbook(self, query):
        price, depth = SYMBOLS[query["symbol"]][0], int(query.get("limit", 25))
        sides = {
            side: [[f"{price + sign * (n + 1) / 2:.2f}", f"{(n * 7 % 5 + 1) / 10}"] for n in range(depth)]
            for side, sign in (("b", -1), ("a", 1))
        }
        times = {"ts": self.now_ms, "u": 4_711, "seq": 815, "cts": self.now_ms - 9}
        return envelope({"s": query["symbol"], **sides, **times})

    def _tickers(self, query):
        price = SYMBOLS[query["symbol"]][0]
        row = dict.fromkeys(TICKER_FIELDS, "") | {
            "symbol": query["symbol"],
            "lastPrice": f"{price:.2f}",
            "indexPrice": f"{price * 1.0001:.2f}",
            "markPrice": f"{price * 1.0002:.2f}",
            "bid1Price": f"{price - 0.5:.2f}",
            "ask1Price": f"{price + 0.5:.2f}",
            "price24hPcnt": "0.0125",
            "openInterest": "2345.6",
            "fundingRate": "0.0001",
            "nextFundingTime": str(self.now_ms // (8 * HOUR_MS) * 8 * HOUR_MS + 8 * HOUR_MS),
            "fundingIntervalHour": "8",
            "fundingCap": "0.005",
        }
        row |= dict.fromkeys(self.empty & row.keys(), "")
        return envelope({"category": query["category"], "list": [row]})

    def _or_empty(self, name, value):
        return "" if name in self.empty else value


TICKER_FIELDS = [
    "symbol",
    "lastPrice",
    "indexPrice",
    "markPrice",
    "prevPrice24h",
    "price24hPcnt",
    "highPrice24h",
    "lowPrice24h",
    "prevPrice1h",
    "openInterest",
    "openInterestValue",
    "turnover24h",
    "volume24h",
    "fundingRate",
    "nextFundingTime",
    "predictedDeliveryPrice",
    "basisRate",
    "deliveryFeeRate",
    "deliveryTime",
    "ask1Size",
    "bid1Price",
    "ask1Price",
    "bid1Size",
    "basis",
    "preOpenPrice",
    "preQty",
    "curPreListingPhase",
    "fundingIntervalHour",
    "basisRateYear",
    "fundingCap",
]


def envelope(result, code=0, said="OK"):
    return {"retCode": code, "retMsg": said, "result": result, "retExtInfo": {}, "time": NOW_MS}


def candle(symbol, at, step):
    """Named prices of one candle: those of its hours, so that longer frames agree with shorter."""
    base = SYMBOLS[symbol][0]
    hours = range(at // HOUR_MS, (at + step) // HOUR_MS)

    def price(hour):
        return base * (1 + (hour * 7_919 % 211 - 105) / 10_000)

    edges = [price(hour) for hour in (*hours, hours[-1] + 1)]
    volume = sum(100 + hour * 31 % 17 for hour in hours)
    values = {
        "open": edges[0],
        "high": max(edges) * 1.001,
        "low": min(edges) * 0.999,
        "close": edges[-1],
        "volume": volume,
        "turnover": volume * sum(edges) / len(edges),
    }
    return [(name, f"{value:.4f}") for name, value in values.items()]

"""Tape facts derived again: the one check that looks past the text, at the candles themselves.

A row's key (venue, symbol, as_of, price factor) leads to a closed candle; every framed fact that is
a tape column is computed anew, scaled, quantised and compared. It finds what no reader of the row
can see: facts and text altered together.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from market import instruments
from market.candles import FRAME_SECONDS, Tape
from market.columns import quantise_column, scaled
from market.quantity import decimals_of, quantise
from tapewright.errors import SourceError
from tapewright.findings import Finding
from validators.rules import declare

AGAINST_TAPE = declare(
    "N014", "fact disagrees with the tape",
    "A fact that came from the market is not what the candles give at the row's moment.",
    "Facts and text can be altered together; only the tape can tell.",
    "",
    "",
)  # fmt: skip


def check_tape(
    facts: Mapping[str, Any], tape: Tape, provenance: Mapping[str, Any] | None = None
) -> tuple[int, list[Finding]]:
    """(facts compared, findings) for one row. Rows without a moment compare nothing."""
    if not facts.get("as_of") or not facts.get("symbol"):
        return 0, []
    venue, symbol, factor = facts["venue"], facts["symbol"], float(facts.get("price_factor", 1.0))
    try:
        moment = int(datetime.strptime(facts["as_of"], "%Y-%m-%d %H:%M UTC").replace(tzinfo=UTC).timestamp())
        frames = tape.frames(venue, symbol)
    except (ValueError, SourceError) as error:
        return 0, [Finding(AGAINST_TAPE, f"cannot find {venue} {symbol} at {facts['as_of']!r}: {error}", field="facts")]
    findings: list[Finding] = []
    compared = 0
    tick = str(facts.get("tick", "0.01"))
    for name, stated in facts.items():
        base, _, frame = name.partition("@")
        if base == "mark" and not frame:
            base, frame = "close", str(facts.get("mark_frame", "1h"))
        if not frame or frame not in FRAME_SECONDS or not isinstance(stated, (int, float)):
            continue
        if frame not in frames:
            continue
        series = tape.series(venue, symbol, frame)
        if base not in series.columns:
            continue
        index = series.index_as_of(moment)
        if index < 0:
            findings.append(Finding(AGAINST_TAPE, f"no closed {frame} candle at {facts['as_of']}", field="facts"))
            continue
        true = quantise_column(base, scaled(base, series.columns[base][index], factor), tick, decimals_of(tick))
        compared += 1
        if abs(true - stated) > 1e-9 * max(1.0, abs(true)):
            findings.append(Finding(AGAINST_TAPE, f"{name} is {true:g} on the tape, not {stated:g}", field="facts"))
    compared += _check_given(facts, tape, moment, provenance or {}, findings)
    return compared, findings


def _check_given(
    facts: Mapping[str, Any], tape: Tape, moment: int, provenance: Mapping[str, Any], findings: list[Finding]
) -> int:
    """Tick and funding, where they came from the tape."""
    compared = 0
    venue, symbol = facts["venue"], facts["symbol"]
    if facts.get("price_factor", 1.0) == 1.0 and "tick" in facts and instruments.known(venue, symbol):
        compared += 1
        if (tick := instruments.tick(venue, symbol, moment)) != str(facts["tick"]):
            findings.append(Finding(AGAINST_TAPE, f"the tick was {tick}, not {facts['tick']}", field="facts"))
    from_tape = (provenance.get("origin") or {}).get("tape", ())
    if "funding_rate" in facts and "funding_rate" in from_tape and (known := tape.funding_as_of(symbol, moment)):
        compared += 1
        if abs(quantise(known[1] * 100, 4) - facts["funding_rate"]) > 1e-9:
            findings.append(
                Finding(
                    AGAINST_TAPE, f"funding was {known[1] * 100:.4f}%, not {facts['funding_rate']:g}%", field="facts"
                )
            )
    return compared

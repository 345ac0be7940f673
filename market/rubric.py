"""The risk score, 1 to 10, as it is stated in a prompt, and how much of it each reading uses.

A = loss at a working stop (else the isolated margin) as per cent of equity.
B = room from stop to liquidation (without a stop, from the mark to liquidation) in daily ATR.
C = notional over equity.
Score = 1 + the highest band index, + 1 if two of A, B, C reach band 4, + 2 with no stop or a stop
beyond liquidation, + 1 if funding costs at least 1 % of margin a day; clipped to 1–10.
"""

from dataclasses import dataclass

LOSS_BANDS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0)
ROOM_BANDS = (4.0, 2.0, 1.0, 0.5, 0.25, 0.1)
EXPOSURE_BANDS = (0.5, 1.0, 2.0, 3.0, 5.0, 10.0)


def band(value: float, edges: tuple[float, ...]) -> int:
    """Index 0–6: how many edges `value` has reached; falling edges (room) count downwards."""
    if edges[0] < edges[-1]:
        return sum(value >= edge for edge in edges)
    return sum(value <= edge for edge in edges)


@dataclass(frozen=True, slots=True)
class Score:
    """The score and what drove it. `driver` is "loss", "room" or "exposure": the highest band, ties in that order."""

    score: int
    driver: str
    loss_band: int
    room_band: int
    exposure_band: int


def risk_score(
    loss_pct: float, room_atr: float | None, exposure: float, *,
    stop_works: bool, funding_pct_margin_day: float = 0.0,
) -> Score:  # fmt: skip
    """Score a position from its printed readings. `room_atr` None: no liquidation price (band 0)."""
    bands = (
        band(loss_pct, LOSS_BANDS),
        0 if room_atr is None else band(room_atr, ROOM_BANDS),
        band(exposure, EXPOSURE_BANDS),
    )
    top = max(bands)
    score = 1 + top + (sum(b >= 4 for b in bands) >= 2) + (0 if stop_works else 2) + (funding_pct_margin_day >= 1.0)
    driver = ("loss", "room", "exposure")[bands.index(top)]
    return Score(min(10, max(1, score)), driver, *bands)

"""The reader: what stands in a text, whoever wrote it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from validators.check import check_text
from validators.claims.equations import read_equations
from validators.claims.reader import read_claims

CASES = [
    ("Entry: 67,234.5 USDT", {"entry": 67234.5}),
    ("entry at 67,234.5, stop 66,100, target 69,500", {"entry": 67234.5, "stop": 66100.0, "target": 69500.0}),
    ("Stop 66,100 (1.69% below entry)", {"stop": 66100.0, "stop_gap_pct": 1.69}),
    ("The liquidation estimate is 61,020.5, 9.2% from the mark", {"liquidation": 61020.5, "liquidation_gap_pct": 9.2}),
    ("RSI(14) on the 4h chart is 72.3", {"rsi_14@4h": 72.3}),
    ("4h RSI(14): 72.3, daily RSI(14): 55.1", {"rsi_14@4h": 72.3, "rsi_14@1d": 55.1}),
    ("On 1d the close is 1.36% below the EMA(20)", {"ema_20_gap_pct@1d": -1.36}),
    ("Taker fee: 0.055%, slippage 0.02%", {"taker_fee": 0.055, "slippage": 0.02}),
    ("net reward/risk 1.84R after costs", {"net_reward_risk": 1.84}),
    ("Notional is 30k USDT, 3.0 times equity", {"notional": 30000.0, "exposure": 3.0}),
    ("Funding rate: -0.0125%, settled every 8 h", {"funding_rate": -0.0125, "funding_interval_h": 8.0}),
    ("the 20-bar high of 69,000 on 4h", {"high_20@4h": 69000.0}),
    ("price fell: change 2.5% on the bar, 4h", {"change_pct@4h": -2.5}),
    ("position of 0.250 BTC at 10x leverage", {"size": 0.25, "leverage": 10.0}),
]


@pytest.mark.parametrize("text, expected", CASES, ids=[text[:40] for text, _ in CASES])
def test_numbers_find_their_kind(text, expected):
    found = {claim.key: claim.value for claim in read_claims(text)[0] if claim.decimals >= 0}
    assert {key: found.get(key) for key in expected} == expected


LABELS = [
    ("The trend on 4h is down.", ("trend@4h", "down")),
    ("A long with isolated margin.", ("side", "long")),
    ("No trade: the stop is too tight.", ("failed_gate", "tight")),
    ("The driver is the room to liquidation.", ("driver", "room")),
    ("Volume is heavy on 1d.", ("volume_state@1d", "heavy")),
]


@pytest.mark.parametrize("text, expected", LABELS)
def test_labels(text, expected):
    assert expected in {(claim.key, claim.value) for claim in read_claims(text)[0]}


@pytest.mark.parametrize(
    "text", ["In the long run", "a short paragraph", "no longer", "short of the target", "longs pay shorts"]
)
def test_words_that_are_no_direction(text):
    assert not [claim for claim in read_claims(text)[0] if claim.kind == "side"]


def test_periods_frames_dates_and_list_numbers_are_no_claims():
    text = "1. EMA(20) on the 4h chart\n2. MACD(12,26,9), 24h view, 2024-03-05 12:00 UTC"
    assert [claim.value for claim in read_claims(text)[0] if claim.decimals >= 0] == []


def test_json_keys_are_kinds():
    text = '{"score": 7, "driver": "room", "liquidation": 61020.5, "4h": {"rsi_14": 61.2}}'
    found = {claim.key: claim.value for claim in read_claims(text)[0]}
    assert found == {"score": 7.0, "driver": "room", "liquidation": 61020.5, "rsi_14@4h": 61.2}


EQUATIONS = [
    ("5,000 USDT × 1.5% = 75 USDT", True),
    ("5,000 USDT × 1.5% = 80 USDT", False),
    ("(101.2 − 98.0) ÷ 98.0 = 3.27%", True),
    ("(101.2 − 98.0) ÷ 98.0 = 3.28%", False),
    ("2 × sqrt(1.5) ÷ (1 + 1.5) − 1 = −2.02%", True),
    ("12 / 0 = 5", False),
    ("(1.02 ^ 12 − 1) = 26.8%", True),
    ("and 106.00 and (124.5 + 87.5) ÷ 2 = 106.00", True),
]


@pytest.mark.parametrize("text, holds", EQUATIONS)
def test_equations(text, holds):
    found = read_equations(text)
    assert [equation.holds for equation in found] == [holds]


@given(st.text(max_size=400))
def test_any_text_can_be_read(text):
    read_claims(text)
    read_equations(text)


@given(st.text(max_size=120), st.text(max_size=120), st.text(max_size=200))
def test_any_row_can_be_checked(instruction, data, output):
    check_text(instruction, data, output)


@given(st.floats(0.01, 1e6, allow_nan=False), st.integers(0, 4))
def test_a_number_is_read_as_it_is_printed(value, decimals):
    printed = f"{value:,.{decimals}f}"
    claim = next(c for c in read_claims(f"The stop is at {printed} USDT.")[0] if c.decimals >= 0)
    assert claim.value == float(printed.replace(",", "")) and claim.decimals == decimals

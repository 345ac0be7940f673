"""The sums people do in prose: each kind with right and wrong figures."""

import pytest

from validators.check import check_text

LIST = ("What is the mean return?", "Returns: 1.2%, -0.6%, 2.1%, 0.5%.")
TRADE = ("What did it make?", "Long 0.5 BTC, entry 60,000, stop 59,000, exit 62,000.")
SHORT = ("What did it make?", "Short 2 ETH, entry 3,000, stop 3,100, exit 3,050. Taker fee: 0.055%.")


def _codes(prompt, output):
    return {finding.code for finding in check_text(*prompt, output) if finding.code in _MINE}


_MINE = {"N008", "N015", "N016", "N017", "N018", "N019"}
_ASKED = ("What happened?", "Read the levels 60,000 and 63,000.")


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("BTC rose from 60,000 to 63,000, a gain of 5%.", ""),
        ("BTC rose from 60,000 to 63,000 (5.0%).", ""),
        ("BTC rose from 60,000 to 63,000, a gain of 4.8%.", "N015"),  # of the end
        ("BTC rose 5% from 60,000 to 63,000.", ""),
        ("BTC rose by 3% from 60,000 to 63,000.", "N015"),
        ("BTC rose about 5.3% from 60,000 to 63,000.", ""),
        ("BTC fell from 60,000 to 63,000.", "N015"),
        ("BTC fell from 63,000 to 60,000, down 4.7%.", ""),  # cut off, not rounded
        ("Revenue grew from $1.2m to $1.4m, up 17%.", ""),
        ("Revenue grew from 1.2 to 1.4 million, a rise of 20%.", ""),  # both ends are rounded
        ("Revenue grew from $1.2m to $1.4m, up 35%.", "N015"),
        ("Staff rose from 1990 to 2005.", ""),
        ("Inflation fell from 4% to 3%, a drop of 25%.", ""),
        ("Inflation rose from 4% to 3%.", "N015"),
        ("It moved from 60k to 63k, a 5% swing.", ""),
    ],
)
def test_changes(output, code):
    assert _codes(_ASKED, output) == ({code} if code else set())


@pytest.mark.parametrize(
    ("prompt", "output", "code"),
    [
        (LIST, "The mean return is 0.8%.", ""),
        (LIST, "The mean return is 1.1%.", "N016"),
        (LIST, "The median is 0.85%.", ""),
        (LIST, "The median is 0.8%.", ""),  # cut off
        (LIST, "The median of the four returns is 1.2%.", "N016"),
        (LIST, "The average of the winning trades is 1.27%.", ""),
        (LIST, "The average is (1.2 − 0.6 + 2.1 + 0.5) / 4 = 0.8%.", ""),
        (("Mean?", "Week one: 1, 2, 3. Week two: 4, 5, 9."), "The mean is 6.", ""),  # of the second list
        (LIST, "The highest average score is 2.1.", ""),
    ],
)
def test_averages(prompt, output, code):
    assert _codes(prompt, output) == ({code} if code else set())


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("Allocation: 50% bonds, 30% shares, 20% gold.", ""),
        ("Allocation: 50% bonds, 35% shares, 20% gold.", "N017"),
        ("Allocation: 33.3% bonds, 33.3% shares, 33.3% gold.", ""),
        ("Portfolio: 40% bonds, 30% shares, 10% gold and the rest in cash.", ""),
        ("The portfolio returned 40% in May, 30% in June and 10% in July.", ""),
    ],
)
def test_weights(output, code):
    assert _codes(("Split it.", "Three funds."), output) == ({code} if code else set())


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("The fee is 0.055% (5.5 bps).", ""),
        ("The fee is 0.055% (55 bps).", "N018"),
        ("That is 35 basis points, or 0.35%.", ""),
        ("That is 35 basis points, or 3.5%.", "N018"),
        ("It costs 0.06% (5.5 bp).", ""),
    ],
)
def test_units(output, code):
    assert _codes(("What is the fee?", "Taker fee 0.055%."), output) == ({code} if code else set())


@pytest.mark.parametrize(
    ("prompt", "output", "code"),
    [
        (TRADE, "The profit is 1,000 USDT, or 2R.", ""),
        (TRADE, "The profit is 2,000 USDT.", ""),  # per coin
        (TRADE, "The profit is 1,500 USDT.", "N019"),
        (TRADE, "It closed for +2R.", ""),
        (TRADE, "It closed for +3.1R.", "N019"),
        (SHORT, "The loss is 100 USDT before fees.", ""),
        (SHORT, "The loss is 106.65 USDT with fees.", ""),
        (SHORT, "The loss is 206 USDT.", "N019"),
    ],
)
def test_results(prompt, output, code):
    assert _codes(prompt, output) == ({code} if code else set())


def test_volume_is_never_negative():
    assert "N008" in _codes(("Read it.", "4h: volume 120.5 BTC."), "On the 4h chart volume was -120.5 BTC.")
    assert "N008" not in _codes(("Read it.", "4h: volume 120.5 BTC."), "On the 4h chart volume was 120.5 BTC.")

"""What only a whole file shows, and what its columns say against its texts."""

import orjson
import pytest

from tapewright import check
from tapewright.errors import ConfigError
from validators.balance.file import Balance
from validators.balance.word_bag import Sample, guess, label_of
from validators.command import run_validate
from validators.dataset import Options, load_rules

load_rules()


def _row(n, **changes):
    return {"instruction": f"Say number {n}.", "input": "", "output": f"It is number {n}, and no other."} | changes


def _metadata(**columns):
    row = {"instruction": "Good or bad for Acme?", "input": "Acme raised its outlook.", "output": "positive"}
    return [finding for finding in check([row | columns]).findings if finding.code == "B016"]


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ({"label": "positive"}, 0),
        ({"label": "Bullish"}, 0),
        ({"sentiment": "bearish"}, 1),
        ({"label": "3"}, 0),
        ({"side": "short"}, 0),
        ({"symbol": "BTCUSDT"}, 0),
        ({"symbol": "BTCUSDT", "input": "ETHUSDT closed higher."}, 1),
        ({"symbol": "BTC", "input": "BTCUSDT closed higher."}, 0),
        ({"ticker": "$ACME", "input": "$ACME raised its outlook."}, 0),
    ],
)
def test_columns_are_held_against_the_texts(columns, found):
    assert len(_metadata(**columns)) == found


def test_a_row_does_not_show_what_came_after_its_moment():
    row = {
        "instruction": "Read the chart.", "input": "4h (closed 2024-03-05 12:00 UTC): close 61,000.0, RSI(14) 61.2.",
        "output": "On the 4h chart RSI(14) is 61.2.", "as_of": "2024-03-05T08:00:00",
    }  # fmt: skip
    assert "B016" in check([row]).counts()
    assert "B016" not in check([row | {"as_of": "2024-03-05T12:00:00"}]).counts()


def test_rows_over_the_budget_are_counted():
    rows = [_row(n, output="word " * (400 if n % 4 == 0 else 4)) for n in range(80)]
    found = check(rows, Options(max_tokens=300)).findings
    (over,) = [finding for finding in found if finding.code == "B015"]
    assert over.message.startswith("20 rows (25.0%) have more than 300 tokens") and "estimated" in over.message
    assert over.line == 1
    assert "B015" not in check(rows).counts()


def test_a_tokenizer_counts_for_a_limit(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(orjson.dumps(_row(1)))
    given = {
        "shape": "", "tape": None, "no_facts": False, "report": (), "select": "", "ignore": "", "severity": None, "fail_on": None, "baseline": None,
        "update_baseline": False, "duplicates": False, "leakage": None, "workers": 1, "exit_zero": False,
    }  # fmt: skip
    with pytest.raises(ConfigError, match="give both"):
        run_validate((str(path),), max_tokens=0, tokenizer="t.json", **given)
    with pytest.raises(ConfigError, match="no tokenizer file"):
        run_validate((str(path),), max_tokens=9, tokenizer=str(tmp_path / "t.json"), **given)


def test_merged_counts_are_those_of_one_pass():
    from tapewright.shapes import from_record

    rows = [from_record(_row(n % 90, id=f"r{n % 120}", output="yes" if n % 3 else "no")) for n in range(300)]
    whole, parts = Balance(), Balance()
    for place in range(0, 300, 70):
        part = Balance()
        for line, row in enumerate(rows[place : place + 70], place + 1):
            part.add(row, line, None)
            whole.add(row, line, None)
        parts.merge(part)
    assert list(parts.finish()) == list(whole.finish()) != []


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("Positive.", "positive"),
        ('{"sentiment": "Bearish"}', "bearish"),
        ("one two three four", ""),
        ('{"a": 1}', ""),
        ("{", ""),
    ],
)
def test_label_of_an_answer(text, label):
    assert label_of(text) == label


def test_words_are_judged_on_templates_they_were_not_fitted_on():
    told = [
        Sample(-n, "up" if n // 40 % 2 else "down", n % 40, f"w{n % 40} {'rose' if n // 40 % 2 else 'fell'}")
        for n in range(400)
    ]
    right, base, words = guess(told) or (0, 0, [])
    assert right > 0.95 and base == pytest.approx(0.5, abs=0.1) and set(words[:2]) == {"rose", "fell"}
    learnt_by_heart = [Sample(-n, "up" if n % 40 < 20 else "down", n % 40, f"w{n % 40} said") for n in range(400)]
    right, base, _ = guess(learnt_by_heart) or (1, 0, [])
    assert right <= base + 0.1, "a word of one template says nothing about another"

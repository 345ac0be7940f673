"""Splits hold: every row is accounted for, windows never meet, groups stay whole, strata come out, nothing leaks."""

import json
import random
from collections import Counter
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from generators import outcomes
from tapewright.errors import ConfigError, RowError
from tapewright.inputs import read_items
from tapewright.rows import Row
from validators.splitting import window
from validators.splitting.deal import deal_groups
from validators.splitting.folds import TEST, TRAIN, assign_folds, pairs_of_folds
from validators.splitting.index import Index, read_index
from validators.splitting.plan import Plan, shares_of
from validators.splitting.split import split
from validators.splitting.stretches import NOWHERE, assign_stretches, keep_groups_whole
from validators.splitting.window import DAY_S, Spans, own_spans, read_moment

WORDS = [
    "river",
    "stone",
    "copper",
    "lantern",
    "meadow",
    "harbour",
    "violin",
    "pepper",
    "glacier",
    "candle",
    "orchard",
    "saddle",
    "marble",
    "thunder",
    "cotton",
]


def _text(number):
    rng = random.Random(number)
    return " ".join(rng.choice(WORDS) for _ in range(20)) + f" {number}"


def _row(number, **more):
    return {
        "id": f"r{number}",
        "instruction": "Describe this.",
        "input": _text(number),
        "output": _text(-number - 1),
    } | more


def _stamp(hours):
    return datetime.fromtimestamp(1_600_000_000 // DAY_S * DAY_S + hours * 3_600, UTC).strftime("%Y-%m-%d %H:%M UTC")


def _write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


def _read(path):
    return [item.record for item in read_items(str(path))]


def _index(moments, before=0, after=0, groups=None):
    moments = np.array(moments, dtype=np.int64)
    count = len(moments)
    groups = np.arange(count) if groups is None else np.array(groups)
    strata = np.zeros(count, dtype=np.int32)
    return Index(np.ones(count, bool), moments, moments - before, moments + after, groups, strata, [""], {})


# --- windows -------------------------------------------------------------------------------------


def test_default_window_covers_what_generated_rows_use():
    assert outcomes.HORIZON_BARS + 11 <= window.HORIZON_BARS  # a limit order waits at most 11 candles
    from market.candles import FUNDING_WINDOW_S

    assert window.FUNDING_S == FUNDING_WINDOW_S
    from generators.world import GROUP_SECONDS

    assert window.BLOCK_S == GROUP_SECONDS


def test_longest_memory_is_the_longest_window_of_any_indicator():
    """A value of long ago changes no finite window that reaches less far back."""
    from market.indicators import compute

    rng = np.random.default_rng(1)
    close = np.exp(np.cumsum(rng.normal(0, 0.01, 400)))
    candles = {"open": close, "high": close * 1.01, "low": close * 0.99, "close": close, "volume": np.ones(400)}
    spiked = {name: values.copy() for name, values in candles.items()}
    place = 399 - window.MEMORY_BARS
    spiked["high"][place] *= 1.05
    spiked["low"][place] /= 1.05
    plain, other = compute(candles, 24), compute(spiked, 24)
    assert plain["median_range_pct"][-1] == other["median_range_pct"][-1]
    for name in ("rsi_14", "atr_14", "adx_14", "bb_mid", "vol_20", "high_20", "low_20"):
        assert abs(plain[name][-1] / other[name][-1] - 1) < 0.02, name


@pytest.mark.parametrize(
    ("text", "facts", "days"),
    [
        ("On 4h: EMA(50) 61,000.", {}, (71 / 6, 50 / 6)),
        ("Daily ATR(14): 900", {}, (71, 14)),
        ("Nothing named.", {}, (71, 100)),
        ("1h close and 1d EMA(200)", {}, (71, 200)),
        ("x", {"frame": "4h", "median_range_pct@4h": 1.0, "ema_50@1d": 5.0}, (71 / 6, 50)),
        ("x", {"frame": "4h", "rsi_14@4h": 1.0, "funding_percentile": 5.0}, (71 / 6, 90)),
    ],
)
def test_windows_of_rows(text, facts, days):
    horizon, memory = own_spans(Row("Q", text, "A", "", "", facts=facts))
    assert (horizon / DAY_S, memory / DAY_S) == pytest.approx(days)


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("2024-01-02 03:00 UTC", 1704164400), ("2024-01-02T03:00:00Z", 1704164400), ("2024-01-02T05:00:00+02:00", 1704164400),
        ("2024-01-02", 1704153600), (1704164400, 1704164400), (1704164400000, 1704164400), ("", None), (None, None),
        (datetime(2024, 1, 2, 3, tzinfo=UTC), 1704164400), ("1704164400", 1704164400),
    ],
)  # fmt: skip
def test_moments(value, wanted):
    assert read_moment(value) == wanted


def test_what_is_no_moment_is_refused():
    for value in ("last Tuesday", "2024-13-01", True, [1]):
        with pytest.raises(RowError, match="not a time"):
            read_moment(value)


# --- stretches of time ---------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["time", "group", "random"])
def test_windows_of_two_splits_never_meet(by):
    for seed in range(30):
        rng = random.Random(seed)
        moments = sorted(rng.randrange(0, 1500) * DAY_S for _ in range(400))
        index = _index(moments, before=rng.randrange(40) * DAY_S, after=rng.randrange(40) * DAY_S)
        assigned = assign_stretches(index, Plan(by=by, seed=seed))
        spans = {}
        for number in range(3):
            inside = assigned == number
            assert inside.any()
            spans[number] = index.first[inside].min(), index.last[inside].max()
        ordered = sorted(spans.values())
        assert all(a[1] < b[0] for a, b in zip(ordered, ordered[1:])), spans
        blocks = {}
        for moment, number in zip(index.moment, assigned):
            if number != NOWHERE:
                blocks.setdefault(moment // (7 * DAY_S), set()).add(number)
        assert all(len(found) == 1 for found in blocks.values())
        shares = np.bincount(assigned[assigned != NOWHERE]) / (assigned != NOWHERE).sum()
        assert abs(shares - [0.8, 0.1, 0.1]).max() < 0.04
        if by == "time":
            assert spans[0] < spans[1] < spans[2]


def test_gap_is_purge_and_embargo():
    moments = [hour * 3_600 for hour in range(24 * 700)]
    index = _index(moments, before=10 * DAY_S, after=4 * DAY_S)
    assigned = assign_stretches(index, Plan(shares=(("train", 0.5), ("test", 0.5)), block_s=0))
    gap = index.moment[assigned == 1].min() - index.moment[assigned == 0].max()
    assert 14 * DAY_S < gap <= 14 * DAY_S + 2 * 3_600


def test_too_little_time_is_said():
    with pytest.raises(ConfigError, match="cannot hold 3 splits"):
        assign_stretches(_index([0, DAY_S * 8, DAY_S * 20], before=100 * DAY_S), Plan())


def test_divided_groups_keep_their_home():
    assigned = np.array([0, 0, 1, 1, 2, NOWHERE], dtype=np.int16)
    divided = keep_groups_whole(assigned, np.array([7, 7, 7, 8, 8, 7]))
    assert divided.tolist() == [2, 4]


# --- groups --------------------------------------------------------------------------------------


@pytest.mark.parametrize("drawn", [None, 1, 2])
def test_groups_stay_whole_and_strata_are_held(drawn):
    rng = random.Random(3)
    groups = np.array([rng.randrange(300) for _ in range(5_000)])
    strata = np.array([rng.randrange(4) for _ in range(5_000)], dtype=np.int32)
    index = Index(
        np.zeros(5_000, bool), *(np.zeros(5_000, np.int64) for _ in range(3)), groups, strata, list("abcd"), {}
    )
    rows = np.arange(5_000)
    home = deal_groups(index, rows, (("train", 0.8), ("val", 0.1), ("test", 0.1)), drawn=drawn)
    assert all(len(set(home[groups == group])) == 1 for group in range(300))
    assert abs(np.bincount(home) / 5_000 - [0.8, 0.1, 0.1]).max() < 0.01
    for number in range(3):
        part = np.bincount(strata[home == number], minlength=4) / (home == number).sum()
        assert abs(part - np.bincount(strata) / 5_000).max() < 0.04


def test_dealing_does_not_depend_on_the_order_of_rows():
    rng = np.random.default_rng(0)
    groups, strata = rng.integers(0, 80, 1000), rng.integers(0, 3, 1000).astype(np.int32)
    shuffled = rng.permutation(1000)

    def deal(order):
        index = Index(
            np.zeros(1000, bool),
            *(np.zeros(1000, np.int64) for _ in range(3)),
            groups[order],
            strata[order],
            list("abc"),
            {},
        )
        return deal_groups(index, np.arange(1000), (("train", 0.7), ("test", 0.3)))

    assert (deal(np.arange(1000))[shuffled] == deal(shuffled)).all()


# --- cross-validation against skfolio --------------------------------------------------------------


@pytest.mark.parametrize(("folds", "testing", "purge", "embargo"), [(4, 2, 0, 0), (5, 2, 3, 4), (6, 3, 5, 0), (6, 2, 0, 7), (10, 8, 2, 2)])  # fmt: skip
def test_folds_against_skfolio(folds, testing, purge, embargo):
    selection = pytest.importorskip("skfolio.model_selection", reason="skfolio is not installed")
    count, hour = 600, 3_600
    index = _index([n * hour for n in range(count)], before=embargo * hour, after=purge * hour)
    plan = Plan(folds=folds, test_folds=testing, block_s=0)
    fold = assign_folds(index, plan, np.arange(count))
    ours = {}
    for _, assigned, _ in pairs_of_folds(index, plan, fold):
        ours[tuple(np.flatnonzero(assigned == TEST).tolist())] = set(np.flatnonzero(assigned == TRAIN).tolist())

    def theirs(purged, embargoed):
        cv = selection.CombinatorialPurgedCV(folds, testing, purged_size=purged, embargo_size=embargoed)
        list(cv.split(np.zeros((count, 1))))
        marks = cv.index_train_test_
        return {
            tuple(np.flatnonzero(np.isin(np.arange(count) // (count // folds), chosen)).tolist()): set(np.flatnonzero(marks[:, n] == 0).tolist())
            for n, chosen in enumerate(cv.test_set_index)
        }  # fmt: skip

    # our purge and embargo hold on both sides of a test stretch, which is skfolio with all of it as purge
    assert ours == theirs(purge + embargo, 0)
    for key, train in theirs(purge, embargo).items():
        assert ours[key] <= train


def test_folds_cover_every_row_once():
    rng = random.Random(5)
    moments = sorted(rng.randrange(0, 900 * DAY_S) for _ in range(2_000))
    index = _index(moments, before=5 * DAY_S, after=3 * DAY_S)
    plan = Plan(folds=5)
    fold = assign_folds(index, plan, np.arange(2_000))
    tested = Counter()
    for _, assigned, purged in pairs_of_folds(index, plan, fold):
        tested.update(np.flatnonzero(assigned == TEST).tolist())
        assert len(purged) == (assigned == NOWHERE).sum()
        train, test = assigned == TRAIN, assigned == TEST
        for row in np.flatnonzero(train)[::37]:
            assert not ((index.first[test] <= index.last[row]) & (index.last[test] >= index.first[row])).any()
    assert set(tested.values()) == {1} and len(tested) == 2_000
    assert max(Counter(fold.tolist()).values()) < 2_000 / 5 * 1.15


# --- files ---------------------------------------------------------------------------------------


def _mixed(count=400):
    rows = []
    for number in range(count):
        if number % 2:
            rows.append(
                _row(number, as_of=_stamp(number * 24), task_type="dated", symbol=("BTC", "ETH")[number % 4 // 2])
            )
        else:
            rows.append(_row(number, group=f"g{number % 50}", task_type=("one", "two")[number % 3 == 0]))
    return rows


def test_every_row_is_accounted_for_and_unchanged(tmp_path):
    lines = [json.dumps(row, indent=None, separators=(", ", ":  ")) for row in _mixed()]
    lines[7] = '{"instruction": "cut'
    lines[8] = json.dumps(_row(8, as_of="last Tuesday"))
    source = tmp_path / "in.jsonl"
    source.write_text("\n".join(lines) + "\n")
    plan = Plan(purge_s=5 * DAY_S, embargo_s=5 * DAY_S, stratify=("task_type",))
    (result,), aside = split([str(source)], tmp_path / "out.jsonl", plan, None)
    written = [line for part in result.parts for line in part.path.read_text().splitlines()]
    listed = [json.loads(line) for line in aside.read_text().splitlines()]
    assert result.rows == 400 == len(written) + len(listed)
    assert sorted(written + [case["row"] for case in listed]) == sorted(lines)
    reasons = Counter(case["reason"] for case in listed)
    assert reasons == result.aside and reasons["unreadable"] == reasons["time unreadable"] == 1
    assert result.miss < 0.1 and "task" not in result.worst
    groups = [{row["group"] for row in _read(part.path) if "group" in row} for part in result.parts]
    assert not groups[0] & groups[1] and not groups[0] & groups[2] and not groups[1] & groups[2]


def test_the_same_bytes_again(tmp_path):
    source = _write(tmp_path / "in.jsonl", _mixed())
    plan = Plan(by="random", purge_s=DAY_S, embargo_s=DAY_S)
    first, second = ([part.path.read_bytes() for part in split([source], tmp_path / name / "o.jsonl", plan, None)[0][0].parts] for name in "ab")  # fmt: skip
    assert first == second
    other = split([source], tmp_path / "c" / "o.jsonl", Plan(by="random", purge_s=DAY_S, embargo_s=DAY_S, seed=5), None)
    assert [part.path.read_bytes() for part in other[0][0].parts] != first


@pytest.mark.parametrize("suffix", [".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet"])
def test_every_packing_and_shape(tmp_path, suffix):
    rows = [{"id": f"c{n}", "messages": [{"role": "user", "content": _text(n)}, {"role": "assistant", "content": _text(-n)}]} for n in range(60)]  # fmt: skip
    source = _write(tmp_path / "in.jsonl", rows)
    (result,), _ = split([source], tmp_path / f"out{suffix}", Plan(), None)
    back = [row for part in result.parts for row in _read(part.path)]
    assert sorted(back, key=lambda row: row["id"]) == sorted(rows, key=lambda row: row["id"])


def test_other_sources(tmp_path):
    table = pl.DataFrame([_row(n, date=datetime(2024, 1, 1 + n % 28, tzinfo=UTC)) for n in range(50)])
    table.write_parquet(tmp_path / "in.parquet")
    plan = Plan(time_column="date", purge_s=0, embargo_s=0, block_s=0, shares=(("train", 0.6), ("test", 0.4)))
    (result,), _ = split([str(tmp_path / "in.parquet")], tmp_path / "o.jsonl", plan, None)
    assert result.rows == 50 == sum(part.rows for part in result.parts)
    (tmp_path / "in.json").write_text(json.dumps([_row(n) for n in range(40)], indent=1))
    (result,), _ = split([str(tmp_path / "in.json")], None, Plan(), None)
    assert [part.path.name for part in result.parts] == ["in-train.jsonl", "in-val.jsonl", "in-test.jsonl"]
    assert sum(part.rows for part in result.parts) == 40


def test_folds_are_written(tmp_path):
    source = _write(tmp_path / "in.jsonl", _mixed())
    plan = Plan(folds=3, test_folds=2, purge_s=DAY_S, embargo_s=DAY_S)
    results, _ = split([source], tmp_path / "cv.jsonl", plan, None)
    assert [result.name for result in results] == ["fold1+2", "fold1+3", "fold2+3"]
    for result in results:
        assert result.rows == sum(part.rows for part in result.parts) + result.aside.total()
        assert result.parts[0].path.name == f"cv-{result.name}-train.jsonl"


def test_index_says_what_a_stratum_is(tmp_path):
    rows = [
        _row(0, facts=json.dumps({"label": "positive"})),
        _row(1, label="negative"),
        _row(2, facts={"verdict": "long"}),
        _row(3),
    ]
    index = read_index([_write(tmp_path / "in.jsonl", rows)], Plan(stratify=("label",)))
    assert [index.strata[n] for n in index.stratum] == ["positive", "negative", "long", ""]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"by": "tiem"}, "Did you mean 'time'"), ({"shares": (("train", 0.5), ("test", 0.6))}, "add up to 1.1"),
        ({"folds": 1}, "at least two"), ({"folds": 4, "test_folds": 4}, "choose 1 to 3"), ({"purge_s": -1}, "negative"),
        ({"folds": 40, "test_folds": 20}, "at most 200"),
    ],
)  # fmt: skip
def test_plans_that_cannot_be(options, message):
    with pytest.raises(ConfigError, match=message):
        Plan(**options)


def test_shares_not_given_are_nothing_once_one_is():
    assert shares_of(None, None, None) == (("train", 0.8), ("val", 0.1), ("test", 0.1))
    assert shares_of(0.7, None, 0.3) == (("train", 0.7), ("test", 0.3))


def test_an_output_never_replaces_an_input(tmp_path):
    source = _write(tmp_path / "d-train.jsonl", _mixed(60))
    with pytest.raises(ConfigError, match="also an input"):
        split([source], tmp_path / "d.jsonl", Plan(purge_s=0, embargo_s=0), None)


@pytest.mark.parametrize("suffix", [".jsonl", ".parquet"])
def test_no_part_stays_empty(tmp_path, suffix):
    source = _write(tmp_path / "in.jsonl", [_row(1), _row(2)])
    with pytest.raises(ConfigError, match="test would stay empty: 2 rows, too few groups"):
        split([source], tmp_path / f"o{suffix}", Plan(by="random"), None)
    assert not list(tmp_path.glob("o-*"))


def test_spans_given_hold_for_every_row():
    assert Spans(10, 20).window(Row("", "1d EMA(200)", "", "", ""), 1_000) == (980, 1_010)

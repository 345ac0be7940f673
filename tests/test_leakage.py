"""Planted leaks of every kind are found, nothing is found where there is none, and what `split` writes does not leak."""

import json
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from tapewright.errors import ConfigError
from tapewright.inputs import Item
from tapewright.rows import Row
from validators.leakage import public
from validators.leakage.between import leaking_rows
from validators.leakage.check import Options, codes, find_leaks
from validators.leakage.containment import Containment
from validators.leakage.overlaps import merge
from validators.leakage.quotes import dates_of, telling_numbers
from validators.leakage.report import shared_words
from validators.leakage.runs import Runs, Table
from validators.leakage.sides import Side, asked, side_of_files
from validators.leakage.splits import split_of_record
from validators.rules import RULES
from validators.splitting.plan import Plan
from validators.splitting.split import split
from validators.splitting.window import DAY_S, Spans

ROOT = Path(__file__).parent.parent
WORDS = [a + b for a in ("river", "stone", "copper", "lantern", "meadow", "harbour", "violin", "pepper", "glacier", "candle") for b in ("", "side", "work", "land", "er", "ing", "ed", "s", "ish", "ness")]  # fmt: skip


def _text(key, length=40):
    rng = random.Random(f"{key}")
    return " ".join(rng.choice(WORDS) for _ in range(length))


def _row(key, **more):
    return {"instruction": f"Sum this up, {key}.", "input": _text(key), "output": _text(f"answer {key}", 20)} | more


def _side(rows, name="side", **options):
    return Side(name, lambda: (Item(name, n, row) for n, row in enumerate(rows, 1)), **options)


ALL = Options()


def _found(train, test, options=ALL, **more):
    (found,) = find_leaks(_side(train, "train", **more), [_side(test, "test", **more)], options)
    return {code: [(leak.test, leak.train) for leak in leaks] for code, leaks in found.leaks.items() if leaks}


def _write(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return str(path)


TRAIN = [_row(n) for n in range(60)]
TEST = [_row(n) for n in range(1000, 1030)]


def test_nothing_leaks_between_strangers():
    assert _found(TRAIN, TEST) == {}


def _near(text, changes):
    words = text.split()
    for place in range(changes):
        words[7 + 9 * place] = "changed"
    return " ".join(words)


DATED = {"as_of": "2023-05-07 04:00 UTC"}
LATER = {"as_of": "2024-11-20 00:00 UTC"}
PLANTED = {
    "L001": (dict(TEST[3]), TEST[3]),
    "L001 spaced and shouted": ({**TEST[3], "input": TEST[3]["input"].upper().replace(" ", "  "), "id": "x"}, TEST[3]),
    "L001 answered otherwise": ({**TEST[3], "output": _text("other")}, TEST[3]),
    "L002": ({**TEST[3], "input": _near(TEST[3]["input"], 2)}, TEST[3]),
    "L003": (_row(77, input=f"{_text('before', 30)} {' '.join(TEST[3]['input'].split()[5:35])} {_text('after', 30)}"), TEST[3]),
    "L003 answer": (_row(77, input=f"It says: {_text('long', 60)}"), _row(2000, output=f"Well, {_text('long', 60)}")),
    "L003 in capitals, other marks": (_row(77, output=TEST[3]["input"].title().replace(" ", ", ")), TEST[3]),
    "L004": (_row(77, input=f"{_text(1)} Acme beats its forecast for the third time. {_text(2)}"), {"text": "Acme beats its forecast “for the third time”!"}),
    "L004 of three words": ({"text": "buy the dip"}, {"text": "Buy the dip!"}),
    "L005": (_row(77, group="story 9"), _row(2000, group="story 9")),
    "L005 block": (_row(77, as_of="2023-05-05 01:00 UTC"), _row(2000, as_of="2023-05-08 20:00 UTC")),
    "L006": (_row(77, as_of="2023-05-05 01:00 UTC"), _row(2000, as_of="2023-07-08 20:00 UTC")),
    "L007": (_row(77, output="By 2024-11-20 it had doubled.", **DATED), _row(2000, **LATER)),
    "L007 in words": (_row(77, output="By November 20th, 2024 it had doubled."), _row(2000, **LATER)),
    "L007 prices": (_row(77, output="It closed at 67,234.5, having touched 68,111.5 and 66,002.1.", **DATED), _row(2000, output="Close 67,234.5, high 68,111.5, low 66002.1.", **LATER)),
    "L008": (_row(77, task_type="t", family="memo", symbol="BTCUSDT"), _row(2000, task_type="t", family="memo", symbol="BTCUSDT")),
}  # fmt: skip


@pytest.mark.parametrize("name", PLANTED)
def test_planted_leaks_are_found(name):
    bad, test = PLANTED[name]
    code = name[:4]
    found = _found([*TRAIN, bad], [*TEST[:3], test, *TEST[4:]])
    assert found.get(code) == [(3, 60)], found
    # what follows from the plant itself may be found too, but nothing about other rows
    assert {pair for pairs in found.values() for pair in pairs} == {(3, 60)}


def test_a_passage_repeated_in_many_train_rows_is_still_found():
    train = [_row(n, input=f"{_text(n)} {TEST[3]['input']}") for n in range(40)]
    assert _found(train, TEST)["L003"] == [(3, 0)]


def test_a_template_proves_nothing():
    """Long standing wording in every row, other figures and other data: no leak by text."""
    rules = _text("the rules of this template", 120)

    def row(key):
        rng = random.Random(key)
        return {"instruction": rules, "input": " ".join(f"value {rng.randrange(10**6)}" for _ in range(12)), "output": f"It is {rng.randrange(10**6)}."}  # fmt: skip

    assert _found([row(n) for n in range(200)], [row(n) for n in range(1000, 1100)]) == {}


def test_standing_instructions_are_no_copies():
    def row(key):
        return {"instruction": "Write one sentence about the weather.", "output": _text(key, 12)}

    assert _found([row(n) for n in range(20)], [row(n) for n in range(100, 120)]) == {}


def test_windows_apart_are_no_overlap():
    train, test = _row(77, as_of="2023-01-01 00:00 UTC"), _row(2000, as_of="2023-07-08 00:00 UTC")
    assert _found([train], [test]) == {}  # 188 days, of which 171 are needed
    assert "L006" in _found([train], [test], spans=Spans(90 * DAY_S, 100 * DAY_S))
    assert _found([train], [_row(2000, as_of="2023-01-20 00:00 UTC")], spans=Spans(0, 0)) == {}


def test_own_day_is_no_quote():
    """A train row in the same week is a shared scenario; naming its own date adds nothing."""
    row = _row(77, output="As of 2024-11-20 it is quiet.", as_of="2024-11-21 00:00 UTC")
    assert "L007" not in _found([row], [_row(2000, **LATER)])


@pytest.mark.parametrize("code", [code for code in sorted(RULES) if code[0] == "L"])
def test_examples_of_the_rules(code):
    def found(text):
        rows = [json.loads(line) for line in text.splitlines()]
        return _found([r for r in rows if r["split"] == "train"], [r for r in rows if r["split"] == "test"])

    assert code in found(RULES[code].bad)
    assert not found(RULES[code].good)


# --- parts -----------------------------------------------------------------------------------------


def test_runs_are_those_of_plain_python():
    rng = random.Random(4)
    texts = [" ".join(rng.choice(WORDS[:6]) for _ in range(rng.randrange(0, 40))) for _ in range(200)]
    texts[3], texts[4] = "", "one"
    runs = Runs(texts)
    assert runs.counts.tolist() == [len(text.split()) for text in texts]
    for length in (1, 3, 13):
        values, owners = runs.within(length)
        plain = [
            (tuple(t.split()[i : i + length]), n)
            for n, t in enumerate(texts)
            for i in range(len(t.split()) - length + 1)
        ]
        assert owners.tolist() == [n for _, n in plain]
        names = {}
        for (words, _), value in zip(plain, values.tolist()):
            assert names.setdefault(words, value) == value
        assert len(set(names.values())) == len(names)


def test_runs_ignore_marks_and_case():
    one, other = (
        Runs(["The “close”, at 67,234.5, FELL; (twice). Naïve…"]),
        Runs(["the close at 67,234.5 fell twice naïve..."]),
    )
    assert one.hashes(5)[:3].tolist() == other.hashes(5)[:3].tolist()
    assert Runs(["a\x00b\nc"]).counts.tolist() == [3]


def test_table_finds_what_is_in_it():
    rng = np.random.default_rng(0)
    values = rng.integers(0, 2**63, 5_000).astype(np.uint64)
    asked_for = np.concatenate((values[::7], rng.integers(0, 2**63, 5_000).astype(np.uint64)))
    places, hits = Table(values).find(asked_for)
    assert places.tolist() == np.flatnonzero(np.isin(asked_for, values)).tolist()
    assert (np.unique(values)[hits] == asked_for[places]).all()


def test_containment_against_sets():
    """Shares are those of plain sets of 13-word tuples, each train text by itself."""
    rng = random.Random(2)
    tests = [_text(f"t{n}", rng.randrange(13, 60)) for n in range(60)]
    train = []
    for number in range(300):
        words = _text(f"d{number}", 60).split()
        if number % 3 == 0:
            source = rng.choice(tests).split()
            start = rng.randrange(max(len(source) - 20, 1))
            words[20:20] = source[start : start + rng.randrange(13, 40)]
        train.append(" ".join(words))

    def grams(text):
        words = text.split()
        return {tuple(words[i : i + 13]) for i in range(len(words) - 12)}

    containment = Containment(tests, 0.5)
    containment.look(train[:100], np.arange(100))
    containment.look(train[100:], np.arange(100, 300))
    ours = {found.unit: found.share for found in containment.found()}
    sides = [grams(text) for text in train]
    theirs = {}
    for unit, text in enumerate(tests):
        own = grams(text)
        best = max(len(own & side) / len(own) for side in sides)
        if best >= 0.5:
            theirs[unit] = best
    assert ours == pytest.approx(theirs) and len(ours) > 10


def test_near_misses_no_pair():
    """Against plain Jaccard over all pairs."""
    rng = random.Random(9)
    test = [{"text": _text(f"n{n}", 30)} for n in range(40)]
    train = []
    for _ in range(200):
        words = rng.choice(test)["text"].split()
        for _ in range(rng.randrange(6)):
            words[rng.randrange(len(words))] = rng.choice(WORDS)
        train.append({"text": " ".join(words)})

    def shingles(row):
        words = row["text"].split()
        return {tuple(words[i : i + 3]) for i in range(len(words) - 2)}

    wanted = {n for n, row in enumerate(test) if any(len(shingles(row) & shingles(t)) / len(shingles(row) | shingles(t)) >= 0.8 for t in train)}  # fmt: skip
    found = {n for n, _ in _found(train, test, Options(codes=("L002",)))["L002"]}
    assert found == wanted and len(wanted) > 5


def test_merged_intervals():
    first, last = merge(np.array([5, 1, 20, 3]), np.array([9, 4, 30, 5]))
    assert (first.tolist(), last.tolist()) == ([1, 20], [9, 30])


def test_dates_and_numbers():
    day = 1732060800
    for text in ("2024-11-20", "20 November 2024", "Nov 20, 2024", "20th Nov 2024", "2024/11/20"):
        assert [(a, b) for _, a, b in dates_of(text)] == [(day, day + DAY_S - 1)], text
    assert [b - a > 20 * DAY_S for _, a, b in dates_of("in November 2024")] == [True]
    assert not list(dates_of("2024-13-45 and 31 February 2024 and 12.5.2024"))
    assert telling_numbers("67,234.5 10,000 0.00012 1234 12345 1.2345e3 EMA50 2024-11-20 0.012345") == {"67234.5", "12345", "0.012345"}  # fmt: skip


def test_what_is_asked():
    assert (
        asked(Row("Judge it.", "A long enough input stands here.", "yes", "", "")) == "A long enough input stands here."
    )
    assert asked(Row("Judge it.", "ETH", "yes", "", "")) == "Judge it. ETH"
    assert asked(Row("", "", "A text.", "", "")) == "A text."


def test_shared_words_are_marked():
    before, shared, after = shared_words(
        ["He", "said", "the", "fund", "lost", "a", "third,", "sadly."],
        ["So", "The", "fund", "lost", "a", "third", "of", "it"],
    )
    assert (before, shared, after) == ("He said", "the fund lost a third,", "sadly.")


# --- split does not leak -----------------------------------------------------------------------------


def _draw(rng, seed):
    """Rows of every sort: with and without time and group, copies, twins, one topic over and over."""
    rows = []
    for number in range(rng.randrange(60, 160)):
        row = _row(f"{seed} {number}", id=f"{number}")
        kind = rng.random()
        if rows and kind < 0.1:
            row = {**rng.choice(rows), "id": f"{number}"}
        elif rows and kind < 0.2:
            other = rng.choice(rows)
            row = (
                {**other, "id": f"{number}", "input": _near(other["input"], 1)}
                if len(other["input"].split()) > 20
                else row
            )
        elif rows and kind < 0.25:
            row["output"] = f"{_text(number, 9)} {rng.choice(rows)['input']}"
        if rng.random() < 0.5:
            day = rng.randrange(1, 1200)
            row["as_of"] = str(np.datetime64("2021-01-01") + day) + " 00:00 UTC"
        if rng.random() < 0.5:
            row["group"] = f"g{rng.randrange(25)}"
        rows.append(row)
    return rows


@pytest.mark.parametrize("part", range(4))
def test_a_hundred_random_splits_never_leak(part, tmp_path):
    for seed in range(part * 25, part * 25 + 25):
        rng = random.Random(seed)
        rows = _draw(rng, seed)
        source = _write(tmp_path / "in.jsonl", rows)
        plan = Plan(by=rng.choice(("time", "group", "random")), purge_s=rng.randrange(20) * DAY_S, embargo_s=rng.randrange(20) * DAY_S, seed=seed)  # fmt: skip
        (result,), aside = split([source], tmp_path / "out.jsonl", plan, leaking_rows)
        assert len(rows) == sum(p.rows for p in result.parts) + result.aside.total() == sum(p.rows for p in result.parts) + len(aside.read_text().splitlines())  # fmt: skip
        sides = [side_of_files(p.name, [str(p.path)], spans=plan.spans) for p in result.parts]
        for place, side in enumerate(sides[:-1]):
            for found in find_leaks(side, sides[place + 1 :]):
                assert not found.fails(0), (seed, found.counts())


def test_folds_do_not_leak(tmp_path):
    rows = _draw(random.Random(1), 1)
    plan = Plan(folds=3, purge_s=5 * DAY_S, embargo_s=5 * DAY_S)
    results, _ = split([_write(tmp_path / "in.jsonl", rows)], tmp_path / "o.jsonl", plan, leaking_rows)
    for result in results:
        train, test = (side_of_files(p.name, [str(p.path)], spans=plan.spans) for p in result.parts)
        (found,) = find_leaks(train, [test])
        assert not found.fails(0)


@pytest.mark.slow
def test_generated_splits_do_not_leak(tmp_path):
    """Rows of `generate --split`: nothing is shared in time, scenario, family, row by row or in words."""
    from generators.config import Config
    from generators.produce import produce
    from generators.registry import resolve_weights

    shares = (("train", 0.8), ("val", 0.1), ("test", 0.1))
    config = Config(size=3_000, seed=42, weights=tuple(resolve_weights(None).items()), splits=shares, version="test")
    produce(config, tmp_path / "g.jsonl", workers=2)
    sides = [side_of_files(name, [str(tmp_path / f"g-{name}.jsonl")]) for name, _ in shares]
    for place, side in enumerate(sides[:-1]):
        for found in find_leaks(side, sides[place + 1 :]):
            assert found.counts() == dict.fromkeys(codes(), 0), found.leaks


# --- the command ------------------------------------------------------------------------------------


def _cli(*arguments, **more):
    return subprocess.run([sys.executable, str(ROOT / "cli.py"), *arguments], capture_output=True, text=True, **more)


def test_command_reports_and_exits(tmp_path):
    train, test = _write(tmp_path / "train.jsonl", [*TRAIN, TEST[3]]), _write(tmp_path / "test.jsonl", TEST)
    out = _cli(
        "leakage", "--train", train, "--test", test, "--report", f"json={tmp_path / 'r.json'}", "--report", "jsonl"
    )
    assert out.returncode == 1, out.stderr
    assert "L001 copied row" in out.stderr and "[[" in out.stderr and f"{test}:4" in out.stderr.replace("\n", "")
    report = json.loads((tmp_path / "r.json").read_text())
    kinds = {kind["code"]: kind for kind in report["kinds"]}
    assert kinds["L001"]["leaked"] == 1 and kinds["L001"]["rows"] == 30 and kinds["L005"]["leaked"] == 0
    lines = [json.loads(line) for line in out.stdout.splitlines()]
    assert lines[0]["test_row"]["line"] == 4 and lines[0]["train_row"]["line"] == 61 and lines[0]["shared"]
    assert _cli("leakage", "--train", train, "--test", test, "--max-share", "0.04").returncode == 0
    assert _cli("leakage", "--train", train, "--test", test, "--exit-zero").returncode == 0
    assert _cli("leakage", "--train", train, "--test", test, "--only", "L005").returncode == 0
    sarif = _cli("leakage", "--train", train, "--test", test, "--report", "sarif", "--exit-zero")
    assert json.loads(sarif.stdout)["version"] == "2.1.0"


def test_rows_that_name_their_split(tmp_path):
    rows = [{**row, "provenance": json.dumps({"split": "train"})} for row in TRAIN] + [
        {**row, "split": "test"} for row in TEST
    ]
    assert _cli("leakage", _write(tmp_path / "a.jsonl", rows)).returncode == 0
    rows[5] = {**TEST[2], "split": "train"}
    assert _cli("leakage", _write(tmp_path / "a.jsonl", rows)).returncode == 1
    assert [split_of_record(row) for row in ({"provenance": '{"split": '}, [1], {"split": "dev"})] == ["", "", "dev"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "give --train"), (["--train", "no.jsonl", "--test", "no.jsonl"], "no file no.jsonl"),
        (["--train", "{t}", "--test", "{t}", "--max-share", "2"], "between 0 and 1"), (["--train", "{t}", "--test", "{t}", "--near", "0"], "--near is 0"),
        (["--train", "{t}", "--test", "{t}", "--only", "L099"], "no kind of leak"), (["--train", "{t}", "--benchmark", "tfsn=x"], "Did you mean 'tfns'"),
        (["{t}"], "name 0 splits"), (["--train", "{t}", "--test", "{e}"], "no readable row"), (["--train", "-", "--test", "{t}"], "stdin"),
        (["--train", "{t}", "--test", "{t}", "--purge", "soon"], "not a duration"), (["{t}", "--train", "{t}"], "not both"),
        (["--train", "{t}", "--test", "{t}", "--shape", "round"], "no shape"), (["--train", "{t}", "--test", "{t}", "--report", "pdf"], "no report form"),
    ],
)  # fmt: skip
def test_usage_errors_are_one_line(tmp_path, arguments, words):
    train, empty = _write(tmp_path / "t.jsonl", TRAIN), _write(tmp_path / "e.jsonl", [])
    out = _cli("leakage", *(a.format(t=train, e=empty) for a in arguments), cwd=tmp_path)
    assert out.returncode == 2 and words in out.stderr, out.stderr
    assert "Traceback" not in out.stderr and len(out.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["{t}", "--by", "moon"], "moon"), (["{t}", "--train", "0.5"], "add up to"), (["{t}", "-o", "x.txt"], "cannot tell the format"),
        (["no.jsonl"], "no file"), (["{e}"], "no row to split"), (["-"], "--output"), (["{t}", "--k-fold", "1"], "two folds"),
    ],
)  # fmt: skip
def test_split_errors_are_one_line(tmp_path, arguments, words):
    train, empty = _write(tmp_path / "t.jsonl", TRAIN), _write(tmp_path / "e.jsonl", [])
    out = _cli("split", *(a.format(t=train, e=empty) for a in arguments), cwd=tmp_path)
    assert out.returncode == 2 and words in out.stderr and "Traceback" not in out.stderr, out.stderr


def test_split_command_says_what_became_of_every_row(tmp_path):
    rows = "".join(
        json.dumps(row) + "\n" for row in [*TRAIN, TRAIN[4], {**TRAIN[5], "input": _near(TRAIN[5]["input"], 1)}]
    )
    out = _cli("split", "-", "-o", str(tmp_path / "s.jsonl"), "--stratify", "task_type", "--by", "random", input=rows)
    assert out.returncode == 0, out.stderr
    assert "62 rows in = " in out.stderr and "leaks between the files as written: 0" in out.stderr
    assert (
        _cli("leakage", "--train", str(tmp_path / "s-train.jsonl"), "--test", str(tmp_path / "s-test.jsonl")).returncode
        == 0
    )


# --- public benchmarks --------------------------------------------------------------------------------


def test_phrasebank_from_folder_and_zip(tmp_path):
    lines = "Net sales rose 5 % to EUR 12.3 mn in the second quarter .@positive\nMaskun ääni on vienosti hiljainen tänään kaikkialla .@neutral\n"
    folder = tmp_path / "fpb"
    folder.mkdir()
    (folder / "Sentences_AllAgree.txt").write_bytes(lines.encode("latin-1"))
    (folder / "README.txt").write_text("This is no sentence.\nNor is this.\n")
    title, items = public.read_benchmark(f"fpb={folder}")
    assert title == "Financial PhraseBank" and [item.record["label"] for item in items] == ["positive", "neutral"]
    assert "ääni" in items[1].record["text"]
    with zipfile.ZipFile(tmp_path / "fpb.zip", "w") as packed:
        packed.write(folder / "Sentences_AllAgree.txt", "FinancialPhraseBank/Sentences_AllAgree.txt")
    assert len(public.read_benchmark(f"FPB={tmp_path / 'fpb.zip'}")[1]) == 2
    train = _write(
        tmp_path / "train.jsonl",
        [*TRAIN, _row(1, input="Say: net sales rose 5 % to EUR 12.3 mn in the second quarter.")],
    )
    out = _cli("leakage", "--train", train, "--benchmark", f"fpb={folder}")
    assert out.returncode == 1 and "short test text in train" in out.stderr


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("tfns", "text,label\n$BYND - JPMorgan reels in expectations on Beyond Meat today,0\n"),
        ("fiqa", "sentence,score\nRoyal Mail chairman Donald Brydon set to step down soon,-0.4\n"),
        ("nwgi", "news,label\nThe chip maker guided well above what analysts had expected,mildly positive\n"),
    ],
)
def test_tables_of_texts(tmp_path, name, text):
    (tmp_path / "data.csv").write_text(text)
    _, items = public.read_benchmark(f"{name}={tmp_path}")
    sentence = text.splitlines()[1].rsplit(",", 1)[0]
    (found,) = find_leaks(_side([_row(1, input=f"Tweet: {sentence}. Label it.")]), [Side(name, lambda: iter(items))])
    assert found.counts()["L004"] == 1 and found.test.unreadable == 0


def test_options_are_checked():
    for options in ({"near": 0}, {"share": 1.5}, {"codes": ("L9",)}):
        with pytest.raises(ConfigError):
            Options(**options)

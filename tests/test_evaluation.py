"""Evaluation: slots, grades, measures held to scikit-learn, baselines, the second scorer, people's sheets, the report."""

import ast
import csv
import json
import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.metrics import cohen_kappa_score, f1_score, recall_score

from cli import cli
from finetune.evaluation import second_scorer
from finetune.evaluation.baselines import baselines
from finetune.evaluation.cases import Case, read_cases
from finetune.evaluation.grade import NO_TRADE, UNCLEAR, Grade, Said, grade
from finetune.evaluation.human import read_sheet, write_sheet
from finetune.evaluation.measures import BY_NAME, LABELS, MEASURES, Resampling, difference, estimate, of_task, wins
from finetune.evaluation.public_sentiment import read_public
from finetune.evaluation.slots import MISSING, RIGHT, WRONG, SlotScore, score_answer
from finetune.evaluation.tables import Evaluation, tables
from generators.config import Config
from generators.produce import produce
from tapewright.errors import ConfigError, FileError
from templates.specs import list_tasks, load_spec

POSITION = (
    "Position: long 0.500 BTC, entry 60,000.0, mark 60,100.0, stop 58,800.0, isolated margin, leverage 10x. "
    "Equity: 10,000 USDT. Maintenance margin rate: 0.50%, maintenance deduction: 0 USDT. Taker fee: 0.055%."
)


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    produce(Config(size=300, seed=11, weights=tuple((task, 0.1) for task in list_tasks())), path)
    return path


@pytest.fixture(scope="module")
def cases(file):
    return read_cases([str(file)])[0]


@pytest.fixture(scope="module")
def gold(cases):
    return [grade(case, Said(case.row.output)) for case in cases]


def _score(answer: str) -> SlotScore:
    return score_answer("Assess the risk.", POSITION, answer, load_spec("risk_assessment"))


# --- slots ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        ("Liquidation is near 54,271.4.", RIGHT),
        ("Liquidation is near 54,300.0.", WRONG),
        ("Liquidation is near 54,271.4. The liquidation price is 54,300.0.", WRONG),
        ("Liquidation is near 54,271.4. The liquidation price is 54,271.4.", RIGHT),
        ("Liquidation lies between 54,000.0 and 54,500.0; liquidation 54,271.4.", WRONG),
        ("Entry 60,000.0, stop 58,800.0.", MISSING),
        ("", MISSING),
    ],
)
def test_a_slot_is_right_wrong_or_missing(answer, state):
    assert _score(answer).derived["liquidation"] == state


def test_numbers_of_the_input_earn_nothing():
    score = _score("Entry 60,000.0, mark 60,100.0, stop 58,800.0, leverage 10x, equity 10,000 USDT, fee 0.055%.")
    assert score.right == 0 and score.required >= 5 and score.invented == 0


def test_our_own_answers_are_right_in_every_task(cases, gold):
    assert {case.spec.name for case in cases} == set(list_tasks())
    for case, graded in zip(cases, gold):
        assert graded.slots.right == graded.slots.required, (case.spec.name, graded.wrong_because)
        assert graded.readable and graded.well_formed and graded.completed and not graded.hallucinated
        assert graded.verdict is None or graded.verdict[0] == graded.verdict[1]
        assert graded.score is None or graded.score[0] == graded.score[1]
        assert graded.label is None or graded.label[0] == graded.label[1]
        assert graded.warned or not graded.warning_due


@pytest.mark.parametrize("text", ["", "   ", "...", "123 456", "no trade " * 60, "a b c " * 50])
def test_nothing_scores_nothing(cases, text):
    grades = [grade(case, Said(text)) for case in cases]
    resampling = Resampling([case.group for case in cases])
    for name in ("slot_accuracy", "completion", "clean", "safe", "format", "direction", "sentiment_accuracy", "pine_valid"):  # fmt: skip
        assert estimate(BY_NAME[name], grades, resampling).value == 0, name
    assert estimate(BY_NAME["hallucination"], grades, resampling).value == 1


def test_an_altered_digit_costs_its_slot(cases):
    rng = random.Random(4)
    spoilt = 0
    for case in cases:
        if case.spec.name != "risk_assessment":
            continue
        text = case.row.output
        loss = case.row.facts.get("notional")
        shown = f"{loss:,.2f}" if loss else ""
        if shown and shown in text:
            wrong = text.replace(shown, f"{loss + rng.choice([-1, 1]) * loss * 0.1:,.2f}")
            graded = grade(case, Said(wrong))
            assert graded.slots.derived["notional"] == WRONG and graded.hallucinated
            spoilt += 1
    assert spoilt > 10


def test_an_explanation_owes_an_example_where_its_row_has_one(cases):
    owing = [graded for case in cases if case.spec.name == "explain_concept" if (graded := grade(case, Said("It is what it says, in a word, and no more."))).slots.required]  # fmt: skip
    assert owing and all(graded.slots.derived == {"example": MISSING} for graded in owing)


def test_a_cut_off_answer_is_not_well_formed(cases):
    assert not grade(cases[0], Said(cases[0].row.output, finished=False)).well_formed


# --- measures ------------------------------------------------------------------------------------


def _labelled(pairs: list[tuple[str, str]], field: str) -> list[Grade]:
    empty = SlotScore({}, {}, 0, 0)
    grades = []
    for at, pair in enumerate(pairs):
        made = Grade("task", f"g{at}", at, Said("x"), empty, True, True, True, False, False)
        setattr(made, field, pair)
        grades.append(made)
    return grades


def _value(name: str, grades: list[Grade]) -> float:
    return estimate(BY_NAME[name], grades, Resampling([g.group for g in grades], resamples=10)).value


def test_label_measures_agree_with_scikit_learn():
    rng = random.Random(1)
    used = LABELS[:5]
    pairs = [(gold := rng.choice(used), gold if rng.random() < 0.6 else rng.choice([*used, UNCLEAR])) for _ in range(400)]  # fmt: skip
    truth, said = zip(*pairs)
    grades = _labelled(pairs, "label")
    for name, average in (("sentiment_macro_f1", "macro"), ("sentiment_weighted_f1", "weighted"), ("sentiment_micro_f1", "micro")):  # fmt: skip
        expected = f1_score(truth, said, labels=list(used), average=average, zero_division=0)
        assert _value(name, grades) == pytest.approx(expected)
    assert _value("sentiment_accuracy", grades) == pytest.approx(np.mean([a == b for a, b in pairs]))


def test_kappa_and_balanced_direction_agree_with_scikit_learn():
    rng = random.Random(2)
    scores = [(float(g := rng.randint(1, 10)), float(min(10, max(1, g + rng.randint(-3, 3))))) for _ in range(300)]
    truth, said = zip(*scores)
    grades = _labelled(scores, "score")
    assert _value("score_kappa", grades) == pytest.approx(
        cohen_kappa_score(truth, said, weights="quadratic", labels=list(range(1, 11)))
    )
    assert _value("score_error", grades) == pytest.approx(np.mean(np.abs(np.subtract(truth, said))))
    verdicts = ("long", "short", NO_TRADE)
    pairs = [(g := rng.choice(verdicts), g if rng.random() < 0.5 else rng.choice([*verdicts, UNCLEAR])) for _ in range(300)]  # fmt: skip
    truth, said = zip(*pairs)
    expected = recall_score(truth, said, labels=list(verdicts), average="macro", zero_division=0)
    assert _value("direction", _labelled(pairs, "verdict")) == pytest.approx(expected)


def test_a_missing_score_counts_as_far_as_the_scale_goes():
    assert _value("score_error", _labelled([(2.0, None), (5.0, None)], "score")) == pytest.approx((8 + 5) / 2)
    assert _value("score_error", _labelled([(2.0, 2.5)], "score")) == 8


def test_intervals_hold_the_truth_about_as_often_as_they_say():
    rng = np.random.default_rng(3)
    inside = 0
    for trial in range(200):
        pairs = [("positive", "positive" if rng.random() < 0.7 else "negative") for _ in range(120)]
        grades = _labelled(pairs, "label")
        resampling = Resampling([g.group for g in grades], resamples=300, seed=trial)
        found = estimate(BY_NAME["sentiment_accuracy"], grades, resampling)
        inside += found.low <= 0.7 <= found.high
    assert 180 <= inside <= 199


def test_rows_of_one_group_are_drawn_together():
    pairs = [("positive", "positive" if at % 2 else "negative") for at in range(200)]
    alone = _labelled(pairs, "label")
    together = _labelled(pairs, "label")
    for grade_ in together:
        grade_.group = f"block {grade_.number % 2}"
    wide = estimate(BY_NAME["sentiment_accuracy"], together, Resampling([g.group for g in together]))
    narrow = estimate(BY_NAME["sentiment_accuracy"], alone, Resampling([g.group for g in alone]))
    assert (wide.low, wide.high) == (0.0, 1.0) and 0.4 < narrow.low < narrow.high < 0.6


def test_differences_are_paired_and_the_same_model_differs_by_nothing(cases, gold):
    resampling = Resampling([case.group for case in cases])
    empty = [grade(case, Said("")) for case in cases]
    for measure in MEASURES:
        same = difference(measure, gold, gold, resampling)
        assert same is None or np.isnan(same.value) or (same.value, same.low, same.high) == (0, 0, 0)
    gain = difference(BY_NAME["slot_accuracy"], empty, gold, resampling)
    assert (gain.value, gain.low, gain.high) == (1, 1, 1)
    assert wins(empty, gold)[2] == 0 and wins(gold, gold) == (0, len(gold), 0)
    one = estimate(of_task(BY_NAME["slot_accuracy"], "risk_assessment"), gold, resampling)
    assert one.n == sum(case.spec.name == "risk_assessment" for case in cases)


# --- baselines and the second scorer ---------------------------------------------------------------


def test_a_gain_that_only_the_checker_sees_is_called_drift(cases, gold):
    """The checker finds all right; the second scorer, then, a growing share of it."""

    def graded(share: float) -> list[Grade]:
        grades = [replace(one) for one in gold]
        for place, one in enumerate(grades):
            one.second = (int(place % 10 < 10 * share), 1) if one.slots.required else None
        return grades

    resampling = Resampling([case.group for case in cases])
    found = Evaluation(cases, {"first": graded(0.5), "same": graded(0.5), "drifted": graded(0.2)}, {}, resampling)
    table = next(table for table in tables(found) if table.title.startswith("Drift"))
    told = {row[0]: row[-2:] for row in table.rows}
    assert told["first"] == ["", ""]
    assert told["same"] == ["+0.0 (+0.0 to +0.0)", ""]
    change = difference(BY_NAME["scorers_apart"], found.models["first"], found.models["drifted"], resampling)
    assert change.value == pytest.approx(0.3, abs=0.1)
    assert told["drifted"][1] == "learns the checker"
    assert not any(table.title.startswith("Drift") for table in tables(Evaluation(cases, {"unasked": gold}, {}, resampling)))  # fmt: skip


def test_baselines_are_weak_and_none_is_given_its_own_answer(cases):
    made = baselines(cases, cases)
    resampling = Resampling([case.group for case in cases])
    for name, said in made.items():
        grades = [grade(case, one) for case, one in zip(cases, said)]
        assert estimate(BY_NAME["slot_accuracy"], grades, resampling).value < 0.25, name
        assert name == "copy the input" or all(one.text != case.row.output for case, one in zip(cases, said) if len(one.text) > 60)  # fmt: skip


def test_the_second_scorer_knows_the_facts_and_nothing_of_the_checker(cases):
    asked = nulls = 0
    for case in cases:
        keys = second_scorer.keys_of(case.row, case.spec)
        due = {key: value for key, value in keys.items() if value is not None}
        right = second_scorer.count_right(case, f"Here it is: {json.dumps(keys)}")
        assert right == (len(due), len(due))
        filled = {key: value if value is not None else "x" for key, value in keys.items()}
        assert second_scorer.count_right(case, json.dumps(filled)) == (len(due), len(keys))
        nulls += len(keys) - len(due)
        true = {key: case.row.facts.get(key) if value is None else value for key, value in keys.items()}
        assert second_scorer.count_right(case, json.dumps(true)) == (len(due), len(due))
        wrong = {key: value + 3 if isinstance(value, (int, float)) else "nothing" for key, value in due.items()}
        assert second_scorer.count_right(case, json.dumps(wrong)) == (0, len(due))
        if keys:
            key, value = next(iter(due.items()))
            doubled = "{" + ", ".join([f'"{key}": {json.dumps(value)}'] * 2) + "}"
            assert second_scorer.count_right(case, doubled)[0] == 0
            asked += 1
    assert nulls > 50
    assert asked > 100 and len(second_scorer.questions(cases)) == asked
    source = Path(second_scorer.__file__).read_text(encoding="utf-8")
    assert len(source.splitlines()) < 200
    rooms = {node.module.partition(".")[0] for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom) and node.module}  # fmt: skip
    assert not rooms & {"validators", "market", "generators"}


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", '{"score": [1]}', '{"score": true}', '{"score": null}', "null"])
def test_the_second_scorer_reads_rubbish_as_nothing(cases, text):
    case = next(case for case in cases if case.spec.name == "risk_assessment")
    assert second_scorer.count_right(case, text)[0] == 0


# --- cases, sheets, public sets ------------------------------------------------------------------


def test_cases_are_drawn_evenly_and_strangers_are_counted(file, tmp_path):
    drawn, _ = read_cases([str(file)], rows=50, seed=5)
    again, _ = read_cases([str(file)], rows=50, seed=5)
    assert [case.number for case in drawn] == [case.number for case in again] and len(drawn) == 50
    assert all(sum(case.spec.name == task for case in drawn) == 5 for task in list_tasks())
    strange = tmp_path / "strange.jsonl"
    strange.write_text('{"instruction": "a", "input": "", "output": "b"}\n{"nothing": 1}\nnot json\n')
    with pytest.raises(ConfigError, match="no row to evaluate.*3|no task of ours"):
        read_cases([str(strange)])
    both, left = read_cases([str(strange), str(file)])
    assert len(both) == 300 and sum(left.values()) == 3


def test_a_sheet_comes_back_with_its_scores(cases, gold, tmp_path):
    other = [grade(case, Said("No trade.")) for case in cases]
    models = {"one": gold, "two": other}
    sheet = tmp_path / "sheet.csv"
    assert write_sheet(sheet, cases, models, 100, 7) == 100
    with sheet.open(newline="") as source:
        rows = list(csv.DictReader(source))
    assert len(rows) == 100 and not any(row["task"] == "one" or "two" in row["key"] for row in rows)
    for at, row in enumerate(rows):
        row["score"] = "" if at % 10 == 0 else str(1 + at % 5)
    _write(sheet, rows)
    opinions = read_sheet(sheet, cases, models)
    assert len(opinions) == 90 and {opinion.model for opinion in opinions} == {"one", "two"}
    rows[1]["score"] = "6"
    _write(sheet, rows)
    with pytest.raises(ConfigError, match="line 3: score '6'"):
        read_sheet(sheet, cases, models)
    rows[1] |= {"score": "4", "key": "0000"}
    _write(sheet, rows)
    with pytest.raises(ConfigError, match="of no answer here"):
        read_sheet(sheet, cases, models)
    with pytest.raises(FileError, match="cannot read the sheet"):
        read_sheet(tmp_path / "none.csv", cases, models)


def _write(path: Path, rows: list[dict[str, str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as target:
        writer = csv.DictWriter(target, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.mark.parametrize(
    ("name", "file_name", "content", "labels"),
    [
        ("fpb", "Sentences_50Agree.txt", "Profit rose to EUR 5 mn .@positive\nSales of M\xe4k fell .@negative\nIt is based in Espoo .@neutral\n", ["positive", "negative", "neutral"]),
        ("fiqa", "fiqa.csv", "sentence,score\nup,0.4\ndown,-0.3\nflat,0.05\nedge,0.1\nlow edge,-0.1\n", ["positive", "negative", "neutral", "positive", "neutral"]),
        ("fiqa", "task1.json", '{"8": {"sentence": "falls", "info": [{"sentiment_score": "-0.161", "target": "M"}, {"sentiment_score": "0.3", "target": "N"}]}, "9": {"sentence": "is", "info": [{"sentiment_score": "0.0"}]}}', ["negative", "positive", "neutral"]),
        ("tfns", "tfns.csv", "text,label\nfalls,0\nrises,1\nis,2\n", ["negative", "positive", "neutral"]),
        ("nwgi", "nwgi.jsonl", '{"news": "a b", "label": "mildly positive"}\n{"news": "c d", "label": "strong negative"}\n{"news": "e f", "label": "moderately positive"}\n', ["neutral", "negative", "positive"]),
    ],
)  # fmt: skip
def test_public_sets_are_read_as_the_literature_reads_them(tmp_path, name, file_name, content, labels):
    (tmp_path / file_name).write_bytes(content.encode("latin-1"))
    found = read_public(f"{name}={tmp_path / file_name}")
    assert [case.row.facts["label"] for case in found] == labels
    assert grade(found[0], Said(labels[0].capitalize())).label == (labels[0], labels[0])
    assert isinstance(found[0], Case)


# --- the command -----------------------------------------------------------------------------------


def _run(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(cli, ["evaluate", *map(str, arguments)], catch_exceptions=True)
    error = result.exception
    message = "" if error is None or isinstance(error, SystemExit) else str(error)
    return (2 if message else result.exit_code), result.output + message


def test_answers_of_a_file_are_reported_in_four_ways(file, cases, tmp_path):
    for name, made in (("gold", [case.row.output for case in cases]), ("copy", [case.row.input for case in cases])):
        lines = [json.dumps({"row": case.number, "answer": text}) for case, text in zip(cases, made)]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    out = tmp_path / "out"
    both = ("--data", file, "--rows", 100, "--answers", f"copy={tmp_path / 'copy.jsonl'}", "--answers", f"gold={tmp_path / 'gold.jsonl'}", "-o", out)  # fmt: skip
    code, said = _run(*both, "--human", 20)
    assert code == 0 and "slot accuracy" in said and "gold against copy" in said
    data = json.loads((out / "report.json").read_text())
    assert data["measures"]["gold"]["slot_accuracy"]["value"] == 1
    assert data["differences"]["gold - copy"]["slot_accuracy"]["low"] > 0.8
    report = (out / "report.md").read_text()
    assert "100.0*" in report and "## Definitions" in report and "better" in report
    assert (out / "measures.png").read_bytes()[:4] == b"\x89PNG"
    first = report
    _run(*both)
    assert (out / "report.md").read_text() == first
    with (out / "sheet.csv").open(newline="") as source:
        rows = list(csv.DictReader(source))
    for row in rows:
        row["score"] = "5"
    _write(out / "sheet.csv", rows)
    code, said = _run(*both, "--sheet", out / "sheet.csv")
    assert code == 0 and "Read by people" in said and "5.00" in said


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name the rows to ask"),
        (("--data", "none.jsonl"), "none.jsonl"),
        (("no/such/model", "--data", "{file}"), "no model folder no/such/model"),
        (("--data", "{file}", "--answers", "x"), "is not NAME=FILE"),
        (("--data", "{file}", "--answers", "x={short}"), "has no answer to row 1"),
        (("--data", "{file}", "--answers", "x={doubled}"), "a second answer to row 0"),
        (("--data", "{file}", "--answers", "x={file}"), "needs row"),
        (("--data", "{file}", "--endpoint", "http://127.0.0.1:9/v1"), "--endpoint-model"),
        (("--data", "{file}", "--batch", 0), "at least 1"),
        (("--data", "{file}", "--no-baselines"), "nothing to evaluate"),
        (("a", "b", "--adapter", "c", "--data", "{file}"), "--adapter goes with one MODEL"),
        (("x/sft", "y/sft", "--data", "{file}"), "two models are called sft"),
        (("--sentiment", "fpb=none", "--data", "{file}"), "--sentiment brings its own"),
        (("--sentiment", "fpx=none"), "Did you mean 'fpb'"),
    ],
)
def test_errors_are_one_line(file, tmp_path, arguments, message):
    short, doubled = tmp_path / "short.jsonl", tmp_path / "doubled.jsonl"
    short.write_text('{"row": 0, "answer": "x"}\n')
    doubled.write_text('{"row": 0, "answer": "x"}\n{"row": 0, "answer": "y"}\n')
    places = {"file": file, "short": short, "doubled": doubled}
    code, said = _run(*(str(part).format(**places) for part in arguments), "-o", tmp_path / "out")
    assert code == 2 and message in said, said
    assert len(said.strip().splitlines()) == 1


def test_the_page_of_measures_is_as_the_code_has_it():
    from benchmarks.measures_page import PAGE, page

    assert PAGE.read_text(encoding="utf-8") == page()

"""What our sentiment rows alone teach about headlines and posts that people wrote.

    python -m benchmarks.transfer [--rows 20000] [--data FOLDER]

TF-IDF and logistic regression, trained on generated rows only (the text of the input, the polarity
of its label), tested on Twitter Financial News Sentiment (`tfns/train.csv`) and FiQA 2018 task 1
(`fiqa2018/*.json`; mean score of a sentence, neutral between −0.1 and 0.1), against always saying
the commonest class of the test set. No row of either set is trained on; neither is distributed here.
"""

import argparse
import csv
import json
import re
import sys
from collections import Counter
from pathlib import Path
from statistics import fmean

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score
from sklearn.pipeline import make_pipeline, make_union

from generators.config import Config
from generators.make import Maker
from generators.produce import places, prepare
from market.tape import load

TASK = "sentiment_analysis"
NEUTRAL_BELOW = 0.1

Examples = tuple[list[str], list[str]]


def plain(text: str) -> str:
    """Lower-case text without links, with tickers and numbers as one mark each."""
    text = re.sub(r"https?://\S+", " ", text)
    text = re.sub(r"\$[A-Za-z][A-Za-z.]*", " tickermark ", text)
    return re.sub(r"[-+]?\d[\d,.]*", " numbermark ", text).lower()


def generated(rows: int, seed: int) -> tuple[Examples, Examples]:
    """Input texts and polarities of `rows` rows of the sentiment task: all, and those that wording decides."""
    tape = load()
    config, splits = prepare(Config(rows, seed, ((TASK, 1.0),), version="transfer"), tape)
    maker = Maker(config, tape, splits)
    made = [maker.make(*place).row for place in places(config)]
    worded = [row for row in made if row.facts["mechanism"] != "number"]
    return tuple(([row.input for row in kept], [row.label for row in kept]) for kept in (made, worded))  # type: ignore[return-value]


def read_tfns(folder: Path) -> Examples | None:
    """Texts and labels of the training file; None where it is absent."""
    path = folder / "tfns" / "train.csv"
    if not path.is_file():
        return None
    with path.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    names = {"0": "negative", "1": "positive", "2": "neutral"}
    return [row["text"] for row in rows], [names[row["label"]] for row in rows]


def read_fiqa(folder: Path) -> Examples | None:
    """Sentences and labels of all task 1 files; None where there is none."""
    scores: dict[str, list[float]] = {}
    for path in sorted((folder / "fiqa2018").glob("task1_*.json")):
        for entry in json.loads(path.read_text(encoding="utf-8")).values():
            given = [float(info["sentiment_score"]) for info in entry["info"] if "sentiment_score" in info]
            scores.setdefault(entry["sentence"], []).extend(given)
    kept = {sentence: fmean(values) for sentence, values in scores.items() if values}
    labels = [
        "positive" if s > NEUTRAL_BELOW else "negative" if s < -NEUTRAL_BELOW else "neutral" for s in kept.values()
    ]
    return (list(kept), labels) if kept else None


def train(texts: list[str], labels: list[str]):
    """Words and their pairs, and pieces of words, weighed by one logistic regression."""
    features = make_union(
        TfidfVectorizer(preprocessor=plain, ngram_range=(1, 2), min_df=2, sublinear_tf=True),
        TfidfVectorizer(
            preprocessor=plain, analyzer="char_wb", ngram_range=(3, 5), min_df=3, sublinear_tf=True, max_features=60_000
        ),
    )
    return make_pipeline(features, LogisticRegression(C=3.0, max_iter=400, class_weight="balanced")).fit(texts, labels)


def main() -> None:
    """Print one line per test set."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=20_000, help="generated rows to train on")
    parser.add_argument("--seed", type=int, default=11, help="seed of the generated rows")
    parser.add_argument("--data", type=Path, default=Path("../shared/data/text"), help="folder of tfns/ and fiqa2018/")
    options = parser.parse_args()
    tests = {"TFNS (train.csv)": read_tfns(options.data), "FiQA 2018, task 1": read_fiqa(options.data)}
    absent = [name for name, examples in tests.items() if examples is None]
    for name in absent:
        print(f"{name} is not in {options.data}; give its folder with --data", file=sys.stderr)
    if len(absent) == len(tests):
        sys.exit(2)
    print(
        "| trained on | test set | n | accuracy | macro-F1 | majority accuracy | majority macro-F1 | F1 negative / neutral / positive |"
    )
    print("|---|---|---:|---:|---:|---:|---:|---|")
    for name, training in zip(("all rows", "rows that wording decides"), generated(options.rows, options.seed)):
        model = train(*training)
        for test, examples in tests.items():
            if examples is not None:
                print(f"| {name} ({len(training[0]):,}) | {_line(test, model, *examples)} |")


def _line(test: str, model, texts: list[str], labels: list[str]) -> str:
    said = model.predict(texts)
    most = [Counter(labels).most_common(1)[0][0]] * len(labels)
    each = f1_score(labels, said, average=None, labels=["negative", "neutral", "positive"])
    cells = (
        accuracy_score(labels, said), f1_score(labels, said, average="macro"),
        accuracy_score(labels, most), f1_score(labels, most, average="macro"),
    )  # fmt: skip
    return (
        f"{test} | {len(labels):,} | "
        + " | ".join(f"{cell:.3f}" for cell in cells)
        + " | "
        + " / ".join(f"{f:.2f}" for f in each)
    )


if __name__ == "__main__":
    main()

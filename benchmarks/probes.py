"""Shortcut probes: what can be told from a row without reading its numbers.

    python -m benchmarks.probes [--rows 3000] [--json]

Rows are made afresh in three groups that share neither seed nor template family; a model trained on
two groups is tested on the third, in turn, so every figure is on held-out families. Twins and the two sides of
a pair lie in one group. Each probe is printed with its limit, the figure, the number it rests on and
a verdict; what misses its limit is followed by the words or features it rests on.
"""

import argparse
import json
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass, field
from multiprocessing import get_context
from typing import Any

import numpy as np
from scipy.stats import chisquare
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import GroupKFold, cross_val_predict
from sklearn.tree import DecisionTreeRegressor

from generators.config import Config
from generators.defects import CARICATURES, DEFECTS
from generators.defects.registry import MARKET
from generators.make import Maker
from generators.produce import places, prepare
from generators.registry import list_tasks, load_spec
from market.tape import load
from tapewright.rows import Row
from validators.claims.reader import read_claims

GROUPS = 3
SEED = 7_000
TELL_LIMIT = 0.55
CHANCE_LIMIT = 0.10  # points from the majority share, either way

_NUMBER = re.compile(r"[-+−]?\$?\d[\d,]*(?:\.\d+)?")


def masked(text: str) -> str:
    """The text with every number, its sign and its decimals as one `#`."""
    return _NUMBER.sub("#", text)


# --- rows ----------------------------------------------------------------------------------------


def make_rows(shape: str, task: str, group: int, count: int) -> list[Row]:
    """`count` rows of one task that use only every third template family, from `group` on."""
    tape = load()
    families = load_spec(task).families
    out = tuple(f"{task}/{name}" for place, name in enumerate(families) if place % GROUPS != group)
    config = Config(count, SEED + group, ((task, 1.0),), shape=shape, version="probe", hold_out=out)
    config, splits = prepare(config, tape)
    maker = Maker(config, tape, splits)
    return [maker.make(*place).row for place in places(config)]


def make_all(jobs: Iterable[tuple[str, str]], rows: int, workers: int) -> dict[tuple[str, str], list[list[Row]]]:
    """(shape, task) → the rows of each group."""
    jobs = list(jobs)
    calls = [(shape, task, group, max(rows // GROUPS, 20)) for shape, task in jobs for group in range(GROUPS)]
    if workers > 1:
        with ProcessPoolExecutor(workers, get_context("spawn")) as pool:
            made = list(pool.map(make_rows, *zip(*calls)))
    else:
        made = [make_rows(*call) for call in calls]
    return {job: made[GROUPS * place : GROUPS * (place + 1)] for place, job in enumerate(jobs)}


# --- models --------------------------------------------------------------------------------------


@dataclass(slots=True)
class Probe:
    """One line of the table. `figure` is what `limit` is about; `note` says what else was seen."""

    name: str
    limit: str
    figure: str
    n: int
    passed: bool
    note: str = ""
    weights: list[str] = field(default_factory=list)


def words_model() -> TfidfVectorizer:
    return TfidfVectorizer(
        ngram_range=(1, 2), min_df=3, sublinear_tf=True, token_pattern=r"[^\W\d_]+|#|%", max_features=80_000
    )


def characters_model() -> TfidfVectorizer:
    return TfidfVectorizer(
        analyzer="char", ngram_range=(3, 5), min_df=4, sublinear_tf=True, max_features=60_000, dtype=np.float32
    )


Trained = tuple[np.ndarray, list[tuple[str, float]]]


def text_scores(texts: list[str], labels: np.ndarray, groups: np.ndarray, vectorizer: Callable) -> Trained:
    """Held-out decision scores of a two-class logistic regression, and its features by mean weight."""
    scores = np.zeros(len(texts))
    totals: dict[str, float] = defaultdict(float)
    for group in range(GROUPS):
        train, test = np.flatnonzero(groups != group), np.flatnonzero(groups == group)
        vectors = vectorizer()
        known = vectors.fit_transform([texts[i] for i in train])
        model = LogisticRegression(solver="liblinear", dual=True, C=1.0, tol=1e-2, max_iter=200).fit(
            known, labels[train]
        )
        scores[test] = model.decision_function(vectors.transform([texts[i] for i in test]))
        for name, weight in zip(vectors.get_feature_names_out(), model.coef_[0]):
            totals[name] += weight / GROUPS
    return scores, sorted(totals.items(), key=lambda item: item[1])


def feature_scores(features: np.ndarray, labels: np.ndarray, groups: np.ndarray, names: list[str]) -> Trained:
    """Held-out scores of gradient boosting, and how far each feature's mean differs between the classes, in standard deviations."""
    scores = np.zeros(len(labels))
    for group in range(GROUPS):
        train, test = groups != group, groups == group
        model = HistGradientBoostingClassifier(max_iter=80, max_leaf_nodes=15, min_samples_leaf=40, random_state=0)
        scores[test] = model.fit(features[train], labels[train]).decision_function(features[test])
    spread = features.std(axis=0) + 1e-12
    gap = (features[labels == 1].mean(axis=0) - features[labels == 0].mean(axis=0)) / spread
    return scores, sorted(zip(names, gap.tolist()), key=lambda item: item[1])


def held_out_accuracy(texts: list[str], labels: list[str], groups: np.ndarray) -> float:
    """Accuracy of a bag of words over any number of classes, on groups it was not trained on."""
    target, right = np.array(labels), 0
    for group in range(GROUPS):
        train, test = np.flatnonzero(groups != group), np.flatnonzero(groups == group)
        vectors = words_model()
        known = vectors.fit_transform([texts[i] for i in train])
        model = LogisticRegression(max_iter=300).fit(known, target[train])
        right += int((model.predict(vectors.transform([texts[i] for i in test])) == target[test]).sum())
    return right / len(target)


def _flat(grouped: list[list[Row]]) -> tuple[list[Row], np.ndarray]:
    rows = [row for group in grouped for row in group]
    return rows, np.repeat(np.arange(len(grouped)), [len(group) for group in grouped])


def _prompt(row: Row) -> str:
    return masked(f"{row.instruction}\n{row.input}")


# --- prompts -------------------------------------------------------------------------------------


def _against_majority(name: str, texts: list[str], labels: list[str], groups: np.ndarray) -> Probe:
    accuracy = held_out_accuracy(texts, labels, groups)
    majority = max(Counter(labels).values()) / len(labels)
    gap = accuracy - majority
    note = ", ".join(f"{label} {count / len(labels):.1%}" for label, count in sorted(Counter(labels).items()))
    return Probe(
        name, f"within {100 * CHANCE_LIMIT:.0f} points of {majority:.1%}", f"{accuracy:.1%} ({100 * gap:+.1f} points)",
        len(labels), abs(gap) <= CHANCE_LIMIT, note,
    )  # fmt: skip


def probe_sentiment(grouped: list[list[Row]]) -> list[Probe]:
    """Whether words alone give the label where a number is to decide; the worded rows stand beside it without limit."""
    rows, groups = _flat(grouped)
    probes = []
    for name, number in (
        ("sentiment, number decides: label from words", True),
        ("sentiment, wording decides: label from words", False),
    ):
        kept = [i for i, row in enumerate(rows) if (row.facts["mechanism"] == "number") == number]
        probe = _against_majority(name, [_prompt(rows[i]) for i in kept], [rows[i].label for i in kept], groups[kept])
        if not number:
            probe.limit, probe.passed = "none (is to transfer)", True
        probes.append(probe)
    return probes


def probe_plans(grouped: list[list[Row]]) -> list[Probe]:
    """No-trade and direction from the prompt with its numbers masked."""
    rows, groups = _flat(grouped)
    texts = [_prompt(row) for row in rows]
    verdicts = ["no_trade" if row.facts["verdict"] == "no_trade" else "trade" for row in rows]
    trades = [i for i, verdict in enumerate(verdicts) if verdict == "trade"]
    sides = [rows[i].facts["verdict"] for i in trades]
    return [
        _against_majority("trade: no-trade from prompt words", texts, verdicts, groups),
        _against_majority("trade: direction from prompt words", [texts[i] for i in trades], sides, groups[trades]),
    ]


def probe_scores(grouped: list[list[Row]]) -> list[Probe]:
    """How much of the risk score the leverage alone explains, and the share of each score."""
    rows, _ = _flat(grouped)
    scored = [(row, i // 2) for i, row in enumerate(rows) if "score" in row.facts]
    scores = np.array([row.facts["score"] for row, _ in scored], dtype=float)
    leverage = np.array([[row.facts["leverage"]] for row, _ in scored], dtype=float)
    tree = DecisionTreeRegressor(min_samples_leaf=20, random_state=0)
    fit = cross_val_predict(tree, leverage, scores, groups=[pair for _, pair in scored], cv=GroupKFold(5))
    explained = r2_score(scores, fit)
    shares = {score: float((scores == score).mean()) for score in range(1, 11)}
    incomplete = sum(
        row.facts.get("margin_mode") == "cross"
        or any(name not in row.facts for name in ("margin_mode", "mmr", "equity", "funding_interval_h"))
        for row in rows
    ) / len(rows)
    spread = " ".join(f"{score}:{share:.1%}" for score, share in shares.items())
    return [
        Probe("risk: score explained by leverage alone (R²)", "< .45", f"{explained:.3f}", len(scores), explained < 0.45),
        Probe(
            "risk: share of each score", "8–12 %", f"{min(shares.values()):.1%}–{max(shares.values()):.1%}", len(scores),
            all(0.08 <= share <= 0.12 for share in shares.values()), spread,
        ),
        Probe("risk: rows whose input is incomplete or cross margin", "8–12 %", f"{incomplete:.1%}", len(rows), 0.08 <= incomplete <= 0.12),
    ]  # fmt: skip


# --- preference pairs ----------------------------------------------------------------------------

LENGTHS = ["characters", "words", "lines", "sentences"]


def _length(text: str) -> list[float]:
    return [len(text), len(text.split()), text.count("\n"), len(re.findall(r"[.!?](?:\s|$)", text))]


DIGITS = [
    "numbers", "digits", "digits per number", "digits per character", "signs", "commas", "trailing zero", "two trailing zeros",
    "round to 5", "round to 10", "round to 100", "mean decimals",
    *(f"{d} decimals" for d in range(5)), *(f"ends in {d}" for d in range(10)), *(f"begins with {d}" for d in range(10)),
]  # fmt: skip


def _digits(text: str) -> list[float]:
    printed = _NUMBER.findall(text)
    if not printed:
        return [0.0] * len(DIGITS)
    n = len(printed)
    plain = [p.lstrip("+-−$").replace(",", "") for p in printed]
    figures = [p.replace(".", "") for p in plain]
    decimals = [len(p.partition(".")[2]) for p in plain]
    ends, starts = Counter(f[-1] for f in figures), Counter(f.lstrip("0")[:1] or "0" for f in figures)
    total = sum(map(len, figures))
    return [
        n, total, total / n, total / max(len(text), 1), sum(p[0] in "+-−" for p in printed) / n, sum("," in p for p in printed) / n,
        ends["0"] / n, sum(f.endswith("00") for f in figures) / n, (ends["0"] + ends["5"]) / n,
        sum(float(p) % 10 == 0 for p in plain) / n, sum(float(p) % 100 == 0 for p in plain) / n, sum(decimals) / n,
        *(sum(d == k if k < 4 else d >= 4 for d in decimals) / n for k in range(5)),
        *(ends[str(d)] / n for d in range(10)), *(starts[str(d)] / n for d in range(10)),
    ]  # fmt: skip


def _scores(kind: str, texts: list[str], labels: np.ndarray, groups: np.ndarray) -> Trained:
    if kind == "length":
        return feature_scores(np.array([_length(t) for t in texts]), labels, groups, LENGTHS)
    if kind == "digits and roundness":
        return feature_scores(np.array([_digits(t) for t in texts]), labels, groups, DIGITS)
    return text_scores([masked(t) for t in texts], labels, groups, words_model if kind == "words" else characters_model)


KINDS = ("length", "words", "characters", "digits and roundness")


def probe_pairs(
    name: str,
    pairs: list[tuple[Row, int]],
    kinds: tuple[str, ...] = KINDS,
    by_defect: dict[str, dict[str, list[float]]] | None = None,
) -> list[Probe]:
    """Accuracy of telling a chosen from a rejected answer without its prompt; caricatures are left out.

    `by_defect` collects, per defect and kind, 1 where the rejected side got the higher score.
    """
    kept = [(row, group) for row, group in pairs if row.defect not in CARICATURES]
    texts = [text for row, _ in kept for text in (row.output, row.rejected)]
    labels = np.tile([0, 1], len(kept))
    groups = np.repeat([group for _, group in kept], 2)
    probes = []
    for kind in kinds:
        scores, weights = _scores(kind, texts, labels, groups)
        accuracy = float(((scores > 0) == labels).mean())
        ahead = np.where(scores[1::2] == scores[::2], 0.5, scores[1::2] > scores[::2])
        plain = np.array([DEFECTS[row.defect].manner != "telling" for row, _ in kept])
        hits = ((scores > 0) == labels).reshape(-1, 2)
        if by_defect is not None:
            for (row, _), win in zip(kept, ahead):
                by_defect[row.defect][kind].append(float(win))
        note = f"side by side {ahead.mean():.1%}; without telling defects {hits[plain].mean():.1%}"
        passed = accuracy <= TELL_LIMIT
        top = [] if passed else _top(weights)
        probes.append(
            Probe(f"pairs, {name}: {kind}", f"≤ {TELL_LIMIT:.0%}", f"{accuracy:.1%}", len(labels), passed, note, top)
        )
    return probes


def _top(weights: list[tuple[str, float]], count: int = 12) -> list[str]:
    show = [f"{name!r} {weight:+.2f}" for name, weight in (*weights[::-1][:count], *weights[:count])]
    return ["rejected: " + ", ".join(show[:count]), "chosen: " + ", ".join(show[count:])]


def mixed(pairs: dict[str, list[list[Row]]]) -> list[tuple[Row, int]]:
    """Pairs of all tasks in the shares of the default mix."""
    weights = {task: load_spec(task).weight for task in pairs}
    most = max(weights.values())
    return [
        (row, group)
        for task, grouped in pairs.items()
        for group, rows in enumerate(grouped)
        for row in rows[: int(len(rows) * weights[task] / most)]
    ]


def probe_defects(pairs: list[tuple[Row, int]]) -> Probe:
    """The share of caricatures."""
    share = sum(row.defect in CARICATURES for row, _ in pairs) / len(pairs)
    return Probe("pairs: caricatures", "≤ 15 %", f"{share:.1%}", len(pairs), share <= 0.15)


def probe_manners(pairs: list[tuple[Row, int]]) -> Probe:
    """Thirds of propagated, independent and edited errors among the defects that no word gives away."""
    manners = Counter(DEFECTS[row.defect].manner for row, _ in pairs if row.task_type in MARKET)
    total = sum(count for manner, count in manners.items() if manner != "telling")
    shares = {manner: count / total for manner, count in sorted(manners.items()) if manner != "telling"}
    figure = ", ".join(f"{manner} {share:.1%}" for manner, share in shares.items())
    telling = manners["telling"] / sum(manners.values())
    passed = len(shares) == 3 and all(0.28 <= share <= 0.39 for share in shares.values())
    return Probe(
        "market pairs: manner of the defect",
        "a third each (28–39 %)",
        figure,
        total,
        passed,
        f"telling defects {telling:.1%} of all",
    )


def defect_table(pairs: list[tuple[Row, int]], by_defect: dict[str, dict[str, list[float]]]) -> list[dict[str, Any]]:
    """Per defect: count, share, codes found, and how often each probe scores its rejected side higher."""
    counts = Counter(row.defect for row, _ in pairs)
    codes: dict[str, Counter[str]] = defaultdict(Counter)
    for row, _ in pairs:
        codes[row.defect].update(row.provenance["codes"])
    return [
        {
            "defect": name, "count": count, "share": count / len(pairs),
            "codes": dict(codes[name].most_common(6)),
            "told": {kind: float(np.mean(wins)) for kind, wins in by_defect.get(name, {}).items()},
        }
        for name, count in counts.most_common()
    ]  # fmt: skip


# --- stratification ------------------------------------------------------------------------------


def _largest(name: str, values: list[float], limit: float) -> Probe:
    value, count = Counter(values).most_common(1)[0]
    share = count / len(values)
    return Probe(name, f"≤ {limit:.0%}", f"{share:.1%} ({value:g})", len(values), share <= limit)


def probe_ratios(rows: list[Row]) -> list[Probe]:
    """No reward/risk on more than 5 % of plans, no stop multiple on more than 10 %."""
    trades = [row.facts for row in rows if row.facts["verdict"] != "no_trade"]
    return [
        _largest("trade: commonest gross reward/risk", [f["reward_risk"] for f in trades], 0.05),
        _largest("trade: commonest net reward/risk", [f["net_reward_risk"] for f in trades], 0.05),
        _largest("trade: commonest stop multiple", [row.facts["stop_multiple"] for row in rows], 0.10),
    ]


def probe_last_digits(rows: list[Row]) -> list[Probe]:
    """Last digits of prices on the tick grid, on markets whose tick is a power of ten."""
    probes = []
    for task, names in (
        ("trade_recommendation", ("close", "stop", "target")),
        ("risk_assessment", ("mark", "entry", "stop", "liquidation")),
    ):
        for name in names:
            digits: list[int] = []
            for row in rows:
                if row.task_type != task:
                    continue
                key = f"close@{row.facts['frame']}" if name == "close" else name
                tick = str(row.facts["tick"])
                if key in row.facts and tick.rstrip("0").endswith("1"):
                    digits.append(round(row.facts[key] / float(tick)) % 10)
            counts = np.bincount(digits, minlength=10)
            shares = counts / counts.sum()
            test = chisquare(counts)
            probes.append(Probe(
                f"{task.partition('_')[0]}: last digits of {name}", "each 8–12 %", f"{shares.min():.1%}–{shares.max():.1%}",
                int(counts.sum()), bool(shares.min() >= 0.08 and shares.max() <= 0.12),
                f"chi² {test.statistic:.1f}, p {test.pvalue:.2g}; most often {int(shares.argmax())}",
            ))  # fmt: skip
    return probes


def _stance(text: str) -> tuple[str, str]:
    """(trade or no_trade, side) as an answer says it."""
    side, refused = "", False
    for claim in read_claims(text)[0]:
        refused |= claim.kind == "verdict" and claim.value == "no_trade"
        if claim.kind == "side" and not side:
            side = str(claim.value)
    return ("no_trade", "") if refused else ("trade", side) if side else ("", "")


def probe_balance(rows: list[Row], pairs: list[Row]) -> list[Probe]:
    """No-trade share of rows, long share, and both on the two sides of pairs."""
    refused = sum(row.facts["verdict"] == "no_trade" for row in rows) / len(rows)
    sides = [row.facts["verdict"] for row in rows if row.facts["verdict"] != "no_trade"]
    long = sides.count("long") / len(sides)
    probes = [
        Probe("trade: no-trade share", "40–50 %", f"{refused:.1%}", len(rows), 0.4 <= refused <= 0.5),
        Probe("trade: long share of plans", "45–55 %", f"{long:.1%}", len(sides), 0.45 <= long <= 0.55),
    ]
    said = {name: [_stance(text) for text in texts] for name, texts in (
        ("chosen", [row.output for row in pairs]), ("rejected", [row.rejected for row in pairs]))}  # fmt: skip
    for word, place, note in (("no_trade", 0, "no-trade share"), ("long", 1, "long share")):
        share, counts = {}, []
        for name, stances in said.items():
            stated = [stance[place] for stance in stances if stance[place]]
            share[name] = stated.count(word) / max(len(stated), 1)
            counts.append(len(stated))
        gap = share["rejected"] - share["chosen"]
        probes.append(Probe(
            f"trade pairs: {note}, chosen against rejected", "within 5 points",
            f"{share['chosen']:.1%} against {share['rejected']:.1%}", sum(counts), abs(gap) <= 0.05,
            f"stated in {counts[0]} chosen and {counts[1]} rejected of {len(pairs)} pairs",
        ))  # fmt: skip
    return probes


_CORRECTED = re.compile(r"follows as ([-\d.,]+), not ([-\d.,]+)")


def probe_direction(pairs: list[Row]) -> Probe:
    """How often a changed number is larger than the one that follows."""
    from validators.check import check_answer
    from validators.context import read_prompt

    up = down = 0
    for row in pairs:
        prompt = read_prompt(row.instruction, row.input)
        for finding in check_answer(prompt, row.rejected, spec=load_spec(row.task_type), generated=True):
            match = _CORRECTED.search(finding.message)
            if match:
                right, stated = (abs(float(part.rstrip(".").replace(",", ""))) for part in match.groups())
                up += stated > right
                down += stated < right
    share = up / max(up + down, 1)
    return Probe("pairs: wrong numbers that are too large", "45–55 %", f"{share:.1%}", up + down, 0.45 <= share <= 0.55)


# --- the run -------------------------------------------------------------------------------------


def run(rows: int, workers: int, kinds: tuple[str, ...] = KINDS) -> tuple[list[Probe], list[dict[str, Any]]]:
    """All probes on `rows` rows per task and shape, and the table of defects."""
    tasks = list_tasks()
    single = ("sentiment_analysis", "trade_recommendation", "risk_assessment")
    jobs = [("alpaca", task) for task in single] + [("preference", task) for task in tasks]
    made = make_all(jobs, rows, workers)
    sentiment, plans, risks = (made["alpaca", task] for task in single)
    pairs = {task: made["preference", task] for task in tasks}
    probes = [*probe_sentiment(sentiment), *probe_plans(plans), *probe_scores(risks)]
    probes += probe_ratios(_flat(plans)[0]) + probe_last_digits(_flat(plans)[0] + _flat(risks)[0])
    probes += probe_balance(_flat(plans)[0], _flat(pairs["trade_recommendation"])[0])
    probes.append(
        probe_direction([row for task in ("risk_assessment", "trade_recommendation") for row in _flat(pairs[task])[0]])
    )
    blend = mixed(pairs)
    by_defect: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    probes += [probe_defects(blend), probe_manners(blend)]
    probes += probe_pairs("default mix", blend, kinds)
    for task in tasks:
        probes += probe_pairs(task, list(zip(*_flat(pairs[task]))), kinds, by_defect)
    return probes, defect_table(blend, by_defect)


def _print_markdown(probes: list[Probe], defects: list[dict[str, Any]]) -> None:
    print("| probe | limit | figure | n | verdict | beside it |\n|---|---|---|---:|---|---|")
    for probe in probes:
        print(
            f"| {probe.name} | {probe.limit} | {probe.figure} | {probe.n:,} | {'pass' if probe.passed else '**FAIL**'} | {probe.note} |"
        )
    failed = [probe for probe in probes if probe.weights]
    if failed:
        print(
            "\nWhat the missed limits rest on (for words and characters mean weights, else differences of means in standard deviations):\n"
        )
    for probe in failed:
        print(f"- **{probe.name}**")
        for line in probe.weights:
            print(f"  - {line}")
    print("\n| defect | count | share | codes found | " + " | ".join(f"told by {kind}" for kind in KINDS) + " |")
    print("|---|---:|---:|---|" + "---:|" * len(KINDS))
    for entry in defects:
        codes = " ".join(f"{code} {count}" for code, count in entry["codes"].items())
        told = " | ".join(f"{entry['told'][kind]:.0%}" if kind in entry["told"] else "–" for kind in KINDS)
        print(f"| {entry['defect']} | {entry['count']:,} | {entry['share']:.1%} | {codes} | {told} |")
    print(
        "\n“Told by”: pairs of that defect whose rejected side gets the higher held-out score from the probe of its task; half is chance."
    )


def main() -> None:
    """Print the table; exit 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=3000, help="rows per task and shape")
    parser.add_argument("--workers", type=int, default=2, help="processes that make rows")
    parser.add_argument("--json", action="store_true", help="as JSON")
    options = parser.parse_args()
    probes, defects = run(options.rows, options.workers)
    if options.json:
        print(json.dumps({"probes": [asdict(probe) for probe in probes], "defects": defects}, indent=2))
    else:
        _print_markdown(probes, defects)
    sys.exit(0 if all(probe.passed for probe in probes) else 1)


if __name__ == "__main__":
    main()

"""The four public sentiment sets for lm-evaluation-harness: `lm_eval --include_path finetune/lm_eval --tasks tapewright_fpb`.

Each set is read from the path in TAPEWRIGHT_FPB, TAPEWRIGHT_FIQA, TAPEWRIGHT_TFNS or TAPEWRIGHT_NWGI, or from the Hub
where that is not set. The labels are scored by their likelihood, so a model that cannot follow instructions is
measured too.
"""

import os

import tapewright

LABELS = ("negative", "neutral", "positive")


def _read(name, **_):
    from datasets import Dataset

    place = os.environ.get(f"TAPEWRIGHT_{name.upper()}", "")
    cases = tapewright.read_public(f"{name}={place}" if place else name)
    rows = [{"text": case.row.input, "label": LABELS.index(case.row.output)} for case in cases]
    return {"test": Dataset.from_list(rows)}


def fpb(**options):
    """Financial PhraseBank."""
    return _read("fpb", **options)


def fiqa(**options):
    """FiQA 2018."""
    return _read("fiqa", **options)


def tfns(**options):
    """Twitter Financial News Sentiment."""
    return _read("tfns", **options)


def nwgi(**options):
    """News with GPT instructions."""
    return _read("nwgi", **options)


def score(doc, results):
    """Per row: gold and the likeliest label, under every metric's name."""
    likelihoods = [float(result[0]) if isinstance(result, (tuple, list)) else float(result) for result in results]
    said = max(range(len(LABELS)), key=likelihoods.__getitem__)
    pair = (doc["label"], said)
    return {"accuracy": float(pair[0] == pair[1]), "macro_f1": pair, "micro_f1": pair, "weighted_f1": pair}


def _f1(pairs, average):
    from sklearn.metrics import f1_score

    gold, said = zip(*pairs)
    return float(f1_score(gold, said, labels=list(range(len(LABELS))), average=average, zero_division=0))  # pyright: ignore


def macro_f1(pairs):
    """Mean of the labels' F1."""
    return _f1(pairs, "macro")


def micro_f1(pairs):
    """F1 of all rows at once."""
    return _f1(pairs, "micro")


def weighted_f1(pairs):
    """F1 weighted by how often each label is gold."""
    return _f1(pairs, "weighted")

"""Labelled public sentiment sets: Financial PhraseBank, FiQA, TFNS, NWGI, read as the literature reads them.

| set | files | labels |
|---|---|---|
| fpb | `sentence@label` lines in Latin-1, a folder or zip of them, or a table | positive, neutral, negative |
| fiqa | table with a score of −1 to 1, or the challenge's JSON: one case per entity a text names | negative below −0.1, positive from 0.1, neutral between |
| tfns | table with 0, 1, 2 | bearish is negative, bullish is positive, neutral |
| nwgi | table with seven steps | the mild steps on both sides are neutral |
"""

import re
from typing import Any

from finetune.evaluation.cases import Case
from tapewright.errors import ConfigError
from tapewright.rows import Row
from templates.specs import load_spec
from validators.leakage.public import read_benchmark

LABELS = ("negative", "neutral", "positive")
_TASK = "sentiment_analysis"
_ASK = "What is the sentiment of this news? Answer with one of: negative, neutral, positive."
_TEXT = ("sentence", "tweet", "text", "news", "headline", "title", "input")
_LABEL = ("label", "sentiment", "sentiment_score", "score", "output")
_TFNS = {"0": "negative", "1": "positive", "2": "neutral"}
_FPB = {"0": "negative", "1": "neutral", "2": "positive"}
_MILD = re.compile(r"^mildly ")
_STEPS = re.compile(r"^(?:strong|moderately|strongly) ?")


def read_public(wanted: str) -> list[Case]:
    """Every text with a label as a case, of `name=PATH` (a file or folder) or `name` (from the Hub).

    Raises ConfigError for an unknown set or one whose labels cannot be read.
    """
    name = wanted.partition("=")[0].lower()
    title, items = read_benchmark(wanted)
    cases = []
    for record in (item.record for item in items):
        text, label = _pair(name, record)
        if text and label:
            row = Row(_ASK, text, label, _TASK, name, facts={"label": label, "vocabulary": "tone3"})
            cases.append(Case(len(cases), row, load_spec(_TASK)))
    if not cases:
        columns = ", ".join(list(items[0].record)[:10]) if items and isinstance(items[0].record, dict) else "no columns"
        raise ConfigError(f"no label of {title} can be read ({columns}); wanted a text and one of {', '.join(_LABEL)}")
    return cases


def _pair(name: str, record: Any) -> tuple[str, str]:
    if not isinstance(record, dict):
        return "", ""
    text = next((str(record[key]).strip() for key in _TEXT if record.get(key)), "")
    value = next((record[key] for key in _LABEL if record.get(key) not in (None, "")), None)
    return text, "" if value is None else _label_of(name, value)


def _label_of(name: str, value: Any) -> str:
    said = str(value).strip().lower()
    if name == "fiqa":
        try:
            score = float(said)
        except ValueError:
            return said if said in LABELS else ""
        return "negative" if score < -0.1 else "positive" if score >= 0.1 else "neutral"
    if name in ("tfns", "fpb") and said in _TFNS:
        return (_TFNS if name == "tfns" else _FPB)[said]
    if _MILD.match(said):
        return "neutral"
    said = {"bearish": "negative", "bullish": "positive"}.get(said, _STEPS.sub("", said))
    return said if said in LABELS else ""

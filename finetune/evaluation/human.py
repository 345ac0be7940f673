"""Answers for people to read: a sheet without the models' names, and what they wrote into it."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

from finetune.evaluation.cases import Case
from finetune.evaluation.grade import Grade
from tapewright.errors import ConfigError, FileError
from tapewright.files import whole
from tapewright.streams import stream

COLUMNS = ("key", "task", "prompt", "answer", "score", "remark")
SCALE = {
    1: "wrong or harmful", 2: "mostly wrong, or a number that decides is", 3: "usable after correction",
    4: "right, with a small flaw", 5: "right, complete, and said well",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opinion:
    """One score of 1–5 a person gave to one answer of a model."""

    model: str
    key: str
    score: int
    remark: str


def write_sheet(path: Path, cases: Sequence[Case], models: dict[str, list[Grade]], count: int, seed: int) -> int:
    """A CSV of `count` random answers over all models, in random order, each with an empty score; returns how many."""
    answers = [(name, place) for name, grades in models.items() for place in range(len(grades))]
    rng = stream("human", seed)
    drawn = rng.sample(answers, min(count, len(answers)))
    with whole(path) as target:
        lines = _Lines(target)
        writer = csv.writer(lines)
        writer.writerow(COLUMNS)
        for name, place in drawn:
            row = cases[place].row
            prompt = f"{row.instruction}\n\n{row.input}".strip()
            answer = models[name][place].said.text
            writer.writerow([key_of(name, cases[place], answer), row.task_type, _safe(prompt), _safe(answer), "", ""])
    return len(drawn)


def read_sheet(path: Path, cases: Sequence[Case], models: dict[str, list[Grade]]) -> list[Opinion]:
    """The scores of a sheet that was filled in. Rows without a score are left out.

    Raises FileError for a file that is no sheet, ConfigError for a score outside 1–5 or a sheet of other answers.
    """
    names = {
        key_of(name, case, grade.said.text): name
        for name, grades in models.items()
        for case, grade in zip(cases, grades)
    }
    try:
        with path.open(encoding="utf-8-sig", newline="") as source:
            rows = list(csv.DictReader(source))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FileError(f"cannot read the sheet {path}: {error}") from error
    if rows and not {"key", "score"} <= rows[0].keys():
        raise FileError(f"{path} is no sheet of `evaluate --human`: it has no columns key and score")
    opinions = []
    for number, row in enumerate(rows, 2):
        written = (row["score"] or "").strip()
        if not written:
            continue
        if written not in ("1", "2", "3", "4", "5"):
            raise ConfigError(f"{path} line {number}: score {written!r} is none of 1, 2, 3, 4, 5 ({'; '.join(f'{k} {v}' for k, v in SCALE.items())})")  # fmt: skip
        if row["key"] not in names:
            raise ConfigError(f"{path} line {number}: key {row['key']!r} is of no answer here; the sheet belongs to other answers")  # fmt: skip
        opinions.append(Opinion(names[row["key"]], row["key"], int(written), row.get("remark") or ""))
    return opinions


def key_of(model: str, case: Case, answer: str) -> str:
    """What finds an answer again without telling whose it is."""
    return blake2b(f"{model}\x1f{case.number}\x1f{answer}".encode(), digest_size=6).hexdigest()


def _safe(text: str) -> str:
    """A text no spreadsheet takes for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t") else text


class _Lines:
    """A text file's `write` over a binary one, which is what `csv` wants."""

    def __init__(self, target) -> None:
        self.target = target

    def write(self, text: str) -> int:
        return self.target.write(text.encode())

"""Rows as a trainer takes them: read from any shape, encoded with the model's own template, nothing lost without a name.

A row that does not fit is left out whole: an answer cut off at the limit would teach answers that stop half way.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

from finetune.prompts import encode_answer, encode_prompt
from tapewright.errors import ConfigError, RowError
from tapewright.inputs import expand, read_items
from tapewright.rows import Row, identity
from tapewright.shapes import from_record

ANSWERS, PAIRS, LABELLED, PROMPTS, TEXTS = "answers", "pairs", "labelled answers", "prompts", "texts"
VALIDATION_SHARE, VALIDATION_MOST = 0.05, 200  # of the data where no validation file is given


@dataclass(slots=True)
class Source:
    """The rows of some files. `left` names each row that was left out, with the reason; `sha256` is of the files' bytes."""

    files: list[str]
    sha256: str
    rows: list[tuple[str, Row]] = field(default_factory=list)  # place, row
    left: list[tuple[str, str]] = field(default_factory=list)  # place, reason


@dataclass(slots=True)
class Example:
    """One encoded row. `rejected` is empty outside pairs; `label` is of labelled answers."""

    place: str
    row: Row
    prompt: list[int]
    answer: list[int]
    rejected: list[int] = field(default_factory=list)
    label: bool = True

    @property
    def tokens(self) -> int:
        """Length of the longest sequence made of it."""
        return len(self.prompt) + max(len(self.answer), len(self.rejected))


def read_source(names: Sequence[str], kind: str, shape: str = "") -> Source:
    """Read files, globs or folders. `kind` says what a row must have.

    Raises ConfigError where the files hold no row, or none of that kind, with what to do about it.
    """
    files = expand(names)
    source = Source([Path(name).name for name in files], _digest(files))
    for name in files:
        for item in read_items(name):
            place = f"{Path(name).name}:{item.line}"
            if item.problem:
                source.left.append((place, item.message or item.problem))
                continue
            try:
                row = from_record(item.record, shape)
            except RowError as error:
                source.left.append((place, str(error)))
                continue
            reason = _lacks(row, kind)
            if reason:
                source.left.append((place, reason))
            else:
                source.rows.append((place, row))
    if not source.rows:
        said = ", ".join(names)
        if not source.left:
            raise ConfigError(f"{said} is empty: no row to train on")
        place, reason = source.left[0]
        raise ConfigError(f"{said}: no row holds {kind}; {place}: {reason}.{_ADVICE.get(kind, '')}")
    return source


_ADVICE = {
    PAIRS: " Make pairs with `generate --format preference`, or with `finetune pairs`",
    LABELLED: " Use rows with label true or false, or preference pairs",
}


def _lacks(row: Row, kind: str) -> str:
    if kind == TEXTS:
        return "" if row.output or row.input or row.instruction else "it has no text"
    if not (row.instruction or row.input or row.turns):
        return "it has no prompt"
    if kind == PROMPTS:
        return ""
    if not row.output.strip():
        return "it has no answer"
    if kind == PAIRS:
        if not row.rejected.strip():
            return f"it has no rejected answer (its shape is {row.shape})"
        return "chosen and rejected are the same" if row.rejected == row.output else ""
    if kind == LABELLED and row.label not in ("true", "false") and not row.rejected:
        return f"it has no label true or false (its shape is {row.shape})"
    return ""


def hold_out(source: Source, seed: int) -> tuple[Source, Source]:
    """(train, validation) of one source: rows of one group stay together. The choice hangs on a row's words alone."""
    ranked = sorted(source.rows, key=lambda entry: _rank(entry[1], seed))
    count = min(VALIDATION_MOST, round(len(ranked) * VALIDATION_SHARE))
    groups = {entry[1].group or entry[0] for entry in ranked[:count]}
    inside = [entry for entry in source.rows if (entry[1].group or entry[0]) in groups]
    if count == 0 or len(inside) > len(source.rows) // 2:
        return source, Source(source.files, source.sha256)
    rest = [entry for entry in source.rows if (entry[1].group or entry[0]) not in groups]
    return (
        Source(source.files, source.sha256, rest, source.left),
        Source(source.files, source.sha256, inside),
    )


def _rank(row: Row, seed: int) -> str:
    return sha256(f"{seed}/{row.group or identity(row)}".encode()).hexdigest()


def encode_rows(
    source: Source, loaded: Any, max_length: int, *, prompt_only: bool = False
) -> tuple[list[Example], list[tuple[str, str]]]:  # fmt: skip
    """(examples, rows left out with the reason). A row is left out where it is longer than `max_length` tokens."""
    kept: list[Example] = []
    left: list[tuple[str, str]] = []
    for place, row in source.rows:
        prompt = encode_prompt(row, loaded)
        answer = [] if prompt_only else encode_answer(row, loaded)
        rejected = encode_answer(row, loaded, row.rejected) if row.rejected and not prompt_only else []
        example = Example(place, row, prompt, answer, rejected, row.label != "false")
        if example.tokens > max_length:
            left.append((place, f"{example.tokens:,} tokens, more than max_length {max_length:,}"))
        else:
            kept.append(example)
    return kept, left


def require(examples: Iterable[Example], left: list[tuple[str, str]], what: str) -> None:
    """Raises ConfigError where there is nothing to train on."""
    if not any(example.answer or example.prompt for example in examples):
        longest = f"; all {len(left):,} rows were left out, the first because of {left[0][1]}" if left else ""
        raise ConfigError(f"the {what} split is empty: nothing to train on{longest}. Raise max_length or give other data")  # fmt: skip


def _digest(files: list[str]) -> str:
    """One sha256 over the bytes of all files, in order."""
    digest = sha256()
    for name in files:
        if name != "-":
            with open(name, "rb") as stream:
                while part := stream.read(1 << 20):
                    digest.update(part)
    return digest.hexdigest()

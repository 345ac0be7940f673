"""Who is evaluated: a model's folder, an adapter's, a name on the Hub, a run of `finetune`, a server, or answers in a file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson

from finetune.evaluation.cases import Case
from finetune.evaluation.grade import Said
from tapewright.errors import ConfigError, FileError
from tapewright.files import read_records, whole

STAGES = ("base", "sft", "dpo", "grpo", "rloo")  # folders of a run, in the order they are compared
TEST_FILE = "rows-test.jsonl"


@dataclass(frozen=True, slots=True)
class Contender:
    """A model to load: its name in tables, where it is, and the adapter's folder if one is put on it."""

    name: str
    source: str | None
    adapter: str | None = None


def contenders(models: Sequence[str], adapter: str) -> list[Contender]:
    """`NAME=PLACE` or PLACE each; a run's folder stands for the stages in it. An empty PLACE is the embedded model."""
    found: list[Contender] = []
    for model in models:
        name, sign, place = model.rpartition("=")
        folder = Path(place)
        stages = [stage for stage in STAGES if is_model(folder / stage)]
        if stages and not is_model(folder):
            found += [Contender(f"{name}/{stage}" if name else stage, str(folder / stage)) for stage in stages]
        else:
            found.append(Contender(name or folder.name or "embedded", place or None, adapter or None))
    if adapter and len(found) != 1:
        raise ConfigError(f"--adapter goes with one MODEL, here are {len(found)}; an adapter's folder can itself be a MODEL")  # fmt: skip
    doubled = sorted({one.name for one in found if [other.name for other in found].count(one.name) > 1})
    if doubled:
        raise ConfigError(f"two models are called {doubled[0]}; give names, as in one={doubled[0]}")
    return found


def is_model(folder: Path) -> bool:
    """Whether a folder holds a model or an adapter."""
    return (folder / "config.json").is_file() or (folder / "adapter_config.json").is_file()


def write_answers(path: Path, cases: Sequence[Case], said: Sequence[Said]) -> None:
    """One line per case: number, id, text, and what making it took."""
    with whole(path) as target:
        for case, one in zip(cases, said):
            record = {
                "row": case.number, "task_type": case.spec.name, "answer": one.text, "finished": one.finished,
                "tokens": one.tokens, "seconds": round(one.seconds, 4), "loss": one.loss, "loss_tokens": one.loss_tokens,
            }  # fmt: skip
            target.write(orjson.dumps(record) + b"\n")


def read_answers(path: Path, cases: Sequence[Case]) -> list[Said]:
    """Answers in the order of the cases, from lines of `row` (number of the row in the data, from 0) and `answer`.

    Raises FileError for lines without these, and where a case has no answer or two.
    """
    known: dict[int, Said] = {}
    for line, record in read_records(path):
        row, answer = record.get("row"), record.get("answer")
        if not isinstance(row, int) or not isinstance(answer, str):
            raise FileError(f"{path} line {line}: needs row (a number, from 0) and answer (a text)")
        if row in known:
            raise FileError(f"{path} line {line}: a second answer to row {row}")
        known[row] = Said(
            answer, bool(record.get("finished", True)), int(record.get("tokens") or 0), float(record.get("seconds") or 0.0),
            float(record.get("loss") or 0.0), int(record.get("loss_tokens") or 0),
        )  # fmt: skip
    missing = [case.number for case in cases if case.number not in known]
    if missing:
        raise FileError(f"{path} has no answer to row {missing[0]} and {len(missing) - 1} others of the {len(cases)} asked")  # fmt: skip
    return [known[case.number] for case in cases]

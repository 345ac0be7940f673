"""What `evaluate` does once its options are parsed."""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from converters.dialogue import Dialogue, dialogue_of
from finetune.evaluation.baselines import baselines
from finetune.evaluation.cases import Case, read_cases
from finetune.evaluation.contenders import TEST_FILE, Contender, contenders, read_answers, write_answers
from finetune.evaluation.endpoint import ask_all
from finetune.evaluation.grade import Grade, Said, grade
from finetune.evaluation.human import read_sheet, write_sheet
from finetune.evaluation.measures import Resampling
from finetune.evaluation.public_sentiment import read_public
from finetune.evaluation.report import as_terminal, write_reports
from finetune.evaluation.second_scorer import count_right, questions
from finetune.evaluation.tables import Evaluation, as_data, tables
from tapewright.errors import ConfigError

SHEET = "sheet.csv"
DEMO = Path("models/demo")  # where `finetune` alone leaves its models
_LEAST_ROOM = 32  # tokens an answer needs at least
_ROOM = (64, 512)  # fewest and most tokens for an answer where nothing is said

Ask = Callable[[Sequence[Dialogue]], list[Said]]


@dataclass(frozen=True, slots=True)
class Asking:
    """How models are asked: longest answer in tokens, rows at once, questions of the second scorer, solved rows shown."""

    max_new_tokens: int
    batch: int
    json_rows: int
    few_shot: int
    device: str
    quantisation: str
    max_prompt_tokens: int


def run_evaluate(
    models: tuple[str, ...], *, data: tuple[str, ...], adapter: str, sentiment: str, train: tuple[str, ...], answers: tuple[str, ...],
    endpoint: str, endpoint_model: str, rows: int, seed: int, max_new_tokens: int, max_prompt_tokens: int, batch: int, json_rows: int,
    few_shot: int, trivial: bool, device: str, quantisation: str, human: int, sheet: Path | None, output: Path, as_json: bool,
) -> int:  # fmt: skip
    """Answer, grade, compare, report; returns the exit code."""
    if endpoint and not endpoint_model:
        raise ConfigError("name the server's model with --endpoint-model")
    if batch < 1 or max_new_tokens < 0:
        raise ConfigError("--batch is at least 1, and --max-new-tokens 0 or more")
    if not (models or endpoint or answers or data or sentiment) and DEMO.is_dir():
        models = (str(DEMO),)
    asked = contenders(models, adapter)
    cases, left = _cases(data, sentiment, models, rows, seed)
    known = read_cases(train)[0] if train else cases
    max_new_tokens = max_new_tokens or _room(cases)
    asking = Asking(max_new_tokens, batch, json_rows, few_shot, device, quantisation, max_prompt_tokens)
    if asked:
        cases = _those_that_fit(cases, asked[0], asking, left)
    resampling = Resampling([case.group for case in cases], seed=seed)
    settings: dict[str, Any] = {
        "data": [Path(name).name for name in data] or ([sentiment.partition("=")[0]] if sentiment else []), "seed": seed, "batch": batch,
        "max_new_tokens": max_new_tokens, "left_out": dict(left), "seconds": {},
    }  # fmt: skip
    found = Evaluation(cases, {}, {}, resampling, settings)
    for contender in asked:
        _answer_locally(found, contender, asking, known, output)
    if endpoint:
        _answer_remotely(found, endpoint, endpoint_model, asking, output)
    for entry in answers:
        name, sign, place = entry.partition("=")
        if not sign:
            raise ConfigError(f"{entry!r} is not NAME=FILE")
        found.models[name] = _graded(cases, read_answers(Path(place), cases))
    if trivial:
        found.trivial |= {name: _graded(cases, said) for name, said in baselines(cases, known).items()}
    if not found.everyone:
        raise ConfigError("nothing to evaluate: name a MODEL, --endpoint, --answers, or leave the baselines on")
    if sheet:
        found.opinions = read_sheet(sheet, cases, found.models)
    if human:
        count = write_sheet(output / SHEET, cases, found.models, human, seed)
        _say(f"{output / SHEET}: {count} answers to read; fill in score (1–5) and give it back with --sheet")
    written = write_reports(found, output)
    if as_json:
        sys.stdout.write(orjson.dumps(as_data(found), option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY).decode() + "\n")  # fmt: skip
    else:
        sys.stdout.write(as_terminal(tables(found)))
    _say("written: " + ", ".join(map(str, written)))
    return 0


def _cases(
    data: tuple[str, ...], sentiment: str, models: tuple[str, ...], rows: int, seed: int
) -> tuple[list[Case], Any]:
    if sentiment:
        if data:
            raise ConfigError("--sentiment brings its own texts; leave --data out")
        read = read_public(sentiment)
        return (read[:rows] if rows else read), {}
    if not data:
        beside = [path for model in models if (path := Path(model.rpartition("=")[2]) / TEST_FILE).is_file()]
        if not beside:
            raise ConfigError("name the rows to ask with --data, or a run's folder that holds its test rows")
        data = (str(beside[0]),)
    return read_cases(data, rows, seed)


def _room(cases: Sequence[Case]) -> int:
    """Tokens for an answer: as many as the longest answer of the rows has characters, some three times what it needs.

    A model that never ends, as untrained ones do, would otherwise take most of the time.
    """
    least, most = _ROOM
    return min(most, max(least, *(len(case.row.output) for case in cases)))


def _those_that_fit(cases: list[Case], first: Contender, asking: Asking, left: Any) -> list[Case]:
    """The cases whose prompt leaves room for an answer, by the first model's tokenizer; the others are counted."""
    from transformers import AutoConfig

    from finetune.evaluation.answering import context_of
    from finetune.models import check_there, load_tokenizer, quieten, resolve
    from finetune.prompts import choose_format, encode_prompt

    quieten()
    source, _ = resolve(first.source, first.adapter)
    check_there(source)
    tokenizer = load_tokenizer(source)
    choose_format(tokenizer, "auto")
    context = context_of(AutoConfig.from_pretrained(source, trust_remote_code=False))
    most = asking.max_prompt_tokens or (context - min(asking.max_new_tokens, context // 2) if context else 0)
    if not most:
        return cases
    kept = [case for case in cases if len(encode_prompt(case.row, tokenizer)) <= most - _LEAST_ROOM * (not context)]
    if len(kept) < len(cases):
        left[f"prompt over {most} tokens"] = len(cases) - len(kept)
    if not kept:
        raise ConfigError(f"no prompt has at most {most} tokens, which is what {first.name} can read before an answer of {asking.max_new_tokens}")  # fmt: skip
    return kept


def _answer_locally(
    found: Evaluation, contender: Contender, asking: Asking, known: Sequence[Case], output: Path
) -> None:
    from finetune.evaluation.answering import answer_all, measure_loss, with_examples
    from finetune.models import load_model

    loaded = load_model(
        contender.source, adapter=contender.adapter, quantisation=asking.quantisation or None, device=asking.device
    )
    loaded.name = contender.name

    def ask(dialogues: Sequence[Dialogue], name: str) -> list[Said]:
        with _watching(name, len(dialogues)) as watch:
            return answer_all(loaded, dialogues, max_new_tokens=asking.max_new_tokens, batch=asking.batch, watch=watch)

    _answer(found, contender.name, lambda dialogues: ask(dialogues, contender.name), asking, output,
            lambda said: measure_loss(loaded, found.cases, said, asking.batch))  # fmt: skip
    if asking.few_shot and len(found.models) == 1:
        name = f"{contender.name}, {asking.few_shot} shown"
        said = ask(with_examples(found.cases, known, asking.few_shot), name)
        found.trivial[name] = _graded(found.cases, said)


def _answer_remotely(found: Evaluation, endpoint: str, model: str, asking: Asking, output: Path) -> None:
    def ask(dialogues: Sequence[Dialogue]) -> list[Said]:
        with _watching(model, len(dialogues)) as watch:
            return ask_all(endpoint, model, dialogues, max_new_tokens=asking.max_new_tokens, at_once=asking.batch, watch=watch)  # fmt: skip

    _answer(found, model, ask, asking, output)


def _answer(
    found: Evaluation, name: str, ask: Ask, asking: Asking, output: Path, measure: Callable[[list[Said]], None] | None = None
) -> None:  # fmt: skip
    """Answers, losses and the second scorer's questions of one model, graded into `found`."""
    began = time.perf_counter()
    said = ask([dialogue_of(case.row) for case in found.cases])
    found.settings["seconds"][name] = round(time.perf_counter() - began, 3)
    if measure:
        measure(said)
    write_answers(output / f"answers-{name.replace('/', '-')}.jsonl", found.cases, said)
    grades = _graded(found.cases, said)
    again = questions(found.cases)[: asking.json_rows]
    for (place, _), reply in zip(again, ask([dialogue for _, dialogue in again]) if again else []):
        grades[place].second = count_right(found.cases[place], reply.text)
    found.models[name] = grades


def _graded(cases: Sequence[Case], said: Sequence[Said]) -> list[Grade]:
    return [grade(case, one) for case, one in zip(cases, said)]


@contextmanager
def _watching(name: str, rows: int) -> Iterator[Callable[[int], None] | None]:
    """A bar of rows answered, on a terminal only."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = TextColumn(f"asking {name}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = progress.add_task("", total=rows)
        yield lambda count: progress.advance(bar, count)


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")

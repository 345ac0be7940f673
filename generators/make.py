"""One row, from its place in the schedule to a record that the checker has accepted.

Row i is a pure function of (seed, task, i, attempt, tape): draw the situation, render the prompt
and the answer, read both back, and refuse the attempt if anything is found. What is refused is
counted by reason and the next attempt is drawn.
"""

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from generators.config import Config
from generators.pairs import make_rejected
from generators.registry import load_spec, load_task
from generators.situation import Situation
from generators.splits import Split
from generators.structured import add_schema, in_form, structured_answer
from generators.world import World
from market.candles import Tape
from tapewright.errors import ExhaustedError
from tapewright.rows import Row
from tapewright.streams import Stream, stream
from templates.engine import STRUCTURED, load_family, render
from validators.check import check_answer, check_prompt
from validators.context import read_prompt

MAX_ATTEMPTS = 200


@dataclass(slots=True)
class Made:
    """An accepted row with the attempt it took and the reasons earlier attempts were refused for."""

    row: Row
    attempt: int
    refused: Counter


class Maker:
    """Makes rows of one configuration on one tape. One per process."""

    def __init__(self, config: Config, tape: Tape, splits: dict[str, Split]) -> None:
        self.config = config
        self.tape = tape
        self.splits = splits
        self._worlds: dict[str, World] = {}

    @cached_property
    def _count_tokens(self) -> Any:
        from tapewright.tokens import token_counter

        return token_counter(self.config.tokenizer)

    def make(self, task: str, split: str, index: int, ordinal: int, attempt: int = 0) -> Made:
        """The first acceptable row from `attempt` on. Raises ExhaustedError with the reasons."""
        refused: Counter = Counter()
        for number in range(attempt, attempt + MAX_ATTEMPTS):
            row, reasons = self._attempt(task, split, index, ordinal, number)
            if row is not None:
                return Made(row, number, refused)
            refused.update(set(reasons))
        why = ", ".join(f"{reason} ×{count}" for reason, count in refused.most_common(5))
        raise ExhaustedError(f"row {index} ({task}): nothing acceptable in {MAX_ATTEMPTS} attempts; refused for {why}")

    def _world(self, split: str) -> World:
        world = self._worlds.get(split)
        if world is None:
            config, part = self.config, self.splits[split]
            world = self._worlds[split] = World(
                self.tape, config.seed, part.since_s, part.until_s, config.symbols,
                config.anonymize, config.natural, config.difficulty, part.may_use,
            )  # fmt: skip
        return world

    def situation(self, task: str, split: str, index: int, ordinal: int, attempt: int = 0) -> Situation:
        """The situation of a row, without its words being rendered."""
        return self._draw(task, split, index, ordinal, attempt)[0]

    def _draw(self, task: str, split: str, index: int, ordinal: int, attempt: int) -> tuple[Situation, Stream]:
        rng = stream(self.config.seed, task, index, attempt, self.tape.sha256)
        world = self._world(split)
        world.task, world.ordinal = f"{task}/{split}", ordinal
        return load_task(task).draw(rng, world), rng

    def _attempt(self, task: str, split: str, index: int, ordinal: int, attempt: int) -> tuple[Row | None, list[str]]:
        config = self.config
        situation, rng = self._draw(task, split, index, ordinal, attempt)
        families = self.splits[split].families(task)
        family = families[int(rng.random() * len(families))]
        row, form = self._render(situation, task, family, rng)
        spec = load_spec(task)
        prompt = read_prompt(row.instruction, row.input, timeless=spec.timeless)
        findings = check_answer(prompt, row.output, spec=spec, generated=True, facts=row.facts)
        if not findings and not spec.timeless:
            findings = check_prompt(prompt)
        if findings:
            return None, [finding.code for finding in findings]
        if config.shape == "preference":
            rejected = make_rejected(situation, row, prompt, task, families, rng, form)
            if rejected is None:
                return None, ["no defect fits"]
            row.rejected, row.defect, codes = rejected
            row.provenance["codes"] = codes
        if config.max_tokens and self._count_tokens(row) > config.max_tokens:
            return None, ["over --max-tokens"]
        row.provenance |= {
            "seed": config.seed, "row": index, "ordinal": ordinal, "attempt": attempt, "split": split,
            "tape": self.tape.sha256[:16], "code": config.version, "origin": _by_origin(situation.origin),
        }  # fmt: skip
        return row, []

    def _render(self, situation: Situation, task: str, family: str, rng: Stream) -> tuple[Row, str]:
        sections = load_family(task, family)
        words = situation.words
        form = self.config.answer_format if STRUCTURED in sections else "text"
        asked = sections[STRUCTURED if form == "json" else "instruction"]
        instruction = render(asked, {**words, "form": form}, rng)
        instruction = instruction[:1].upper() + instruction[1:]
        data = render(sections["input"], words, rng)
        output = render(sections["output"], words, rng)
        if form != "text":
            answer = structured_answer(situation.facts, words, task)
            instruction = add_schema(instruction, answer, both=form == "both", rng=rng)
            output = in_form(output, answer, form)
        row = Row(
            instruction, data, output, task, family, group=situation.group, as_of=situation.as_of,
            facts=situation.facts, label=situation.label,
        )  # fmt: skip
        return row, form


def _by_origin(origin: dict[str, str]) -> dict[str, list[str]]:
    grouped: dict[str, list[str]] = {}
    for name, source in origin.items():
        grouped.setdefault(source, []).append(name)
    return grouped

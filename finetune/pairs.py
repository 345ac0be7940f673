"""On-policy pairs: a model's own answers to a prompt, the best the checker accepts and the worst it refuses."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from finetune.data import PROMPTS, read_source
from finetune.evaluation.slots import score_answer
from finetune.models import Loaded
from finetune.prompts import encode_prompt
from finetune.rewards import reward_answer
from tapewright import files
from tapewright.errors import ConfigError
from tapewright.rows import Row
from templates.specs import list_tasks, load_spec

DEFECT = "on_policy"


@dataclass(slots=True)
class Tally:
    """What became of the prompts: how many gave a pair, and why the others did not."""

    prompts: int = 0
    pairs: int = 0
    answers: int = 0
    accepted: int = 0
    without: Counter = field(default_factory=Counter)
    sha256: str = ""


def make_pairs(
    loaded: Loaded, data: Sequence[str], output: Path, *, samples: int, length: int, temperature: float, seed: int,
    rows: int = 0, shape: str = "", watch: Callable[[int], None] | None = None,
) -> Tally:  # fmt: skip
    """Sample `samples` answers to each prompt and write preference rows. Raises ConfigError where no row is of a task of ours."""
    from transformers import set_seed

    asked = [row for _, row in read_source(data, PROMPTS, shape).rows if row.task_type in list_tasks()]
    if not asked:
        raise ConfigError(f"{', '.join(data)}: no row names a task of ours in task_type; the checker needs to know what is asked")  # fmt: skip
    tally = Tally()
    records = []
    set_seed(seed)
    for number, row in enumerate(asked[:rows] if rows else asked):
        answers = sample_answers(loaded, row, samples, length, temperature)
        pair = choose_pair(row, answers, tally)
        if pair is not None:
            records.append(_record(row, pair, number))
        if watch:
            watch(1)
    tally.sha256 = files.write_from_lines(output, [files.encode_lines(records)])
    return tally


def sample_answers(loaded: Loaded, row: Row, samples: int, length: int, temperature: float) -> list[str]:
    """So many answers to one prompt, drawn by torch's own stream."""
    import torch

    prompt = torch.tensor([encode_prompt(row, loaded)], device=loaded.device)
    with torch.inference_mode():
        made = loaded.model.generate(
            input_ids=prompt, attention_mask=torch.ones_like(prompt), do_sample=True, temperature=temperature, top_p=1.0, top_k=0,
            num_return_sequences=samples, max_new_tokens=length, pad_token_id=loaded.tokenizer.pad_token_id,
        )  # fmt: skip
    return [
        loaded.tokenizer.decode(ids, skip_special_tokens=True).strip() for ids in made[:, prompt.shape[1] :].tolist()
    ]


def choose_pair(row: Row, answers: Sequence[str], tally: Tally) -> tuple[str, str, list[str]] | None:
    """(accepted, refused, codes found in the refused one), or None. Accepted is what the checker finds nothing wrong in."""
    accepted, refused = [], []
    for answer in dict.fromkeys(answers):
        score = score_answer(row.instruction, row.input, answer, load_spec(row.task_type), row.facts, row.output)
        codes = sorted({finding.code for finding in score.findings if finding.severity == "error"})
        if answer and not codes and score.right == score.required:
            accepted.append((reward_answer(row, answer), answer))
        else:
            refused.append((reward_answer(row, answer), answer, codes))
    tally.prompts, tally.answers, tally.accepted = tally.prompts + 1, tally.answers + len(answers), tally.accepted + len(accepted)  # fmt: skip
    if not accepted or not refused:
        tally.without["no answer was accepted" if not accepted else "no answer was refused"] += 1
        return None
    tally.pairs += 1
    worst = min(refused, key=lambda entry: (not entry[1], entry[0], entry[1]))
    return max(accepted)[1], worst[1] or " ", worst[2]


def _record(row: Row, pair: tuple[str, str, list[str]], number: int) -> dict[str, Any]:
    chosen, rejected, codes = pair
    return {
        "id": f"{row.id or number}-on-policy", "instruction": row.instruction, "input": row.input, "chosen": chosen,
        "rejected": rejected, "defect": DEFECT, "codes": ",".join(codes), "task_type": row.task_type, "group": row.group,
        "as_of": row.as_of, "family": row.family,
    }  # fmt: skip

"""Answers of a model: greedy, in batches, each row's own answer measured on the way.

Rows are sorted by length so that a batch holds little padding, and given back in their order. Nothing is sampled, so
the same model, rows and batch size give the same answers.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from converters.dialogue import Dialogue, dialogue_of
from finetune.evaluation.cases import Case
from finetune.evaluation.grade import Said
from finetune.models import Loaded
from finetune.prompts import encode_answer, encode_prompt
from tapewright.errors import ConfigError

Watch = Callable[[int], None]  # told how many rows were answered since
SMALL = 20_000_000  # weights up to which threads cost more to call together than they save


def answer_all(
    loaded: Loaded, dialogues: Sequence[Dialogue], *, max_new_tokens: int, batch: int, watch: Watch | None = None
) -> list[Said]:
    """One answer per dialogue. `seconds` is the time of the whole batch, which is what each of its answers waits for.

    Raises ConfigError for a prompt longer than the model's context.
    """
    import torch

    if loaded.device.type == "cpu" and sum(weight.numel() for weight in loaded.model.parameters()) <= SMALL:
        torch.set_num_threads(1)
    prompts = [encode_prompt(dialogue, loaded) for dialogue in dialogues]
    context = context_of(loaded.model.config)
    for at, prompt in enumerate(prompts):
        if context and len(prompt) >= context:
            raise ConfigError(f"row {at}: the prompt has {len(prompt)} tokens and {loaded.name} reads {context}; leave long rows out with --max-prompt-tokens {context - 1}")  # fmt: skip
    order = sorted(range(len(prompts)), key=lambda at: (-len(prompts[at]), at))
    said: list[Said] = [Said("")] * len(prompts)
    ends = _ends(loaded)
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        width = len(prompts[part[0]])
        room = min(max_new_tokens, context - width) if context else max_new_tokens
        rows, mask = _padded([prompts[at] for at in part], width, loaded)
        began = time.perf_counter()
        with torch.inference_mode(), _out_of_memory(batch):
            made = loaded.model.generate(
                input_ids=rows, attention_mask=mask, max_new_tokens=room, do_sample=False, num_beams=1,
                eos_token_id=sorted(ends), pad_token_id=loaded.tokenizer.pad_token_id,
                temperature=None, top_p=None, top_k=None,
            )  # fmt: skip
        took = time.perf_counter() - began
        for at, tokens in zip(part, made[:, width:].tolist()):
            stop = next((place for place, token in enumerate(tokens) if token in ends), None)
            kept = tokens if stop is None else tokens[:stop]
            text = loaded.tokenizer.decode(kept, skip_special_tokens=True).strip()
            said[at] = Said(text, stop is not None, len(kept) + (stop is not None), took)
        if watch:
            watch(len(part))
    return said


def measure_loss(loaded: Loaded, cases: Sequence[Case], said: Sequence[Said], batch: int) -> None:
    """Add to each `said` the summed negative log-likelihood of its row's own answer; prompt tokens do not count."""
    import torch

    texts = [(encode_prompt(case.row, loaded), encode_answer(case.row, loaded)) for case in cases]
    context = context_of(loaded.model.config)
    fits = [at for at, (prompt, reply) in enumerate(texts) if not context or len(prompt) + len(reply) <= context]
    fits.sort(key=lambda at: (-len(texts[at][0]) - len(texts[at][1]), at))
    for start in range(0, len(fits), batch):
        part = fits[start : start + batch]
        width = len(texts[part[0]][0]) + len(texts[part[0]][1])
        rows, mask = _padded([texts[at][0] + texts[at][1] for at in part], width, loaded)
        with torch.inference_mode(), _out_of_memory(batch):
            logits = loaded.model(input_ids=rows, attention_mask=mask).logits
            for row, at in enumerate(part):
                reply = texts[at][1]
                scores = logits[row, -len(reply) - 1 : -1].float().log_softmax(-1)
                target = rows[row, -len(reply) :]
                said[at].loss = -float(scores.gather(1, target[:, None]).sum())
                said[at].loss_tokens = len(reply)


def context_of(config: Any) -> int:
    """How many tokens the model reads; 0 where it does not say."""
    return int(getattr(config, "max_position_embeddings", 0) or 0)


def with_examples(cases: Sequence[Case], known: Sequence[Case], shots: int) -> list[Dialogue]:
    """Each case's dialogue after `shots` solved rows of its task, which are never its own: what a base model is shown."""
    by_task: dict[str, list[Case]] = {}
    for case in known:
        by_task.setdefault(case.spec.name, []).append(case)
    asked = []
    for case in cases:
        dialogue = dialogue_of(case.row)
        others = [other for other in by_task.get(case.spec.name, []) if other.row.output != case.row.output]
        shown = [turn for other in others[:shots] for turn in dialogue_of(other.row).messages()]
        asked.append(Dialogue(dialogue.system, [*shown, *dialogue.turns], dialogue.answer))
    return asked


def _padded(texts: list[list[int]], width: int, loaded: Loaded) -> tuple[Any, Any]:
    """Ids and attention mask (rows, width), padded on the left: the answers then begin at the same place."""
    import torch

    pad = loaded.tokenizer.pad_token_id
    rows = torch.tensor([[pad] * (width - len(text)) + text for text in texts], device=loaded.device)
    mask = torch.tensor([[0] * (width - len(text)) + [1] * len(text) for text in texts], device=loaded.device)
    return rows, mask


def _ends(loaded: Loaded) -> set[int]:
    """Every token that ends an answer: the tokenizer's, and those of the model's generation settings."""
    ends = getattr(loaded.model.generation_config, "eos_token_id", None)
    return {loaded.tokenizer.eos_token_id, *(ends if isinstance(ends, list) else [ends])} - {None}


@contextmanager
def _out_of_memory(batch: int) -> Iterator[None]:
    """Turn a failed allocation into one line that says what to change."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        said = str(error).lower()
        if isinstance(error, MemoryError) or "out of memory" in said or "allocate memory" in said:
            raise ConfigError(f"out of memory with {batch} rows at once; try --batch {max(1, batch // 2)}, a smaller --max-new-tokens, or --quantisation nf4") from error  # fmt: skip
        raise

"""What a preference run did to the answers: log-probabilities per token, margin, KL, and accuracy per defect.

Each pair is read by the trained model and by the one it began as. Logarithms are natural; KL is the mean over the
chosen answers' tokens of the exact divergence of the trained distribution from the first one.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from finetune.data import Example

FALL = 0.1  # nat per token by which a chosen answer may lose before we warn


@dataclass(slots=True)
class Reading:
    """One pair: summed log-probabilities of the trained model and of the first, and tokens."""

    defect: str
    chosen: float
    rejected: float
    chosen_first: float
    rejected_first: float
    chosen_tokens: int
    rejected_tokens: int
    kl: float  # summed over the chosen answer's tokens

    @property
    def margin(self) -> float:
        """By how many nats training moved the two apart."""
        return self.chosen - self.chosen_first - self.rejected + self.rejected_first


def read_pairs(trainer: Any, examples: Sequence[Example], batch: int) -> list[Reading]:
    """Read each pair with the trained model and with the one it began as."""
    import torch

    model = trainer.accelerator.unwrap_model(trainer.model)
    training, pad = model.training, trainer.processing_class.pad_token_id
    model.eval()
    readings: list[Reading] = []
    with torch.inference_mode():
        for start in range(0, len(examples), batch):
            part = examples[start : start + batch]
            both = [(e.prompt, e.answer) for e in part] + [(e.prompt, e.rejected) for e in part]
            ids, attention, learnt = _padded(both, pad, model.device)
            said = _log_probabilities(model(input_ids=ids, attention_mask=attention).logits, ids.shape[1])
            with first_model(trainer, model) as first:
                said_first = _log_probabilities(first(input_ids=ids, attention_mask=attention).logits, ids.shape[1])
            picked = said.gather(2, ids[:, 1:, None])[:, :, 0] * learnt
            picked_first = said_first.gather(2, ids[:, 1:, None])[:, :, 0] * learnt
            divergence = (said.exp() * (said - said_first)).sum(2) * learnt
            sums, firsts, kl = picked.sum(1).tolist(), picked_first.sum(1).tolist(), divergence.sum(1).tolist()
            for at, example in enumerate(part):
                other = at + len(part)
                readings.append(Reading(
                    example.row.defect or "unnamed", sums[at], sums[other], firsts[at], firsts[other],
                    len(example.answer), len(example.rejected), kl[at],
                ))  # fmt: skip
    model.train(training)
    return readings


def summarise(readings: Sequence[Reading], beta: float) -> dict[str, Any]:
    """The report of a preference run. Log-probabilities are means over tokens, in nat."""
    chosen, rejected = sum(r.chosen_tokens for r in readings), sum(r.rejected_tokens for r in readings)
    by_defect: dict[str, list[bool]] = defaultdict(list)
    for reading in readings:
        by_defect[reading.defect].append(reading.margin > 0)
    first = {
        "chosen": sum(r.chosen_first for r in readings) / chosen,
        "rejected": sum(r.rejected_first for r in readings) / rejected,
    }  # fmt: skip
    last = {"chosen": sum(r.chosen for r in readings) / chosen, "rejected": sum(r.rejected for r in readings) / rejected}  # fmt: skip
    return {
        "pairs": len(readings),
        "logp_per_token": {"before": first, "after": last},
        "chosen_change": last["chosen"] - first["chosen"],
        "rejected_change": last["rejected"] - first["rejected"],
        "margin": beta * sum(r.margin for r in readings) / len(readings),
        "accuracy": sum(r.margin > 0 for r in readings) / len(readings),
        "prefers_chosen": {
            "before": sum(r.chosen_first > r.rejected_first for r in readings) / len(readings),
            "after": sum(r.chosen > r.rejected for r in readings) / len(readings),
        },
        "kl_per_token": sum(r.kl for r in readings) / chosen,
        "accuracy_by_defect": {
            name: {"n": len(right), "accuracy": sum(right) / len(right)} for name, right in sorted(by_defect.items())
        },
    }  # fmt: skip


def tell(report: dict[str, Any]) -> list[str]:
    """The report in lines, with a warning where the chosen answers have become less likely."""
    before, after = report["logp_per_token"]["before"], report["logp_per_token"]["after"]
    lines = [
        f"{report['pairs']:,} pairs of validation, log-probability per token: chosen {before['chosen']:.3f} -> "
        f"{after['chosen']:.3f}, rejected {before['rejected']:.3f} -> {after['rejected']:.3f}",
        f"margin {report['margin']:.3f}, KL {report['kl_per_token']:.4f} nat per token, accuracy {report['accuracy']:.1%}; "
        f"the chosen answer is the likelier one in {report['prefers_chosen']['before']:.1%} -> {report['prefers_chosen']['after']:.1%}",
    ]  # fmt: skip
    defects = ", ".join(f"{name} {found['accuracy']:.0%} of {found['n']}" for name, found in report["accuracy_by_defect"].items())  # fmt: skip
    lines.append(f"accuracy by defect: {defects}")
    if report["chosen_change"] < -FALL:
        lines.append(
            f"warning: the chosen answers fell by {-report['chosen_change']:.2f} nat per token; lower learning_rate, or raise the "
            "weight of sft in loss_weights"
        )  # fmt: skip
    return lines


@contextmanager
def first_model(trainer: Any, model: Any) -> Iterator[Any]:
    """The model a run began as: its frozen copy, or the trained one without (or with the first) adapter."""
    if getattr(trainer, "ref_model", None) is not None:
        yield trainer.ref_model
        return
    from trl.trainer.utils import use_adapter

    with use_adapter(model, adapter_name="ref" if "ref" in model.peft_config else None):
        yield model


def _log_probabilities(logits: Any, width: int) -> Any:
    """Of each next token; positions of virtual tokens, which stand in front, are left off."""
    return logits[:, -width:-1].float().log_softmax(-1)


def _padded(both: list[tuple[list[int], list[int]]], pad: int, device: Any) -> tuple[Any, Any, Any]:
    import torch

    width = max(len(prompt) + len(answer) for prompt, answer in both)
    ids = torch.full((len(both), width), pad)
    attention = torch.zeros((len(both), width), dtype=torch.long)
    learnt = torch.zeros((len(both), width - 1))
    for at, (prompt, answer) in enumerate(both):
        end = len(prompt) + len(answer)
        ids[at, :end] = torch.tensor([*prompt, *answer])
        attention[at, :end] = 1
        learnt[at, len(prompt) - 1 : end - 1] = 1
    return ids.to(device), attention.to(device), learnt.to(device)

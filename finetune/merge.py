"""An adapter into its base: one model that needs neither peft nor four bits, compared before it is written.

The adapter is added to weights in full precision. Adding it to 4-bit weights rounds the sum to four bits again, which
moves every logit by far more than training did. `dequantised` takes the rounded weights the adapter was trained on,
written out in full; without it the base's own are taken.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.failures import TrainingError, plainly
from finetune.models import Loaded, load_model, read_record
from tapewright.errors import ConfigError

PROBES = (
    "Name the main risk of a long position with leverage 10x.",
    "The close is 61,204.5 and RSI(14) is 72.3. Say what momentum is.",
    "Revenue rose by 12%, which was below the forecast of 15%. Tone?",
)
FURTHEST = 0.01  # largest difference of a logit, relative to the largest logit, at which the model is written


@dataclass(frozen=True, slots=True)
class Merged:
    """A merged model with how far its logits are from those of base and adapter, relative to the largest."""

    loaded: Loaded
    difference: float


def merge_adapter(adapter: str, *, model: str | None = None, dequantised: bool = False, dtype: str = "auto", device: str = "auto") -> Merged:  # fmt: skip
    """Base and adapter as one model in memory. Raises ConfigError for what cannot be merged, TrainingError where the logits differ."""
    import torch

    loaded = load_model(
        adapter if model is None else model, adapter=None if model is None else adapter,
        quantisation="nf4" if dequantised else None, dtype=dtype, device=device,
    )  # fmt: skip
    if not loaded.adapter:
        raise ConfigError(f"{adapter} is a whole model; there is nothing to merge")
    kind = str(loaded.model.peft_config["default"].peft_type).rpartition(".")[2]
    if kind not in ("LORA", "ADALORA"):
        raise ConfigError(f"{adapter} is {kind.lower()}: it puts tokens in front and has no weights to merge; use it as an adapter")  # fmt: skip
    if dequantised:
        loaded = dequantise(loaded)
    probes = [torch.tensor([loaded.tokenizer(text)["input_ids"]], device=loaded.device) for text in PROBES]
    before = _logits(loaded.model, probes)
    loaded.model = loaded.model.merge_and_unload(safe_merge=True)
    difference = compare_logits(before, _logits(loaded.model, probes))
    if not difference <= FURTHEST:
        raise TrainingError(
            f"merging moved the logits by {difference:.1%}; nothing was written. Merge with --dtype fp32"
        )
    return Merged(loaded, difference)


def write_merged(merged: Merged, output: Path) -> None:
    """The model and its tokenizer in a folder that appears whole."""
    if output.exists():
        raise ConfigError(f"{output} exists; name another --output")
    output.parent.mkdir(parents=True, exist_ok=True)
    with plainly(1, 0, str(output)), tempfile.TemporaryDirectory(dir=output.parent, prefix=".merged-") as made:
        part = Path(made) / "model"
        merged.loaded.model.save_pretrained(part, safe_serialization=True)
        merged.loaded.tokenizer.save_pretrained(part)
        part.rename(output)


def dequantise(loaded: Loaded) -> Loaded:
    """The 4-bit base of a loaded adapter written out in full, the adapter on it again."""
    from peft import PeftModel

    base = loaded.model.unload().dequantize()
    loaded.model = PeftModel.from_pretrained(base, loaded.adapter).eval()
    return loaded


def compare_logits(before: Sequence[Any], after: Sequence[Any]) -> float:
    """Largest difference of a logit, relative to the largest logit."""
    furthest = max((a - b).abs().max().item() for a, b in zip(before, after))
    return furthest / max(a.abs().max().item() for a in before)


def trained_on_four_bits(adapter: str) -> bool:
    """Whether the adapter's own record says so."""
    return read_record(adapter).get("quantisation") == "nf4"


def _logits(model: Any, probes: Sequence[Any]) -> list[Any]:
    import torch

    with torch.inference_mode():
        return [model(input_ids=probe).logits.float() for probe in probes]

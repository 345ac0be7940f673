"""What a run would take, before it is started: parameters, memory by part, steps, tokens. Nothing is loaded.

Memory follows from shapes: weights in the precision they rest in; of what is trained, a copy in fp32 with its gradient
and the optimiser's two moments; activations of one batch, of which checkpointing keeps one hidden state per layer; and
the logits of one batch with their gradient. Libraries, fragmentation and the reference pass come on top, so plan for a
tenth more.
"""

import json
import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from finetune.plan import plan_run
from finetune.recipe import FOLDER, Recipe
from tapewright.errors import ConfigError
from tapewright.tokens import CHARACTERS_PER_TOKEN

GIB = 2**30
BYTES = {"fp32": 4.0, "bf16": 2.0, "fp16": 2.0, "nf4": 0.516}  # nf4 with its doubly quantised scales
KEPT_PER_LAYER = 34  # bytes per hidden value and token that 16-bit training keeps of a layer (arXiv 2205.05198, eq. 2)
BASES = FOLDER.parent / "bases.toml"
ASSUMED_ROWS = 10_000
SPREADS_WEIGHTS = ("fsdp.yaml", "zero3.yaml")  # ZeRO-2 spreads gradients and moments only


@dataclass(frozen=True, slots=True)
class Shape:
    """A model's sizes. `tied` shares input and output embedding; `fused` names the projections that are one matrix.

    `positions` is how many learnt ones an encoder of BERT's kind has; 0 for a decoder.
    """

    width: int
    layers: int
    heads: int
    groups: int
    head: int
    inner: int
    vocabulary: int
    tied: bool = False
    biased: bool = False
    fused: bool = False
    positions: int = 0

    def matrices(self) -> dict[str, tuple[int, int]]:
        """Inputs and outputs of a layer's projections, by their names."""
        if self.positions:
            square, up = (self.width, self.width), (self.width, self.inner)
            inside = {"query": square, "key": square, "value": square, "attention.output.dense": square}
            return {**inside, "intermediate.dense": up, "output.dense": (self.inner, self.width)}
        q, kv = self.heads * self.head, self.groups * self.head
        attention = {"q_proj": (self.width, q), "k_proj": (self.width, kv), "v_proj": (self.width, kv)}
        feed = {"gate_proj": (self.width, self.inner), "up_proj": (self.width, self.inner)}
        if self.fused:
            attention, feed = {"qkv_proj": (self.width, q + 2 * kv)}, {"gate_up_proj": (self.width, 2 * self.inner)}
        return {**attention, "o_proj": (q, self.width), **feed, "down_proj": (self.inner, self.width)}

    @property
    def embedded(self) -> int:
        if self.positions:
            return (self.vocabulary + self.positions + 2) * self.width  # and two kinds of segment
        return self.vocabulary * self.width * (1 if self.tied else 2)

    @property
    def linear(self) -> int:
        """Parameters of all layers' projections, which four bits apply to."""
        return self.layers * sum(a * b for a, b in self.matrices().values())

    @property
    def parameters(self) -> int:
        if self.positions:
            # each projection has a bias; two norms of two vectors a layer, one behind the embedding; the pooler
            biases = sum(outputs for _, outputs in self.matrices().values())
            pooler = self.width * (self.width + 1)
            return self.embedded + self.linear + self.layers * (biases + 4 * self.width) + 2 * self.width + pooler
        biases = (self.heads + 2 * self.groups) * self.head if self.biased else 0
        return self.embedded + self.linear + self.layers * (2 * self.width + biases) + self.width


def shape_of(source: str) -> Shape:
    """The sizes of a model: from its folder, or of a known base. Raises ConfigError for others."""
    if not source:
        from finetune.embedded import HEADS, INNER, LAYERS, VOCABULARY, WIDTH

        return Shape(WIDTH, LAYERS, HEADS, HEADS, WIDTH // HEADS, INNER, VOCABULARY, tied=True)
    if (Path(source) / "config.json").is_file():
        return _shape_from(json.loads((Path(source) / "config.json").read_text(encoding="utf-8")))
    known = tomllib.loads(BASES.read_text(encoding="utf-8"))
    if source in known:
        return Shape(**known[source])
    raise ConfigError(f"no sizes known of {source!r}: give its folder, or one of {', '.join(sorted(known))}")


def estimate_run(recipe: Recipe, data: Sequence[str], shape: str) -> dict[str, Any]:
    """Parameters, bytes by part, steps and tokens of a run. Without data, of one over 10,000 rows of full length."""
    sizes = shape_of(recipe.model)
    rows, tokens, exact = _measure(recipe, data, shape)
    plan = plan_run(recipe, rows, max(1, recipe.gpus))
    trained = count_trained(recipe, sizes)
    resting = "fp32" if recipe.device == "cpu" or recipe.precision == "fp32" else "bf16"
    if recipe.adapter == "full":
        weights = sizes.parameters * BYTES[resting]
    elif recipe.quantisation == "nf4":
        weights = sizes.linear * BYTES["nf4"] + (sizes.parameters - sizes.linear) * BYTES[resting]
    else:
        weights = sizes.parameters * BYTES[resting]
    moments = 8 if recipe.optimiser == "adamw" else 2
    sequences = recipe.batch * (2 if recipe.method in ("dpo", "orpo", "reward") else 1)
    held = recipe.max_length * sequences
    width = sizes.width * (2 if resting == "fp32" else 1)
    one_layer = held * width * KEPT_PER_LAYER
    activations = held * width * 2 * sizes.layers + one_layer if recipe.checkpointing else one_layer * sizes.layers
    logits = 0 if recipe.method in ("reward", "classify") else held * sizes.vocabulary * (BYTES[resting] + 4)
    shared = max(1, recipe.gpus) if recipe.launch else 1
    spread = shared if recipe.launch in SPREADS_WEIGHTS else 1
    parts = {
        "weights": weights / spread, "adapter": trained * 4 / spread if recipe.adapter != "full" else 0.0,
        "gradients": trained * 4 / shared, "optimiser": trained * moments / shared, "activations": activations,
        "logits": logits,
    }  # fmt: skip
    return {
        "model": recipe.model or "embedded", "parameters": sizes.parameters, "trained": trained, "bytes": parts,
        "total_bytes": sum(parts.values()), "rows": rows, "tokens_per_epoch": tokens, "tokens_counted": exact,
        "steps": plan.steps, "epochs": recipe.epochs, "gpu_memory_gb": recipe.gpu_memory_gb, "gpus": recipe.gpus,
    }  # fmt: skip


def count_trained(recipe: Recipe, sizes: Shape) -> int:
    """How many parameters an adapter trains. Raises ConfigError for targets the model does not have."""
    if recipe.adapter == "full":
        return sizes.parameters
    if recipe.adapter == "prompt":
        return recipe.virtual_tokens * sizes.width
    if recipe.adapter == "prefix":
        return recipe.virtual_tokens * sizes.layers * 2 * sizes.groups * sizes.head
    matrices = sizes.matrices()
    if recipe.targets == ["all-linear"]:
        targets = list(matrices)
    elif recipe.targets == ["auto"]:
        targets = [name for name in ("q_proj", "v_proj", "qkv_proj", "query", "value") if name in matrices]
    else:
        targets = recipe.targets
    unknown = [name for name in targets if name not in matrices]
    if unknown:
        raise ConfigError(f"{recipe.model or 'the embedded model'} has no {', '.join(unknown)}; its projections are {', '.join(matrices)}")  # fmt: skip
    per_layer = sum(recipe.rank * (matrices[name][0] + matrices[name][1]) for name in targets)
    if recipe.adapter == "dora":
        per_layer += sum(matrices[name][1] for name in targets)
    if recipe.adapter == "adalora":
        per_layer += recipe.rank * len(targets)
    return sizes.layers * per_layer


def tell_estimate(found: dict[str, Any]) -> list[str]:
    """The estimate in lines; a warning where it does not fit the memory the recipe is meant for."""
    lines = [
        f"model       {found['model']}: {found['parameters']:,} parameters, {found['trained']:,} trained ({found['trained'] / found['parameters']:.2%})"
    ]
    lines += [f"{name:<11} {size / GIB:8.2f} GiB" for name, size in found["bytes"].items()]
    lines.append(f"{'in all':<11} {found['total_bytes'] / GIB:8.2f} GiB{' on each GPU' if found['gpus'] > 1 else ''}")
    how = "counted" if found["tokens_counted"] else "estimated"
    lines.append(f"data        {found['rows']:,} rows, {found['tokens_per_epoch']:,} tokens per epoch ({how})")
    lines.append(f"steps       {found['steps']:,} over {found['epochs']:g} epochs")
    if found["gpu_memory_gb"] and found["total_bytes"] > found["gpu_memory_gb"] * 1e9:
        lines.append(f"warning: more than the {found['gpu_memory_gb']:g} GB of the GPU; lower batch or max_length, or use checkpointing")  # fmt: skip
    return lines


def _shape_from(config: dict[str, Any]) -> Shape:
    try:
        width, heads = config["hidden_size"], config["num_attention_heads"]
        return Shape(
            width, config["num_hidden_layers"], heads, config.get("num_key_value_heads") or heads,
            config.get("head_dim") or width // heads, config["intermediate_size"], config["vocab_size"],
            bool(config.get("tie_word_embeddings", False)), config.get("model_type") == "qwen2",
            config.get("model_type") == "phi3", config["max_position_embeddings"] if config.get("model_type") == "bert" else 0,
        )  # fmt: skip
    except KeyError as error:
        raise ConfigError(
            f"the model's config.json has no {error.args[0]}; only decoders and BERT can be estimated"
        ) from None


def _measure(recipe: Recipe, data: Sequence[str], shape: str) -> tuple[int, int, bool]:
    """(rows, tokens per epoch, whether they were counted) of the data."""
    if not data:
        return ASSUMED_ROWS, ASSUMED_ROWS * recipe.max_length, False
    import importlib

    from finetune.data import read_source

    kind = importlib.import_module(f"finetune.methods.{recipe.method}").KIND
    rows = [row for _, row in read_source(data, kind, shape).rows]
    if recipe.model and (Path(recipe.model) / "tokenizer.json").is_file():
        from finetune.models import load_tokenizer

        tokenizer = load_tokenizer(recipe.model)
        texts = [f"{row.instruction}\n\n{row.input}{row.output}" for row in rows]
        return len(rows), sum(len(ids) for ids in tokenizer(texts)["input_ids"]), True
    characters = sum(len(row.instruction) + len(row.input) + len(row.output) for row in rows)
    return len(rows), math.ceil(characters / CHARACTERS_PER_TOKEN), False

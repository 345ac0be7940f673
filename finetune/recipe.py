"""A training run as data: what is trained, on what base, how, and on which machine.

A recipe is a TOML file of the keys of `Recipe`. A table named after a method (`[dpo]`) holds what only that method
takes, and `extends = "24gb"` builds on another recipe. Later wins: defaults, those of the method, the recipe extended,
the recipe, its table for the method, `--set key=value`.
"""

import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from tapewright.errors import ConfigError, suggest

FOLDER = Path(__file__).parent / "recipes"
METHODS = ("sft", "dpo", "orpo", "kto", "reward", "grpo", "rloo", "classify")
ADAPTERS = ("lora", "qlora", "dora", "adalora", "prefix", "prompt", "full")

# What differs from the defaults below, per method. Preference pairs differ in one number: at the 5e-5 of many guides
# the chosen answer falls together with the rejected one, so dpo learns ten times slower and keeps an sft term.
METHOD_DEFAULTS: dict[str, dict[str, Any]] = {
    "sft": {},
    "dpo": {"learning_rate": 5e-6, "epochs": 1.0},
    "orpo": {"learning_rate": 5e-6, "epochs": 1.0},
    "kto": {"learning_rate": 5e-6, "epochs": 1.0},
    "reward": {"learning_rate": 5e-5, "epochs": 1.0},
    "grpo": {"learning_rate": 2e-5, "epochs": 1.0, "beta": 0.0},
    "rloo": {"learning_rate": 2e-5, "epochs": 1.0, "beta": 0.05},
    "classify": {"learning_rate": 2e-4, "max_length": 256, "targets": ["auto"]},
}


class Recipe(BaseModel):
    """One training run. Rates are per step, lengths in tokens, `effective_batch` in rows per step of the optimiser."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    summary: str = ""
    method: Literal["sft", "dpo", "orpo", "kto", "reward", "grpo", "rloo", "classify"] = "sft"
    model: str = ""  # a folder or a name on the Hub; empty for the embedded one
    adapter: Literal["lora", "qlora", "dora", "adalora", "prefix", "prompt", "full"] = "lora"
    quantisation: Literal["none", "nf4"] = "none"
    response_format: Literal["auto", "chat", "alpaca"] = "auto"

    rank: int = Field(16, ge=1)
    alpha: int = Field(32, ge=1)
    dropout: float = Field(0.05, ge=0, lt=1)
    targets: list[str] = ["q_proj", "k_proj", "v_proj", "o_proj"]  # ["auto"]: what peft knows of the architecture
    virtual_tokens: int = Field(20, ge=1)  # of prefix and prompt

    learning_rate: float = Field(2e-4, gt=0)
    embedding_learning_rate: float = Field(0.0, ge=0)  # of the embedding alone, with adapter full; 0: the same
    epochs: float = Field(3.0, gt=0)
    max_steps: int = Field(0, ge=0)  # 0: as many as the epochs ask for
    batch: int = Field(4, ge=1)  # rows on one device at once
    effective_batch: int = Field(16, ge=1)
    scheduler: Literal["cosine", "linear", "constant", "constant_with_warmup"] = "cosine"
    warmup: float = Field(0.03, ge=0, lt=1)  # share of the steps
    weight_decay: float = Field(0.0, ge=0)
    clip: float = Field(1.0, gt=0)
    optimiser: Literal["adamw", "adamw_8bit", "paged_adamw_8bit"] = "adamw"
    max_length: int = Field(1024, ge=8)
    packing: bool = False
    checkpointing: bool = False
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    device: Literal["auto", "cpu", "cuda"] = "auto"
    seed: int = 42

    evaluate_every: int = Field(0, ge=0)  # steps; 0: four times in the run
    save_every: int = Field(0, ge=0)  # steps; 0: as often as validation is looked at
    patience: int = Field(3, ge=0)  # looks at validation without a better loss before stopping; 0: never stop early

    beta: float = Field(0.1, ge=0)
    loss_type: list[str] = ["sigmoid", "sft"]
    loss_weights: list[float] = [1.0, 0.2]

    class_weights: bool = True
    generations: int = Field(4, ge=2)  # answers sampled per prompt
    answer_length: int = Field(256, ge=1)
    temperature: float = Field(1.0, gt=0)
    reward: str = "verifier"  # or the folder of a reward model

    gpus: int = Field(0, ge=0)  # how many the recipe is meant for; 0: it runs anywhere
    gpu_memory_gb: float = Field(0.0, ge=0)
    launch: str = ""  # an accelerate configuration in this folder, for several GPUs

    @model_validator(mode="before")
    @classmethod
    def _spell_out(cls, values: dict[str, Any]) -> dict[str, Any]:
        """qlora is lora on a base of four bits."""
        if values.get("adapter") == "qlora":
            return {**values, "adapter": "lora", "quantisation": "nf4"}
        return values

    @model_validator(mode="after")
    def _fits_together(self) -> "Recipe":
        if self.adapter == "full" and self.quantisation != "none":
            raise ValueError("adapter full trains every weight, which four bits cannot hold; use adapter qlora")
        if len(self.loss_type) != len(self.loss_weights):
            raise ValueError(f"loss_type has {len(self.loss_type)} entries and loss_weights {len(self.loss_weights)}")
        if self.effective_batch % self.batch:
            raise ValueError(f"effective_batch {self.effective_batch} is no multiple of batch {self.batch}")
        return self

    def accumulation(self, devices: int = 1) -> int:
        """Batches to one step on one of so many devices."""
        return max(1, self.effective_batch // (self.batch * devices))


def list_recipes() -> list[str]:
    """The names of the recipes that come along."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load_recipe(
    path_or_name: str | Path | None, overrides: dict[str, Any] | None = None, *, method: str = ""
) -> Recipe:  # fmt: skip
    """The recipe of a file, or of that name, with overrides. Raises ConfigError naming file and key.

    `overrides` hold text as `--set` gives it, or values of the right type. `method` is that of the command and wins.
    """
    values = _read(path_or_name, method) if path_or_name else {}
    overrides = overrides or {}
    method = method or str(overrides.get("method", values.get("method", "sft")))
    if method not in METHODS:
        raise ConfigError(f"no method {method!r}.{suggest(method, list(METHODS))} Known: {', '.join(METHODS)}")
    values = {**METHOD_DEFAULTS[method], **values}
    for key, value in overrides.items():
        values[key] = _parsed(key, value)
    values["method"] = method
    return _checked(values, str(path_or_name or "--set"))


def parse_settings(settings: tuple[str, ...]) -> dict[str, str]:
    """`("rank=8", …)` as a dictionary. Raises ConfigError for what is no key=value."""
    found = {}
    for setting in settings:
        key, sign, value = setting.partition("=")
        if not sign:
            raise ConfigError(f"--set {setting!r} is not key=value, e.g. --set learning_rate=1e-4")
        found[key.strip()] = value.strip()
    return found


def _read(path_or_name: str | Path, method: str, seen: tuple[Path, ...] = ()) -> dict[str, Any]:
    path = Path(path_or_name)
    if not path.is_file():
        path = FOLDER / f"{path_or_name}.toml"
    if not path.is_file():
        raise ConfigError(f"no recipe {str(path_or_name)!r}.{suggest(str(path_or_name), list_recipes())} Give a TOML file or one of {', '.join(list_recipes())}")  # fmt: skip
    if path in seen:
        raise ConfigError(f"{path}: extends itself")
    try:
        values = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not readable as TOML ({error})") from error
    extended = values.pop("extends", "")
    tables = {name: values.pop(name) for name in METHODS if isinstance(values.get(name), dict)}
    inherited = _read(extended, method, (*seen, path)) if extended else {}
    own = tables.get(method or str(values.get("method", inherited.get("method", "sft"))), {})
    return {**inherited, **values, **own}


def _parsed(key: str, value: Any) -> Any:
    """A value of `--set`: lists are comma-separated, everything else is left to the model to read."""
    if isinstance(value, str) and key in ("targets", "loss_type", "loss_weights"):
        return [part.strip() for part in value.strip("[]").split(",") if part.strip()]
    return value


def _checked(values: dict[str, Any], where: str) -> Recipe:
    for key in values:
        if key not in Recipe.model_fields:
            raise ConfigError(f"{where}: unknown key {key!r}.{suggest(key, list(Recipe.model_fields))}")
    try:
        return Recipe.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        said = first["msg"].removeprefix("Value error, ")
        raise ConfigError(f"{where}: {f'{key} = {values.get(key)!r}: ' if key else ''}{said}") from None

"""Loading a model: a folder, an adapter's folder, a name on the Hub, or the embedded one; weights as safetensors only.

What every later step needs to know travels in `Loaded`. Remote code stays off, and a quantised model is made safe to
train on (`keep_four_bits_intact`).
"""

import json
import logging
import os
import re
import warnings
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from finetune.prompts import choose_format
from tapewright.errors import ConfigError

EMBEDDED = "embedded"
RECORD = "tapewright.json"  # beside an adapter: its base, response format and recipe
SAMPLE = 1 << 20  # bytes of a weights file's two ends that go into its fingerprint
_HUB_NAME = re.compile(r"[\w.-]+(?:/[\w.-]+)?")


@dataclass(slots=True)
class Loaded:
    """A model ready for use. `name` is for people; `source` is what it was loaded from, `adapter` the adapter's folder.

    `response_format` says which template prompts are rendered in: chat, the model's own, or alpaca.
    """

    model: Any
    tokenizer: Any
    name: str
    response_format: str
    source: str = ""
    adapter: str = ""
    fingerprint: str = ""

    @property
    def device(self) -> Any:
        return self.model.device


def load_model(
    source: str | None, *, adapter: str | None = None, quantisation: str | None = None, dtype: str = "auto",
    device: str = "auto", response_format: str = "auto", trainable: bool = False,
) -> Loaded:  # fmt: skip
    """A causal model with its tokenizer and, where one is named, its adapter.

    `source` is a folder (a model's or an adapter's), a name on the Hub, or None for the embedded model; `quantisation`
    is None or "nf4"; `dtype` auto, fp32, bf16 or fp16; `device` auto, cpu or cuda. Raises ConfigError in one line for a
    model that is not there, weights that are no safetensors, an adapter for another base, a missing GPU.
    """
    from transformers import AutoModelForCausalLM

    quieten()
    source, adapter = resolve(source, adapter)
    model = load_weights(AutoModelForCausalLM, source, quantisation, dtype, device)
    tokenizer = load_tokenizer(adapter if adapter and _has_tokenizer(Path(adapter)) else source)
    record = read_record(adapter) if adapter else {}
    wanted = record.get("response_format", response_format) if response_format == "auto" else response_format
    chosen = choose_format(tokenizer, wanted)
    print_ = fingerprint(source)
    if adapter:
        model = _with_adapter(model, adapter, source, print_, record, trainable)
    if not trainable:
        model.eval()
    name = Path(adapter).name if adapter else model_name(source)
    return Loaded(model, tokenizer, name, chosen, source, adapter or "", print_)


def load_scorer(
    source: str | None, labels: int, *, adapter: str | None = None, quantisation: str | None = None, dtype: str = "auto",
    device: str = "auto", response_format: str = "auto", trainable: bool = False, names: list[str] | None = None,
) -> Loaded:  # fmt: skip
    """A model with a head of `labels` numbers: a reward model (1) or a classifier, whose labels' `names` it then knows.

    Raises as `load_model` does.
    """
    from transformers import AutoModelForSequenceClassification

    quieten()
    source, adapter = resolve(source, adapter)
    record = read_record(adapter) if adapter else {}
    names = names or record.get("labels")
    labels = len(names) if names else labels
    head: dict[str, Any] = {"num_labels": labels, "problem_type": None}
    if names:
        head |= {"id2label": dict(enumerate(names)), "label2id": {name: place for place, name in enumerate(names)}}
    model = load_weights(
        AutoModelForSequenceClassification, source, quantisation, dtype, device, head, ignore_mismatched_sizes=True
    )
    tokenizer = load_tokenizer(adapter if adapter and _has_tokenizer(Path(adapter)) else source)
    model.config.pad_token_id = tokenizer.pad_token_id
    wanted = record.get("response_format", response_format) if response_format == "auto" else response_format
    chosen = choose_format(tokenizer, wanted)
    print_ = fingerprint(source)
    if adapter:
        model = _with_adapter(model, adapter, source, print_, record, trainable)
    if not trainable:
        model.eval()
    return Loaded(
        model, tokenizer, Path(adapter).name if adapter else model_name(source), chosen, source, adapter or "", print_
    )


def resolve(source: str | None, adapter: str | None = None) -> tuple[str, str | None]:
    """Where the base's weights are, and the adapter's folder. An adapter's folder as `source` stands for both."""
    if source and (Path(source) / "adapter_config.json").is_file():
        if adapter:
            raise ConfigError(f"{source} is itself an adapter; name its base with the adapter {adapter}")
        adapter, source = source, base_of(source)
    if adapter and not (Path(adapter) / "adapter_config.json").is_file():
        raise ConfigError(f"{adapter} is no adapter: it has no adapter_config.json")
    if adapter and source is None:
        source = base_of(adapter)
    if source is None or source == EMBEDDED:
        from finetune.embedded import embedded_folder

        source = str(embedded_folder())
    return source, adapter


def load_weights(
    kind: Any, source: str, quantisation: str | None, dtype: str, device: str, head: dict[str, Any] | None = None,
    **options: Any,
) -> Any:  # fmt: skip
    """The weights of `source` as a model of transformers class `kind` on one device; `head` alters its configuration."""
    import torch
    from transformers import AutoConfig

    place = choose_device(device)
    if quantisation not in (None, "none", "nf4"):
        raise ConfigError(f"no quantisation {quantisation!r}; use nf4 or leave it out")
    options |= {"dtype": getattr(torch, {"fp32": "float32", "bf16": "bfloat16", "fp16": "float16"}[choose_dtype(dtype, place)])}  # fmt: skip
    if quantisation == "nf4":
        from transformers import BitsAndBytesConfig

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=options["dtype"],
        )  # fmt: skip
        options["device_map"] = {"": place}
    check_there(source)
    try:
        config = AutoConfig.from_pretrained(source, trust_remote_code=False, **(head or {}))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model = kind.from_pretrained(
                source, config=config, use_safetensors=True, trust_remote_code=False, **options
            )
    except (OSError, ValueError) as error:
        raise ConfigError(_why_not(source, error)) from error
    if quantisation == "nf4":
        keep_four_bits_intact(model)
        return model
    return model if _is_sharded() else model.to(place)


def keep_four_bits_intact(model: Any) -> None:
    """Stop bitsandbytes from repacking weights in place.

    On CPUs with AVX512-BF16 an evaluation's forward pass repacks the 4-bit weights for a faster kernel. Every backward
    pass, merge and dequantisation after it reads them in the old order and is silently wrong.
    """
    from bitsandbytes.nn.modules import Linear4bit

    for module in model.modules():
        if isinstance(module, Linear4bit):
            module.support_avx512bf16_for_cpu = False


def load_tokenizer(source: str) -> Any:
    """The tokenizer of a folder or Hub name, with a padding token."""
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(source, trust_remote_code=False)
    except (OSError, ValueError) as error:
        raise ConfigError(_why_not(source, error, "tokenizer")) from error
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return tokenizer


def choose_device(device: str) -> str:
    """`auto` as what there is. Raises ConfigError where a GPU is asked for and there is none."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ConfigError("no GPU here; use --set device=cpu with a small model, or the recipe cpu-demo")
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return device


def choose_dtype(dtype: str, device: str) -> str:
    """`auto` as bf16 where the GPU has it, else fp32."""
    if dtype != "auto":
        return dtype
    if device != "cuda":
        return "fp32"
    import torch

    return "bf16" if torch.cuda.is_bf16_supported() else "fp16"


def fingerprint(source: str) -> str:
    """What tells a base from another: its configuration, and size and both ends of each weights file."""
    folder = _folder_of(source)
    if folder is None:
        return ""
    digest = blake2b(digest_size=16)
    for path in sorted(folder.glob("*.safetensors")):
        size = path.stat().st_size
        digest.update(f"{size}/".encode())
        with path.open("rb") as stream:
            digest.update(stream.read(SAMPLE))
            stream.seek(max(0, size - SAMPLE))
            digest.update(stream.read())
    return digest.hexdigest()


def model_name(source: str) -> str:
    """A model's name for people: never a path of this machine."""
    from finetune.embedded import is_embedded

    if is_embedded(source):
        return EMBEDDED
    return Path(source).resolve().name if Path(source).is_dir() else source


def read_record(adapter: str) -> dict[str, Any]:
    """What was written beside an adapter; empty for somebody else's."""
    try:
        found = json.loads((Path(adapter) / RECORD).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def base_of(adapter: str) -> str:
    """The base an adapter's own files name; a relative one is looked for beside the adapter."""
    try:
        config = json.loads((Path(adapter) / "adapter_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError(f"{adapter}/adapter_config.json is not readable ({error})") from error
    named = str(config.get("base_model_name_or_path") or "")
    if not named:
        raise ConfigError(f"{adapter} does not say which base it belongs to; name the model too")
    beside = Path(adapter) / named
    if named == EMBEDDED:
        return EMBEDDED
    return str(beside.resolve()) if not Path(named).is_absolute() and beside.is_dir() else named


def check_there(source: str) -> None:
    """Raises ConfigError for a folder that is not there or holds no safetensors."""
    folder = Path(source)
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ConfigError(f"{source} is no model: it has no config.json")
        if not any(folder.glob("*.safetensors")):
            raise ConfigError(f"{source} has no .safetensors file; other kinds can run code when read and are refused")
    elif not _HUB_NAME.fullmatch(source) or source.count("/") != 1 and folder.suffix:
        raise ConfigError(f"no model folder {source}; give a folder, a name on the Hub, or no --model for the embedded one")  # fmt: skip


def quieten() -> None:
    """Libraries that talk while they load: their bars and advice are not ours to show."""
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from transformers.utils import logging as spoken

    spoken.set_verbosity_error()
    spoken.disable_progress_bar()
    for name in ("bitsandbytes", "torchao", "accelerate", "trl", "datasets", "peft", "httpx", "huggingface_hub"):
        logging.getLogger(name).setLevel(logging.ERROR)


def _with_adapter(
    model: Any, adapter: str, source: str, print_: str, record: dict[str, Any], trainable: bool
) -> Any:  # fmt: skip
    from peft import PeftModel

    if not (Path(adapter) / "adapter_model.safetensors").is_file():
        raise ConfigError(f"{adapter} has no adapter_model.safetensors; other kinds can run code when read and are refused")  # fmt: skip
    made_for = record.get("base") or {}
    if made_for.get("fingerprint") and print_ and made_for["fingerprint"] != print_:
        raise ConfigError(f"{adapter} was trained on another base, {made_for.get('name', 'unnamed')}; {model_name(source)} has other weights")  # fmt: skip
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return PeftModel.from_pretrained(model, adapter, is_trainable=trainable)
    except (RuntimeError, ValueError, KeyError) as error:
        raise ConfigError(f"{adapter} does not fit {model_name(source)}: it was trained on another base ({_first_line(error)})") from error  # fmt: skip


def _is_sharded() -> bool:
    """Whether accelerate will spread the weights over several devices itself."""
    return any(os.environ.get(name) == "true" for name in ("ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"))


def _has_tokenizer(folder: Path) -> bool:
    return (folder / "tokenizer_config.json").is_file()


def _folder_of(source: str) -> Path | None:
    """Where the files of a source lie: its folder, or what the Hub's cache holds of it."""
    if Path(source).is_dir():
        return Path(source)
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(source, "config.json")
    return Path(found).parent if isinstance(found, str) else None


def _why_not(source: str, error: Exception, what: str = "model") -> str:
    if Path(source).is_dir():
        return f"{source}: not loadable as a {what} ({_first_line(error)})"
    return f"no {what} {source!r}: not a folder here, and the Hub did not give it ({_first_line(error)}); give a folder, or leave --model out for the embedded one"  # fmt: skip


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]

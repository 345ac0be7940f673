"""A folder to give away: the adapter, the merged model, and a card that says what they are."""

import shutil
from pathlib import Path
from typing import Any

import orjson

from finetune.card import render_card
from finetune.keep import REPORT, finished_run, write_json
from finetune.merge import merge_adapter, write_merged
from finetune.models import RECORD, model_name, read_record, resolve
from tapewright import files
from tapewright.errors import ConfigError

_ADAPTER_FILES = (
    "adapter_model.safetensors", "tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "special_tokens_map.json",
)  # fmt: skip


def export_run(folder: str, output: Path, *, evaluation: Path | None = None, dequantised: bool = False, device: str = "auto") -> float:  # fmt: skip
    """Write `adapter/`, `merged/` and README.md to `output`; returns how far merging moved the logits.

    Raises ConfigError where `folder` holds no finished run, or `output` exists.
    """
    report = finished_run(Path(folder))
    if report is None:
        raise ConfigError(f"{folder} holds no finished run: it has no {REPORT}")
    if output.exists():
        raise ConfigError(f"{output} exists; name another --output")
    card = render_card(output.name, report, read_measures(evaluation) if evaluation else None)
    source, _ = resolve(folder)
    merged = merge_adapter(folder, dequantised=dequantised, device=device)
    write_merged(merged, output / "merged")
    _copy_adapter(Path(folder), output / "adapter", model_name(source))
    with files.whole(output / "README.md") as target:
        target.write(card.encode())
    return merged.difference


def read_measures(path: Path) -> dict[str, str]:
    """Measures of a JSON report of `evaluate`, as text: every number that stands under a name, one level or two deep."""
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise ConfigError(f"{path} is not a JSON report of `evaluate` ({error})") from error
    measures: dict[str, str] = {}
    for name, value in found.items() if isinstance(found, dict) else ():
        inside = value.items() if isinstance(value, dict) else (("", value),)
        for key, number in inside:
            if isinstance(number, (int, float)) and not isinstance(number, bool):
                measures[f"{name} {key}".strip()] = f"{number:.4g}"
    return measures


def _copy_adapter(folder: Path, target: Path, base: str) -> None:
    """The files of an adapter; its base by name, since a path of this machine says nothing elsewhere."""
    target.mkdir(parents=True)
    for name in _ADAPTER_FILES:
        if (folder / name).is_file():
            shutil.copyfile(folder / name, target / name)
    config: dict[str, Any] = orjson.loads((folder / "adapter_config.json").read_bytes())
    write_json(target / "adapter_config.json", config | {"base_model_name_or_path": base})
    write_json(target / RECORD, read_record(str(folder)))

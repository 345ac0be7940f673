"""What a run leaves: weights, tokenizer with its template, a record of the base, a report, a plot, a card."""

import contextlib
import os
import shutil
from pathlib import Path
from typing import Any

import orjson

from finetune.card import write_card
from finetune.models import RECORD, Loaded, model_name
from finetune.recipe import Recipe
from finetune.watch import History
from tapewright import files
from tapewright.errors import ConfigError, FileError

IDENTITY, REPORT, PLOT = "run.json", "train_report.json", "loss.png"


def start_run(output: Path, identity: dict[str, Any], resume: bool, force: bool) -> dict[str, Any] | None:
    """Claim a folder for a run. Returns the report of one that is finished and the same.

    Raises ConfigError where the folder holds another run, or an unfinished one that nobody asked to go on with.
    """
    if output.exists() and not output.is_dir():
        raise FileError(f"{output} is a file; name a folder with --output")
    if force and output.is_dir() and (output / IDENTITY).is_file():
        shutil.rmtree(output)
    known = _read(output / IDENTITY)
    if known is None and output.is_dir() and any(output.iterdir()):
        raise ConfigError(f"{output} holds other files; name another --output")
    same = known == orjson.loads(orjson.dumps(identity))
    if known is not None and not same:
        changed = _changed(known, identity)
        raise ConfigError(f"{output} holds another run ({changed}); use --force or another --output")
    if known is not None and (report := _read(output / REPORT)) is not None:
        return report
    if known is not None and not resume:
        raise ConfigError(f"{output} holds an unfinished run; go on with --resume, or begin anew with --force")
    write_json(output / IDENTITY, identity)
    return None


def finished_run(output: Path) -> dict[str, Any] | None:
    """The report of a finished run."""
    return _read(output / REPORT)


def save_trained(
    output: Path, loaded: Loaded, recipe: Recipe, source: Any, identity: dict[str, Any]
) -> dict[str, str]:  # fmt: skip
    """Write weights, tokenizer and record; returns the sha256 of each weights file."""
    model = loaded.model
    base = _portable(loaded.source, output)
    if hasattr(model, "peft_config"):
        for name in list(model.peft_config):
            if name != "default":
                model.delete_adapter(name)  # the frozen copy that a preference run compares with
        model.peft_config["default"].base_model_name_or_path = base
        model.save_pretrained(output, safe_serialization=True, selected_adapters=["default"])
        with contextlib.suppress(FileNotFoundError):
            os.unlink(output / "README.md")  # peft's card; ours says more
    else:
        model.save_pretrained(output, safe_serialization=True)
    loaded.tokenizer.save_pretrained(output)
    record = {
        "base": {"name": model_name(loaded.source), "fingerprint": loaded.fingerprint},
        "response_format": loaded.response_format, "method": recipe.method, "data": source.sha256,
        "quantisation": recipe.quantisation,
    }  # fmt: skip
    if recipe.method == "classify":
        record["labels"] = [name for _, name in sorted(model.config.id2label.items())]
    write_json(output / RECORD, record)
    return {path.name: files.sha256_of(path) for path in sorted(output.glob("*.safetensors"))}


def write_report(output: Path, report: dict[str, Any], history: History) -> None:
    """The plot, the card, and last the report: with it the run counts as finished."""
    plot_losses(output / PLOT, history)
    write_card(output, report)
    write_json(output / REPORT, report)


def plot_losses(path: Path, history: History) -> None:
    """Loss of each step and of each look at validation, as a PNG."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.plot([entry["step"] for entry in history.steps], [entry["loss"] for entry in history.steps], label="train", lw=1)  # fmt: skip
    if history.looks:
        axes.plot([entry["step"] for entry in history.looks], [entry["loss"] for entry in history.looks], "o-", label="validation")  # fmt: skip
    axes.set_xlabel("step")
    axes.set_ylabel("loss")
    axes.legend()
    with files.whole(path) as target:
        figure.savefig(target, format="png", dpi=120, metadata={"Software": None})


def write_json(path: Path, value: Any) -> None:
    """A JSON file that appears whole."""
    with files.whole(path) as target:
        target.write(orjson.dumps(value, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS))


def _portable(source: str, output: Path) -> str:
    """The base as another machine can find it: a Hub name, or a folder told from the adapter's own place."""
    folder = Path(source)
    if not folder.is_dir():
        return source
    if model_name(source) == "embedded" and folder.parent.resolve() != output.parent.resolve():
        return "embedded"
    return os.path.relpath(folder.resolve(), output.resolve())


def _read(path: Path) -> dict[str, Any] | None:
    try:
        found = orjson.loads(path.read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None
    return found if isinstance(found, dict) else None


def _changed(known: dict[str, Any], identity: dict[str, Any]) -> str:
    old, new = known.get("recipe", {}), identity["recipe"]
    keys = [key for key in new if orjson.dumps(old.get(key)) != orjson.dumps(new[key])]
    keys += [key for key in ("data", "validation", "start") if known.get(key) != identity[key]]
    return "another " + ", ".join(keys[:4]) if keys else "another version's"

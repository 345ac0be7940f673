"""A model card of our own: base, data, recipe, what was measured, and what it is not for."""

from pathlib import Path
from typing import Any

from tapewright import __version__, files
from tapewright.errors import FileError

LIMITS = (
    "- Trained on synthetic rows whose numbers follow from their prompts. It has learnt to read a prompt, not markets: "
    "nothing here says what a price will do.\n"
    "- Check its answers with `tapewright validate` or the checker's library call before anybody acts on them.\n"
    "- Not investment advice; no measured figure below is a trading result.\n"
)
EMBEDDED_LIMIT = "- The base is the embedded model of Tapewright, made in seconds. It exists to try the tools, not to be used.\n"  # fmt: skip


def write_card(folder: Path, report: dict[str, Any], evaluation: dict[str, Any] | None = None) -> None:
    """Write README.md. `evaluation` holds measures of `evaluate` as name → text."""
    with files.whole(folder / "README.md") as target:
        target.write(render_card(folder.name, report, evaluation).encode())


def render_card(name: str, report: dict[str, Any], evaluation: dict[str, Any] | None = None) -> str:
    """The card's text. Raises FileError where the report is not one of ours."""
    try:
        recipe, data, base = report["recipe"], report["data"], report["base"]["name"]
        method, rows = report["method"], report["rows"]
    except KeyError as error:
        raise FileError(
            f"{name}: its train_report.json has no {error.args[0]}; was it written by `finetune`?"
        ) from None
    adapter = recipe["adapter"] if recipe["quantisation"] == "none" else f"{recipe['adapter']} on {recipe['quantisation']}"  # fmt: skip
    hub = "/" in base and base.count("/") == 1
    lines = ["---", *([f"base_model: {base}"] if hub else []), "library_name: peft" if recipe["adapter"] != "full" else "library_name: transformers"]  # fmt: skip
    lines += ["tags:", "- finance", "- tapewright", f"- {method}", "---", "", f"# {name}", ""]
    lines += [f"{base}, trained by {method} ({adapter}) with Tapewright {__version__}.", "", "## Data", ""]
    lines += [f"- {', '.join(data['files'])}: {rows['train']:,} rows to train on, {rows['validation']:,} to validate on, {rows['left_out']:,} left out"]  # fmt: skip
    lines += [f"- sha256 `{data['sha256']}`", "", "## Recipe", "", "| key | value |", "|---|---|"]
    lines += [f"| {key} | {_shown(value)} |" for key, value in recipe.items() if value not in ("", 0, 0.0)]
    lines += ["", "## Measured", "", f"- {report['steps']['done']:,} steps, mean loss {report['loss']:.4f}"]
    if report["validation"]:
        lines.append(f"- validation loss {report['validation'][-1]['loss']:.4f} at the last look")
    for key, value in (evaluation or {}).items():
        lines.append(f"- {key}: {value}")
    lines += [
        "",
        "## Prompts",
        "",
        f"Response format: {report['response_format']}. The template is saved with the tokenizer.",
    ]
    lines += ["", "## Limits", "", LIMITS + (EMBEDDED_LIMIT if base == "embedded" else "")]
    return "\n".join(lines)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)

"""An evaluation for people and programs: tables on the terminal, Markdown, JSON and a plot."""

import io
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

import orjson

from finetune.evaluation.measures import BY_NAME, estimate
from finetune.evaluation.tables import WORST, Evaluation, Table, as_data, definitions, excerpt, tables, worst
from tapewright.files import whole

PLOTTED = ("slot_accuracy", "completion", "clean", "format", "direction", "sentiment_macro_f1", "pine_valid", "hallucination")  # fmt: skip
WIDTH = 160  # columns where there is no terminal
JSON_NAME, MARKDOWN_NAME, PLOT_NAME = "report.json", "report.md", "measures.png"


def write_reports(found: Evaluation, folder: Path) -> list[Path]:
    """report.json, report.md with the worst answers, and measures.png; each whole or not at all."""
    written = []
    for name, data in (
        (JSON_NAME, orjson.dumps(as_data(found), option=orjson.OPT_INDENT_2 | orjson.OPT_SERIALIZE_NUMPY)),
        (MARKDOWN_NAME, as_markdown(found).encode()),
        (PLOT_NAME, plot(found)),
    ):
        with whole(folder / name) as target:
            target.write(data)
        written.append(folder / name)
    return written


def as_terminal(made: Sequence[Table]) -> str:
    """Tables as wide as the terminal."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Drawn

    out = io.StringIO()
    width = shutil.get_terminal_size((WIDTH, 24)).columns if sys.stdout.isatty() else WIDTH
    console = Console(file=out, force_terminal=sys.stdout.isatty(), width=width)
    for table in made:
        drawn = Drawn(
            title=escape(table.title), caption=escape(table.note), title_justify="left", caption_justify="left"
        )
        for place, column in enumerate(table.columns):
            drawn.add_column(escape(column), justify="left" if place == 0 else "right", overflow="fold")
        for row in table.rows:
            drawn.add_row(*map(escape, row))
        console.print(drawn)
    return out.getvalue()


def as_markdown(found: Evaluation) -> str:
    """The whole report."""
    names = ", ".join(found.models) or "the baselines"
    parts = [f"# Evaluation of {names}", f"{len(found.cases):,} rows. {_told(found)}"]
    parts += [_markdown(table, 2) for table in tables(found)]
    if found.models:
        last = list(found.models)[-1]
        parts.append(f"## The {WORST} worst answers of {last}")
        for case, graded in worst(found, last):
            parts.append(f"### Row {case.number}, {case.spec.name}")
            parts.append("**Wrong:** " + "; ".join(graded.wrong_because[:8]))
            prompt = f"{case.row.instruction}\n\n{case.row.input}".strip()
            parts += ["Prompt:", _quoted(prompt), "Answer:", _quoted(graded.said.text or "(nothing)")]
    parts.append(_markdown(definitions(), 2))
    return "\n\n".join(parts) + "\n"


def plot(found: Evaluation) -> bytes:
    """A PNG of the main measures with their intervals, models beside baselines."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    everyone = found.everyone
    shown = [
        (BY_NAME[name], estimates)
        for name in PLOTTED
        if any(estimates := [estimate(BY_NAME[name], grades, found.resampling) for grades in everyone.values()])
    ]
    models = [
        pyplot.get_cmap("viridis")(0.1 + 0.75 * at / max(1, len(found.models) - 1)) for at in range(len(found.models))
    ]
    greys = [str(0.35 + 0.45 * at / max(1, len(found.trivial) - 1)) for at in range(len(found.trivial))]
    colours, marks = [*models, *greys], ["o"] * len(models) + ["x", "+", "1", "2", "3", "4"][: len(greys)]
    figure, axes = pyplot.subplots(figsize=(9, 1.3 + 0.14 * (len(everyone) + 2) * len(shown)))
    ticks = []
    for block, (measure, estimates) in enumerate(shown):
        base = block * (len(everyone) + 2)
        ticks.append((base + (len(everyone) - 1) / 2, f"{measure.title} {'↑' if measure.higher_is_better else '↓'}"))
        for at, value in enumerate(estimates):
            if value is None or value.value != value.value:
                continue
            spread = [[100 * max(0.0, value.value - value.low)], [100 * max(0.0, value.high - value.value)]]
            axes.errorbar(100 * value.value, base + at, xerr=spread, color=colours[at], fmt=marks[at], markersize=5, linewidth=1)  # fmt: skip
        if block:
            axes.axhline(base - 1.5, color="0.9", linewidth=0.8)
    axes.set_yticks([place for place, _ in ticks], [title for _, title in ticks])
    axes.invert_yaxis()
    axes.set_xlim(-2, 102)
    axes.set_xlabel("% of rows or slots, 95 % bootstrap interval")
    axes.spines[["top", "right"]].set_visible(False)
    named = [axes.plot([], [], marks[at], color=colours[at], label=name)[0] for at, name in enumerate(everyone)]
    figure.legend(handles=named, loc="outside upper center", ncols=4, frameon=False, fontsize=8)
    figure.set_layout_engine("constrained")
    out = io.BytesIO()
    figure.savefig(out, format="png", dpi=130, metadata={"Software": None})
    pyplot.close(figure)
    return out.getvalue()


def _told(found: Evaluation) -> str:
    told = []
    for key, value in found.settings.items():
        if key not in ("seconds", "left_out") and value not in ("", None, []):
            told.append(f"{key.replace('_', ' ')} {', '.join(map(str, value)) if isinstance(value, list) else value}")
    left = found.settings.get("left_out") or {}
    told += [f"left out: {count} rows, {reason}" for reason, count in left.items()]
    return "; ".join(told) + "."


def _markdown(table: Table, level: int) -> str:
    def line(cells: Sequence[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    lines = [f"{'#' * level} {table.title}", ""]
    lines += [line(table.columns), "|" + "---|" + "---:|" * (len(table.columns) - 1), *map(line, table.rows)]
    return "\n".join([*lines, "", table.note] if table.note else lines)


def _quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in excerpt(text).split("\n"))

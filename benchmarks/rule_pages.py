"""One page per rule under docs/rules/, and their index, written from the registry.

python -m benchmarks.rule_pages            # writes them
python -m benchmarks.rule_pages --check    # exits 1 when they differ
"""

import sys
from pathlib import Path

from validators.clean import FIXABLE
from validators.dataset import load_rules
from validators.rules import FAMILIES, RULES, Rule

FOLDER = Path(__file__).parent.parent / "docs" / "rules"
LONGEST_EXAMPLE = 900


def _shown(example: tuple[str, str, str] | str) -> str:
    if isinstance(example, str):
        text, kind = example, "json"
    else:
        parts = zip(("instruction", "input", "output"), example)
        text, kind = "\n".join(f"{name}: {part}" for name, part in parts if part), "text"
    if len(text) > LONGEST_EXAMPLE:
        text = text[:LONGEST_EXAMPLE].rsplit("\n", 1)[0] + "\n…"
    visible = "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in text)
    fence = "````" if "```" in visible else "```"
    return f"{fence}{kind}\n{visible}\n{fence}\n"


def page(entry: Rule) -> str:
    """The page of one rule."""
    family, about = FAMILIES[entry.code[0]]
    lines = [
        f"# {entry.code} {entry.name}\n",
        f"Family **{family}** ({about}). Severity **{entry.severity}**. "
        + ("`clean` fixes it." if entry.code in FIXABLE else "No automatic fix.")
        + (f" Only in rows of the task `{entry.task}`." if entry.task else "")
        + "\n",
        f"## What it means\n\n{entry.summary}\n",
        f"## Why it matters\n\n{entry.why}\n",
    ]
    if entry.bad:
        lines += [f"## Bad\n\n{_shown(entry.bad)}", f"## Good\n\n{_shown(entry.good)}"]
    if entry.code[0] == "L":
        lines.append(
            "## Where it runs\n\n"
            "`leakage`; and `validate`, where two of the files are named like splits (`rows-train.jsonl`, `test.parquet`) "
            "or rows say `train`, `val` or `test` in a column `split` or in their provenance. `validate --leakage` insists on "
            "it, `--no-leakage` or `leakage = false` under `[validate]` leaves it out.\n"
        )
        lines.append(
            "## Leaving it out\n\n"
            f"`leakage --ignore {entry.code}`, where `--max-share` tolerates some; `validate --ignore {entry.code}`, "
            f'or `ignore = ["{entry.code}"]` under `[validate]` in `tapewright.toml`; `[validate.limits.{entry.code}]` with '
            "`max-count` or `max-rate` tolerates some there.\n"
        )
        return "\n".join(lines)
    lines.append(
        "## Leaving it out\n\n"
        f'`--ignore {entry.code}`, or `ignore = ["{entry.code}"]` under `[validate]` in `tapewright.toml`; '
        f"`[validate.limits.{entry.code}]` with `max-count` or `max-rate` tolerates some.\n"
    )
    return "\n".join(lines)


def index() -> str:
    """The list of all rules by family."""
    lines = ["# Rules\n", "Written by `python -m benchmarks.rule_pages`; `validate --explain CODE` prints the same.\n"]
    for letter, (family, about) in FAMILIES.items():
        codes = sorted(code for code in RULES if code[0] == letter)
        if not codes:
            continue
        lines += [
            f"## {letter}: {family}\n",
            f"{about[0].upper()}{about[1:]}.\n",
            "| rule | severity | fix | what it means |\n|---|---|---|---|",
        ]
        for code in codes:
            entry = RULES[code]
            summary = entry.summary.replace("|", "\\|").replace("<", "\\<").replace("{", "\\{")
            lines.append(
                f"| [{code}]({code}.md) {entry.name} | {entry.severity} | {'yes' if code in FIXABLE else ''} | {summary} |"
            )
        lines.append("")
    return "\n".join(lines)


def pages() -> dict[str, str]:
    """File names with their texts."""
    load_rules()
    return {"README.md": index(), **{f"{code}.md": page(entry) for code, entry in sorted(RULES.items())}}


def main() -> None:
    """Write the pages, or compare them."""
    wanted = pages()
    there = {path.name: path.read_text(encoding="utf-8") for path in FOLDER.glob("*.md")}
    if "--check" in sys.argv:
        wrong = sorted({*wanted, *there} - {name for name in wanted if wanted[name] == there.get(name)})
        print("\n".join(wrong) or "all pages are as the registry says")
        sys.exit(bool(wrong))
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in there.keys() - wanted.keys():
        (FOLDER / name).unlink()
    for name, text in wanted.items():
        (FOLDER / name).write_text(text, encoding="utf-8")
    print(f"{len(wanted)} pages in docs/rules")


if __name__ == "__main__":
    main()

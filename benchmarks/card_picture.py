"""A dataset card as a Hub shows it, as a picture: python -m benchmarks.card_picture CARD.md docs/images/card.png

Needs markdown-it-py (it comes with rich) and a Chromium: `chromium`, `chromium-browser` or `google-chrome` on the path,
or the one named with --browser. Both are for the documentation only.
"""

import argparse
import re
import shutil
import subprocess
import tempfile
from html import escape
from pathlib import Path

import yaml
from markdown_it import MarkdownIt

WIDTH = 980
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
STYLE = """
body { margin: 0; background: #fff; color: #1f2937; font: 16px/1.6 "Inter", "Noto Sans", "DejaVu Sans", sans-serif; }
main { width: 860px; margin: 0 auto; padding: 28px 0 48px; }
h1 { font-size: 30px; margin: 18px 0 10px; } h2 { font-size: 23px; margin: 34px 0 10px; padding-bottom: 6px; border-bottom: 1px solid #e5e7eb; }
h3 { font-size: 18px; margin: 26px 0 8px; } p, li { margin: 8px 0; }
table { border-collapse: collapse; margin: 12px 0; font-size: 14px; max-width: 100%; } thead:not(:has(th:not(:empty))) { display: none; }
th, td { border: 1px solid #e5e7eb; padding: 5px 11px; text-align: left; vertical-align: top; } th { background: #f9fafb; }
code { background: #f3f4f6; border-radius: 4px; padding: 1px 5px; font: 13px/1.5 "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
td code { white-space: nowrap; } td:nth-child(4) code { white-space: normal; padding: 0; background: none; }
pre { background: #f9fafb; border: 1px solid #e5e7eb; border-radius: 8px; padding: 12px 14px; white-space: pre-wrap; overflow-wrap: anywhere; }
pre code { background: none; padding: 0; } blockquote { border-left: 4px solid #f59e0b; background: #fffbeb; margin: 12px 0; padding: 4px 16px; }
details { border: 1px solid #e5e7eb; border-radius: 8px; margin: 8px 0; padding: 6px 14px; } summary { cursor: pointer; }
.chips span { display: inline-block; background: #f3f4f6; border: 1px solid #e5e7eb; border-radius: 8px; padding: 1px 9px; margin: 3px 6px 3px 0; font-size: 13px; }
.name { font: 600 19px "DejaVu Sans Mono", monospace; color: #374151; }
"""


def page_of(card: str, name: str) -> str:
    """The card as HTML, its YAML head as the row of tags a Hub makes of it."""
    _, head, text = card.split("---\n", 2)
    about = yaml.safe_load(head)
    chips = [f"Tasks: {', '.join(about['task_categories'])}", f"Languages: {', '.join(about['language'])}", f"Size: {about['size_categories'][0]}"]  # fmt: skip
    chips += [f"Tags: {', '.join(about['tags'])}", f"License: {about['license']}"]
    tags = "".join(f"<span>{escape(chip)}</span>" for chip in chips)
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    return (
        f"<!doctype html><meta charset=utf-8><style>{STYLE}</style><main><div class=name>{escape(name)}</div>"
        f"<div class=chips>{tags}</div>{body}</main>"
        "<script>document.title = 'height ' + document.documentElement.scrollHeight</script>"
    )


def draw(page: str, target: Path, browser: str) -> None:
    """Write the whole page to a PNG. Raises SystemExit where the browser fails."""
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "card.html"
        source.write_text(page, encoding="utf-8")
        calm = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", f"--user-data-dir={folder}/profile"]  # fmt: skip
        seen = subprocess.run([*calm, f"--window-size={WIDTH},800", "--dump-dom", source.as_uri()], capture_output=True, text=True)  # fmt: skip
        height = re.search(r"<title>height (\d+)</title>", seen.stdout)
        if not height:
            raise SystemExit(f"{browser} did not show the page: {seen.stderr.strip()[-300:]}")
        target.parent.mkdir(parents=True, exist_ok=True)
        size = f"--window-size={WIDTH},{int(height[1]) + 10}"
        subprocess.run([*calm, size, f"--screenshot={target.resolve()}", source.as_uri()], check=True, capture_output=True)  # fmt: skip


def main() -> None:
    """Draw one card."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("card", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--name", default="tapewright/trading-rows-100k", help="name of the repository above the card")
    parser.add_argument("--browser", default=next(filter(shutil.which, BROWSERS), ""), help="path of a Chromium")
    options = parser.parse_args()
    if not options.browser:
        raise SystemExit(f"no browser: install one of {', '.join(BROWSERS)}, or name one with --browser")
    draw(page_of(options.card.read_text(encoding="utf-8"), options.name), options.picture, options.browser)


if __name__ == "__main__":
    main()

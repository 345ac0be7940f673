"""Write the --help blocks of the README anew: python -m benchmarks.readme"""

import re
from pathlib import Path

from click.testing import CliRunner

import cli

README = Path(__file__).parent.parent / "README.md"
_BLOCK = re.compile(r"(<!-- help:(?P<name>[\w ]+) -->\n).*?(<!-- /help:(?P=name) -->)", re.DOTALL)


def help_text(command: str) -> str:
    """What `--help` of a command prints, 100 characters wide."""
    result = CliRunner().invoke(cli.cli, [*command.split(), "--help"], prog_name="tapewright", terminal_width=100)
    return result.output


def refreshed(text: str) -> str:
    """The README with every block as the commands print it now."""
    return _BLOCK.sub(lambda m: f"{m[1]}```text\n{help_text(m['name']).rstrip()}\n```\n{m[3]}", text)


if __name__ == "__main__":
    README.write_text(refreshed(README.read_text(encoding="utf-8")), encoding="utf-8")

"""Scripts inside texts: where they stand, the text without them, and the numbers they hold."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_FENCE = re.compile(r"```[ \t]*(?P<lang>[\w-]*)[ \t]*\n(?P<code>.*?)```", re.DOTALL)
_LANGUAGES = ("pine", "pinescript", "pine-script", "tradingview")
_SIGN = re.compile(r"[^\n]")
_NUMBER = re.compile(r"(?<![\w.#])\d+(?:\.\d+)?")


class CodeBlock(NamedTuple):
    """A script in a text: its first sign, one past its last, and the source."""

    start: int
    end: int
    source: str


def code_blocks(text: str) -> Iterator[CodeBlock]:
    """Every block of the language, fenced or the whole text."""
    if "@version" not in text and "```pine" not in text.lower():
        return
    fenced = False
    for match in _FENCE.finditer(text):
        fenced = True
        code = match["code"]
        if match["lang"].lower() in _LANGUAGES or "//@version" in code:
            yield CodeBlock(match.start("code"), match.end("code"), code)
    if not fenced and text.lstrip().startswith("//@version"):
        yield CodeBlock(0, len(text), text)


def blank_code(text: str) -> str:
    """The text with its scripts blanked out, line for line and sign for sign.

    By a sign that nothing is read from: patterns that allow for spaces would try every stretch of a run of them.
    """
    for block in code_blocks(text):
        blanked = _SIGN.sub("`", block.source)
        text = text[: block.start] + blanked + text[block.end :]
    return text


def code_numbers(text: str) -> frozenset[float]:
    """Every number written in the scripts of a text, with either sign."""
    found = {float(number) for block in code_blocks(text) for number in _NUMBER.findall(block.source)}
    return frozenset(found | {-number for number in found})

"""What counts as the same text: Unicode forms, spaces, typographic marks and (in keys) case make no difference.

`normal` keeps the case of ASCII letters, because a capital inside a sentence tells a name; keys fold it.
"""

import re
import unicodedata
from collections.abc import Iterable
from hashlib import blake2b
from zlib import crc32

_SAME = {
    **dict.fromkeys(map(ord, "‘’‚‛′"), "'"),
    **dict.fromkeys(map(ord, "“”„‟«»″"), '"'),
    **dict.fromkeys(map(ord, "‐‑‒–—―−"), "-"),
    **dict.fromkeys((0xAD, 0xFEFF, *range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x2065)), ""),
}
_FOREIGN = re.compile(r"[^\x00-\x7f]+")
_ENDLESS = re.compile(r"\S{4097,}")
_LONG = 1 << 16


def normal(text: str) -> str:
    """The text in one Unicode form, single spaces between words, letters beyond ASCII in lower case.

    What has no space for four thousand characters is data rather than words, and becomes one short word.
    """
    if not text.isascii():
        text = _one_form(text)
    text = " ".join(text.split())
    return _ENDLESS.sub(_short, text) if len(text) > _LONG else text


def _one_form(text: str) -> str:
    """Folding may undo the composition and the other way round, so both are repeated until nothing moves."""
    for _ in range(8):
        folded = unicodedata.normalize("NFKC", text.encode("utf-8", "replace").decode().translate(_SAME))
        folded = _FOREIGN.sub(lambda part: part[0].casefold().translate(_SAME), folded)
        if folded == text:
            break
        text = folded
    return text


def _short(word: re.Match[str]) -> str:
    return "data-" + blake2b(word[0].encode(), digest_size=8).hexdigest()


def key(texts: Iterable[str]) -> int:
    """64 bits of some texts in order, never 0; case does not count."""
    return (
        int.from_bytes(blake2b("\x1f".join(texts).casefold().encode("utf-8", "replace"), digest_size=8).digest()) or 1
    )


def wide_key(texts: Iterable[str]) -> tuple[int, int]:
    """128 bits of some texts in order, as two halves: with ten million rows 64 would meet by chance once in 400,000 runs."""
    digest = blake2b("\x1f".join(texts).casefold().encode("utf-8", "replace"), digest_size=16).digest()
    return int.from_bytes(digest[:8]), int.from_bytes(digest[8:])


def letter_key(texts: Iterable[str]) -> int:
    """32 bits of some texts letter for letter; tells apart what an equal key already says is the same text."""
    return crc32("\x1f".join(texts).encode("utf-8", "replace"))

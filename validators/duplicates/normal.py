"""What counts as the same text: Unicode forms, spaces, typographic marks and (in keys) case make no difference.

`normal` keeps the case of ASCII letters, because a capital inside a sentence tells a name; keys fold it.
"""

import re
import unicodedata
from collections.abc import Iterable
from hashlib import blake2b
from struct import Struct
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
    if "  " in text or not text.isprintable() or text[:1] == " " or text[-1:] == " ":
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


def digest(text: str) -> bytes:
    """128 bits of a text: with ten million rows 64 would meet by chance once in 400,000 runs. Case does not count."""
    return blake2b(text.casefold().encode("utf-8", "replace"), digest_size=16).digest() if text else _NOTHING


_NOTHING = bytes(16)


def wide_key(parts: Iterable[bytes]) -> tuple[int, int]:
    """Some digests in order as one key of 128 bits, in two halves."""
    return _HALVES.unpack(blake2b(b"".join(parts), digest_size=16).digest())


def key(parts: Iterable[bytes]) -> int:
    """Some digests in order as a key of 64 bits; 0 where there is nothing in any."""
    joined = b"".join(parts)
    return _HALF.unpack(blake2b(joined, digest_size=8).digest())[0] if joined.strip(b"\0") else 0


def key_of(digested: bytes) -> int:
    """A single digest as a key of 64 bits; 0 where there is nothing in it."""
    return _HALF.unpack_from(digested)[0]


_HALF, _HALVES = Struct("<Q"), Struct("<QQ")


def letter_key(texts: Iterable[str]) -> int:
    """32 bits of some texts letter for letter; tells apart what an equal key already says is the same text."""
    return crc32("\x1f".join(texts).encode("utf-8", "replace"))

"""Everything that decides the bytes of a run, as one frozen value."""

import math
from dataclasses import asdict, dataclass
from typing import Any

from tapewright.code import digest_of_code
from tapewright.errors import ConfigError
from tapewright.rows import FORMATS

ANSWER_FORMATS = ("text", "json", "both")
DIFFICULTIES = ("mixed", "easy", "hard")


@dataclass(frozen=True, slots=True)
class Config:
    """One run of `generate`. Two runs with equal configs give equal bytes.

    `weights` are shares per task, `splits` shares per split (empty: one file), `since_s`/`until_s`
    epoch seconds. `tape_sha256` ties the run to its market data, `code` to the sources that make its
    rows, so that an interrupted run is never finished by other code.
    """

    size: int
    seed: int = 42
    weights: tuple[tuple[str, float], ...] = ()
    shape: str = "alpaca"
    answer_format: str = "text"
    source: str = "bundled"
    tape_sha256: str = ""
    symbols: tuple[str, ...] = ()
    since_s: int = 0
    until_s: int = 0
    splits: tuple[tuple[str, float], ...] = ()
    hold_out: tuple[str, ...] = ()
    anonymize: float = 0.4
    natural: bool = False
    difficulty: str = "mixed"
    max_tokens: int = 0
    tokenizer: str = ""
    version: str = ""
    code: str = ""

    def __post_init__(self) -> None:
        if self.size <= 0:
            raise ConfigError(f"size is {self.size}; ask for at least one row")
        if self.shape not in FORMATS:
            raise ConfigError(f"format {self.shape!r} is not one of {', '.join(FORMATS)}")
        if self.answer_format not in ANSWER_FORMATS:
            raise ConfigError(f"answer format {self.answer_format!r} is not one of {', '.join(ANSWER_FORMATS)}")
        if self.difficulty not in DIFFICULTIES:
            raise ConfigError(f"difficulty {self.difficulty!r} is not one of {', '.join(DIFFICULTIES)}")
        if not 0 <= self.anonymize <= 1:
            raise ConfigError(f"anonymize is {self.anonymize:g}; it is a share between 0 and 1")
        if self.since_s and self.until_s and self.since_s >= self.until_s:
            raise ConfigError("--since is not before --until")
        if self.max_tokens < 0:
            raise ConfigError(f"max tokens is {self.max_tokens}; it cannot be negative")
        total = sum(share for _, share in self.splits)
        if self.splits and (
            not math.isfinite(total) or abs(total - 1) > 1e-6 or any(share <= 0 for _, share in self.splits)
        ):
            raise ConfigError(f"split shares must be positive and add up to 1, not {total:g}")

    def as_dict(self) -> dict[str, Any]:
        """Plain values, for the manifest and for telling two configurations apart.

        Pairs as lists, since that is how JSON gives them back.
        """
        plain = asdict(self)
        return {
            k: [list(p) if isinstance(p, tuple) else p for p in v] if isinstance(v, tuple) else v
            for k, v in plain.items()
        }


def code_digest() -> str:
    """Digest of every source and wording a row depends on."""
    return digest_of_code("tapewright", "market", "templates", "validators", "generators")[:16]

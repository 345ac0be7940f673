"""Family B, rows over a budget of tokens. It runs where a budget is named."""

import functools
from collections.abc import Callable, Iterator

from tapewright.findings import Finding
from tapewright.rows import Row
from tapewright.tokens import token_counter
from validators.balance.counts import file_finding
from validators.context import Answer
from validators.rules import declare

OVER_BUDGET = declare(
    "B015", "rows over the token budget", "Rows are longer than --max-tokens, prompt and answer together.",
    "A trainer cuts them off at the end, where the answer is.", "", "", severity="warning",
)  # fmt: skip


@functools.cache
def _counter(tokenizer: str) -> Callable[[Row], int]:
    return token_counter(tokenizer)  # once per process: a tokenizer does not travel between them


class Budget:
    """Counts rows of more than `max_tokens` tokens."""

    def __init__(self, max_tokens: int, tokenizer: str) -> None:
        self.max_tokens, self.tokenizer = max_tokens, tokenizer
        self.rows = self.over = 0
        self.longest = (0, 0)

    def add(self, row: Row, line: int, answer: Answer | None) -> None:
        """Count one row."""
        self.rows += 1
        tokens = _counter(self.tokenizer)(row)
        if tokens > self.max_tokens:
            self.over += 1
            self.longest = max(self.longest, (tokens, -line))

    def merge(self, other: "Budget") -> None:
        """Take in the counts of the rows that follow."""
        self.rows += other.rows
        self.over += other.over
        self.longest = max(self.longest, other.longest)

    def finish(self) -> Iterator[Finding]:
        """B015."""
        if self.over:
            tokens, line = self.longest
            how = "" if self.tokenizer else " (estimated from characters; name a --tokenizer to count)"
            message = f"{self.over:,} rows ({self.over / self.rows:.1%}) have more than {self.max_tokens:,} tokens{how}; the longest {tokens:,}"
            yield file_finding(OVER_BUDGET, message, -line)

"""Token counts for --max-tokens: a tokenizer file where one is named, else a stated estimate."""

from collections.abc import Callable
from pathlib import Path

from tapewright.errors import ConfigError
from tapewright.rows import Row

CHARACTERS_PER_TOKEN = 3.0  # numerals split into many tokens: lower than the 4 of plain English


def token_counter(tokenizer: str) -> Callable[[Row], int]:
    """A function that counts the tokens of a row's prompt and answer.

    `tokenizer` is a `tokenizer.json` (needs the `tokenizers` package); empty estimates from
    characters. Raises ConfigError when the file or the package is missing.
    """
    if not tokenizer:
        return lambda row: round(len(_text(row)) / CHARACTERS_PER_TOKEN)
    if not Path(tokenizer).is_file():
        raise ConfigError(f"no tokenizer file {tokenizer!r}; give the path of a tokenizer.json")
    try:
        from tokenizers import Tokenizer  # type: ignore[import-not-found]
    except ImportError:
        raise ConfigError("--tokenizer needs the tokenizers package: pip install tokenizers") from None
    loaded = Tokenizer.from_file(tokenizer)
    return lambda row: len(loaded.encode(_text(row)).ids)


def _text(row: Row) -> str:
    longer = row.rejected if len(row.rejected) > len(row.output) else row.output
    return f"{row.instruction}\n{row.input}\n{longer}"

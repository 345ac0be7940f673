"""Tapewright: training data for trading language models, and the checker that proves it.

`check`, `read_claims`, `generate` are loaded when first used; `main` is the console command.
"""

import importlib
import sys
from pathlib import Path
from typing import Any

__version__ = "0.1.0"

# The library calls and where they live. Loaded lazily: importing this package imports none of them.
_EXPORTS = {
    "check": ("validators.dataset", "check_records"),
    "check_text": ("validators.check", "check_text"),
    "read_claims": ("validators.claims.reader", "read_claims"),
    "generate": ("generators.produce", "produce"),
    "Config": ("generators.config", "Config"),
    "read_public": ("finetune.evaluation.public_sentiment", "read_public"),
}


def _find_rooms() -> None:
    """In an installed wheel the other rooms lie under `_rooms`, which alone joins the path."""
    rooms = Path(__file__).parent / "_rooms"
    if rooms.is_dir() and str(rooms) not in sys.path:
        sys.path.insert(0, str(rooms))


def __getattr__(name: str) -> Any:
    if name not in _EXPORTS:
        raise AttributeError(f"module 'tapewright' has no attribute {name!r}")
    _find_rooms()
    module, attribute = _EXPORTS[name]
    return getattr(importlib.import_module(module), attribute)


def main() -> None:
    """The console command."""
    _find_rooms()
    importlib.import_module("cli").main()

"""The one family of errors. A bad row is a finding; only a broken run is an error.

Each error is also the standard-library type a caller would expect, so `except ValueError` works
for people who have never heard of Tapewright. The message says what, which value, where, and
what to do next; the command line prints it as one line and exits 2.
"""


class TapewrightError(Exception):
    """Base of everything this package raises on purpose."""

    exit_code = 2


class ConfigError(TapewrightError, ValueError):
    """A setting or argument that cannot be used."""


class SourceError(TapewrightError, ValueError):
    """Market data that cannot be used: a missing column, a gap, an impossible bar."""


class FileError(TapewrightError, OSError):
    """A file that cannot be read or written."""


class RowError(TapewrightError, ValueError):
    """A row that cannot be read as one of the known shapes."""


class TemplateError(TapewrightError, ValueError):
    """A template or task specification that is wrong; raised when it is loaded, never per row."""


class NetworkError(TapewrightError, ConnectionError):
    """An exchange or hub that did not answer usefully within the bounded number of attempts."""


class ExhaustedError(TapewrightError, RuntimeError):
    """No acceptable row after the bounded number of redraws."""


def suggest(word: str, known: list[str]) -> str:
    """Return ` Did you mean 'x'?` for the nearest of `known`, or an empty string."""
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f" Did you mean {near[0]!r}?" if near else ""

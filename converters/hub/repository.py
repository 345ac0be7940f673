"""A repository on a Hub: who asks, what lies in it, and files out of it. Nothing here writes.

The token comes from standard input, the environment or the login store, never from an argument; it is kept out of
every message, and errors are raised without the client's own, whose text may quote addresses.
"""

import hashlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from tapewright.errors import ConfigError, NetworkError
from tapewright.hub_answers import causes_of, may_pass, reason_of, status_of

WAITS_S = (1.0, 2.0, 4.0)  # before each further try
LONGEST_WAIT_S = 60.0  # whatever the Hub asks for
_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")
_CHUNK = 1 << 20

ANSWERS = {
    400: "the Hub does not accept it (400)",
    401: "the Hub does not know who asks (401): log in with `hf auth login`, or give a token in HF_TOKEN or with --token-stdin",
    403: "the token may not do this there (403): it needs the right to write to this repository",
    404: "the Hub has no such repository or branch, or hides it from this token (404)",
    409: "the Hub is busy with another change of this repository (409), try again",
    412: "the repository changed meanwhile (412)",
    413: "the Hub finds it too large (413): make smaller shards with --shard-mb",
    429: "the Hub had too many requests (429), try again in a while",
}

Answer = TypeVar("Answer")


class ChangedError(ConfigError):
    """Files on the Hub that somebody else wrote and that would be lost."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where something goes: `user/name`, what kind of repository it is, and which branch or `refs/pr/N`."""

    name: str
    kind: str = "dataset"
    revision: str = ""

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name) or ".." in self.name or "--" in self.name:
            raise ConfigError(f"{self.name!r} is not user/name: letters, digits, '-', '_' and '.', one slash")

    def __str__(self) -> str:
        return f"{self.name} at {self.revision}" if self.revision else self.name


@dataclass(frozen=True, slots=True)
class Digest:
    """What a file's content is known by on a Hub: sha256 where it is stored apart (LFS), else as a git blob."""

    sha256: str
    blob: str

    def fits(self, remote: "Remote") -> bool:
        """Whether a file on the Hub has this content."""
        return remote.sha256 == self.sha256 if remote.sha256 else remote.blob == self.blob


@dataclass(frozen=True, slots=True)
class Remote:
    """A file on the Hub; `sha256` is empty where it is a plain git blob."""

    blob: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class State:
    """A branch as of one commit; `head` is empty where there is no repository yet."""

    head: str = ""
    files: dict[str, Remote] = field(default_factory=dict)
    private: bool = False


@dataclass(frozen=True, slots=True)
class Hub:
    """A client of one endpoint with its token, which `repr` leaves out."""

    api: Any = field(repr=False)
    token: str = field(repr=False)


def connect(*, token_stdin: bool = False) -> Hub:
    """The Hub that HF_ENDPOINT names, or the public one. Raises ConfigError for a missing library or a token that is none."""
    try:
        from huggingface_hub import HfApi, constants, get_token
        from huggingface_hub.utils import disable_progress_bars, logging
    except ImportError:
        raise ConfigError("the Hub needs its client: install tapewright[hub]") from None
    if not sys.stderr.isatty():
        disable_progress_bars()
    if not os.environ.get("HF_HUB_VERBOSITY"):
        logging.set_verbosity_error()  # its warnings quote addresses that may carry a signature
    token = sys.stdin.readline().strip() if token_stdin else (get_token() or "").strip()
    if token_stdin and not token:
        raise ConfigError("--token-stdin: there is no token on standard input")
    if token and not re.fullmatch(r"[\x21-\x7e]+", token):
        raise ConfigError("the token holds characters that no token has; it is not shown here")
    return Hub(HfApi(endpoint=os.environ.get("HF_ENDPOINT") or constants.ENDPOINT, token=token or False), token)


def patiently(what: str, call: Callable[[], Answer]) -> Answer:
    """The answer of a call, tried again a bounded number of times. Raises as `refused` does."""
    for wait in (*WAITS_S, None):
        try:
            return call()
        except Exception as error:  # the client raises its own, the HTTP library's and the system's
            if wait is None or not may_pass(error):
                raise refused(what, error) from None
            pause(wait, error)
    raise AssertionError("the last try either answers or raises")


def pause(wait_s: float, error: BaseException) -> None:
    """Wait as long as asked, or as the Hub asks, within a bound."""
    headers = next((found for cause in causes_of(error) if (found := getattr(getattr(cause, "response", None), "headers", None))), {})  # fmt: skip
    asked = str(headers.get("Retry-After", ""))
    time.sleep(min(max(wait_s, float(asked) if asked.isdigit() else 0), LONGEST_WAIT_S))


def refused(what: str, error: Exception) -> Exception:
    """One line for what the Hub or the way to it answered; what has nothing to do with it comes back as it is."""
    if not status_of(error) and not may_pass(error) and not isinstance(error, OSError):
        return error
    kind = NetworkError if may_pass(error) else ConfigError
    return kind(f"{what}: {reason_of(error, ANSWERS)}")


def read_state(hub: Hub, target: Target) -> State:
    """The branch as it is now; an empty State where there is no such repository."""

    def ask() -> State:
        from huggingface_hub.errors import EntryNotFoundError, RepositoryNotFoundError

        try:
            about = hub.api.repo_info(target.name, repo_type=target.kind, revision=target.revision or None)
        except RepositoryNotFoundError as error:
            if status_of(error) != 404:
                raise
            return State()
        try:
            entries = list(
                hub.api.list_repo_tree(target.name, repo_type=target.kind, revision=about.sha, recursive=True)
            )
        except EntryNotFoundError:  # a repository without any file
            entries = []
        files = {
            entry.path: Remote(entry.blob_id, entry.lfs.sha256 if entry.lfs else "", entry.size)
            for entry in entries if hasattr(entry, "blob_id")
        }  # fmt: skip
        return State(about.sha, files, bool(about.private))

    return patiently(str(target), ask)


@contextmanager
def fetched(hub: Hub, target: Target, state: State, path: str, folder: Path) -> Iterator[Path]:
    """One file of a state under a folder of ours, where it stays only as long as it is used."""

    def ask() -> str:
        return hub.api.hf_hub_download(
            target.name, path, repo_type=target.kind, revision=state.head, local_dir=folder, force_download=True
        )

    local = Path(patiently(f"{target}, {path}", ask))
    try:
        yield local
    finally:
        local.unlink(missing_ok=True)


def digest_of(content: Path | bytes) -> Digest:
    """Both digests of a file or of bytes, in one pass."""
    size = len(content) if isinstance(content, bytes) else content.stat().st_size
    sha256, blob = hashlib.sha256(), hashlib.sha1(b"blob %d\0" % size, usedforsecurity=False)
    if isinstance(content, bytes):
        sha256.update(content)
        blob.update(content)
    else:
        with content.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                sha256.update(chunk)
                blob.update(chunk)
    return Digest(sha256.hexdigest(), blob.hexdigest())

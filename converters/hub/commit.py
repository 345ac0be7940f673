"""One commit that is made whole or not at all, of any files to any kind of repository.

The commit names its parent, so that the Hub refuses it when the branch has moved. Then the branch is read again: what
is there already is done, what somebody else changed stops it, and otherwise it goes on from the new parent. The same
holds after an answer that was lost: a commit that arrived is not made twice, nor is a pull request opened twice.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from converters.hub.repository import (
    WAITS_S,
    ChangedError,
    Digest,
    Hub,
    State,
    Target,
    digest_of,
    patiently,
    pause,
    read_state,
    refused,
)
from tapewright.errors import ConfigError
from tapewright.hub_answers import may_pass, status_of
from validators.privacy import find_secret

STALE = 412
_BUSY = 409


@dataclass(slots=True)
class Wanted:
    """What a branch shall hold: contents by path, and paths that shall be gone. Other files stay as they are."""

    files: dict[str, Path | bytes]
    gone: set[str] = field(default_factory=set)
    digests: dict[str, Digest] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.digests = {path: digest_of(content) for path, content in self.files.items()}

    def leave(self, path: str) -> None:
        """Leave a file as it is, whatever was wanted of it."""
        del self.files[path], self.digests[path]

    def missing(self, state: State) -> list[str]:
        """Paths whose content is not there yet."""
        return [path for path, digest in self.digests.items() if path not in state.files or not digest.fits(state.files[path])]  # fmt: skip

    def leftover(self, state: State) -> list[str]:
        """Paths still there that shall be gone."""
        return sorted(self.gone & state.files.keys())

    def is_there(self, state: State) -> bool:
        """Whether nothing is to be done."""
        return bool(state.head) and not self.missing(state) and not self.leftover(state)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a commit: its address, that of its pull request, or neither where nothing had changed."""

    made: bool
    url: str = ""
    pull_request: str = ""
    created: bool = False


def refuse_secrets(texts: Iterable[tuple[str, str]], token: str) -> None:
    """Raise ConfigError for the first (place, text) that holds a key, or the very token that is used."""
    for place, text in texts:
        if token and token in text:
            raise ConfigError(f"{place} holds the token in use; nothing is pushed. Take it out, and revoke it if the file was shared")  # fmt: skip
        if found := find_secret(text):
            raise ConfigError(f"{place} holds what looks like a key: {found} (V005); nothing is pushed, with or without --force")  # fmt: skip


def refuse_foreign(wanted: Wanted, state: State, known: dict[str, Digest], strangers: Iterable[str] = ()) -> None:
    """Raise ChangedError where files would be replaced or removed that the last push (`known`) did not leave so.

    `strangers` are further files that must not be there, such as data that would be loaded along.
    """

    def is_ours(path: str) -> bool:
        return path in known and known[path].fits(state.files[path])

    touched = {*wanted.missing(state), *wanted.leftover(state), *strangers} & state.files.keys()
    foreign = sorted(path for path in touched if not is_ours(path))
    if foreign:
        shown = ", ".join(foreign[:5]) + (", …" if len(foreign) > 5 else "")
        raise ChangedError(f"the repository holds files that a push did not leave so: {shown}; look at them, then --overwrite replaces them")  # fmt: skip


def create(hub: Hub, target: Target, *, private: bool) -> State:
    """Make the repository if it is not there; its first state."""

    def ask() -> Any:
        return hub.api.create_repo(target.name, repo_type=target.kind, private=private, exist_ok=True)

    patiently(f"{target.name} could not be created", ask)
    return read_state(hub, target)


def commit(
    hub: Hub, target: Target, wanted: Wanted, base: State, message: str, *, pull_request: bool = False,
    say: Callable[[str], None] = lambda text: None,
) -> Outcome:  # fmt: skip
    """Bring a branch from `base` to what is wanted, in one commit, or in a pull request of one commit.

    Raises ChangedError when somebody else changed the same files meanwhile, NetworkError and ConfigError for what the
    Hub answers in the end.
    """
    before = _open_requests(hub, target) if pull_request else {}
    state = base
    for wait in (*WAITS_S, None):
        if wanted.is_there(state):
            return Outcome(made=state is not base)
        try:
            made = hub.api.create_commit(
                target.name, _operations(wanted, state), commit_message=message, repo_type=target.kind,
                revision=target.revision or None, create_pr=pull_request, parent_commit=state.head,
            )  # fmt: skip
            return Outcome(True, str(made.commit_url), str(made.pr_url or ""))
        except Exception as error:  # the client raises its own, the HTTP library's and the system's
            again = may_pass(error) or status_of(error) in (STALE, _BUSY)
            if wait is None or not again:
                raise refused(f"{target}: no commit was made", error) from None
            say(f"{refused(str(target), error)}; looking again")
            pause(wait, error)
        if pull_request and (found := _arrived(hub, target, wanted, before)):
            return Outcome(True, pull_request=found)
        state = read_state(hub, target)
        _refuse_meddling(wanted, base, state)
    raise AssertionError("the last try either returns or raises")


def _operations(wanted: Wanted, state: State) -> list[Any]:
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    adding = [CommitOperationAdd(path, wanted.files[path]) for path in wanted.missing(state)]
    return [*adding, *(CommitOperationDelete(path, is_folder=False) for path in wanted.leftover(state))]


def _refuse_meddling(wanted: Wanted, base: State, state: State) -> None:
    """ChangedError where a file we touch is neither as it was nor as we want it."""
    touched = wanted.digests.keys() | wanted.gone
    theirs = [
        path for path in sorted(touched)
        if state.files.get(path) != base.files.get(path) and not _as_wanted(wanted, state, path)
    ]  # fmt: skip
    if theirs:
        shown = ", ".join(theirs[:5]) + (", …" if len(theirs) > 5 else "")
        raise ChangedError(f"somebody else changed {shown} meanwhile; nothing was pushed. Look at it, then push again")


def _as_wanted(wanted: Wanted, state: State, path: str) -> bool:
    remote = state.files.get(path)
    if path in wanted.gone:
        return remote is None
    return remote is not None and wanted.digests[path].fits(remote)


def _open_requests(hub: Hub, target: Target) -> dict[int, str]:
    """Numbers and addresses of the open pull requests."""

    def ask() -> dict[int, str]:
        listed = hub.api.get_repo_discussions(
            target.name, repo_type=target.kind, discussion_type="pull_request", discussion_status="open"
        )
        return {request.num: request.url for request in listed}

    return patiently(str(target), ask)


def _arrived(hub: Hub, target: Target, wanted: Wanted, before: dict[int, str]) -> str:
    """The address of a pull request that was opened meanwhile and holds what is wanted, or nothing."""
    for number, url in _open_requests(hub, target).items():
        if number not in before and wanted.is_there(read_state(hub, replace(target, revision=f"refs/pr/{number}"))):
            return url
    return ""

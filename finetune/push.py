"""An exported model to the Hub, by the rules of datasets: one guarded commit, no secrets, nothing of others replaced."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

from converters.hub.commit import Outcome, Wanted, commit, create, refuse_foreign, refuse_secrets
from converters.hub.push import MANIFEST, known_files, read_manifest, refuse_publishing
from converters.hub.repository import Hub, State, Target, read_state
from tapewright import __version__
from tapewright.errors import ConfigError

CARD = "README.md"
_TEXTS = (".json", ".md", ".jinja", ".txt")
_REFUSED = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt")  # they can run code when read


@dataclass(frozen=True, slots=True)
class Plan:
    """What a push would do: paths to add, to change and to leave, and the files as the repository shall have them."""

    wanted: Wanted
    state: State
    adds: list[str]
    changes: list[str]


def plan_push(hub: Hub, target: Target, folder: Path, *, private: bool, overwrite: bool) -> Plan:
    """Read folder and repository. Raises ConfigError for a folder without card or weights, secrets, and foreign files."""
    wanted = Wanted(_contents(folder, hub.token))
    state = read_state(hub, target)
    refuse_publishing(target, state, private)
    if not overwrite:
        refuse_foreign(wanted, state, known_files(read_manifest(hub, target, state), state))
    missing = wanted.missing(state)
    return Plan(wanted, state, [p for p in missing if p not in state.files], [p for p in missing if p in state.files])


def push_model(
    hub: Hub, target: Target, folder: Path, *, private: bool = False, pull_request: bool = False, overwrite: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Outcome:  # fmt: skip
    """Make the repository where there is none, and commit what is not there yet."""
    plan = plan_push(hub, target, folder, private=private, overwrite=overwrite)
    state = plan.state if plan.state.head else create(hub, target, private=private)
    return commit(hub, target, plan.wanted, state, f"Push {folder.name}", pull_request=pull_request, say=say)


def _contents(folder: Path, token: str) -> dict[str, Path | bytes]:
    if not (folder / CARD).is_file():
        raise ConfigError(f"{folder} has no {CARD}; export a run first: `finetune export RUN -o {folder}`")
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and not path.name.startswith("."))
    if not any(path.suffix == ".safetensors" for path in paths):
        raise ConfigError(f"{folder} has no .safetensors file: there is nothing to push")
    if bad := next((path for path in paths if path.suffix in _REFUSED), None):
        raise ConfigError(f"{bad} can run code when it is read; only safetensors are pushed")
    names = {path.relative_to(folder).as_posix(): path for path in paths}
    texts = ((name, path.read_text(encoding="utf-8", errors="replace")) for name, path in names.items() if path.suffix in _TEXTS)  # fmt: skip
    # a tokenizer's vocabulary holds every kind of string; only what people write is looked at
    refuse_secrets(((name, text) for name, text in texts if not name.endswith("tokenizer.json")), token)
    digests = Wanted(dict(names)).digests
    files = {name: {"sha256": digest.sha256, "blob": digest.blob, "rows": 0} for name, digest in digests.items()}
    manifest = {"schema": 1, "version": __version__, "sources": [], "files": files}
    return {**names, MANIFEST: orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)}

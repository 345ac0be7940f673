"""How a file was made: what the manifest beside it says, as long as the file is still the one it speaks of."""

import shlex
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from tapewright import files
from templates.specs import list_tasks, load_spec

_FLAGS = ("natural",)
_PLAIN = {
    "answer_format": "text", "anonymize": 0.4, "difficulty": "mixed", "max_tokens": 0,
}  # fmt: skip  # options of `generate` with their defaults


@dataclass(frozen=True, slots=True)
class Origin:
    """How one file came to be. `changed` says that its manifest speaks of other bytes, and then nothing else is said."""

    command: str = ""
    seed: str = ""
    version: str = ""
    code: str = ""
    tape: str = ""
    source: str = ""
    changed: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a manifest, without what is not known."""
        return {name: value for name, value in asdict(self).items() if value}


def origin_of(path: Path, sha256: str) -> Origin:
    """The origin of a file by the manifests in the hidden folder beside it; an empty one where none names it."""
    changed = False
    for manifest in _manifests(path.parent / files.HIDDEN):
        known = manifest.get("files")
        said = known.get(path.name) if isinstance(known, dict) else None
        if said == sha256:
            return _read(manifest, path.name)
        changed = changed or said is not None
    return Origin(changed=changed)


def _manifests(folder: Path) -> Iterator[dict[str, Any]]:
    for path in sorted(folder.glob("*.manifest.json")):
        try:
            manifest = orjson.loads(path.read_bytes())
        except (OSError, orjson.JSONDecodeError):
            continue
        if isinstance(manifest, dict):
            yield manifest


def _read(manifest: dict[str, Any], name: str) -> Origin:
    config = manifest.get("config")
    if isinstance(config, dict):
        return Origin(
            _generate(config), str(config.get("seed", "")), str(config.get("version", "")), str(config.get("code", "")),
            str(manifest.get("tape", "")), Path(str(config.get("source", ""))).name,
        )  # fmt: skip
    if "mix" in manifest:
        shares = " ".join(shlex.quote(f"{Path(str(file)).name}={share:g}") for file, share, *_ in manifest["mix"])
        return Origin(f"tapewright mix {shares} --seed {manifest.get('seed')} --size {manifest.get('rows')}", seed=str(manifest.get("seed", "")))  # fmt: skip
    if "format" in manifest:
        return Origin(f"tapewright convert … --to {manifest['format']}")
    pulled = manifest.get("origins", {}).get(name)
    return Origin(**pulled) if isinstance(pulled, dict) else Origin()


def _generate(config: dict[str, Any]) -> str:
    """The `generate` command of a configuration; local paths by their last name only."""
    words = ["tapewright", "generate", "--size", str(config["size"]), "--seed", str(config["seed"])]
    if config["shape"] != "alpaca":
        words += ["--format", config["shape"]]
    if not _are_own(config["weights"]):
        words += ["--tasks", _shares(config["weights"])]
    if config["splits"]:
        words += ["--split", _shares(config["splits"])]
    if config["source"] != "bundled":
        words += ["--source", Path(config["source"]).name]
    if config["symbols"]:
        words += ["--symbols", ",".join(config["symbols"])]
    words += ["--since", _moment(config["since_s"]), "--until", _moment(config["until_s"])]
    for family in config["hold_out"]:
        words += ["--hold-out", family]
    for name, plain in _PLAIN.items():
        if config[name] != plain:
            words += [f"--{name.replace('_', '-')}", str(config[name])]
    if config["tokenizer"]:
        words += ["--tokenizer", Path(config["tokenizer"]).name]
    words += [f"--{name}" for name in _FLAGS if config[name]]
    return shlex.join(words)


def _are_own(weights: list[tuple[str, float]]) -> bool:
    """Whether the shares are those the tasks have by themselves."""
    own = {name: load_spec(name).weight for name in list_tasks()}
    total = sum(own.values())
    return {name: weight / total for name, weight in own.items()} == dict(weights)


def _shares(pairs: list[tuple[str, float]]) -> str:
    return ",".join(f"{name}={share:g}" for name, share in pairs)


def _moment(epoch_s: int) -> str:
    text = datetime.fromtimestamp(epoch_s, UTC).strftime("%Y-%m-%d %H:%M")
    return text.removesuffix(" 00:00")

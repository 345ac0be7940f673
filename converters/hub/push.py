"""A dataset on its way to a Hub: checked, surveyed, written as Parquet with its card and manifest, committed at once."""

import hashlib
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import orjson

from converters.hub.card import Wishes, write_card
from converters.hub.commit import Outcome, Wanted, commit, create, refuse_foreign, refuse_secrets
from converters.hub.origin import origin_of
from converters.hub.quality import Quality, assess
from converters.hub.repository import Digest, Hub, State, Target, digest_of, fetched, read_state
from converters.hub.shards import Shard, write_shards
from converters.hub.survey import Survey, survey
from tapewright import __version__, files
from tapewright.code import digest_of_code
from tapewright.errors import ConfigError, FileError
from validators.settings import load_settings

CARD, MANIFEST = "README.md", ".tapewright/manifest.json"
SCHEMA = 1
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Options:
    """How a dataset is read, checked and cut. `shard_bytes` counts the JSON text of the rows of a shard."""

    shape: str = ""
    tape: str = ""
    shard_bytes: int = 256 * 2**20
    workers: int = 1
    wishes: Wishes = Wishes()


@dataclass(slots=True)
class Package:
    """A dataset ready to go: what the branch shall hold, and what to say about it."""

    wanted: Wanted
    shards: list[Shard]
    card: str
    quality: Quality
    rows: int


def fingerprint(names: list[str], repository: str, options: Options) -> str:
    """Stands for all that decides a push, files, options, settings and code, so that nothing is checked twice."""
    code = digest_of_code("tapewright", "market", "templates", "validators", "converters")
    said = [__version__, code, repository, str(load_settings(Path.cwd())), str(replace(options, workers=0))]
    for name in names:
        sha256 = files.sha256_of(Path(name))
        said += [Path(name).name, sha256, str(origin_of(Path(name), sha256))]
    return hashlib.sha256("\0".join(said).encode()).hexdigest()


def is_there(hub: Hub, target: Target, inputs: str) -> bool:
    """Whether the branch holds what a push of these inputs left, untouched since."""
    state = read_state(hub, target)
    manifest = read_manifest(hub, target, state)
    if manifest is None or manifest.get("inputs") != inputs:
        return False
    known = _known(manifest)
    return all(path in state.files and digest.fits(state.files[path]) for path, digest in known.items()) and not _data_beside(state, known)  # fmt: skip


@contextmanager
def packed(names: list[str], repository: str, token: str, options: Options, inputs: str, say: Say) -> Iterator[Package]:
    """Check the files and write what will be pushed to a temporary folder.

    Raises ConfigError for errors in the data (unless forced) and for a secret anywhere, FileError for rows no table fits.
    """
    seen = survey(names, options.shape, token)
    quality = assess(names, options.shape, tape=options.tape, workers=options.workers)
    _tell(seen, quality, say)
    if (quality.failed or seen.left_out) and not options.wishes.forced:
        worst = ", ".join(f"{code} {count:,}" for code, count in quality.counts.most_common(3))
        raise ConfigError(f"the dataset has errors ({worst}); see them with `validate`, or --force pushes it and the card says so")  # fmt: skip
    with TemporaryDirectory(prefix="tapewright-") as folder:
        shards = write_shards(names, options.shape, seen, Path(folder), options.shard_bytes)
        for source in seen.sources:
            if files.sha256_of(Path(source.name)) != source.sha256:
                raise FileError(f"{source.name} changed while it was read; push again")
        origins = [origin_of(Path(source.name), source.sha256) for source in seen.sources]
        card = write_card(repository, seen, quality, shards, origins, options.wishes)
        manifest = _manifest(seen, shards, [origin.as_dict() for origin in origins], digest_of(card.encode()), inputs)
        refuse_secrets([("the card", card), ("the manifest", manifest.decode())], token)
        contents: dict[str, Path | bytes] = {shard.path: shard.local for shard in shards}
        contents |= {CARD: card.encode(), MANIFEST: manifest}
        yield Package(Wanted(contents), shards, card, quality, seen.rows)


def push(hub: Hub, target: Target, package: Package, *, private: bool = False, pull_request: bool = False, overwrite: bool = False, say: Say) -> Outcome:  # fmt: skip
    """Commit a package to a dataset repository, which is made where it is missing; nothing where nothing changed."""
    state, created = read_state(hub, target), False
    refuse_publishing(target, state, private)
    if not state.head:
        if target.revision:
            raise ConfigError(f"{target}: there is no such repository, and so no such branch; push without --revision first")  # fmt: skip
        state, created = create(hub, target, private=private), True
    plan_changes(hub, target, package, state, overwrite=overwrite)
    message = f"{package.rows:,} rows, written by Tapewright {__version__}"
    outcome = commit(hub, target, package.wanted, state, message, pull_request=pull_request, say=say)
    return Outcome(outcome.made, outcome.url, outcome.pull_request, created)


def refuse_publishing(target: Target, state: State, private: bool) -> None:
    """ConfigError where --private asks for what an existing public repository is not."""
    if private and state.head and not state.private:
        raise ConfigError(f"{target.name} exists and is public; --private counts for a new one only, so nothing was pushed")  # fmt: skip


def plan_changes(hub: Hub, target: Target, package: Package, state: State, *, overwrite: bool) -> None:
    """Find what the last push left and this one does not hold, and refuse to touch what others wrote."""
    manifest = read_manifest(hub, target, state)
    if manifest is not None:
        ours = package.wanted.files[MANIFEST]
        assert isinstance(ours, bytes)
        if orjson.loads(ours) | {"inputs": ""} == manifest | {"inputs": ""}:
            package.wanted.leave(MANIFEST)  # that the same came of other options is worth no commit
    package.wanted.gone = _data_beside(state, package.wanted.digests)
    if not overwrite:
        refuse_foreign(package.wanted, state, known_files(manifest, state))


def known_files(manifest: dict[str, Any] | None, state: State) -> dict[str, Digest]:
    """What the last push left, by its manifest, and the manifest itself, which cannot hold its own digest."""
    if manifest is None:
        return {}
    return _known(manifest) | {MANIFEST: Digest(state.files[MANIFEST].sha256, state.files[MANIFEST].blob)}


def _known(manifest: dict[str, Any]) -> dict[str, Digest]:
    return {path: Digest(entry["sha256"], entry["blob"]) for path, entry in manifest["files"].items()}


def _data_beside(state: State, ours: Container[str]) -> set[str]:
    """Parquet files that `load_dataset` would take along and that are not ours."""
    return {path for path in state.files if path.startswith("data/") and path.endswith(".parquet") and path not in ours}


def read_manifest(hub: Hub, target: Target, state: State) -> dict[str, Any] | None:
    """The manifest of a dataset that was pushed from here. Raises FileError where it is there and no manifest."""
    if MANIFEST not in state.files:
        return None
    with (
        TemporaryDirectory(prefix="tapewright-") as folder,
        fetched(hub, target, state, MANIFEST, Path(folder)) as local,
    ):
        try:
            manifest = orjson.loads(local.read_bytes())
            whole = all({"sha256", "blob", "rows"} <= entry.keys() for entry in manifest["files"].values()) and "sources" in manifest  # fmt: skip
        except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
            whole = False
        if not whole:
            raise FileError(f"{target}: {MANIFEST} there is no manifest of this tool")
        return manifest


def _manifest(seen: Survey, shards: list[Shard], origins: list[dict[str, Any]], card: Digest, inputs: str) -> bytes:
    entries = {
        shard.path: {"sha256": shard.digest.sha256, "blob": shard.digest.blob, "rows": shard.rows, "config": shard.config, "split": shard.split}
        for shard in shards
    }  # fmt: skip
    sources = [
        {"name": Path(source.name).name, "sha256": source.sha256, "rows": source.rows, "origin": origin,
         "parts": [[config, split, rows] for (config, split), rows in sorted(source.parts.items())]}
        for source, origin in zip(seen.sources, origins)
    ]  # fmt: skip
    manifest = {
        "schema": SCHEMA, "version": __version__, "rows": seen.rows, "left_out": seen.left_out.total(), "inputs": inputs, "sources": sources,
        "files": {CARD: {"sha256": card.sha256, "blob": card.blob, "rows": 0}, **entries},
    }  # fmt: skip
    return orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def _tell(seen: Survey, quality: Quality, say: Say) -> None:
    others = quality.counts.total() - quality.errors
    say(f"{quality.rows:,} rows checked by {quality.rules} rules: {quality.errors:,} errors, {others:,} warnings and notes"
        + (f"; splits compared: {quality.compared}" if quality.compared else ""))  # fmt: skip
    for reason, count in seen.left_out.most_common(5):
        say(f"{count:,} {'row' if count == 1 else 'rows'} cannot be pushed: {reason}")

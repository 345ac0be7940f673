"""A dataset back from a Hub: every file held to the manifest, every row as it was pushed."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from converters.hub.push import CARD, read_manifest
from converters.hub.repository import Digest, Hub, Remote, State, Target, digest_of, fetched, read_state
from converters.hub.survey import SPLITS
from tapewright import files
from tapewright.errors import ConfigError, FileError

BATCH_ROWS = 1_000
_SHORT = {long: short for short, long in SPLITS.items() if short == "val"}


@dataclass(frozen=True, slots=True)
class Pulled:
    """One file written, its rows, and the file it is the same as, byte for byte, where there is one."""

    path: Path
    rows: int
    sha256: str
    same_as: str = ""


def pull(hub: Hub, target: Target, output: Path) -> tuple[State, list[Pulled]]:
    """Write a file per configuration and split, `NAME-CONFIG-SPLIT.jsonl`, and their manifest.

    Raises FileError for a file that is not what the manifest says, ConfigError where there is no dataset or manifest.
    """
    suffix = files.suffix_of(output)
    state = read_state(hub, target)
    if not state.head:
        raise ConfigError(f"{target}: the Hub has no such dataset, or hides it from this token (404)")
    manifest = read_manifest(hub, target, state)
    if manifest is None:
        raise ConfigError(f"{target} was not pushed by this tool: it has no manifest to hold its files to. Load it with `datasets` instead")  # fmt: skip
    _refuse_altered(target, manifest, state)
    parts: dict[tuple[str, str], list[str]] = {}
    for path, entry in sorted(manifest["files"].items()):
        if path != CARD:
            parts.setdefault((str(entry["config"]), str(entry["split"])), []).append(path)
    paths = _paths(output, suffix, list(parts))
    with files.locked(output), TemporaryDirectory(prefix="tapewright-", dir=files.hidden_folder(output)) as folder:
        made = []
        for part, shards in parts.items():
            made.append(_write(hub, target, state, manifest, part, shards, paths[part], Path(folder)))
        shutil.rmtree(folder, ignore_errors=True)
        origins = {one.path.name: source["origin"] for one in made for source in manifest["sources"] if source["name"] == one.same_as}  # fmt: skip
        files.write_manifest(output, {
            "pulled": target.name, "commit": state.head, "files": {one.path.name: one.sha256 for one in made}, "origins": origins,
            "rows": sum(one.rows for one in made), "sources": manifest["sources"],
        })  # fmt: skip
    return state, made


def _refuse_altered(target: Target, manifest: dict[str, Any], state: State) -> None:
    """FileError for files that are gone or whose digest on the Hub is another; only then is anything fetched."""
    for path, entry in sorted(manifest["files"].items()):
        remote = state.files.get(path)
        if remote is None:
            raise FileError(f"{target}: {path} is in the manifest and no longer there")
        if path != CARD and not _fits(entry, remote):
            raise FileError(
                f"{target}: {path} is not the file that was pushed (sha256 {entry['sha256'][:12]}… expected)"
            )


def _fits(entry: dict[str, Any], remote: Remote) -> bool:
    return Digest(entry["sha256"], entry["blob"]).fits(remote)


def _paths(output: Path, suffix: str, parts: list[tuple[str, str]]) -> dict[tuple[str, str], Path]:
    """A path per part; names from a manifest never lead elsewhere."""
    stem, several = output.name[: -len(suffix)], len({config for config, _ in parts}) > 1
    paths = {}
    for config, split in parts:
        if not (config.isidentifier() and split.replace(".", "_").isidentifier()):
            raise FileError(f"the manifest names a part {config!r}, {split!r}, which no push would")
        words = [stem, *([config] if several else []), _SHORT.get(split, split)]
        paths[config, split] = output.with_name("-".join(words) + suffix)
    return paths


def _write(
    hub: Hub, target: Target, state: State, manifest: dict[str, Any], part: tuple[str, str], shards: list[str], path: Path, folder: Path,
) -> Pulled:  # fmt: skip
    rows = 0

    def chunks() -> Iterator[bytes]:
        nonlocal rows
        for shard in shards:
            entry = manifest["files"][shard]
            with fetched(hub, target, state, shard, folder) as local:
                if digest_of(local).sha256 != entry["sha256"]:
                    raise FileError(f"{target}: {shard} was damaged on its way or is not the file that was pushed")
                found = 0
                for records in _records(local):
                    found += len(records)
                    yield files.encode_lines(records)
                if found != entry["rows"]:
                    raise FileError(f"{target}: {shard} holds {found:,} rows where the manifest says {entry['rows']:,}")
                rows += found

    sha256 = files.write_from_lines(path, chunks())
    return Pulled(path, rows, sha256, _same(manifest, sha256))


def _same(manifest: dict[str, Any], sha256: str) -> str:
    return next((str(source["name"]) for source in manifest["sources"] if source["sha256"] == sha256), "")


def _records(local: Path) -> Iterator[list[dict[str, Any]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(local) as table:
            for batch in table.iter_batches(BATCH_ROWS):
                yield [_without_nulls(record) for record in batch.to_pylist()]
    except pa.ArrowException as error:
        raise FileError(f"{local.name}: not readable as Parquet ({error})") from error


def _without_nulls(value: Any) -> Any:
    """A null in a table is what a row did not have."""
    if isinstance(value, dict):
        return {name: _without_nulls(part) for name, part in value.items() if part is not None}
    return [_without_nulls(part) for part in value] if isinstance(value, list) else value

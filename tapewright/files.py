"""Files: JSONL (plain, .gz, .zst) and Parquet; whole or not at all; manifests; one writer at a time."""

import contextlib
import fcntl
import gzip
import hashlib
import io
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import jsonlines
import orjson

from tapewright.errors import FileError

SUFFIXES = (".jsonl", ".jsonl.gz", ".jsonl.zst", ".parquet")
HIDDEN = ".tapewright"


def suffix_of(path: Path) -> str:
    """Which of SUFFIXES `path` ends in; FileError for any other."""
    for suffix in sorted(SUFFIXES, key=len, reverse=True):
        if path.name.endswith(suffix):
            return suffix
    raise FileError(f"cannot tell the format of {path.name!r}; end it in one of {', '.join(SUFFIXES)}")


def hidden_folder(path: Path) -> Path:
    """The folder beside `path` for manifests, blocks and quarantine; made if missing."""
    folder = path.parent / HIDDEN
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(f"cannot write beside {path}: {error.strerror or error}; choose another --output") from error
    return folder


@contextlib.contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """Write `path` through a temporary file that replaces it only once everything is on disk."""
    handle = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = tempfile.NamedTemporaryFile(  # noqa: SIM115  closed below, renamed after
            dir=path.parent, prefix=f".{path.name}.", suffix=".part", delete=False
        )
        with handle:
            yield handle  # type: ignore[misc]
            handle.flush()
            os.fsync(handle.fileno())
        os.chmod(handle.name, 0o644)
        os.replace(handle.name, path)
        _sync_folder(path.parent)
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"cannot write {path}: {error.strerror or error}; nothing was left half-written") from error
    finally:
        if handle is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(handle.name)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def encode_lines(records: Iterable[dict[str, Any]]) -> bytes:
    """Records as JSONL bytes, written by jsonlines with orjson as its codec."""
    buffer = io.BytesIO()
    with jsonlines.Writer(buffer, dumps=orjson.dumps) as writer:  # type: ignore[call-arg]  # absent from its stubs
        writer.write_all(records)
    return buffer.getvalue()


def read_records(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, record) of a file we can read. Raises FileError naming file and line."""
    suffix = suffix_of(path)
    if not path.is_file():
        raise FileError(f"no file {path}")
    if suffix == ".parquet":
        import polars

        try:
            frame = polars.read_parquet(path)
        except Exception as error:
            raise FileError(f"{path}: not readable as Parquet ({error})") from error
        yield from enumerate(frame.iter_rows(named=True), 1)
        return
    try:
        with _opened(path, suffix) as stream:
            for number, line in enumerate(stream, 1):
                if not line.strip():
                    continue
                try:
                    yield number, orjson.loads(line)
                except orjson.JSONDecodeError as error:
                    raise FileError(f"{path}:{number}: not JSON ({error}); the file may be cut off") from error
    except (OSError, EOFError) as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{path}: {error}") from error


def _opened(path: Path, suffix: str) -> Any:
    if suffix == ".jsonl.gz":
        return gzip.open(path, "rb")
    if suffix == ".jsonl.zst":
        import zstandard

        return io.BufferedReader(zstandard.ZstdDecompressor().stream_reader(path.open("rb")))
    return path.open("rb")


def write_from_lines(path: Path, chunks: Iterable[bytes]) -> str:
    """Write JSONL chunks to `path` in the format its name asks for; returns the sha256 of the file.

    The bytes depend on the rows alone: gzip carries no time, Parquet has one row group size.
    """
    suffix = suffix_of(path)
    with whole(path) as target:
        if suffix == ".jsonl":
            for chunk in chunks:
                target.write(chunk)
        elif suffix == ".jsonl.gz":
            with gzip.GzipFile(fileobj=target, mode="wb", filename="", mtime=0) as packed:
                for chunk in chunks:
                    packed.write(chunk)
        elif suffix == ".jsonl.zst":
            import zstandard

            with zstandard.ZstdCompressor().stream_writer(target, closefd=False) as packed:
                for chunk in chunks:
                    packed.write(chunk)
        else:
            _write_parquet(path, target, chunks)
    return sha256_of(path)


GROUP_ROWS = 10_000  # rows of a Parquet row group, which is what memory holds while one is written


def _write_parquet(path: Path, target: Any, chunks: Iterable[bytes]) -> None:
    """By way of a file of lines beside it, so that neither the rows nor their table are ever whole in memory."""
    import polars

    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", suffix=".lines") as lines:
        for chunk in chunks:
            lines.write(chunk)
        lines.flush()
        try:
            table = polars.scan_ndjson(lines.name, infer_schema_length=None) if lines.tell() else polars.LazyFrame()
            table.sink_parquet(target.name, compression="zstd", row_group_size=GROUP_ROWS)
        except polars.exceptions.PolarsError as error:
            raise FileError(f"cannot write {path}: no table fits these rows ({str(error).splitlines()[0]}); write .jsonl") from error  # fmt: skip


def sha256_of(path: Path) -> str:
    """Hex digest of a file's bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the one writer's lock of `path`; FileError when another run holds it."""
    lock = hidden_folder(path) / f"{path.name}.lock"
    try:
        handle = lock.open("w")
    except OSError as error:
        raise FileError(f"cannot write {lock}: {error.strerror or error}") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FileError(f"another run is writing {path}; wait for it or choose another --output") from None
        yield


def manifest_path(path: Path) -> Path:
    """Where the manifest of `path` lives."""
    return path.parent / HIDDEN / f"{path.name}.manifest.json"


def read_manifest(path: Path) -> dict[str, Any] | None:
    """The manifest of `path`, or None where there is none that can be read."""
    try:
        return orjson.loads(manifest_path(path).read_bytes())
    except (OSError, orjson.JSONDecodeError):
        return None


def write_manifest(path: Path, manifest: dict[str, Any]) -> None:
    """Write the manifest of `path`, whole; keys sorted, no clock."""
    with whole(manifest_path(path)) as target:
        target.write(orjson.dumps(manifest, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))

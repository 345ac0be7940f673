"""Parquet shards of a dataset: written row group by row group, the same bytes for the same rows.

Page indexes let a viewer read single pages; chunks are cut by content, so that a Hub which stores chunks once keeps
what did not change between two versions.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from converters.hub.repository import Digest, digest_of
from converters.hub.survey import Survey, records_of
from tapewright.errors import FileError

GROUP_ROWS, GROUP_BYTES = 5_000, 64 * 2**20  # a row group ends at either


@dataclass(slots=True)
class Shard:
    """One Parquet file: where it goes, what it holds, and its size on disk and as Arrow tables."""

    path: str
    local: Path
    config: str
    split: str
    rows: int = 0
    size: int = 0
    table_bytes: int = 0
    digest: Digest = Digest("", "")


class _Writer:
    """Writes the rows of one configuration and split into its shards, one after the other."""

    def __init__(self, shards: list[Shard], rows: int, schema: Any) -> None:
        self.shards, self.schema = shards, schema
        # the first shards are a row longer where the rows do not divide evenly
        self.quotas = [rows // len(shards) + (place < rows % len(shards)) for place in range(len(shards))]
        self.place, self.waiting, self.target = 0, [], None

    def add(self, records: list[dict[str, Any]]) -> None:
        import pyarrow as pa

        try:
            table = pa.Table.from_pylist(records, schema=self.schema)
        except (pa.ArrowException, OverflowError) as error:
            raise FileError(f"{self.shards[0].path}: the rows changed while they were read ({error})") from error
        while table.num_rows:
            if self.place == len(self.shards):
                raise FileError(f"{self.shards[0].path}: there are more rows than there were when they were counted")
            room = min(GROUP_ROWS - self._waiting_rows(), self.quotas[self.place] - self.shards[self.place].rows - self._waiting_rows())  # fmt: skip
            part, table = table.slice(0, room), table.slice(room)
            self.waiting.append(part)
            full = self._waiting_rows() == self.quotas[self.place] - self.shards[self.place].rows
            if full or self._waiting_rows() >= GROUP_ROWS or sum(one.nbytes for one in self.waiting) >= GROUP_BYTES:
                self._write_group(last=full)

    def _waiting_rows(self) -> int:
        return sum(part.num_rows for part in self.waiting)

    def _write_group(self, *, last: bool) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        shard = self.shards[self.place]
        if self.target is None:
            shard.local.parent.mkdir(parents=True, exist_ok=True)
            self.target = pq.ParquetWriter(
                shard.local, self.schema, compression="zstd", write_page_index=True, use_content_defined_chunking=True
            )
        group = pa.concat_tables(self.waiting)
        self.target.write_table(group, row_group_size=group.num_rows)
        shard.rows += group.num_rows
        shard.table_bytes += group.nbytes
        self.waiting = []
        if last:
            self.target.close()
            self.target = None
            shard.size, shard.digest = shard.local.stat().st_size, digest_of(shard.local)
            self.place += 1


def plan_shards(seen: Survey, folder: Path, shard_bytes: int) -> list[Shard]:
    """The files that will be written: `data/…` for one configuration, `data/CONFIG/…` for several."""
    shards = []
    for config in seen.configs():
        inside = f"data/{config}" if len(seen.configs()) > 1 else "data"
        for split in seen.splits(config):
            part = seen.parts[config, split]
            count = min(max(1, -(-part.json_bytes // shard_bytes)), part.rows)
            for number in range(count):
                path = f"{inside}/{split}-{number:05d}-of-{count:05d}.parquet"
                shards.append(Shard(path, folder / path, config, split))
    return shards


def write_shards(names: list[str], shape: str, seen: Survey, folder: Path, shard_bytes: int) -> list[Shard]:
    """Write every shard under `folder`. Raises FileError where the files hold other rows than were surveyed."""
    shards = plan_shards(seen, folder, shard_bytes)
    writers = {
        key: _Writer([s for s in shards if (s.config, s.split) == key], part.rows, seen.columns[key[0]].schema())
        for key, part in seen.parts.items()
    }
    for config, split, records in records_of(names, shape):
        if (config, split) not in writers:
            raise FileError(f"{config}/{split}: the rows changed while they were read")
        writers[config, split].add(records)
    if any(writer.place < len(writer.shards) for writer in writers.values()):
        raise FileError("there are fewer rows than there were when they were counted; the files changed meanwhile")
    return shards

"""Public benchmarks by name, from a local path or the Hub: Financial PhraseBank, FiQA, TFNS, NWGI.

Only their texts are read. Financial PhraseBank comes as lines of `sentence@label` in Latin-1, often in a zip;
the others as CSV, JSON or Parquet with a text column, FiQA also as the files of its challenge.
"""

import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tapewright.errors import ConfigError, FileError, NetworkError, suggest
from tapewright.hub_answers import reason_of
from tapewright.inputs import READABLE, Item, expand, read_items


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A public dataset: its full name and its repository on the Hub."""

    title: str
    repository: str


BENCHMARKS = {
    "fpb": Benchmark("Financial PhraseBank", "takala/financial_phrasebank"),
    "fiqa": Benchmark("FiQA 2018", "pauri32/fiqa-2018"),
    "tfns": Benchmark("Twitter Financial News Sentiment", "zeroshot/twitter-financial-news-sentiment"),
    "nwgi": Benchmark("News with GPT instructions", "oliverwang15/news_with_gpt_instructions"),
}
_WANTED = ["*.csv", "*.json", "*.jsonl", "*.parquet", "*.txt", "*.zip"]


def is_benchmark(text: str) -> bool:
    """Whether `text` is `name` or `name=PATH` of a known benchmark."""
    name, _, _ = text.partition("=")
    return name.lower() in BENCHMARKS and not Path(text).exists()


def read_benchmark(text: str) -> tuple[str, list[Item]]:
    """(title, one item per text) of `name` (from the Hub) or `name=PATH` (a file or folder, nothing fetched).

    Raises ConfigError for an unknown name, FileError for a path without texts, NetworkError offline.
    """
    name, sign, place = text.partition("=")
    known = BENCHMARKS.get(name.lower())
    if known is None:
        raise ConfigError(
            f"no benchmark {name!r}.{suggest(name.lower(), list(BENCHMARKS))} Known: {', '.join(BENCHMARKS)}"
        )
    folder = Path(place) if sign else _fetch(name.lower(), known)
    if not folder.exists():
        raise FileError(f"no file or folder {folder} for {known.title}")
    items = list(_texts(folder))
    if not items:
        raise FileError(f"{folder}: no text of {known.title} found in it")
    return known.title, items


def _fetch(name: str, known: Benchmark) -> Path:
    """The local copy of the dataset's files, fetched where it is not there yet."""
    try:
        from huggingface_hub import snapshot_download
    except ImportError:
        raise ConfigError(f"{known.title} comes from the Hub: install tapewright[hub], or give --benchmark {name}=PATH") from None  # fmt: skip
    try:
        return Path(snapshot_download(known.repository, repo_type="dataset", allow_patterns=_WANTED))
    except Exception as error:  # the Hub's client raises its own, httpx's and the system's
        raise NetworkError(
            f"{known.title} ({known.repository}) could not be fetched: {reason_of(error)}; download it and give --benchmark {name}=PATH"
        ) from None


def _texts(place: Path) -> Iterator[Item]:
    paths = [place] if place.is_file() else sorted(path for path in place.rglob("*") if path.is_file() and not path.name.startswith("."))  # fmt: skip
    for path in paths:
        lower = path.name.lower()
        if lower.endswith(".zip"):
            yield from _zipped(path)
        elif lower.endswith(".txt"):
            yield from _lines(str(path), path.read_bytes()) if _is_labelled(path.read_bytes()) else ()
        elif lower.removesuffix(".gz").removesuffix(".zst").endswith(READABLE):
            for name in expand([path]):
                for item in read_items(name):
                    yield from _each(item)


def _each(item: Item) -> Iterator[Item]:
    """The challenge's own files of FiQA are one object, id → text with one score per entity it names."""
    record = item.record
    if not isinstance(record, dict) or not record or not all(isinstance(value, dict) for value in record.values()):
        yield item
        return
    for key, value in record.items():
        told = value.get("info")
        for entry in told if isinstance(told, list) and told else [{}]:
            kept = {name: part for name, part in value.items() if name != "info"} | (entry if isinstance(entry, dict) else {})  # fmt: skip
            yield Item(item.source, item.line, {"id": key, **kept})


def _zipped(path: Path) -> Iterator[Item]:
    try:
        with zipfile.ZipFile(path) as packed:
            for name in sorted(packed.namelist()):
                if name.lower().endswith(".txt") and "__MACOSX" not in name and _is_labelled(data := packed.read(name)):
                    yield from _lines(f"{path}:{name}", data)
    except zipfile.BadZipFile as error:
        raise FileError(f"{path}: not a zip file ({error})") from error


def _is_labelled(data: bytes) -> bool:
    """A file of `sentence@label` lines, and no licence or readme."""
    head = [line for line in data[:20_000].splitlines()[:20] if line.strip()]
    return bool(head) and sum(b"@" in line for line in head) >= 0.9 * len(head)


def _lines(source: str, data: bytes) -> Iterable[Item]:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    for number, line in enumerate(text.split("\n"), 1):
        sentence, sign, label = line.strip().rpartition("@")
        if sign:
            yield Item(source, number, {"text": sentence, "label": label})

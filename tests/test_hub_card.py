"""What a push makes of a dataset before it leaves: the survey, the Parquet shards, where files come from, and the card."""

import json
import shlex
import subprocess
import sys
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path

import pytest

from converters.hub import markdown as md
from converters.hub.origin import origin_of
from converters.hub.repository import digest_of
from converters.hub.shards import write_shards
from converters.hub.survey import percentile, survey
from tapewright import files
from tapewright.errors import ConfigError, FileError
from tapewright.streams import stream

pytest.importorskip("datasets")
pq = pytest.importorskip("pyarrow.parquet")
yaml = pytest.importorskip("yaml")
markdown_it = pytest.importorskip("markdown_it")
ROOT = Path(__file__).parent.parent
REPO = "user/rows"


@pytest.fixture
def card(hub, run, made):
    """The card of all three shapes, as it would be pushed."""
    code, text, err = run("push", *sorted(made.glob("*.jsonl")), "--repo", REPO, "--dry-run", "--license", "cc-by-4.0")
    assert code == 0, err
    return text


def _head(card):
    return yaml.safe_load(card.split("---\n")[1])


def test_head_is_what_the_hub_reads(card, made):
    head = _head(card)
    assert head["license"] == "cc-by-4.0" and head["language"] == ["en"] and head["size_categories"] == ["n<1K"]
    assert {"synthetic", "finance", "preference"} <= set(head["tags"])
    assert [one["config_name"] for one in head["configs"]] == ["instruction", "preference", "conversation"]
    assert [one.get("default") for one in head["configs"]] == [True, None, None]
    assert head["configs"][1]["data_files"][1] == {"split": "validation", "path": "data/preference/validation-*"}
    infos = {one["config_name"]: one for one in head["dataset_info"]}
    assert {one["name"]: one["num_examples"] for one in infos["instruction"]["splits"]} == {"train": 48, "validation": 6, "test": 6}  # fmt: skip
    assert {"name": "conversations", "list": [{"name": "from", "dtype": "string"}, {"name": "value", "dtype": "string"}]} in infos["conversation"]["features"]  # fmt: skip
    assert all(info["download_size"] > 1_000 and info["dataset_size"] > 1_000 for info in infos.values())


def test_card_tells_what_the_files_hold(card, made):
    rows = {path: [json.loads(line) for line in path.read_text().splitlines()] for path in made.glob("*.jsonl")}
    for path, found in rows.items():
        assert f"| `{path.name}` | {len(found)} |" in card
        assert files.sha256_of(path) in card
    tasks = Counter(row["task_type"] for found in rows.values() for row in found)
    for task, count in tasks.items():
        assert f"| `{task}` | {count} |" in card
    labels = Counter(
        json.loads(row["facts"])["label"]
        for found in rows.values() for row in found if row["task_type"] == "sentiment_analysis"
    )  # fmt: skip
    label, count = min(labels.items(), key=lambda entry: (-entry[1], entry[0]))
    assert f"| `sentiment_analysis` | {md.cell(label)}\u00a0{md.percent(count, labels.total())}" in card
    defects = {row["defect"] for found in rows.values() for row in found if "defect" in row}
    assert defects and all(md.cell(defect) in card for defect in defects)
    lengths = sorted(len(row.get("rejected", "")) for found in rows.values() for row in found if "rejected" in row)
    assert f"| rejected answer | {lengths[0]:,} |" in card and f"| {lengths[-1]:,} | `" in card
    assert card.count("<details") == len(tasks)


def test_commands_of_the_card_make_the_same_bytes(card, made, tmp_path):
    commands = [line for line in card.splitlines() if line.startswith("tapewright generate")]
    assert len(commands) == 3
    call = shlex.split(next(line for line in commands if "--format preference" in line))[1:]
    done = subprocess.run([sys.executable, ROOT / "cli.py", *call, "-o", tmp_path / "preference.jsonl", "-j", "1"], capture_output=True, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr
    for split in ("train", "val", "test"):
        assert (tmp_path / f"preference-{split}.jsonl").read_bytes() == (
            made / f"preference-{split}.jsonl"
        ).read_bytes()


def test_a_file_changed_since_it_was_made_says_so(hub, run, made, tmp_path):
    for path in made.glob("instruction-*.jsonl"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    (tmp_path / ".tapewright").mkdir(exist_ok=True)
    manifest = (made / ".tapewright" / "instruction.jsonl.manifest.json").read_bytes()
    (tmp_path / ".tapewright" / "instruction.jsonl.manifest.json").write_bytes(manifest)
    train = tmp_path / "instruction-train.jsonl"
    train.write_text("".join(train.read_text().splitlines(keepends=True)[:-1]))
    card = run("push", *sorted(tmp_path.glob("instruction-*.jsonl")), "--repo", REPO, "--dry-run")[1]
    assert "Changed since they were made, so that their manifests say nothing about them: instruction-train.jsonl" in card  # fmt: skip
    assert "The rows say how they were generated: seed 3 with version" in card
    assert origin_of(train, files.sha256_of(train)).command == ""
    assert (
        origin_of(tmp_path / "instruction-val.jsonl", files.sha256_of(tmp_path / "instruction-val.jsonl")).seed == "3"
    )


def test_rows_of_strangers_claim_nothing_about_their_making(hub, run, rows):
    card = run("push", rows(), "--repo", REPO, "--dry-run")[1]
    assert "synthetic" not in _head(card)["tags"] and _head(card)["license"] == "unknown"
    for claim in ("every number can be recomputed", "market history", "byte for byte", "is wrong for one named reason"):
        assert claim not in card
    assert "has not chosen a licence yet" in card and "Leakage** was not looked for" in card


NASTY = 'a | b `c` </details><script>alert("x")</script>\n`````\n# head\n| --- |\n{{ 7 * 7 }} [x](http://y)'


def test_nothing_of_a_row_breaks_out_of_the_card(hub, run, rows):
    path = rows(task_type=NASTY, label=NASTY, facts=json.dumps({"venue": NASTY, "symbol": NASTY}))
    with path.open("a") as more:
        more.write(json.dumps({"id": NASTY, "instruction": "Which one? " + NASTY, "output": "This: " + NASTY, "task_type": "other"}) + "\n")  # fmt: skip
    code, card, err = run("push", path, "--repo", REPO, "--dry-run", "--force", "--title", "A | title")
    assert code == 0, err

    class Tags(HTMLParser):
        def __init__(self):
            super().__init__()
            self.open, self.seen = [], []

        def handle_starttag(self, tag, attrs):
            self.seen.append(tag)
            self.open.append(tag)

        def handle_startendtag(self, tag, attrs):
            self.seen.append(tag)

        def handle_endtag(self, tag):
            assert self.open.pop() == tag, f"</{tag}> closes something else"

    page = markdown_it.MarkdownIt("commonmark", {"html": True}).enable("table").render(card.split("---\n", 2)[2])
    tags = Tags()
    tags.feed(page)
    assert tags.open == [] and "script" not in tags.seen and tags.seen.count("details") == 2
    assert "a" not in tags.seen and "{{ 7 * 7 }}" in card and tags.seen.count("h1") == 1


# --- survey and shards --------------------------------------------------------------------------------------


def test_splits_come_from_file_names_else_from_rows(rows):
    named = rows("a-dev.jsonl", 3, split="train")
    column = rows("b.jsonl", 4, split="test")
    stated = rows("c.jsonl", 5, provenance=json.dumps({"split": "val"}))
    neither = rows("d.jsonl", 6)
    seen = survey([str(path) for path in (named, column, stated, neither)], "", "")
    assert {split: part.rows for (_, split), part in seen.parts.items()} == {"validation": 8, "test": 4, "train": 6}
    assert seen.splits("instruction") == ["train", "validation", "test"]
    with pytest.raises(ConfigError, match=r"e\.jsonl:1: a split cannot be called '\.\./x'"):
        survey([str(rows("e.jsonl", 1, split="../x"))], "", "")


def test_two_shapes_that_share_no_table_are_refused(rows, tmp_path):
    other = tmp_path / "b-train.jsonl"
    other.write_text('{"instruction": "Name a fruit.", "response": "An apple."}\n')
    with pytest.raises(ConfigError, match=r"holds alpaca rows and .*b-train\.jsonl instruction-response rows"):
        survey([str(rows()), str(other)], "", "")


def test_one_type_to_a_column(rows, tmp_path):
    path = rows(n=1, score=1)
    with path.open("a") as more:
        more.write('{"instruction": "Name a fruit.", "output": "An apple.", "score": 2.5, "note": null, "tags": []}\n')
    seen = survey([str(path)], "", "")
    kinds = {one.name: str(one.type) for one in seen.columns["instruction"].schema()}
    assert kinds["score"] == "double" and kinds["note"] == "string" and kinds["tags"] == "list<item: string>"
    with path.open("a") as more:
        more.write('{"instruction": "Name a fruit.", "output": "An apple.", "score": "high"}\n')
    with pytest.raises(FileError, match="no table fits these rows .*score"):
        survey([str(path)], "", "")


def _shards(path, folder, shard_bytes=10**9):
    seen = survey([str(path)], "", "")
    return write_shards([str(path)], "", seen, folder, shard_bytes)


def test_shards_share_the_rows_evenly_and_have_page_indexes(rows, tmp_path):
    path = rows(n=7_000, note="x" * 150)
    shards = _shards(path, tmp_path / "one", 2**19)
    assert [shard.rows for shard in shards] == [1_750] * 4 and shards[3].path == "data/train-00003-of-00004.parquet"
    for shard in shards:
        assert shard.digest == digest_of(shard.local)
        group = pq.ParquetFile(shard.local).metadata.row_group(0)
        assert group.column(0).has_offset_index and group.column(0).has_column_index
        assert group.column(0).compression == "ZSTD"
    read = [row for shard in shards for row in pq.read_table(shard.local).to_pylist()]
    assert read == [json.loads(line) for line in path.read_text().splitlines()]
    assert [one.digest for one in _shards(path, tmp_path / "two", 2**19)] == [one.digest for one in shards]


def test_rows_put_in_front_leave_most_bytes_as_they_were(tmp_path):
    """Chunks are cut by content: a store of chunks keeps what did not change."""
    rng = stream("chunks")
    lines = [
        json.dumps({"instruction": "What is it?", "output": rng.randbytes(700).hex()}) + "\n" for _ in range(3_000)
    ]
    files_of = {}
    for name, found in (
        ("old", lines),
        ("new", [json.dumps({"instruction": "New?", "output": "Yes."}) + "\n", *lines]),
    ):
        (tmp_path / f"{name}.jsonl").write_text("".join(found))
        (shard,) = _shards(tmp_path / f"{name}.jsonl", tmp_path / name)
        files_of[name] = shard.local.read_bytes()
    old, new = files_of["old"], files_of["new"]
    places = range(0, len(old) - 128, 20_000)
    kept = sum(old[place : place + 128] in new for place in places)
    assert len(places) > 50 and kept > 0.6 * len(places)


def test_memory_does_not_grow_with_the_rows(tmp_path):
    """The peak of a process that surveys and writes four times the rows is hardly higher."""
    code = (
        "import json, sys, resource\n"
        "from pathlib import Path\n"
        "from converters.hub.shards import write_shards\n"
        "from converters.hub.survey import survey\n"
        "folder, count = Path(sys.argv[1]), int(sys.argv[2])\n"
        "with (folder / 'rows.jsonl').open('w') as out:\n"
        "    for i in range(count):\n"
        "        out.write(json.dumps({'instruction': f'Which one is {i}?', 'output': str(i) + 'y' * 1500, 'split': ['train', 'test'][i % 2]}) + '\\n')\n"
        "names = [str(folder / 'rows.jsonl')]\n"
        "seen = survey(names, '', '')\n"
        "shards = write_shards(names, '', seen, folder, 8 * 2**20)\n"
        "assert sum(one.rows for one in shards) == count\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)\n"
    )
    peaks = []
    for count in (10_000, 40_000):
        done = subprocess.run([sys.executable, "-c", code, tmp_path, str(count)], cwd=ROOT, capture_output=True, text=True)  # fmt: skip
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 30, peaks  # the further 30,000 rows are 45 MiB of text


def test_percentiles_and_histograms():
    lengths = Counter({10: 50, 20: 45, 900: 5})
    assert [percentile(lengths, share) for share in (0.05, 0.5, 0.51, 0.95, 1)] == [10, 10, 20, 20, 900]
    assert md.histogram(lengths, 2) == "█▇"
    assert (md.percent(1, 10_000), md.percent(0, 5), md.size(1_500_000)) == ("<\u00a00.1\u00a0%", "0.0\u00a0%", "1.5 MB")  # fmt: skip
    assert md.fenced("a ```` b").splitlines()[0] == "`````text"

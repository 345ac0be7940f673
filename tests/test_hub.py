"""Datasets to a Hub and back, against a real server of the tests' own: what arrives, what is refused, what is left alone."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from local_hub import READER, WRITER

from tapewright import files

pytest.importorskip("datasets")
REPO = "user/rows"
COMMIT = "/api/datasets/user/rows/commit/"


def _environment(hub, home):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_") and "proxy" not in name.lower()}  # fmt: skip
    return {**kept, "HF_ENDPOINT": hub.url, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1", "HF_TOKEN": WRITER}


LOAD = """
import json, sys, datasets
datasets.disable_progress_bars()
for config in json.loads(sys.argv[1]):
    for streaming in (False, True):
        loaded = datasets.load_dataset("user/rows", config, streaming=streaming)
        for split in loaded:
            print(json.dumps([config, split, list(loaded[split])]))
"""


def test_three_shapes_go_and_load_row_by_row(hub, run, made, tmp_path):
    names = sorted(made.glob("*.jsonl"))
    code, out, err = run("push", *names, "--repo", REPO, "--private", "--shard-mb", 1)
    assert code == 0, err
    repository = hub.repositories[REPO]
    assert repository.private and len(repository.messages) == 2  # the Hub's own first commit, and one of ours
    assert out.strip() == f"{hub.url}/datasets/{REPO}/commit/{repository.branches['main']}"
    assert "100 rows pushed to user/rows in 9 Parquet files" in err
    assert {path for path in repository.tree() if path.startswith("data/preference/")} == {
        f"data/preference/{split}-00000-of-00001.parquet" for split in ("train", "validation", "test")
    }
    call = [sys.executable, "-c", LOAD, json.dumps(["instruction", "preference", "conversation"])]
    loaded = subprocess.run(call, env=_environment(hub, tmp_path / "home"), capture_output=True, text=True, cwd=tmp_path, timeout=120)  # fmt: skip
    assert loaded.returncode == 0, loaded.stderr
    lines = [json.loads(line) for line in loaded.stdout.splitlines()]
    assert len(lines) == 18
    for config, split, found in lines:
        short = {"validation": "val"}.get(split, split)
        assert found == [json.loads(line) for line in (made / f"{config}-{short}.jsonl").read_text().splitlines()]


def test_pushing_again_makes_no_commit(hub, run, made):
    names = sorted(made.glob("instruction-*.jsonl"))
    assert run("push", *names, "--repo", REPO)[0] == 0
    before = hub.repositories[REPO].branches["main"], len(hub.writes())
    code, out, err = run("push", *names, "--repo", REPO)
    assert (code, out) == (0, "") and "no commit was made" in err
    assert (hub.repositories[REPO].branches["main"], len(hub.writes())) == before


def test_pushing_again_another_way_checks_again_and_finds_the_same_bytes(hub, run, rows):
    assert run("push", rows(), "--repo", REPO)[0] == 0
    before = hub.repositories[REPO].branches["main"]
    code, out, err = run("push", rows(), "--repo", REPO, "--tape", "bundled", "--force")
    assert (code, out) == (0, "") and "4 rows checked by" in err  # the manifest alone is another
    assert hub.repositories[REPO].branches["main"] == before
    assert "rows checked" not in run("push", rows(), "--repo", REPO)[2]
    hub.seed(REPO, {"data/train-00000-of-00001.parquet": b"PAR1" + bytes(300)})
    code, _, err = run("push", rows(), "--repo", REPO)
    assert code == 2 and "a push did not leave so: data/train-00000-of-00001.parquet" in err


def test_dry_run_writes_nothing_and_shows_the_card(hub, run, made):
    names = sorted(made.glob("preference-*.jsonl"))
    code, card, err = run("push", *names, "--repo", REPO, "--dry-run")
    assert code == 0 and hub.writes() == [] and hub.repositories == {}
    assert "user/rows would be created, public" in err and "add data/train-00000-of-00001.parquet, 16 rows" in err
    run("push", *names, "--repo", REPO)
    assert hub.content(REPO, "README.md").decode() == card
    before = len(hub.writes())
    err = run("push", *names[:2], "--repo", REPO, "--dry-run")[2]
    assert "change README.md" in err and "leave data/train-" in err and "remove data/" in err
    assert len(hub.writes()) == before
    assert "nothing would be committed" in run("push", *names, "--repo", REPO, "--dry-run")[2]


def test_settings_may_name_rules_of_leakage(hub, rows, tmp_path):
    (tmp_path / "tapewright.toml").write_text("[validate.limits]\nL003 = { max-rate = 0.001 }\n")
    call = [sys.executable, "-m", "cli", "push", str(rows()), "--repo", REPO, "--dry-run"]
    environment = {**_environment(hub, tmp_path), "PYTHONPATH": str(Path(__file__).parent.parent)}
    out = subprocess.run(call, capture_output=True, text=True, cwd=tmp_path, env=environment)  # no rule is loaded yet
    assert (out.returncode, "L003" in out.stderr) == (0, False)


def test_pull_request_and_going_on_with_it(hub, run, rows):
    assert run("push", rows(), "--repo", REPO)[0] == 0
    main = hub.repositories[REPO].branches["main"]
    code, out, _ = run("push", rows(n=5), "--repo", REPO, "--pr")
    assert (code, out.strip()) == (0, f"{hub.url}/datasets/{REPO}/discussions/1")
    assert run("push", rows(n=6), "--repo", REPO, "--revision", "refs/pr/1")[0] == 0
    assert run("push", rows(n=6), "--repo", REPO, "--revision", "refs/pr/1")[1] == ""
    repository = hub.repositories[REPO]
    assert repository.branches["main"] == main and len(repository.requests) == 1
    manifest = json.loads(hub.content(REPO, ".tapewright/manifest.json", "refs/pr/1"))
    assert manifest["rows"] == 6 and json.loads(hub.content(REPO, ".tapewright/manifest.json"))["rows"] == 4


def test_a_commit_meanwhile_that_touches_nothing_of_ours_is_kept(hub, run, rows):
    assert run("push", rows(), "--repo", REPO)[0] == 0
    hub.misbehave("POST", COMMIT, meanwhile=lambda: hub.seed(REPO, {"LICENSE": b"free"}))
    code, _, err = run("push", rows(n=5), "--repo", REPO)
    assert code == 0 and "(412)" in err
    assert hub.content(REPO, "LICENSE") == b"free"
    assert json.loads(hub.content(REPO, ".tapewright/manifest.json"))["rows"] == 5
    assert hub.repositories[REPO].messages[2:] == ["by a stranger", hub.repositories[REPO].messages[-1]]


def test_a_commit_meanwhile_to_a_file_of_ours_stops_it(hub, run, rows):
    assert run("push", rows(), "--repo", REPO)[0] == 0
    hub.misbehave("POST", COMMIT, meanwhile=lambda: hub.seed(REPO, {"README.md": b"---\nlicense: mit\n---\nmine\n"}))
    code, _, err = run("push", rows(n=5), "--repo", REPO)
    assert code == 2 and "error: somebody else changed README.md meanwhile; nothing was pushed" in err
    assert hub.content(REPO, "README.md").endswith(b"mine\n")


@pytest.mark.parametrize("lost", [{"status": 0}, {"status": 503}], ids=["dropped", "503"])
@pytest.mark.parametrize("request_too", [False, True], ids=["commit", "pull request"])
def test_a_commit_whose_answer_is_lost_is_not_made_twice(hub, run, rows, lost, request_too):
    assert run("push", rows(), "--repo", REPO)[0] == 0
    hub.misbehave("POST", COMMIT, late=True, **lost)
    code, out, err = run("push", rows(n=5), "--repo", REPO, *(["--pr"] if request_too else []))
    assert code == 0, err
    assert len(hub.repositories[REPO].messages) == 3
    assert len(hub.repositories[REPO].requests) == int(request_too)
    assert not request_too or out.strip().endswith("/discussions/1")


@pytest.mark.parametrize("where", ["/lfs/", COMMIT, "/preupload/"])
def test_a_connection_dropped_once_is_overcome(hub, run, rows, where):
    hub.misbehave("", where, times=1)
    code, _, err = run("push", rows(), "--repo", REPO)
    assert code == 0, err
    assert json.loads(hub.content(REPO, ".tapewright/manifest.json"))["rows"] == 4
    assert len(hub.repositories[REPO].messages) == 2


def test_shards_that_are_no_longer_part_go_in_the_same_commit(hub, run, rows, tmp_path):
    big = rows(n=6000, note="x" * 400)
    assert run("push", big, "--repo", REPO, "--shard-mb", 1, "--force")[0] == 0
    shards = [path for path in hub.repositories[REPO].tree() if path.endswith(".parquet")]
    assert shards == sorted(f"data/train-{i:05d}-of-00004.parquet" for i in range(4))
    hub.seed(REPO, {"notes.txt": b"keep me"})
    assert run("push", rows(), "--repo", REPO)[0] == 0
    tree = hub.repositories[REPO].tree()
    assert sorted(tree) == [".gitattributes", ".tapewright/manifest.json", "README.md", "data/train-00000-of-00001.parquet", "notes.txt"]  # fmt: skip
    assert len(hub.repositories[REPO].messages) == 4


def test_what_others_wrote_is_replaced_only_when_asked(hub, run, rows):
    hub.seed(REPO, {"README.md": b"# Mine\n", "data/other.parquet": b"PAR1" + bytes(300)})
    code, _, err = run("push", rows(), "--repo", REPO)
    assert code == 2 and "a push did not leave so: README.md, data/other.parquet" in err
    assert hub.content(REPO, "README.md") == b"# Mine\n" and len(hub.repositories[REPO].messages) == 1
    assert run("push", rows(), "--repo", REPO, "--overwrite")[0] == 0
    assert "data/other.parquet" not in hub.repositories[REPO].tree()
    hub.seed(REPO, {"README.md": hub.content(REPO, "README.md") + b"\nA word of mine.\n"})
    assert "a push did not leave so: README.md;" in run("push", rows(n=5), "--repo", REPO)[2]
    assert hub.content(REPO, "README.md").endswith(b"A word of mine.\n")


def test_private_never_publishes(hub, run, rows):
    hub.seed(REPO, {"notes.txt": b"public"})
    for more in ([], ["--dry-run"]):
        code, _, err = run("push", rows(), "--repo", REPO, "--private", *more)
        assert code == 2 and "exists and is public" in err
    assert hub.writes() == []


def test_pull_gives_the_same_bytes_and_a_manifest(hub, run, made, tmp_path):
    run("push", *sorted(made.glob("*.jsonl")), "--repo", REPO)
    code, _, err = run("pull", REPO, "-o", tmp_path / "back" / "b.jsonl")
    assert code == 0, err
    for path in made.glob("*.jsonl"):
        assert (tmp_path / "back" / f"b-{path.name}").read_bytes() == path.read_bytes()
        assert f"the same bytes as {path.name}" in err
    assert files.read_manifest(tmp_path / "back" / "b.jsonl")["rows"] == 100
    assert not [path for path in (tmp_path / "back" / ".tapewright").iterdir() if path.name.startswith("tapewright-")]
    # pushed on from there, the card still knows the commands
    again = run("push", *sorted((tmp_path / "back").glob("*.jsonl")), "--repo", "user/again", "--dry-run")[1]
    assert "tapewright generate --size 60 --seed 3 --tasks sentiment_analysis=0.5,explain_concept=0.5" in again


def test_pull_of_what_json_lines_cannot_tell_from_nothing(hub, run, tmp_path):
    records = [{"instruction": "Name a tree, please.", "output": "An oak.", "note": None}, {"instruction": "Name a fish, please.", "output": "A trout.", "n": 2.5}]  # fmt: skip
    (tmp_path / "odd.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
    assert run("push", "odd.jsonl", "--repo", REPO, "--force")[0] == 0
    assert run("pull", REPO)[0] == 0
    back = [json.loads(line) for line in (tmp_path / "datasets" / "rows-train.jsonl").read_text().splitlines()]
    assert back == [{name: value for name, value in record.items() if value is not None} for record in records]


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        ({"data/train-00000-of-00001.parquet": b"PAR1" + bytes(500)}, "is not the file that was pushed"),
        ({"data/train-00000-of-00001.parquet": None}, "is in the manifest and no longer there"),
        ({".tapewright/manifest.json": b"{}"}, "there is no manifest of this tool"),
        ({".tapewright/manifest.json": None}, "was not pushed by this tool"),
    ],
)  # fmt: skip
def test_pull_notices_what_was_tampered_with(hub, run, rows, tmp_path, harm, words):
    assert run("push", rows(), "--repo", REPO)[0] == 0
    pushed = hub.repositories[REPO].branches["main"]
    hub.seed(REPO, harm)
    code, _, err = run("pull", REPO)
    assert code == 2 and words in err
    assert not list(tmp_path.glob("datasets/*.jsonl"))
    assert run("pull", REPO, "--revision", pushed)[0] == 0


def test_pull_notices_damage_on_the_way(hub, run, rows, tmp_path):
    """The Hub lists the digest it was given and sends other bytes."""
    assert run("push", rows(), "--repo", REPO)[0] == 0
    file = hub.repositories[REPO].tree()["data/train-00000-of-00001.parquet"]
    stored = hub.object(file.sha256)
    data = bytearray(stored.read_bytes())
    data[len(data) // 2] ^= 1
    stored.write_bytes(data)
    code, _, err = run("pull", REPO)
    assert code == 2 and "was damaged on its way or is not the file that was pushed" in err
    assert not list(tmp_path.glob("datasets/*.jsonl"))


def test_a_manifest_leads_nowhere_else(hub, run, rows, tmp_path):
    assert run("push", rows(), "--repo", REPO)[0] == 0
    manifest = json.loads(hub.content(REPO, ".tapewright/manifest.json"))
    manifest["files"]["data/train-00000-of-00001.parquet"]["split"] = "../../outside"
    hub.seed(REPO, {".tapewright/manifest.json": json.dumps(manifest).encode()})
    code, _, err = run("pull", REPO)
    assert code == 2 and "which no push would" in err


def test_a_token_that_may_only_read_can_pull(hub, run, rows, monkeypatch):
    assert run("push", rows(), "--repo", REPO)[0] == 0
    monkeypatch.setenv("HF_TOKEN", READER)
    assert run("pull", REPO)[0] == 0

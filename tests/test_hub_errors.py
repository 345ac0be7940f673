"""Every refusal of a Hub, each as one line with an exit code, and what must never be pushed or shown."""

import io
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from local_hub import READER, WRITER

pytest.importorskip("datasets")
ROOT = Path(__file__).parent.parent
REPO = "user/rows"
COMMIT = "/api/datasets/user/rows/commit/"
KEY = "hf_" + "QwErTyUiOpAsDfGhJkLzXcVbNmQwErTyUi"
ALWAYS = 1_000

# what happens: (environment, faults as (method, path, how), arguments, exit code, words of the one line)
TABLE = {
    "no token": ({"HF_TOKEN": ""}, [], [], 2, "there is no token: log in with `hf auth login`, or give one in HF_TOKEN or with --token-stdin"),
    "unknown token": ({"HF_TOKEN": "hf_nobody"}, [], [], 2, "the Hub does not know who asks (401): log in"),
    "no token is a token": ({"HF_TOKEN": "hf_é"}, [], [], 2, "the token holds characters that no token has; it is not shown here"),
    "may not create": ({"HF_TOKEN": READER}, [], [], 2, "user/rows could not be created: the token may not do this there (403)"),
    "may not commit": ({}, [("POST", COMMIT, {"status": 403})], [], 2, "user/rows: no commit was made: the token may not do this there (403)"),
    "may not upload": ({}, [("POST", "/lfs/objects/batch", {"status": 403})], [], 2, "no commit was made: the token may not do this there (403)"),
    "no such branch": ({}, [], ["--revision", "nowhere"], 2, "user/rows at nowhere: there is no such repository, and so no such branch"),
    "gone meanwhile": ({}, [("POST", COMMIT, {"status": 404, "code": "RepoNotFound"})], [], 2, "has no such repository or branch, or hides it from this token (404)"),
    "busy": ({}, [("POST", COMMIT, {"status": 409})], [], 2, "the Hub is busy with another change of this repository (409), try again"),
    "stale": ({}, [("POST", COMMIT, {"status": 412})], [], 2, "no commit was made: the repository changed meanwhile (412)"),
    "too large": ({}, [("POST", COMMIT, {"status": 413})], [], 2, "the Hub finds it too large (413): make smaller shards with --shard-mb"),
    "too many requests": ({}, [("POST", COMMIT, {"status": 429, "headers": {"Retry-After": "1"}})], [], 2, "the Hub had too many requests (429), try again in a while"),
    "too many to look": ({}, [("GET", "/api/datasets/", {"status": 429})], [], 2, "user/rows: the Hub had too many requests (429)"),
    "out of order": ({}, [("POST", COMMIT, {"status": 500})], [], 2, "no commit was made: the Hub is out of order (500), try again later"),
    "unavailable": ({}, [("POST", COMMIT, {"status": 503})], [], 2, "no commit was made: the Hub is out of order (503), try again later"),
    "unavailable at first": ({}, [("GET", "/api/datasets/", {"status": 503})], [], 2, "user/rows: the Hub is out of order (503)"),
    "no creating": ({}, [("POST", "/api/repos/create", {"status": 503})], [], 2, "user/rows could not be created: the Hub is out of order (503)"),
    "store out of order": ({}, [("PUT", "/lfs/", {"status": 503})], [], 2, "no commit was made: the Hub is out of order (503)"),
    "dropped while uploading": ({}, [("PUT", "/lfs/", {})], [], 2, "no commit was made: no connection to the Hub ("),
    "dropped while committing": ({}, [("POST", COMMIT, {})], [], 2, "no commit was made: no connection to the Hub ("),
    "card not accepted": ({}, [("POST", "/api/validate-yaml", {"status": 400})], [], 2, "no commit was made: the Hub does not accept it (400)"),
    "no such name": ({}, [], ["--repo", "rows"], 2, "'rows' is not user/name"),
    "two ways": ({}, [], ["--pr", "--revision", "dev"], 2, "to go on with one, give --revision refs/pr/N without --pr"),
    "no such size": ({}, [], ["--shard-mb", "0"], 2, "shard size is 0 MB; make it 1 at least"),
    "no such shape": ({}, [], ["--shape", "round"], 2, "no shape 'round'; known:"),
    "no workers": ({}, [], ["--workers", "-1"], 2, "workers is -1; use 0 for one per core"),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE.values(), ids=TABLE)
def test_each_refusal_is_one_line_and_an_exit_code(hub, run, rows, monkeypatch, case):
    environment, faults, arguments, code, words = case
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for method, path, how in faults:
        hub.misbehave(method, path, times=ALWAYS, **how)
    repo = [] if "--repo" in arguments else ["--repo", REPO]
    found, out, err = run("push", rows(), *repo, *arguments)
    assert (found, out) == (code, "")
    errors = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1 and err.splitlines()[-1] == errors[0] and words in errors[0], err
    assert hub.url not in err and "Traceback" not in err and "signature" not in err
    commits = [path for method, path in hub.writes() if path.startswith(COMMIT)]
    assert len(commits) <= 4
    assert all(len(found.messages) <= 1 for found in hub.repositories.values())


PULLS = {
    "no such dataset": ({}, [], 2, "user/rows: the Hub has no such dataset, or hides it from this token (404)"),
    "unknown token": ({"HF_TOKEN": "hf_nobody"}, [], 2, "the Hub does not know who asks (401)"),
    "out of order": ({}, [("GET", "/api/", {"status": 503})], 2, "the Hub is out of order (503)"),
}


@pytest.mark.parametrize("case", PULLS.values(), ids=PULLS)
def test_each_refusal_of_a_pull(hub, run, monkeypatch, tmp_path, case):
    environment, faults, code, words = case
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    for method, path, how in faults:
        hub.misbehave(method, path, times=ALWAYS, **how)
    found, out, err = run("pull", REPO)
    assert (found, out) == (code, "") and words in err and err.count("error: ") == len(err.splitlines()) == 1


def test_no_branch_of_an_existing_repository(hub, run, rows):
    hub.seed(REPO, {"notes.txt": b"there"})
    code, _, err = run("push", rows(), "--repo", REPO, "--revision", "nowhere")
    assert code == 2 and "user/rows at nowhere: the Hub has no such repository or branch" in err


def test_no_hub_at_all(hub, run, rows, monkeypatch):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{free.getsockname()[1]}")
    code, _, err = run("push", rows(), "--repo", REPO)
    assert code == 2 and err.splitlines()[-1].startswith("error: user/rows: no connection to the Hub (")


def test_the_library_is_missing(hub, run, rows, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert "install tapewright[hub]" in run("push", rows(), "--repo", REPO)[2]


def test_waits_are_bounded_and_listen_to_the_hub(hub, run, rows, monkeypatch):
    waits = []
    monkeypatch.setattr("time.sleep", waits.append)
    hub.misbehave("POST", COMMIT, status=503, headers={"Retry-After": "7"})
    hub.misbehave("POST", COMMIT, status=503, headers={"Retry-After": "86400"})
    hub.misbehave("POST", COMMIT, status=412)
    code, _, err = run("push", rows(), "--repo", REPO)
    assert code == 0 and waits == [7.0, 60.0, 4.0], err
    assert len(hub.repositories[REPO].messages) == 2


# --- what must never be pushed -------------------------------------------------------------------------


@pytest.mark.parametrize("force", [[], ["--force"]], ids=["", "forced"])
@pytest.mark.parametrize(
    "where",
    [
        {"output": f"Use {KEY} and go."}, {"facts": json.dumps({"note": "line\n" + KEY})}, {"notes": {"deep": [KEY]}},
        {"system": f"The key is {KEY}"}, {KEY: "a column"}, {"output": "-----BEGIN RSA PRIVATE KEY-----"},
    ],
    ids=["answer", "facts", "nested", "system", "column name", "private key"],
)  # fmt: skip
def test_secrets_stop_the_push_always(hub, run, rows, where, force):
    code, _, err = run("push", rows(**where), "--repo", REPO, *force)
    assert code == 2 and "holds what looks like a key" in err and "with or without --force" in err
    assert KEY not in err and hub.writes() == []


def test_the_token_in_use_stops_the_push(hub, run, rows, monkeypatch):
    odd = "corporate-token-without-any-prefix"
    hub.writers.add(odd)
    monkeypatch.setenv("HF_TOKEN", odd)
    code, _, err = run("push", rows(notes=f"curl -H {odd}"), "--repo", REPO, "--force")
    assert code == 2 and "rows-train.jsonl:1 holds the token in use" in err
    assert odd not in err and hub.writes() == []


def test_a_secret_in_the_title_stops_it_too(hub, run, rows):
    code, _, err = run("push", rows(), "--repo", REPO, "--title", f"Rows {KEY}")
    assert code == 2 and "the card holds what looks like a key" in err and KEY not in err


def test_errors_stop_the_push_and_forced_the_card_says_so(hub, run, rows, tmp_path):
    path = rows()
    with path.open("a") as more:
        more.write('{"instruction": "What is two plus two?", "output": ""}\nno json at all\n')
    code, _, err = run("push", path, "--repo", REPO)
    assert code == 2 and "the dataset has errors" in err and hub.writes() == []
    code, _, err = run("push", path, "--repo", REPO, "--force")
    assert code == 0, err
    card = hub.content(REPO, "README.md").decode()
    assert "Pushed by force: the check found 2 errors" in card and "1 rows of the files could not be read" in card
    assert "1 row cannot be pushed: not" in err and "5 rows pushed" in err


def test_limits_of_the_settings_are_told(hub, run, rows, tmp_path):
    path = rows()
    with path.open("a") as more:
        more.write('{"id": "7", "instruction": "What is two plus two?", "output": "N/A"}\n')
    assert run("push", path, "--repo", REPO)[0] == 2
    (tmp_path / "tapewright.toml").write_text("[validate.limits]\nX001 = { max-count = 1 }\n")
    assert run("push", path, "--repo", REPO)[0] == 0
    card = hub.content(REPO, "README.md").decode()
    assert "1 × X001" in card and "**no errors** beyond the limits set" in card and "by force" not in card


# --- the token is nobody's business -----------------------------------------------------------------------


CANARY = "hf_" + "CanaryCanaryCanaryCanaryCanaryCana"


@pytest.mark.parametrize(
    ("given", "fault"),
    [
        ("environment", None), ("stdin", None), ("login", None), ("environment", ("POST", COMMIT, {"status": 403})),
        ("stdin", ("PUT", "/lfs/", {"status": 403})), ("login", ("POST", "/api/repos", {"status": 500})),
    ],
    ids=["environment", "stdin", "login", "no commit", "no upload", "no creating"],
)  # fmt: skip
def test_canary_token_is_shown_nowhere(hub, rows, tmp_path, given, fault):
    """With every log of the client on and tracebacks asked for, in a process of its own."""
    hub.writers.add(CANARY)
    if fault:
        hub.misbehave(fault[0], fault[1], times=ALWAYS, **fault[2])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    environment = {
        **kept, "HF_ENDPOINT": hub.url, "HF_HOME": str(tmp_path / "home"), "HF_HUB_DISABLE_XET": "1", "HF_HUB_VERBOSITY": "debug",
        "HF_DEBUG": "1", "TAPEWRIGHT_TRACEBACK": "1", "PYTHONPATH": str(tmp_path / "quick"),
    }  # fmt: skip
    (tmp_path / "quick").mkdir()
    (tmp_path / "quick" / "sitecustomize.py").write_text("import time\ntime.sleep = lambda seconds: None\n")
    extra = []
    if given == "environment":
        environment["HF_TOKEN"] = CANARY
    elif given == "stdin":
        extra = ["--token-stdin"]
    else:
        (tmp_path / "home").mkdir()
        (tmp_path / "home" / "token").write_text(CANARY)
    call = [sys.executable, str(ROOT / "cli.py"), "push", str(rows()), "--repo", REPO, *extra]
    out = subprocess.run(call, env=environment, input=CANARY + "\n", capture_output=True, text=True, cwd=tmp_path, timeout=120)  # fmt: skip
    assert out.returncode == (2 if fault else 0), out.stderr
    assert CANARY not in out.stdout + out.stderr
    assert any(authorization == f"Bearer {CANARY}" for _, _, authorization in hub.requests)  # it was the one in use
    assert not any(CANARY in path for _, path, _ in hub.requests)
    for path in hub.repositories[REPO].tree() if REPO in hub.repositories else ():
        assert CANARY.encode() not in hub.content(REPO, path), path
    for path in tmp_path.rglob("*"):
        assert path == tmp_path / "home" / "token" or not path.is_file() or CANARY.encode() not in path.read_bytes()


def test_a_token_is_never_an_argument(run, rows):
    code, _, err = run("push", rows(), "--repo", REPO, "--token", CANARY)
    assert code == 2 and "No such option" in err


def test_stdin_without_a_token(hub, run, rows, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n"))
    code, _, err = run("push", rows(), "--repo", REPO, "--token-stdin")
    assert code == 2 and "there is no token on standard input" in err and WRITER not in err

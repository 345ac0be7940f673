"""A model to a Hub: by the rules of datasets, against the tests' own server."""

import os
import time

import pytest
from local_hub import WRITER, LocalHub

import cli

CARD = "---\ntags:\n- finance\n---\n# a model\n"

constants = pytest.importorskip("huggingface_hub.constants")


@pytest.fixture
def hub(monkeypatch, tmp_path):
    for name in os.environ:
        if name.startswith("HF_") or "proxy" in name.lower():
            monkeypatch.delenv(name)
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-login"))
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    with LocalHub() as server:
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("HF_TOKEN", WRITER)
        yield server


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "export"
    (made / "adapter").mkdir(parents=True)
    (made / "README.md").write_text(CARD)
    (made / "adapter" / "adapter_model.safetensors").write_bytes(bytes(64))
    return made


def _run(capsys, *arguments):
    capsys.readouterr()
    try:
        cli.main(["finetune", "push-model", *map(str, arguments)])
        code = 0
    except SystemExit as stop:
        code = stop.code
    return code, *capsys.readouterr()


def test_a_model_is_pushed_once(hub, folder, capsys):
    code, out, err = _run(capsys, folder, "--repo", "user/model", "--private")
    assert code == 0, err
    assert out.startswith("http")
    code, out, err = _run(capsys, folder, "--repo", "user/model")
    assert (code, out) == (0, "")
    assert "holds exactly this already" in err
    (folder / "README.md").write_text(CARD + "more\n")
    code, _, err = _run(capsys, folder, "--repo", "user/model", "--dry-run")
    assert code == 0
    assert "change README.md" in err
    assert "adapter_model" not in err


def test_keys_and_pickles_are_not_pushed(hub, folder, capsys):
    (folder / "README.md").write_text(f"use {WRITER}\n")
    code, _, err = _run(capsys, folder, "--repo", "user/model")
    assert code == 2
    assert "token in use" in err
    assert WRITER not in err
    (folder / "README.md").write_text(CARD)
    (folder / "model.bin").write_bytes(b"x")
    code, _, err = _run(capsys, folder, "--repo", "user/model")
    assert code == 2
    assert "only safetensors" in err


def test_a_folder_without_a_card_is_refused(hub, tmp_path, capsys):
    code, _, err = _run(capsys, tmp_path, "--repo", "user/model")
    assert code == 2
    assert "finetune export" in err

"""A model to a Hub: by the rules of datasets, against the tests' own server."""

import pytest
from local_hub import WRITER

CARD = "---\ntags:\n- finance\n---\n# a model\n"


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "export"
    (made / "adapter").mkdir(parents=True)
    (made / "README.md").write_text(CARD)
    (made / "adapter" / "adapter_model.safetensors").write_bytes(bytes(64))
    return made


@pytest.fixture
def push(hub, run):
    """Runs `finetune push-model` against the Hub: (exit code, stdout, stderr)."""
    return lambda *arguments: run("finetune", "push-model", *arguments)


def test_a_model_is_pushed_once(push, folder):
    code, out, err = push(folder, "--repo", "user/model", "--private")
    assert code == 0, err
    assert out.startswith("http")
    code, out, err = push(folder, "--repo", "user/model")
    assert (code, out) == (0, "")
    assert "holds exactly this already" in err
    (folder / "README.md").write_text(CARD + "more\n")
    code, _, err = push(folder, "--repo", "user/model", "--dry-run")
    assert code == 0
    assert "change README.md" in err
    assert "adapter_model" not in err


def test_keys_and_pickles_are_not_pushed(push, folder):
    (folder / "README.md").write_text(f"use {WRITER}\n")
    code, _, err = push(folder, "--repo", "user/model")
    assert code == 2
    assert "token in use" in err
    assert WRITER not in err
    (folder / "README.md").write_text(CARD)
    (folder / "model.bin").write_bytes(b"x")
    code, _, err = push(folder, "--repo", "user/model")
    assert code == 2
    assert "only safetensors" in err


def test_a_folder_without_a_card_is_refused(push, tmp_path):
    code, _, err = push(tmp_path, "--repo", "user/model")
    assert code == 2
    assert "finetune export" in err

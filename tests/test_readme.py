"""The README says what the commands say."""

from benchmarks.readme import README, help_text, refreshed


def test_help_blocks_are_current():
    text = README.read_text(encoding="utf-8")
    assert "<!-- help:generate -->" in text
    assert refreshed(text) == text, "run `python -m benchmarks.readme`"


def test_a_stale_block_would_be_noticed():
    assert (
        refreshed("<!-- help:tasks -->\nold\n<!-- /help:tasks -->") != "<!-- help:tasks -->\nold\n<!-- /help:tasks -->"
    )
    assert "Usage" in help_text("tasks")

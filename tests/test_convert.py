"""Converters: what goes there and comes back, what a format cannot hold, and what a client would refuse."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import cli
from converters.convert import Account, Encoder, Options, convert, left_path, preview
from converters.dialogue import REJECTED, SYSTEM, TOOLS, TURNS, dialogue_of
from converters.formats import PREFERENCE, PROMPTS, SFT, UNPAIRED, formats
from converters.text import rendered
from tapewright import files
from tapewright.errors import ConfigError, FileError
from tapewright.inputs import Item
from tapewright.shapes import from_record

ROOT = Path(__file__).parent.parent
# Formats whose records `validate` and `convert` read again as rows.
READ_AGAIN = [
    "alpaca", "instruction-response", "sharegpt", "openai", "openai-dpo", "trl", "trl-prompt-completion", "trl-preference",
    "trl-preference-text", "trl-unpaired", "axolotl", "llama-factory-sharegpt", "llama-factory-dpo", "together", "together-dpo", "mistral",
    "bedrock",
]  # fmt: skip
_TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).filter(
    str.strip
)
_TALK = st.builds(
    lambda system, turns, answer, rejected: {
        "prompt": ([{"role": "system", "content": system}] if system else [])
        + [{"role": ("user", "assistant")[place % 2], "content": text} for place, text in enumerate(turns)],
        "chosen": [{"role": "assistant", "content": answer}],
        "rejected": [{"role": "assistant", "content": rejected}],
    },
    st.one_of(st.just(""), _TEXT), st.lists(_TEXT, min_size=1, max_size=5).filter(lambda turns: len(turns) % 2 == 1), _TEXT, _TEXT,
)  # fmt: skip


def _encode(name, record, **options):
    account = Account()
    return Encoder(Options(name, **options)).records(Item("x.jsonl", 1, record), account), account


@pytest.mark.parametrize("name", READ_AGAIN)
@settings(max_examples=40, deadline=None)
@given(_TALK)
def test_there_and_back_keeps_what_both_sides_know(name, record):
    chosen = formats()[name]
    records, account = _encode(name, record)
    assert account.written == 1 and not account.left
    before = dialogue_of(from_record(record))
    after = dialogue_of(from_record(records[0]))
    assert after.reply == before.reply
    assert after.rejected == (before.rejected if REJECTED in chosen.holds and chosen.kind == PREFERENCE else "")
    if TURNS in chosen.holds:
        assert after.turns == before.turns
    else:
        assert after.prompt == before.prompt
    if SYSTEM in chosen.holds and name != "llama-factory-dpo":
        assert after.system == before.system or name == "bedrock"
    assert set(account.lost) == before.holds() - chosen.holds | ({"answers"} if chosen.kind == PROMPTS else set())


@pytest.mark.parametrize("name", sorted(formats()))
def test_every_format_takes_a_pair_and_says_what_it_is(name):
    chosen = formats()[name]
    record = {"instruction": "Ask.", "input": "Data 5.", "chosen": "Yes.", "rejected": "No."}
    records, account = _encode(name, record)
    assert len(records) == (2 if chosen.kind == UNPAIRED else 1) and account.written == 1
    assert all(set(made) <= set(chosen.columns) for made in records)
    assert chosen.client and chosen.source and chosen.kind in (SFT, PREFERENCE, UNPAIRED, PROMPTS)
    text = json.dumps(records)
    assert "Ask." in text and "Data 5." in text
    assert ("Yes." in text) == (chosen.kind != PROMPTS)
    assert ("No." in text) == (REJECTED in chosen.holds)
    assert not any(chosen.refuses(made) for made in records)


@pytest.mark.parametrize("name", sorted(formats()))
def test_every_format_refuses_an_empty_answer_or_prompt(name):
    chosen = formats()[name]
    record = {"instruction": "", "input": "", "chosen": "", "rejected": ""}
    records, account = _encode(name, record)
    if name in ("text", "chatml", "autotrain"):
        return  # a text is a text
    assert not records and sum(account.left.values()) == 1, chosen.name


def test_a_labelled_row_keeps_its_label_and_a_pair_gives_both():
    (made,), _ = _encode("trl-unpaired", {"prompt": "P", "completion": "C", "label": False})
    assert made["label"] is False and made["completion"][0]["content"] == "C"
    both, _ = _encode("axolotl-kto", {"prompt": "P", "chosen": "C", "rejected": "R"})
    assert [(row["completion"], row["label"]) for row in both] == [("C", True), ("R", False)]
    none, account = _encode("trl-unpaired", {"instruction": "P", "input": "", "output": "C"})
    assert not none and account.left == {"neither a label nor a rejected answer": 1}


def test_tools_are_written_as_each_client_wants_them():
    record = {
        "messages": [
            {"role": "user", "content": "Price?"},
            {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "quote", "arguments": {"s": "BTC"}}}]},
            {"role": "tool", "content": "5", "tool_call_id": "call_0"},
            {"role": "assistant", "content": "It is 5."},
        ],
        "tools": [{"type": "function", "function": {"name": "quote"}}],
    }  # fmt: skip
    (made,), account = _encode("openai", record)
    call = made["messages"][1]["tool_calls"][0]
    assert call == {"id": "call_0", "type": "function", "function": {"name": "quote", "arguments": '{"s":"BTC"}'}}
    assert made["tools"] and not account.lost
    (made,), _ = _encode("mistral", record)
    call, answer = made["messages"][1]["tool_calls"][0], made["messages"][2]
    assert call["id"] == answer["tool_call_id"] and len(call["id"]) == 9 and call["id"].isalnum()
    assert "content" not in made["messages"][1]
    _, account = _encode("axolotl", record)
    assert account.left or account.lost == {TOOLS: 1}


def test_a_template_prints_a_row_and_never_reads_it():
    dialogue = dialogue_of(
        from_record({"instruction": "Say {output}", "input": "{input} 5", "output": "{instruction}"})
    )
    assert (
        rendered(dialogue, "")
        == "### Instruction:\nSay {output}\n\n### Input:\n{input} 5\n\n### Response:\n{instruction}"
    )
    assert rendered(dialogue, "Q: {instruction} A: {output}") == "Q: Say {output}\n\n{input} 5 A: {instruction}"
    plain = dialogue_of(from_record({"instruction": "Say", "input": "", "output": "Done", "system": "Be."}))
    assert rendered(plain, "") == "Be.\n\n### Instruction:\nSay\n\n### Response:\nDone"


# --- files -------------------------------------------------------------------------------------


@pytest.fixture
def mixed(tmp_path):
    path = tmp_path / "in.jsonl"
    lines = [json.dumps({"id": f"r{i}", "instruction": f"Ask {i}", "input": "", "output": f"Yes {i}", "facts": '{"a":1}'}) for i in range(40)]  # fmt: skip
    lines[7] = '{"instruction": "x", "outpu'
    lines[9] = json.dumps({"instruction": "Ask", "input": "", "output": ""})
    lines[11] = json.dumps({"prompt": "Ask", "chosen": "Yes", "rejected": "No"})
    path.write_text("\n".join(lines) + "\n")
    return path


def test_every_row_is_accounted_for(mixed, tmp_path):
    output = tmp_path / "out.jsonl"
    account = convert([str(mixed)], output, Options("openai"))
    rows = [json.loads(line) for line in output.read_text().splitlines()]
    left = [json.loads(line) for line in left_path(output).read_text().splitlines()]
    assert account.rows == 40 == account.written + sum(account.left.values()) and account.written == len(rows) == 38
    assert [(entry["line"], "record" in entry or "raw" in entry) for entry in left] == [(8, True), (10, True)]
    assert account.lost == {REJECTED: 1}
    assert "facts" not in output.read_text()
    manifest = json.loads(next((tmp_path / ".tapewright").glob("out.jsonl*manifest*")).read_text())
    assert manifest["rows"] == 40 and manifest["files"]["out.jsonl"] == account.files["out.jsonl"]


def test_the_bytes_do_not_depend_on_workers(tmp_path):
    path = tmp_path / "in.jsonl"
    path.write_text("".join(json.dumps({"question": f"Q{i}", "answer": f"A{i}"}) + "\n" for i in range(3_000)))
    one = convert([str(path)], tmp_path / "one.jsonl", Options("gemini"), workers=1)
    two = convert([str(path)], tmp_path / "two.jsonl", Options("gemini"), workers=2)
    assert one.files["one.jsonl"] == two.files["two.jsonl"] and two.written == 3_000


def test_metadata_is_kept_only_where_it_is_asked_for_and_borne(mixed, tmp_path):
    convert([str(mixed)], tmp_path / "a.jsonl", Options("alpaca", keep_metadata=True))
    first = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[0])
    assert first["id"] == "r0" and first["facts"] == '{"a":1}'
    with pytest.raises(ConfigError, match="takes no columns beside messages"):
        convert([str(mixed)], tmp_path / "b.jsonl", Options("openai", keep_metadata=True))


def test_tables_and_packed_files(mixed, tmp_path):
    convert([str(mixed)], tmp_path / "a.csv", Options("csv"))
    with (tmp_path / "a.csv").open(newline="", encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == 38 and rows[0]["output"] == "Yes 0" and rows[9]["rejected"] == "No"
    convert([str(mixed)], tmp_path / "a.jsonl.gz", Options("trl"))
    account = convert([str(tmp_path / "a.jsonl.gz")], tmp_path / "b.parquet", Options("parquet"))
    assert account.written == 38
    with pytest.raises(ConfigError, match="ends in .csv"):
        convert([str(mixed)], tmp_path / "a.jsonl", Options("csv"))


def test_the_companion_keeps_entries_of_other_files(mixed, tmp_path):
    info = tmp_path / "dataset_info.json"
    info.write_text('{"other": {"file_name": "other.json"}}')
    convert([str(mixed)], tmp_path / "mine.jsonl", Options("llama-factory"))
    found = json.loads(info.read_text())
    assert set(found) == {"other", "mine"} and found["mine"]["columns"]["prompt"] == "instruction"
    info.write_text("not json")
    with pytest.raises(FileError, match="no JSON"):
        convert([str(mixed)], tmp_path / "more.jsonl", Options("llama-factory"))


def test_long_rows_are_left_out_and_counted(mixed, tmp_path):
    account = convert([str(mixed)], tmp_path / "a.jsonl", Options("alpaca", max_tokens=4))
    assert account.left["over 4 tokens"] > 0 and account.written + sum(account.left.values()) == 40


def test_preview_is_the_first_row_that_can_be_written(mixed):
    assert list(preview([str(mixed)], Options("openai-dpo"))) == [
        {
            "input": {"messages": [{"role": "user", "content": "Ask"}]},
            "preferred_output": [{"role": "assistant", "content": "Yes"}],
            "non_preferred_output": [{"role": "assistant", "content": "No"}],
        }
    ]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "opennai", "-o", "x.jsonl"], "did you mean 'openai'"),
        (["--to", "openai"], "--output"),
        (["-o", "x.jsonl"], "--list"),
        (["--to", "alpaca", "-o", "x.txt"], "cannot tell the format"),
        (["--to", "alpaca", "-o", "x.jsonl", "--max-tokens", "-1"], "negative"),
        (["--to", "alpaca", "-o", "x.jsonl", "--template", "t.txt"], "t.txt"),
    ],
)
def test_what_does_not_fit_is_one_line(mixed, tmp_path, monkeypatch, capsys, arguments, said):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        cli.main(["convert", str(mixed), *arguments])
    error = capsys.readouterr().err
    assert stop.value.code == 2 and error.startswith("error: ") and error.count("\n") == 1
    assert said.lower() in error.lower()
    assert not (tmp_path / "x.jsonl").exists()


def test_the_command_tells_what_became_of_the_rows(mixed, tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        cli.main(["convert", str(mixed), "--to", "openai-dpo", "-o", str(tmp_path / "o.jsonl")])
    told = capsys.readouterr().err
    assert not stop.value.code
    assert "40 rows in = 1 written + 39 left out" in told and "takes 10 rows or more" in told
    with pytest.raises(SystemExit):
        cli.main(["convert", "--list"])
    assert "openai-dpo" in capsys.readouterr().out


def test_parquet_of_many_rows_does_not_fill_memory(tmp_path):
    """The peak of a process of its own that writes four times the rows of another is hardly higher."""
    code = (
        "import sys, threading, time\n"
        "from pathlib import Path\n"
        "from tapewright.files import write_from_lines\n"
        "peak, done = 0, False\n"
        "def watch():\n"
        "    global peak\n"
        "    while not done:\n"
        "        lines = Path('/proc/self/status').read_text().splitlines()\n"
        "        peak = max(peak, int(next(line for line in lines if line.startswith('RssAnon')).split()[1]))\n"
        "        time.sleep(0.005)\n"
        "watcher = threading.Thread(target=watch)\n"
        "watcher.start()\n"
        'row = b\'{"instruction":"%07d","output":"\' + b\'x\' * 900 + b\'"}\\n\'\n'
        "write_from_lines(Path(sys.argv[1]), (b''.join(row % (n + k) for k in range(1000)) for n in range(0, int(sys.argv[2]), 1000)))\n"
        "done = True\n"
        "watcher.join()\n"
        "print(peak // 1024)\n"
    )
    peaks = []
    for rows in (40_000, 160_000):
        call = [sys.executable, "-c", code, str(tmp_path / "rows.parquet"), str(rows)]
        peaks.append(int(subprocess.run(call, cwd=ROOT, capture_output=True, text=True, check=True).stdout))
    assert peaks[1] < peaks[0] + 60, peaks  # the further 120,000 rows are 110 MiB of text


def test_rows_no_table_fits_are_an_error(tmp_path):
    with pytest.raises(FileError, match=r"no table fits these rows .*; write \.jsonl"):
        files.write_from_lines(tmp_path / "rows.parquet", [b'{"a": 1}\n{"a": {"b": 2}}\n'])
    assert not list(tmp_path.iterdir())
    files.write_from_lines(tmp_path / "none.parquet", [])
    assert list(files.read_records(tmp_path / "none.parquet")) == []

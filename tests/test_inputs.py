"""Every shape and file is read, and no hazard of JSON, CSV or packing gets past, or out as a traceback."""

import gzip
import io
import json
import random
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
import zstandard

from tapewright import inputs
from tapewright.errors import FileError, RowError
from tapewright.inputs import expand, parse, read_items
from tapewright.shapes import SHAPES, from_record, recognise

ROOT = Path(__file__).parent.parent
ASK, ANSWER = "Add 1 and 1.", "It is 2."
USER, REPLY, WORSE = (
    {"role": "user", "content": ASK},
    {"role": "assistant", "content": ANSWER},
    {"role": "assistant", "content": "3"},
)

ROWS = [
    ("alpaca", {"instruction": ASK, "input": "", "output": ANSWER}),
    ("alpaca", {"instruction": ASK, "output": ANSWER}),
    ("instruction-response", {"instruction": ASK, "response": ANSWER}),
    ("instruction-response", {"prompt": ASK, "response": ANSWER}),
    ("prompt-completion", {"prompt": ASK, "completion": ANSWER}),
    ("prompt-completion", {"prompt": [USER], "completion": [REPLY]}),
    ("kto", {"prompt": ASK, "completion": ANSWER, "label": True}),
    ("kto", {"prompt": [USER], "completion": [REPLY], "label": False}),
    ("kto", {"messages": [USER, REPLY], "label": False}),
    ("preference", {"prompt": ASK, "chosen": ANSWER, "rejected": "3"}),
    ("preference", {"instruction": ASK, "input": "", "chosen": ANSWER, "rejected": "3"}),
    ("preference", {"prompt": [USER], "chosen": [REPLY], "rejected": [WORSE]}),
    ("preference", {"chosen": [USER, REPLY], "rejected": [USER, WORSE]}),
    (
        "preference",
        {"conversations": [{"from": "human", "value": ASK}], "chosen": {"from": "gpt", "value": ANSWER}, "rejected": {"from": "gpt", "value": "3"}},
    ),
    ("openai-preference", {"input": {"messages": [USER]}, "preferred_output": [REPLY], "non_preferred_output": [WORSE]}),
    ("sharegpt", {"conversations": [{"from": "human", "value": ASK}, {"from": "gpt", "value": ANSWER}]}),
    ("sharegpt", {"conversations": [{"from": "user", "value": ASK}, {"from": "assistant", "value": ANSWER}]}),
    ("sharegpt", {"conversation": [USER, REPLY]}),
    ("messages", {"messages": [USER, REPLY], "tools": []}),
    ("messages", {"messages": [USER, {"role": "assistant", "content": [{"type": "text", "text": ANSWER}]}]}),
    ("question-answer", {"question": ASK, "answer": ANSWER}),
]  # fmt: skip


@pytest.mark.parametrize("shape, record", ROWS, ids=lambda value: value if isinstance(value, str) else "")
def test_shape_is_recognised_and_read(shape, record):
    assert recognise(record) == shape
    row = from_record(record)
    assert (row.instruction, row.output, row.shape) == (ASK, ANSWER, shape)
    assert row.rejected == ("3" if "preference" in shape else "")


def test_text_shape_and_every_shape_has_a_row():
    row = from_record({"text": "Long ago."})
    assert row.shape == "text" and row.output == "Long ago." and not row.instruction
    assert {shape for shape, _ in ROWS} | {"text"} == set(SHAPES)


@pytest.mark.parametrize(
    "record, words",
    [
        ([1], "must be an object"),
        ({}, "no known shape"),
        ({"instruction": "a"}, "missing output"),
        ({"instruction": 1, "output": "b"}, "instruction must be text"),
        ({"prompt": "a", "chosen": "b"}, "missing rejected"),
        ({"messages": "hi"}, "must be a list of turns"),
        ({"messages": []}, "at least one turn"),
        ({"messages": [{"role": "user", "content": 7}]}, "content must be text"),
        ({"preferred_output": [], "input": {"messages": [USER]}}, "preferred_output"),
        ({"prompt": "a", "chosen": [1], "rejected": "c"}, "chosen must be text, a message or a list"),
    ],
)
def test_what_is_no_row_says_why(record, words):
    with pytest.raises(RowError, match=words):
        from_record(record)


# --- files -----------------------------------------------------------------------------------------

RECORDS = [{"instruction": f"Add {i} and 1, “please”.", "input": "", "output": f"It is {i + 1} [ok] {{x}}."} for i in range(7)]  # fmt: skip
LINES = "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in RECORDS).encode()
_CSV = pl.DataFrame(RECORDS).write_csv().encode()


def _table(**columns):
    out = io.BytesIO()
    pl.DataFrame(columns or RECORDS).write_parquet(out)
    return out.getvalue()


FILES = {
    "plain.jsonl": LINES,
    "plain.ndjson": LINES,
    "crlf.jsonl": LINES.replace(b"\n", b"\r\n"),
    "bom.jsonl": b"\xef\xbb\xbf" + LINES,
    "blank.jsonl": b"\n\n" + LINES.replace(b"\n", b"\n\n"),
    "no_last_newline.jsonl": LINES[:-1],
    "lines.json": LINES,
    "packed.jsonl.gz": gzip.compress(LINES),
    "two_members.jsonl.gz": gzip.compress(LINES[:200]) + gzip.compress(LINES[200:]),
    "packed.jsonl.zst": zstandard.compress(LINES),
    "two_frames.jsonl.zst": zstandard.compress(LINES[:200]) + zstandard.compress(LINES[200:]),
    "array.json": json.dumps(RECORDS).encode(),
    "array.jsonl": json.dumps(RECORDS).encode(),
    "pretty.json": json.dumps(RECORDS, indent=2).encode(),
    "pretty_bom.json": b"\xef\xbb\xbf\r\n" + json.dumps(RECORDS, indent=2).replace("\n", "\r\n").encode(),
    "pretty.json.gz": gzip.compress(json.dumps(RECORDS, indent=4, ensure_ascii=False).encode()),
    "objects.json": "\n".join(json.dumps(record, indent=2) for record in RECORDS).encode(),
    "objects.jsonl": "\n".join(json.dumps(record, indent=2) for record in RECORDS).encode(),
    "table.csv": _CSV,
    "table.csv.gz": gzip.compress(b"\xef\xbb\xbf" + _CSV.replace(b"\n", b"\r\n")),
    "table.parquet": _table(),
}


@pytest.mark.parametrize("name", FILES)
def test_file_is_read_whole(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(FILES[name])
    told = []
    items = list(read_items(str(path), told.append))
    assert [item.record for item in items] == RECORDS
    assert not any(item.problem for item in items)
    lines = [item.line for item in items]
    assert lines == sorted(lines) and (len(set(lines)) == 7 or name.startswith("array"))
    assert sum(told) == len(FILES[name])


def test_one_object_is_one_row(tmp_path):
    for indent in (None, 2):
        path = tmp_path / f"one{indent}.json"
        path.write_text(json.dumps(RECORDS[0], indent=indent))
        assert [item.record for item in read_items(str(path))] == [RECORDS[0]]


def test_lines_of_elements_are_where_they_begin(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(json.dumps(RECORDS, indent=1))
    text = path.read_text().splitlines()
    assert [text[item.line - 1].strip() for item in read_items(str(path))] == ["{"] * len(RECORDS)


def test_standard_input(monkeypatch):
    for data in (LINES, gzip.compress(LINES), zstandard.compress(LINES), json.dumps(RECORDS, indent=1).encode()):
        out = subprocess.run(
            [sys.executable, "-c", "from tapewright.inputs import read_items; print(len(list(read_items('-'))))"],
            input=data, capture_output=True, cwd=ROOT,
        )  # fmt: skip
        assert out.stdout.strip() == b"7", out.stderr


def test_expand(tmp_path):
    for name in ("b.jsonl", "a.json", "sub/c.csv.gz", ".tapewright/hidden.jsonl", "notes.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
    names = [str(tmp_path / name) for name in ("a.json", "b.jsonl", "sub/c.csv.gz")]
    assert expand([tmp_path]) == names
    assert expand([tmp_path / "*.json*", tmp_path / "b.jsonl"]) == names[:2]
    assert expand([tmp_path / "**" / "*.gz", "-"]) == [names[2], "-"]
    for bad, words in (("none.jsonl", "no file"), ("*.xml", "no file matches"), ("sub/empty", "no file")):
        with pytest.raises(FileError, match=words):
            expand([tmp_path / bad])
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileError, match="in this folder"):
        expand([tmp_path / "empty"])
    with pytest.raises(FileError, match="known endings"):
        list(read_items(str(tmp_path / "notes.txt")))


# --- hazards ---------------------------------------------------------------------------------------

_ROW = b'{"instruction": "Add.", "output": "%s"}'


@pytest.mark.parametrize(
    "line, problem, words",
    [
        (_ROW % b"a" + b"}", "invalid", "not JSON"),
        (b'{"instruction": "Add', "invalid", "not JSON"),
        (b'{"output": NaN}', "nan", "NaN"),
        (b'{"output": -Infinity}', "nan", "Infinity"),
        (b'{"output": "a", "output": "b"}', "duplicate", "'output' stands twice"),
        (b'{"messages": [{"role": "user", "role" : "assistant"}]}', "duplicate", "'role' stands twice"),
        (b'{"a\\\\": 1, "a\\\\": 2}', "duplicate", "stands twice"),
        (b'{"a\\\\": 1, "b": 2, "b": 3}', "duplicate", "stands twice"),
        (_ROW % b"\\ud83d", "surrogate", "surrogate"),
        (_ROW % b"\xff\xfe", "invalid", "not JSON"),
        (b"[" * 200_000, "invalid", "not JSON"),
        (b'{"a":' * 200_000 + b"1" + b"}" * 200_000, "invalid", "not"),
        (b'{"a": ' + b"9" * 5_000 + b"}", "invalid", "not"),
    ],
    ids=lambda value: value[:20].decode("utf-8", "replace") if isinstance(value, bytes) else "",
)
def test_hazard_is_a_problem(line, problem, words):
    item = parse("f", 3, line)
    assert item.problem == problem and words in item.message and item.line == 3
    assert item.raw.encode("utf-8")


@pytest.mark.parametrize(
    "line",
    [
        _ROW % b"\\ud83d\\ude00",
        _ROW % "line\u2028separator".encode(),
        _ROW % b'{\\"output\\": 1, \\"output\\": 2}',
        b'{"output" : "a", "instruction" : "b:"}',
        b'{"a\\\\": 1, "b": {"a\\\\": 2}}',
        b'{"messages": [{"role": "user"}, {"role": "assistant"}]}',
    ],
)
def test_what_looks_hazardous_and_is_not(line):
    assert parse("f", 1, line).problem == ""
    assert parse("f", 1, line).record == json.loads(line)


def test_line_separator_does_not_split_lines(tmp_path):
    path = tmp_path / "a.jsonl"
    path.write_bytes(_ROW % "a\u2028b\u0085c".encode() + b"\n" + _ROW % b"d")
    assert [item.line for item in read_items(str(path))] == [1, 2]


@pytest.mark.parametrize(
    "name, data, good, words",
    [
        ("a.jsonl", LINES[:-9], 6, "not JSON"),
        ("a.json", json.dumps(RECORDS, indent=2).encode()[:-60], 6, "cut off"),
        ("b.json", json.dumps(RECORDS).encode() + b" [1]", 7, "after the end"),
        ("c.json", b'[{"text": "a"},, {"text": "b"}]', 2, "empty place"),
        ("d.json", b'{"text": "a"}\n{\n"text": ', 1, "not JSON"),
        ("a.jsonl.gz", gzip.compress(LINES)[:-20], None, "cut off or damaged"),
        ("b.jsonl.gz", b"not gzip at all", 0, "cut off or damaged"),
        ("a.jsonl.zst", b"not zstandard at all", 0, "cut off or damaged"),
        ("a.csv", b"text,id\na,1\nb\nc,2,3\n", 1, "columns than the header"),
        ("a.parquet", b"PAR1nothing", 0, "not readable as Parquet"),
    ],
)
def test_damage_is_told_and_the_rest_is_read(tmp_path, name, data, good, words):
    path = tmp_path / name
    path.write_bytes(data)
    items = list(read_items(str(path)))
    assert any(words in item.message for item in items if item.problem), items
    assert good is None or sum(not item.problem for item in items) == good


def test_an_empty_file_has_no_items(tmp_path):
    for name, data in (("a.jsonl", b""), ("b.json", b"[]"), ("c.csv", b""), ("d.json", b" \n"), ("e.json", b"[ ]\n")):
        (tmp_path / name).write_bytes(data)
        assert list(read_items(str(tmp_path / name))) == [], name


_BOUNDED = """
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
resource.setrlimit(resource.RLIMIT_CPU, (30, 30))
from tapewright.inputs import read_items
for name in sys.argv[1:]:
    items = list(read_items(name))
    assert len(items) <= 16 and all(item.problem for item in items), items
    print([item.message for item in items][0])
"""


def test_a_gigabyte_of_zeros_is_refused_in_bounded_memory(tmp_path):
    """Under 1 MB packed, more than the memory allowed unpacked."""
    zeros = bytes(1 << 20)
    names = []
    for name, lead in (("a.jsonl", b""), ("b.json", b'[{"a": "'), ("c.csv", b"text\n")):
        path = tmp_path / f"{name}.gz"
        with gzip.GzipFile(path, "wb", compresslevel=1) as stream:
            stream.write(lead)
            for _ in range(135):
                stream.write(zeros)
        names.append(str(path))
    path = tmp_path / "whole.jsonl.gz"  # a member of 64 MiB over and over makes the full gigabyte quickly
    path.write_bytes(gzip.compress(bytes(64 << 20), 9) * 16)
    assert path.stat().st_size < 2**20 * 1.1
    names.append(str(path))
    out = subprocess.run([sys.executable, "-c", _BOUNDED, *names], capture_output=True, text=True, cwd=ROOT)
    assert out.returncode == 0, out.stderr[-2000:]
    assert out.stdout.count("longer than 64 Mi") == 4, out.stdout


def test_lines_are_told_apart_wherever_a_chunk_ends(monkeypatch):
    """Blocks against a plain reading of the same bytes, with chunks and longest lines of a few bytes."""
    rng = random.Random(1)
    for _ in range(2_000):
        longest = rng.choice([8, 20, 64])
        monkeypatch.setattr(inputs, "LONGEST_LINE", longest)
        monkeypatch.setattr(inputs, "CHUNK", rng.choice([size for size in (1, 3, 7, 16) if 2 * size <= longest]))
        lines = [
            rng.choice([b"", b" ", b"a" * rng.randint(1, 30), b"b"]) + rng.choice([b"\n", b"\r\n", b"\n\n"])
            for _ in range(9)
        ]
        data = b"".join([*lines[: rng.randint(0, 9)], rng.choice([b"", b"xx", b"y" * 25])])
        *whole, last = data.split(b"\n")
        expected = []
        for number, line in enumerate([*(line + b"\n" for line in whole), last], 1):
            if len(line) > longest or len(line) == longest and not line.endswith(b"\n"):
                expected.append((number, None))
            elif line.strip():
                expected.append((number, line.strip()))
        stream = io.BytesIO(data)
        found = []
        for part in inputs._read_lines("f", stream.readline(longest), stream, 1):
            found += [(part.line, None)] if isinstance(part, inputs.Item) else part.parts
        assert found == expected

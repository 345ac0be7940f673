"""Every report form is what its readers expect, whatever stands in the rows."""

import json
import re
import xml.etree.ElementTree as ElementTree

import pytest

from tapewright.findings import Finding
from validators.dataset import KEPT, Tally, check_items, load_rules
from validators.reporters import FORMS, parse_reports, write_reports
from validators.rules import RULES

load_rules()
NASTY = "a\x00\x1b[31m]]>&<b>%\r\n::error::|`*_ \ud800 \ufffe,: “ü”"


def _render(form, tally):
    import importlib

    return importlib.import_module(f"validators.reporters.{form}").render(tally)


def _tally(count=3, codes=("X001", "X002", "V006"), message=NASTY):
    tally = Tally(rows=100, checked=20)
    for number in range(count):
        for code in codes:
            tally.take(Finding(code, message, RULES[code].severity, f"data/ä b{number % 2}.jsonl", number + 1, "output", NASTY, f"{number:x}"))  # fmt: skip
    return tally


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("tally", [Tally(), _tally(), _tally(1, codes=sorted(RULES))], ids=["empty", "nasty", "all"])
def test_every_form_renders_and_encodes(form, tally):
    text = _render(form, tally)
    assert text == "" or text.endswith("\n")
    assert text.encode() is not None


def test_json_and_jsonl():
    tally = _tally(message="plain")
    for finding in tally.findings:
        finding.evidence = ""
    data = json.loads(_render("json", tally))
    assert data["rows"] == 100 and data["total"] == 9 and data["counts"] == {"V006": 3, "X001": 3, "X002": 3}
    lines = [json.loads(line) for line in _render("jsonl", tally).splitlines()]
    assert lines == data["findings"] and lines[0]["code"] == "X001" and lines[0]["line"] == 1


def test_sarif_has_what_code_scanning_needs():
    tally = Tally(rows=9_000)
    for number in range(9_000):
        tally.take(Finding(["X001", "X002", "X003", "X004", "X005", "X006", "X007", "X008"][number % 8], "m", "error", f"f{number % 3}.jsonl", number, "output"))  # fmt: skip
    data = json.loads(_render("sarif", tally))
    assert data["version"] == "2.1.0" and data["$schema"].endswith("sarif-2.1.0.json") and len(data["runs"]) == 1
    driver, results = data["runs"][0]["tool"]["driver"], data["runs"][0]["results"]
    assert len(results) == 5_000
    assert [rule["id"] for rule in driver["rules"]] == sorted({rule["id"] for rule in driver["rules"]})
    for rule in driver["rules"]:
        assert rule["shortDescription"]["text"] and rule["defaultConfiguration"]["level"] in (
            "error",
            "warning",
            "note",
        )
        assert re.fullmatch(r"[A-Za-z0-9]+", rule["name"]), rule["name"]
    for result in results:
        assert driver["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        place = result["locations"][0]["physicalLocation"]
        assert place["region"]["startLine"] >= 1 and not place["artifactLocation"]["uri"].startswith("/")
        assert result["message"]["text"] and result["level"] and result["partialFingerprints"]


def test_sarif_paths_are_uris_and_fingerprints_follow_the_row(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    places = []
    for line in (1, 70):
        tally = Tally()
        tally.take(Finding("X001", "m", "error", str(tmp_path / "ä b.jsonl"), line, "output", content="abc"))
        places.append(json.loads(_render("sarif", tally))["runs"][0]["results"][0])
    assert places[0]["partialFingerprints"] == places[1]["partialFingerprints"]
    assert places[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "%C3%A4%20b.jsonl"


def test_junit_parses_whatever_the_rows_hold():
    suite = ElementTree.fromstring(_render("junit", _tally(120)))
    assert suite.tag == "testsuite" and int(suite.attrib["tests"]) == int(suite.attrib["failures"]) == len(suite) == 6
    assert "\x00" not in suite[0][0].text and "10 more" in suite[0][0].text
    assert ElementTree.fromstring(_render("junit", Tally())).attrib["failures"] == "0"


def test_github_escapes_and_stays_within_its_limits():
    text = _render("github", _tally(1, codes=sorted(RULES)))
    lines = text.splitlines()
    assert len(lines) <= 30 and text.count("\n") == len(lines)
    for level in ("error", "warning", "notice"):
        assert sum(line.startswith(f"::{level} ") for line in lines) <= 10
    for line in lines:
        properties, _, data = line.split(" ", 1)[1].partition("::")
        assert re.fullmatch(r"file=[^,:]*,line=\d+,title=[^,:]*", properties), line
        assert "%25%0D%0A::error::" in data and not re.search(r"%(?!25|0D|0A)", data)
    first = _render("github", _tally(5)).splitlines()[0]
    assert "(and 2 more in this file)" in first


def test_gitlab_fingerprints_are_unique_and_stable():
    issues = json.loads(_render("gitlab", _tally(300)))
    assert len({issue["fingerprint"] for issue in issues}) == len(issues) == 900
    assert {issue["severity"] for issue in issues} == {"major", "minor", "info"}
    assert all(issue["location"]["path"] and issue["location"]["lines"]["begin"] >= 1 for issue in issues)
    again = json.loads(_render("gitlab", _tally(300)))
    assert again == issues


def test_markdown_is_one_table_and_small():
    text = _render("markdown", _tally(1, codes=sorted(RULES), message=NASTY * 3_000))
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == len(RULES) + 2 and len(text.encode("utf-8", "replace")) < 2**20
    assert all(len(re.findall(r"(?<!\\)\|", row)) == 5 for row in rows), rows[2]
    assert "20%" in text


def test_text_is_one_line_each():
    assert len(_render("text", _tally()).splitlines()) == 9
    assert "\x1b" not in _render("text", _tally())


def test_rich_says_how_many_and_shows_no_colour_in_a_file():
    text = _render("rich", _tally(5, message="[red]not markup[/red]"))
    assert "[red]not markup[/red]" in text.replace("\n", "") and "\x1b[3" not in text


def test_reports_by_themselves_on_github(tmp_path, monkeypatch, capsys):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    write_reports(_tally(), parse_reports([]))
    assert capsys.readouterr().out.startswith("::error file=data/")
    assert summary.read_text().startswith("before\n### Tapewright: 100 rows, 9 findings")
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert parse_reports([]) == [("github", None)]
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert parse_reports([]) == [("text", None)]


def test_several_reports_at_once(tmp_path, capsys):
    write_reports(
        _tally(), parse_reports(["text", f"sarif={tmp_path / 'a.sarif'}", f"junit={tmp_path / 'sub' / 'b.xml'}"])
    )
    assert capsys.readouterr().out.count("\n") == 9
    assert json.loads((tmp_path / "a.sarif").read_text())["runs"]
    assert ElementTree.parse(tmp_path / "sub" / "b.xml")


@pytest.mark.parametrize(
    "wanted, words", [(["sarrif"], "Did you mean 'sarif'"), (["text", "json"], "two reports want stdout")]
)
def test_reports_that_cannot_be(wanted, words):
    from tapewright.errors import ConfigError

    with pytest.raises(ConfigError, match=words):
        parse_reports(wanted)


def test_findings_are_counted_and_few_are_kept():
    from tapewright.inputs import Item

    rows = (Item("f", n, {"instruction": f"Say {n}.", "output": "N/A"}) for n in range(1, KEPT * 2 + 1))
    tally = check_items(rows, "f")
    assert tally.counts()["X001"] == KEPT * 2 and tally.total >= KEPT * 2
    assert sum(finding.code == "X001" for finding in tally.findings) == KEPT
    assert f"{KEPT * 2:,} findings" in _render("junit", tally) and f"{KEPT * 2:,}" in _render("rich", tally)

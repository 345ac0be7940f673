"""Every rule catches its planted defect and passes its clean twin."""

import json
from dataclasses import replace

import pytest

from tapewright.inputs import parse
from templates.specs import load_spec
from validators.check import check_text
from validators.dataset import Options, check_items, load_rules
from validators.rules import RULES, rule

load_rules()
OWN_FAMILIES = ("S", "X", "V", "B", "C", "P", "D")  # rules over rows and files, run through the whole check
TEXT_RULES = [entry for entry in RULES.values() if entry.bad and entry.code[0] not in OWN_FAMILIES]
# Rules of `leakage` compare two sides; tests/test_leakage.py runs their examples.
TEXT_RULES = [entry for entry in TEXT_RULES if entry.code[0] != "L"]
FILE_RULES = [entry for entry in RULES.values() if entry.bad and entry.code[0] in OWN_FAMILIES]


def _file_codes(example, family):
    if isinstance(example, str):
        lines = example.splitlines()
    else:
        instruction, data, output = example
        lines = [json.dumps({"instruction": instruction, "input": data, "output": output})]
    items = [
        parse("example.jsonl", number, line.encode("utf-8", "surrogatepass")) for number, line in enumerate(lines, 1)
    ]
    options = Options(families=Options().families + "D" * (family == "D"))
    return {finding.code for finding in check_items(items, "example.jsonl", options).findings}


@pytest.mark.parametrize("entry", FILE_RULES, ids=lambda entry: entry.code)
def test_file_rule_catches_bad_and_passes_good(entry):
    assert entry.code in _file_codes(entry.bad, entry.code[0])
    assert _file_codes(entry.good, entry.code[0]) <= ({"C001"} if entry.code == "C001" else set())


@pytest.mark.parametrize("entry", TEXT_RULES, ids=lambda entry: entry.code)
def test_rule_catches_bad_and_passes_good(entry):
    spec = load_spec(entry.task) if entry.task else None
    if spec:
        slots = ("liquidation",) if entry.code == "F001" else ()
        spec = replace(spec, slots=slots, warning=entry.code in ("R001", "R002"))
    generated = entry.code == "N005"
    facts = {"close@4h": 115.0} if entry.code == "N013" else None
    bad = {finding.code for finding in check_text(*entry.bad, spec=spec, generated=generated, facts=facts)}
    good = {finding.code for finding in check_text(*entry.good, spec=spec, generated=generated)}
    assert entry.code in bad
    assert entry.code not in good


@pytest.mark.parametrize("entry", list(RULES.values()), ids=lambda entry: entry.code)
def test_rule_explains_itself(entry):
    assert entry.summary and entry.why and entry.severity in ("error", "warning", "info")
    assert entry.summary[0].isupper() and entry.why[-1] == "."


def test_rules_checked_elsewhere_are_few():
    """Rules without example texts need a row, facts, a tape or an option; their tests lie beside those."""
    assert {code for code, entry in RULES.items() if not entry.bad} == {"C001", "N014", "B015"}


def test_unknown_code_is_named():
    from tapewright.errors import ConfigError

    with pytest.raises(ConfigError, match="N0010"):
        rule("N0010")


def test_json_where_none_was_asked_is_found():
    prompt = ("Is this text positive, negative or neutral for Acme? Make a table.", "Acme wins a contract.")
    found = {f.code for f in check_text(*prompt, '{"label": "positive"}', spec=load_spec("sentiment_analysis"))}
    assert "F002" in found
    assert "F002" not in {f.code for f in check_text(*prompt, "Acme: positive", spec=load_spec("sentiment_analysis"))}


def test_answers_that_differ_in_the_white_space_of_code_are_two_answers():
    script = "```pine\nif close > open\n    strategy.close_all()\n```"
    pair = {"prompt": "Close every trade on a rising candle, please.", "chosen": script}
    assert "C002" not in _file_codes(json.dumps(pair | {"rejected": script.replace("    ", "  ")}), "C")
    assert "C002" in _file_codes(json.dumps(pair | {"rejected": script + "\n"}), "C")

"""The concepts, their wordings, and every number of their examples, checked from the printed text.

The equation reader here shares nothing with the generator: it evaluates what is printed with
fractions and rounds half-even to the printed decimals.
"""

import re
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from generators import concepts
from generators.concepts import evaluate, load_concepts, quantise, read_concept, show
from generators.explain_concept import draw
from tapewright.errors import TemplateError
from tapewright.streams import stream
from templates.engine import load_family, render
from templates.specs import load_spec
from templates.wording import count_wordings

ROWS = 3000
NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?")
UNITS = r"\s?(?:USDT|BTC|coins|contracts|x|R)\b"
PIECE = rf"(?:sqrt\(|\d+(?:,\d{{3}})*(?:\.\d+)?%?(?:{UNITS})?|[()]%?|[×÷/+−^-]|\s)"
EQUATION = re.compile(rf"((?:{PIECE})+)[=≈]\s*([−-]?\d+(?:,\d{{3}})*(?:\.\d+)?)(%?)")
STRUCTURAL = {"1", "2", "3", "4", "12", "100", "365", "10,000", "1,000,000,000"}
ASSUMED = re.compile(r"\b(suppose|assume|say|imagine|take|consider|picture|let)\b", re.IGNORECASE)


def value_of(expression: str) -> Decimal:
    """The value of a printed expression: units dropped, a postfix % divides by 100."""
    text = re.sub(rf"(?<=[\d%)]){UNITS}", "", expression).replace(",", "")
    text = text.replace("×", "*").replace("÷", "/").replace("−", "-").replace("^", "**")
    text = re.sub(r"(\d+(?:\.\d+)?)%", r"(D('\1')/100)", text)
    text = re.sub(r"(?<![\d'.])(\d+(?:\.\d+)?)(?![\d'.])", r"D('\1')", text).replace(")%", ")/100")
    return eval(text.strip(), {"D": Decimal, "sqrt": lambda x: x.sqrt()})


def faults(setup: str, work: str) -> list[str]:
    """What is wrong with an example: unassumed numbers, wrong results, numbers from nowhere."""
    found = []
    for sentence in re.split(r"(?<=\.)\s(?=[A-Z])", setup):
        if NUMBER.search(sentence) and not ASSUMED.search(sentence):
            found.append(f"not introduced as an assumption: {sentence}")
    known, spans = set(NUMBER.findall(setup)), []
    for match in EQUATION.finditer(work):
        left, result, percent = match.groups()
        spans.append(match.span())
        if re.search(r"(?:^|[(×÷/+−^-])\s*[−-]\s*\d", left):
            found.append(f"a negative operand in {match.group()}")
        decimals = len(result.partition(".")[2])
        value = value_of(left) * (100 if percent else 1)
        value = value.quantize(Decimal("1e-15")).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_EVEN)
        if value != Decimal(result.replace(",", "").replace("−", "-")):
            found.append(f"{match.group()} should give {value}")
        found += [f"{n} comes from nowhere in {work}" for n in NUMBER.findall(left) if n not in known | STRUCTURAL]
        known.add(result.lstrip("−-"))
    if len(spans) != work.count("=") + work.count("≈"):
        found.append(f"not every equation can be read: {work}")
    for match in NUMBER.finditer(work):
        inside = any(start <= match.start() < end for start, end in spans)
        if not inside and match.group() not in known and not re.search(r"[A-Z]\($", work[: match.start()]):
            found.append(f"{match.group()} stands outside any equation: {work}")
    return found


@pytest.fixture(scope="module")
def rows():
    families = load_spec("explain_concept").families
    made = []
    for i in range(ROWS):
        rng = stream(7, "explain_concept", i, 0)
        situation = draw(rng)
        family = families[i % len(families)]
        sections = load_family("explain_concept", family)
        texts = [render(sections[name], situation.words, rng) for name in ("instruction", "input", "output")]
        made.append((family, situation, *texts))
    return made


def test_there_are_150_concepts_in_nine_categories():
    found = load_concepts()
    assert len(found) >= 150
    assert len({concept.category for concept in found.values()}) == 9
    assert len({concept.title for concept in found.values()}) == len(found)


@pytest.mark.parametrize("concept", load_concepts().values(), ids=lambda concept: concept.slug)
def test_each_section_has_eight_wordings_and_no_digits(concept):
    for key in concepts.SECTIONS:
        texts = getattr(concept, key)
        assert sum(map(count_wordings, texts)) >= 8, key
        for text in texts:
            assert not re.search(r"\d", re.sub(r"\b[A-Z]{2,4}\(\d+\)", "", text)), text
    assert all(count_wordings(text) >= 1 for text in (*concept.setup, *concept.work))


def test_every_example_follows_from_its_printed_numbers(rows):
    wrong = [
        f"{s.facts['concept']}: {fault}" for _, s, *_ in rows for fault in faults(s.words["setup"], s.words["work"])
    ]
    assert not wrong, wrong[:5]


def test_every_number_of_an_output_stands_in_the_example(rows):
    for _, situation, _, given, output in rows:
        text = re.sub(r"\b[A-Z]{2,4}\(\d+\)", "", output)
        words = situation.words
        seen = set(NUMBER.findall(given + words["example"] if words["show_example"] else given))
        assert set(NUMBER.findall(text)) <= seen, output
        if words["given"]:
            assert words["setup"] in given


def test_texts_are_clean(rows):
    for family, situation, instruction, given, output in rows:
        where = (family, situation.facts["concept"])
        for text in (instruction, given, output):
            for mark in ("{", "}", "[", "]", "|", "  ", "..", ",,", " ,", " .", "None"):
                assert mark not in text, (where, mark, text)
            assert not re.search(r"\b(?!(?:had|that)\b)([A-Za-z]+) \1\b", text), (where, text)
            assert not re.search(r"\ba (?:[aeio]|un[^iu])\w", text.replace("a one", "")), (where, text)
            assert not re.search(r"\b[Aa]n (?!hour|honest|[aeiouAEIO]|RSI|EMA|SMA|FAQ|FOK|MEV|R-|FDV)\w", text), (
                where,
                text,
            )
        assert 60 <= len(output.split()) <= 220, (where, len(output.split()), output)


def test_wordings_differ(rows):
    opening: dict[str, int] = {}
    for *_, output in rows:
        key = " ".join(output.split()[:5])
        opening[key] = opening.get(key, 0) + 1
    assert max(opening.values()) <= 0.02 * ROWS
    assert len({(instruction, given, output) for _, _, instruction, given, output in rows}) == ROWS
    assert len({instruction for _, _, instruction, _, _ in rows}) > 0.9 * ROWS
    trigrams: set[tuple[str, ...]] = set()
    total = 0
    for *_, output in rows:
        words = re.findall(r"#|[a-z]+(?:['’-][a-z]+)*", NUMBER.sub("#", output.lower()))
        grams = list(zip(words, words[1:], words[2:]))
        total += len(grams)
        trigrams.update(grams)
    assert len(trigrams) / total > 0.22


def test_the_same_stream_gives_the_same_row():
    first, second = (draw(stream(1, "explain_concept", 5, 0)) for _ in range(2))
    assert first == second
    assert first.group == f"concept:{first.facts['concept']}"


def test_arithmetic_is_decimal_and_half_even():
    values = {"a": Decimal("0.1"), "b": Decimal("0.2")}
    assert evaluate("a + b == 0.3", values)
    assert quantise(Decimal("2.5"), 0) == 2
    assert quantise(Decimal(1) / 3 * Decimal("7.5"), 0) == 2
    assert show(Decimal("-1234.50"), 2) == "−1,234.50"


def table(**changes):
    base = {
        "title": "T", "names": ["t"], "level": "beginner", "definition": ["d", "d"], "why": ["w", "w"], "mistake": ["m", "m"],
        "example": {"draw": {"a": [1, 3, 1]}, "compute": [["b", "a * 2", 0]], "find": "b",
                    "setup": ["{{a}}", "{{a}}"], "work": ["{{b}}", "{{b}}"]},
    }  # fmt: skip
    example = {**base["example"], **changes.pop("example", {})}
    return {**base, **changes, "example": example}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"titel": "x"}, "unknown key 'titel'. Did you mean 'title'?"),
        ({"level": "expert"}, "level = 'expert'"),
        ({"why": ["one"]}, "why must be a list of at least 2 texts"),
        ({"example": {"draw": {"a": [1, 3, 4]}}}, "draw.a"),
        ({"example": {"compute": [["b", "c * 2", 0]]}}, "uses 'c'"),
        ({"example": {"compute": [["b", "a.real", 0]]}}, "Attribute is not allowed"),
        ({"example": {"compute": [["b", "open('x')", 0]]}}, "may be called"),
        ({"example": {"compute": [["none", "a", 0]]}}, "'none' is a reserved word"),
        ({"example": {"setup": ["{{b}}", "{{a}}"]}}, "setup uses 'b'"),
    ],
)
def test_a_wrong_concept_fails_when_it_is_loaded(changes, message):
    with pytest.raises(TemplateError) as error:
        read_concept("x.toml", "x", "slug", table(**changes))
    assert message in str(error.value) and "x.toml: slug" in str(error.value)

"""The rules on texts: what is cut off and what only ends without a stop, code and talk of code, empty inputs."""

import pytest

from tapewright.rows import Row
from validators.clean import fix
from validators.text import check_text_rules, is_marker
from validators.unfinished import cut_off, lacks_code

PARAGRAPH = "The index measures large companies. It is weighted by value. Its members change twice a year. " * 4
LONG = "\n\n".join(["Every paragraph of this text is closed by a stop, however long it may become."] * 12)


def _numbered(count, last=""):
    return "\n".join(f"{number}. Word {number}" for number in range(1, count + 1)) + last


def _codes(instruction, output, data=""):
    row = Row(instruction, data, output, task_type="", family="", shape="alpaca")
    return {finding.code for finding in check_text_rules(row)}


@pytest.mark.parametrize(
    "answer",
    [
        "The capital of France is Paris. It lies on the Seine and has been the centre of the",
        "The cost was high. Most of it was paid by people who lived near the river, and",
        PARAGRAPH + "When a company leaves, another one takes its pla",
        PARAGRAPH + "The committee of the index meets every quarter (or when it",
        LONG + "\n\nIn conclusion every one of these paragraphs would lead to an outcome that nobody had fores",
        "The sum of the two numbers is",
        "The next full moon will be on October 31, 20",
        "The population was estimated to be 1.4 billion people as of 20",
        "The chart shows the trend of temperatures from 1990-20",
        "They were married at the royal lodge in 20",
        "The amount invoiced for it is $",
        "The player has to guess a secret number between 1-",
        "You can sort the list with the built-in function. Here is an example of it in Python:",
    ],
)
def test_cut_off_answers_are_found(answer):
    assert cut_off("", answer)
    assert "X004" in _codes("Tell me about it.", answer)


@pytest.mark.parametrize(
    "answer",
    [
        "Unlocking the Potential: Exploring the Possibilities of Technology in the Future",
        "Winds of change blow free\nFeeling of lightness fills my soul\nPeaceful waves rolling in",
        "- Overview of the market\n- Rules the committee agreed to\n- What the members are waiting for",
        "1. Stay warm. Drink water\n2. Call the people that you travel with",
        "We care for the planet! Join us and share what you do #SmallActions #Environment",
        PARAGRAPH + "Thank you for reading this far",
        PARAGRAPH + "You can find more at https://www.example.org/index",
        PARAGRAPH + "\nKind regards,\nExample Team",
        PARAGRAPH + '"Nothing can be done without hope and confidence." - Helen Keller',
        "He has 5 boxes. Each of them holds 4 cakes, so he has 5 x 4 = 20 cakes in",
        "def add(a, b):\n    total = a + b\n    return total",
        "Steps. First of all read the list of files that is given\n```\nls -l | sort -k",
        "The result of the division is 20",
        "One person in 20",
        "They sell between 15 and 20",
        "Name:\nAddress of the person who is to be billed:",
        "True - OR\nFalse - NOT\nAnd - AND",
        "The Man That He Was",
        "The price is $20.",
    ],
)
def test_answers_that_end_without_a_stop_by_right_pass(answer):
    assert not cut_off("Write something.", answer)


@pytest.mark.parametrize(
    ("asked", "count", "found"),
    [
        ("Create a list of 20 words.", 19, True),
        ("Name ten cities.", 8, True),
        ("Give me 12 ideas.", 7, True),
        ("Generate a data set with 100 records.", 19, True),
        ("List ideas for a party.", 19, True),  # self-instruct stops generating at "20."
        ("List ideas for a party.", 18, False),
        ("List 19 ideas for a party.", 19, False),
        ("Name ten cities.", 10, False),
        ("Name five cities.", 8, False),
        ("Suggest books for a 11 year old.", 8, False),
        ("Write 20 sentences of advice.", 8, False),
        ("Suggest 5-10 ideas.", 5, False),
        ("Give 10 or fewer ideas.", 5, False),
    ],
)
def test_lists_shorter_than_asked(asked, count, found):
    assert bool(cut_off(asked, _numbered(count))) is found


def test_a_text_goes_on_after_its_list():
    assert not cut_off("List ideas.", _numbered(19, "\n\nAny of these will do."))
    assert not cut_off("Name ten things.", _numbered(4) + "\n" + _numbered(6))


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("Create a computer program that can play chess.", "The computer program should be able to find legal moves."),
        ("Create a program that greets the user.", "The program would choose a greeting randomly."),
        ("Develop a program to automate data entry", "A program to automate data entry can be created in Python."),
        ("Build a news web application.", "A news web application is a website that collects sources of news."),
        ("Write a Python function that adds two numbers.", "Add both numbers and hand the sum back."),
        ("Create a script that rewrites a sentence in reverse.", "blue is sky The."),
    ],
)
def test_talk_of_code_is_no_code(asked, answer):
    assert lacks_code(asked, answer)
    assert "X008" in _codes(asked, answer)


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("Create a computer program that adds.", "The program should add:\n\nimport sys\nprint(sum(map(int, sys.argv)))"),
        ("Create a leadership training program.", "A leadership training program could include input from users."),
        ("Design a customer loyalty program that gives points.", "The loyalty program would offer users points."),
        ("Create a program to reduce staff turnover.", "The program should include regular talks with managers."),
        ("Design an app to track your fitness.", "The app should have an interface that tracks the user."),
        ("Write a script for the opening scene of a movie.", "The script should open on an automatic door."),
        ("Generate an idea for a mobile app", "A mobile app could track the user's sleep."),
        ("Write a Python function that adds two numbers.", "def add(a, b):\n    return a + b"),
        ("Explain what a function is.", "A function is a named piece of code."),
    ],
)  # fmt: skip
def test_code_and_other_programs_pass(asked, answer):
    assert not lacks_code(asked, answer)


@pytest.mark.parametrize("text", ["<noinput>", "< No input >", "`noinput`", "N/A", "none.", "No input required.", "[no input]", "nan"])  # fmt: skip
def test_markers_of_no_input(text):
    assert is_marker(text)
    assert fix({"instruction": "x", "input": text, "output": "y"})[0]["input"] == ""


@pytest.mark.parametrize("text", ["<noinput> 8", "none 5", "N/A 3", "No input: 8", "none €", "None of 3", "-", "empty", "Na", "8", "no input file"])  # fmt: skip
def test_what_holds_content_is_no_marker(text):
    assert not is_marker(text)
    assert fix({"instruction": "x", "input": text, "output": "y"})[0]["input"] == text

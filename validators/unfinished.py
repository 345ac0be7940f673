"""X004 and X008: an answer that stops before its end, and prose where code was asked.

Titles, labels, verse, hashtags, signatures and lists end without a full stop by right, so a missing stop
alone says nothing. What speaks is a word no sentence ends on, a last sentence left open by a text that
closes all its others, a year or an amount cut in two, a list shorter than the number asked for.
"""

import re

from validators.rules import declare

_Q = "Name the capital of France."
_A = "The capital of France is Paris."
_CODE = "Write a Python function that adds two numbers."

TRUNCATED = declare(
    "X004", "truncated answer",
    "The answer stops in the middle of a sentence, a year or an amount, or its list stops short of the number asked for.",
    "The model learns to stop there too.",
    (_Q, "", "The capital of France is Paris. It lies on the Seine and has been the centre of the"), (_Q, "", _A),
)  # fmt: skip
NO_CODE = declare(
    "X008", "code asked and none given", "The instruction asks for code and the answer is prose.",
    "The model learns to talk about code instead of writing it.",
    (_CODE, "", "You take both of them and put the sum in a variable, then give it back."), (_CODE, "", "def add(a, b):\n    return a + b"),
)  # fmt: skip

_DANGLING = re.compile(
    r"(?:,|\b(?:the|a|an|of|and|or|to|in|on|at|for|with|by|from|that|which|who|is|are|was|were|be|as|than|into|its|their|his|her|your|such as|because|but|if|while|can|will|may))$",
    re.IGNORECASE,
)
_NUMBERED = re.compile(r"\s*(?:\d+|[A-Za-z])[.):]")
_BULLETS = ("-", "*", "#", "|", "•", ">")
_FULL_STOP = re.compile(r"[a-zà-ÿ)\]][.!?][\"”)]? +(?=[\"“(]?[A-Z])")
# What may follow the last full stop and carries none: thanks, wishes, an author, a source, a link.
_CLOSING = re.compile(r"(?:thank|hope|good luck|cheers|best|sincerely|regards|love|see |let me|source|via|by |-|—|–|enjoy|happy|more|read|note|p\.?s|answer|final|confidence|http)|.*(?:\shttps?://\S+$|[\"”] ?[-–—~] ?[A-Z])", re.IGNORECASE)  # fmt: skip
# "The value of the equation is", but not the title "The Man That He Was".
_NO_PREDICATE = re.compile(r"The (?!.*\b(?:who|what|where|how|as|that|it|than)\b)(?:[\w'’-]+ ){4,}(?:is|are|was|were)")
_CUT_YEAR = re.compile(r"(?:\b(?:19|20)\d\d ?[-–] ?|\b(?:as of|since|until|(?:Jan|Febr)uary|March|April|May|June|July|August|(?:Septem|Octo|Novem|Decem)ber)(?: \d{1,2})?,? |\b[A-Za-z]{3,} in )20$")  # fmt: skip
_TWENTY = re.compile(r"\b(?:(?:one|\d+) \w+|results?|resulting|resulted|one|out|is|are|was|divided|times|goes|ends|ended|ending|ones?) in 20$", re.IGNORECASE)  # fmt: skip
_ANNOUNCES = re.compile(r"\b(?:following|as follows|below|here (?:is|are)|for example|such as|includ(?:e|es|ing))\b[^.!?:]*:$", re.IGNORECASE)  # fmt: skip

_WORDS = {"three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9, "ten": 10, "twelve": 12, "fifteen": 15, "twenty": 20}  # fmt: skip
_COUNT_ASKED = re.compile(
    r"\b(?:list|name|give|give me|write|provide|suggest|generate|create|make|come up with|identify|brainstorm|set|of|with) (?:the )?(?:top |at least )?"
    rf"(\d{{1,3}}|{'|'.join(_WORDS)}) (?!years?\b|days?\b|minutes?\b|months?\b|hours?\b|seconds?\b|words?\b|weeks?\b|pages?\b|sentences?\b|lines?\b|paragraphs?\b|percent|per|or\b|max|to\b|and\b|of\b|x\b|different types of)[a-z]",
    re.IGNORECASE,
)
_ITEM = re.compile(r"(?:^|(?<=\s))\(?(\d{1,3})(?:[.)] ?|[ \t]*\|)")


def cut_off(asked: str, answer: str) -> str:
    """How an answer stops before its end, or an empty string. `asked` is the instruction, empty when not known."""
    end = answer.rstrip()
    last = end[-1:]
    if (last.isalpha() or last in "-–,(;:") and _stops_in_a_sentence(end):
        return "stops in the middle of a sentence"
    if last == "0" and end.endswith("20") and _CUT_YEAR.search(end) and not _TWENTY.search(end):
        return "stops in the middle of a year"
    if last == "$" and end[-2:-1] in " :" and end.count("$") % 2 and len(end[end.rfind("\n") + 1 :].split()) > 2:
        return "stops before an amount"
    if asked and ("3." in end or "3)" in end or "3 |" in end):
        return _short_list(asked, end)
    return ""


def _stops_in_a_sentence(end: str) -> bool:
    tail = end[end.rfind("\n") + 1 :]
    words = tail.count(" ") + 1
    if words < 6 or tail.lstrip().startswith(_BULLETS) or _NUMBERED.match(tail) or "#" in tail or "```" in tail:
        return False
    if end[-1] == ":":
        return _ANNOUNCES.search(tail) is not None
    if end[-1] == "-" and end[-2].isdigit() or tail is end and _NO_PREDICATE.fullmatch(end):
        return True
    if "=" in tail or end.count("```") % 2:
        return False  # a calculation needs no full stop; an open code block is X014's
    if len(end) > 60 and _DANGLING.search(tail) and re.search(r"[.!?]\s", end):
        return True
    if len(end) < 300:
        return False
    stops = [stop.end() for stop in _FULL_STOP.finditer(tail)]
    if stops:
        rest = tail[stops[-1] :]
        return rest.count(" ") > 1 and not _CLOSING.match(rest)
    return len(end) > 800 and words > 9 and _closes_its_paragraphs(end[: -len(tail)])


def _closes_its_paragraphs(text: str) -> bool:
    """Whether there are three long lines of prose at least, and all end in a stop."""
    prose = [line for line in text.split("\n") if line.count(" ") > 8 and not line.lstrip().startswith(_BULLETS)]
    return len(prose) > 2 and all(line.rstrip()[-1] in '.!?:"”)*' for line in prose)


def _short_list(asked: str, end: str) -> str:
    wanted = _COUNT_ASKED.search(asked, 0, 300)
    # Self-instruct pipelines stop generating at "20.", so that their open lists have nineteen items.
    if not wanted and "19" not in end:
        return ""
    count, at = 0, 0
    for item in _ITEM.finditer(end):
        number = int(item.group(1))
        if number == count + 1:
            count, at = number, item.end()
        elif number <= count:
            return ""  # the numbering starts again: several lists
    if count < 3 or "\n" in end[at:]:
        return ""
    number = int(_WORDS.get(wanted.group(1).lower(), 0) or wanted.group(1)) if wanted else 0
    if count < number:
        return f"the list stops at {count}; {number} were asked for"
    if count == 19 and number != 19 and "nineteen" not in asked:
        return "the list stops at 19, where a generator stopped by '20.' cuts it"
    return ""


_CODE_ASKED = re.compile(
    r"\b(?:write|create|generate|implement|develop|build|code|provide|give)\b[^.?!\n]{0,40}\b(?:python|java|javascript|c\+\+|c#|sql|ruby|php|html|css|bash|regex|r|typescript|go|rust|swift|kotlin|matlab)\b[^.?!\n]{0,20}\b(?:code|function|program|script|query|class|method|snippet|expression|statement|algorithm|loop)\b",
    re.IGNORECASE,
)
_TASK_ASKED = re.compile(
    r"^(?:please )?(?:write|create|generate|implement|develop|build|construct)\b (?:an?|some|the) (?:simple |basic |short |small |computer |software )*(?:program|function|code|code snippet|piece of code|script)\b (?:to|that|for|which|in)\b (?:\w+ly )?(?:calculat|comput|print|sort|find|return|check|count|convert|display|read|reverse|rewrit|add|multipl|identify whether|measure|log|draw|automate|automatically|send|output|determin|list|search|loop|iterat|pars|delet|updat|swap|merg|encrypt|scrap|download)\w*",
    re.IGNORECASE,
)
_CODE_SIGN = re.compile(r"```|[{};=<>]|\w\(.*\)|\bdef \b|\bprint\b|\bselect\b|\breturn\b|\bimport\b|\bfrom\b \w+\b|[\[\]\\^$*+]|->|::|    \w", re.IGNORECASE)  # fmt: skip
# A program by any name, when the answer then speaks about it: "The program should …".
_PROGRAM_ASKED = re.compile(
    r"(?:please )?(?:(?:write|create|generate|implement|develop|build|construct|code) (?:an?|the) (?:[\w-]+ ){0,3}?(?:program|script|software|application|app)|design (?:an?|the) (?:software |computer |simple )*program)\b(?= (?:that|to|for|which|using)\b|\.?$)",
    re.IGNORECASE,
)
_OTHER_PROGRAM = re.compile(r"\b(?:training|loyalty|leadership|workout|fitness|exercise|rewards?|referral|mentor\w*|party|diversity|volunteer|wellness|academic|scholarship|job|loan|movie|film|play|scene|speech|dialog\w*|tv|television|radio|podcast|news|commercial|comedy|sales|letter of) (?:program|script|application)\b|\bscript for\b", re.IGNORECASE)  # fmt: skip
_TALKS_ABOUT_IT = re.compile(
    r"\b(?:the|this|an?|my|your|our) (?:[\w/-]+ ){0,6}?(?:program|script|software|application|app|system)\b[^.\n]{0,60}? (?:should|would|will|can|could|needs? to|must|may|is (?:designed|an?)|allows?|include)\b",
    re.IGNORECASE,
)
_COMPUTES = re.compile(r"\b(?:computer|software|user|input|output|algorithms?|interface|database|screen|strings?|keyboard|programming|functions?|code|data|variables?|api|randomly|automat\w*|website|app)\b", re.IGNORECASE)  # fmt: skip
_CODE_LINE = re.compile(r"```|\bdef \w+\(|;\s*(?:\n|$)|[{}]|\w\(\w*\)|(?:^|\n)\s*(?:import|from|print|for|if|while|class|#include)\b|</|\w+ = \w")  # fmt: skip
_CODE_NAMES = ("code", "function", "program", "script", "query", "class", "method", "snippet", "expression", "statement", "algorithm", "loop", "application", "software", " app")  # fmt: skip


def lacks_code(instruction: str, answer: str) -> bool:
    """Whether the instruction asks for code and the answer holds none, or only tells what the program would do."""
    asked = instruction[:300]
    lower = asked.lower()
    if not [name for name in _CODE_NAMES if name in lower]:
        return False
    if _CODE_ASKED.search(asked) or _TASK_ASKED.match(asked):
        return not _CODE_SIGN.search(answer)
    return (
        _PROGRAM_ASKED.match(asked) is not None
        and not _OTHER_PROGRAM.search(asked)
        and _TALKS_ABOUT_IT.search(answer, 0, 300) is not None
        and _COMPUTES.search(f"{asked} {answer}") is not None
        and not _CODE_LINE.search(answer)
    )

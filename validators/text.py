"""Family X: texts a trainer would not want to teach: placeholders, fragments, residue, what no text model can do.

The kinds follow the flaws documented for Alpaca and what synthetic pipelines leave behind. Every rule
is tuned to be right when it speaks; what it cannot decide it passes.
"""

import re
from collections.abc import Iterator

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.rules import RULES, declare

_Q = "Name the capital of France."
_A = "The capital of France is Paris."
_CODE = "Write a Python function that adds two numbers."

PLACEHOLDER = declare(
    "X001", "placeholder answer", "The answer is N/A, none, a marker such as <nooutput>, or a to-do.",
    "The model learns to say nothing.", (_Q, "", "N/A"), (_Q, "", _A),
)  # fmt: skip
INPUT_MARKER = declare(
    "X002", "empty-input marker", "The input says that there is no input instead of being empty.",
    "The model meets several spellings of nothing; leave the field empty.", (_Q, "<noinput>", _A), (_Q, "", _A), severity="warning",
)  # fmt: skip
MERGED = declare(
    "X003", "merged rows", "An instruction or answer holds the headings of another row.",
    "Two examples were glued together where they should have been parsed.",
    (_Q + "\nOutput: Paris\nInstruction: Name the capital of Spain.", "", _A), (_Q, "", _A),
)  # fmt: skip
TRUNCATED = declare(
    "X004", "truncated answer", "The answer stops in the middle of a sentence.",
    "The model learns to stop there too.",
    (_Q, "", "The capital of France is Paris. It lies on the Seine and has been the centre of the"), (_Q, "", _A),
)  # fmt: skip
ECHO = declare(
    "X005", "echo of the prompt", "The answer repeats the instruction or the input and adds nothing.",
    "Copying is the cheapest thing to learn.", (_Q, "", _Q), (_Q, "", _A),
)  # fmt: skip
BOILERPLATE = declare(
    "X006", "assistant boilerplate", "The answer opens with a refusal or with talk about being a language model.",
    "One vendor's habits become yours.",
    (_Q, "", "As an AI language model, I do not travel. Paris."), (_Q, "", _A), severity="warning",
)  # fmt: skip
IMPOSSIBLE_TASK = declare(
    "X007", "asks for what a text model cannot do", "The instruction asks for a picture, a sound or a page behind a link.",
    "Whatever the answer says, it is made up.",
    ("Summarise the article at https://news.example/a/1", "", "It is about trade."), (_Q, "", _A), severity="warning",
)  # fmt: skip
NO_CODE = declare(
    "X008", "code asked and none given", "The instruction asks for code and the answer is prose.",
    "The model learns to talk about code instead of writing it.",
    (_CODE, "", "You take both of them and put the sum in a variable, then give it back."), (_CODE, "", "def add(a, b):\n    return a + b"),
)  # fmt: skip
CONTROL = declare(
    "X009", "control character", "A text holds a control character, a zero-width space or a line separator.",
    "Tokenizers make rare tokens of them, and some readers split lines there.",
    (_Q, "", "Par\u200bis."), (_Q, "", _A), severity="warning",
)  # fmt: skip
MOJIBAKE = declare(
    "X010", "mojibake", "A text was decoded with the wrong encoding.",
    "The model learns to write \u00e2\u20ac\u2122 for an apostrophe.",
    (_Q, "", "It\u00e2\u20ac\u2122s Paris."), (_Q, "", "It\u2019s Paris."),
)  # fmt: skip
HTML = declare(
    "X011", "HTML residue", "Tags or entities stand in an answer that has nothing to do with HTML.",
    "Scraping left-overs are learnt like words.",
    (_Q, "", "<p>The capital is Paris.&nbsp;</p>"), (_Q, "", _A), severity="warning",
)  # fmt: skip
TEMPLATE = declare(
    "X012", "template residue", "An unfilled placeholder such as {{ name }} or [insert city] is left in a text.",
    "A generator's variable reached the training set.",
    (_Q, "", "The capital is {{ capital }}."), (_Q, "", _A),
)  # fmt: skip
LANGUAGE = declare(
    "X013", "answer in another script", "The prompt is in Latin script, asks for no translation, and the answer is mostly in another script.",
    "The model learns to change language without being asked.",
    (_Q, "", "\u0421\u0442\u043e\u043b\u0438\u0446\u0430 \u0424\u0440\u0430\u043d\u0446\u0438\u0438 \u2014 \u041f\u0430\u0440\u0438\u0436."), (_Q, "", _A),
)  # fmt: skip
FENCES = declare(
    "X014", "unbalanced code fence", "A code block is opened and never closed, or the reverse.",
    "Everything after it is rendered, and learnt, as code.",
    (_CODE, "", "```python\ndef add(a, b):\n    return a + b"), (_CODE, "", "```python\ndef add(a, b):\n    return a + b\n```"), severity="warning",
)  # fmt: skip

_NOTHING = {"n/a", "na", "n.a.", "nan", "null", "none", "<nooutput>", "nooutput", "no output", "<no output>", "tbd", "todo", "...", "-", "--", "[output]", "output"}  # fmt: skip
_NO_INPUT = {"n/a", "na", "none", "null", "nan", "<noinput>", "noinput", "no input", "<no input>", "no input required", "no input needed", "not applicable", "no input required.", "n/a.", "-", "--", "none.", "[no input]", "(no input)", "no input necessary", "<none>", "empty"}  # fmt: skip
_NONE_IS_AN_ANSWER = re.compile(r"\b(?:null|none|nan|which|whether|any|how many|identify|find|classif)", re.IGNORECASE)
_HEADING = re.compile(r"(?:^|\n)[ \t]*(?:#{2,4}[ \t]*)?(?:instruction|output|response)[ \t]*\d*[ \t]*:", re.IGNORECASE)
_DANGLING = re.compile(
    r"(?:,|\b(?:the|a|an|of|and|or|to|in|on|at|for|with|by|from|that|which|who|is|are|was|were|be|as|than|into|its|their|his|her|your|such as|because|but|if|while|can|will|may))$",
    re.IGNORECASE,
)
_BOILERPLATE = re.compile(
    r"^\W*(?:as an? (?:ai|artificial intelligence|large language|language)\b|i['’]?m (?:just )?an? (?:ai|language model)|(?:i['’]?m )?sorry, (?:but )?(?:as an ai|i (?:cannot|can['’]?t|am unable|am not able))|i (?:cannot|can['’]t|am unable to|am not able to) (?:fulfil|assist|help|provide|complete|comply|browse|access))",
    re.IGNORECASE,
)
_MEDIA = re.compile(
    r"\b(?:draw|sketch|paint|generate|create|make|produce|show|take|record|find|provide|insert|attach|edit|crop)\b(?: me)?(?: us)? (?:an?|the|some|this|two|three)? ?(?:\w+ ){0,2}?(?:images?|pictures?|photos?|photographs?|drawings?|paintings?|illustrations?|videos?|audio|gifs?|infographics?|collages?)\b(?! (?:caption|prompt|description|description|title|gallery|tag|essay|processing|class|recogn|resol|format|file|size|editor|upload|url|link))",
    re.IGNORECASE,
)
_LINK_TASK = re.compile(r"\b(?:summari[sz]e|read|visit|open|click|analy[sz]e|review|check out|according to|based on|from|at|in) (?:the |this |following )*(?:article|page|website|site|link|url|post|blog|video|text)?\s*(?:at|on|from|below|here|:)?\s*\(?https?://", re.IGNORECASE)  # fmt: skip
_CODE_ASKED = re.compile(
    r"\b(?:write|create|generate|implement|develop|build|code|provide|give)\b[^.?!\n]{0,40}\b(?:python|java|javascript|c\+\+|c#|sql|ruby|php|html|css|bash|regex|r|typescript|go|rust|swift|kotlin|matlab)\b[^.?!\n]{0,20}\b(?:code|function|program|script|query|class|method|snippet|expression|statement|algorithm|loop)\b",
    re.IGNORECASE,
)
_CODE_SIGN = re.compile(r"```|[{};=<>]|\w\(.*\)|\bdef \b|\bprint\b|\bselect\b|\breturn\b|\bimport\b|\bfrom\b \w+\b|[\[\]\\^$*+]|->|::|    \w", re.IGNORECASE)  # fmt: skip
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\ufeff\ufffe]"
)
_MOJIBAKE = re.compile("\u00c3[\u0080-\u00bf\u201a-\u201e\u2020-\u2022\u0160\u0161\u0152\u0153\u017d\u017e\u0178\u00a9\u00a8\u00a0\u00b6\u00bc]|\u00e2\u20ac[\u0080-\u00ff\u201c\u201d\u2122\u0153\u02dc\u00a6]|\u00c2[\u00a0-\u00bf](?![\u00a0-\u00ff])|\u00ef\u00bb\u00bf|\ufffd")  # fmt: skip
_TAG = re.compile(r"</?(?:div|span|p|br|table|t[dr]|ul|ol|li|font|script|style|img|h[1-6]|strong|em|b|i|u|sup|sub|blockquote|href)(?:\s[^<>]*)?/?>|&(?:nbsp|amp|lt|gt|quot|apos|#39|#x27|ndash|mdash|rsquo);", re.IGNORECASE)  # fmt: skip
_MARKUP_TOPIC = re.compile(r"\b(?:html|xml|css|web ?page|web ?site|web|markup|tag|tags|code|javascript|jsx|react|svg|php|email template|format|parse|escape|bold|italic|underline|link|button|form|header)\b", re.IGNORECASE)  # fmt: skip
_RESIDUE = re.compile(r"\{\{\s*\w[\w. |]*\}\}|\{%-?\s*\w+[^%]*%\}|(?<![\w{$\\])\{[a-z][a-z_]{2,30}\}(?![\w}])|\[(?:insert|enter) [^\]\n]{2,50}\]|<(?:insert|enter) [^>\n]{2,50}>", re.IGNORECASE)  # fmt: skip
_RESIDUE_TOPIC = re.compile(r"\b(?:template|placeholder|format|code|function|string|script|program|jinja|django|vue|latex|letter|email|e-mail|message|form|blank|python|javascript|variable|regex|set|json)\b|[{}\[\]]", re.IGNORECASE)  # fmt: skip
_LANGUAGES = re.compile(r"\b(?:translat\w*|language|russian|chinese|mandarin|japanese|korean|arabic|hindi|greek|hebrew|thai|ukrainian|bengali|urdu|persian|tamil|script|alphabet|character|kanji|cyrillic|say|write .* in)\b", re.IGNORECASE)  # fmt: skip
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_OTHER = re.compile(
    r"[\u0370-\u03ff\u0400-\u04ff\u0590-\u05ff\u0600-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
)


def _finding(code: str, message: str, field: str, evidence: str = "") -> Finding:
    return Finding(code, message, RULES[code].severity, field=field, evidence=" ".join(evidence.split())[:120])


def is_marker(text: str) -> bool:
    """Whether an input says that there is none."""
    return len(text) < 24 and text.strip().lower() in _NO_INPUT


def without_control(text: str) -> str:
    """The text without control characters; line and paragraph separators become line breaks."""
    if text.isprintable():
        return text
    return _CONTROL.sub("", text.replace("\u2028", "\n").replace("\u2029", "\n"))


def check_text_rules(row: Row) -> Iterator[Finding]:
    """X001 to X014 on the texts of one row."""
    prompt = f"{row.instruction}\n{row.input}" if row.input else row.instruction
    output = row.output
    bare = output.strip().lower()
    if len(bare) < 16 and bare in _NOTHING and not _NONE_IS_AN_ANSWER.search(row.instruction):
        yield _finding(PLACEHOLDER, f"the answer is {output.strip()!r}", "output")
    if row.input and is_marker(row.input):
        yield _finding(INPUT_MARKER, f"the input is {row.input.strip()!r}; leave it empty", "input")
    if not row.turns:
        yield from _check_merged(row)
    yield from _check_answer(row, prompt, output)
    if "http" in prompt or _MEDIA.search(row.instruction):
        yield from _check_possible(row, prompt)
    for field, text in (("instruction", prompt), ("output", output), ("rejected", row.rejected)):
        if text:
            yield from _check_characters(field, text, prompt)


def _check_merged(row: Row) -> Iterator[Finding]:
    for field, text, needed in (("instruction", row.instruction, 1), ("output", row.output, 2)):
        if ":" in text and len(_HEADING.findall(text)) >= needed:
            if field == "output" and not re.search(
                r"(?:^|\n)[ \t]*(?:#{2,4}[ \t]*)?instruction[ \t]*\d*[ \t]*:", text, re.IGNORECASE
            ):
                continue
            if field == "instruction" and not _HEADING.search(text, 1):
                continue
            yield _finding(MERGED, "holds the headings of another row", field, text)


def _check_answer(row: Row, prompt: str, output: str) -> Iterator[Finding]:
    end = output.rstrip()
    if len(end) > 60 and (end[-1].isalpha() or end[-1] == ",") and "```" not in end:
        tail = end.rsplit("\n", 1)[-1]
        prose = (
            len(tail.split()) >= 6
            and re.search(r"[.!?]\s", end)
            and not tail.lstrip().startswith(("-", "*", "#", "|", "•"))
        )
        if prose and _DANGLING.search(tail):
            yield _finding(TRUNCATED, "stops in the middle of a sentence", "output", end[-80:])
    if len(output) > 15:
        same = " ".join(output.casefold().split())
        for text in (row.instruction, row.input, prompt):
            if len(text) > 15 and abs(len(text) - len(output)) < 12 and same == " ".join(text.casefold().split()):
                if not _REPEATS.search(row.instruction):
                    yield _finding(ECHO, "repeats the prompt and adds nothing", "output", output)
                break
    if output[:1] in "AISUaisu\"'" and _BOILERPLATE.search(output[:200]):
        yield _finding(BOILERPLATE, "opens with a refusal or with talk about being a model", "output", output[:100])
    if output.count("```") % 2:
        yield _finding(FENCES, f"{output.count('```')} code fences; one is open", "output")
    if _CODE_ASKED.search(row.instruction) and not _CODE_SIGN.search(output):
        yield _finding(NO_CODE, "the instruction asks for code; the answer holds none", "output", output)


# Corrections, filters and the like may rightly give back what they were given.
_REPEATS = re.compile(r"\b(?:repeat|copy|correct|edit|fix|proofread|grammar|rewrite|format|check|punctuat|capitali[sz]|spell|sort|remove|convert|translate|arrange|same|extract|identify|find|replace|simplif|paraphras|edit|improve)", re.IGNORECASE)  # fmt: skip


def _check_possible(row: Row, prompt: str) -> Iterator[Finding]:
    link = "http" in prompt and _LINK_TASK.search(prompt)
    if link:
        yield _finding(IMPOSSIBLE_TASK, "asks about a page behind a link", "instruction", link.group())
        return
    media = _MEDIA.search(row.instruction)
    if media and not re.search(
        r"\b(?:describe|caption|idea|prompt|html|code|css|python|poem|story|using words)\b",
        row.instruction,
        re.IGNORECASE,
    ):
        yield _finding(IMPOSSIBLE_TASK, "asks for a picture or a recording", "instruction", media.group())


def _check_characters(field: str, text: str, prompt: str) -> Iterator[Finding]:
    if not text.isascii():
        found = _CONTROL.search(text)
        if found:
            yield _finding(
                CONTROL, f"holds U+{ord(found.group()):04X}", field, text[max(0, found.start() - 30) : found.end() + 20]
            )
        found = _MOJIBAKE.search(text)
        if found:
            yield _finding(
                MOJIBAKE, f"holds {found.group()!r}", field, text[max(0, found.start() - 30) : found.end() + 20]
            )
        if field == "output" and _OTHER.search(text):
            other, latin = len(_OTHER.findall(text)), len(_LATIN.findall(text))
            if other > latin and not _OTHER.search(prompt) and not _LANGUAGES.search(prompt):
                yield _finding(
                    LANGUAGE, f"{other} of {other + latin} letters are of another script than the prompt", field, text
                )
    elif not text.isprintable():
        found = _CONTROL.search(text)
        if found:
            yield _finding(
                CONTROL, f"holds U+{ord(found.group()):04X}", field, text[max(0, found.start() - 30) : found.end() + 20]
            )
    if field != "instruction":
        if ("<" in text or "&" in text) and "```" not in text:
            found = _TAG.search(text)
            if found and not _MARKUP_TOPIC.search(prompt) and "<" not in prompt:
                yield _finding(
                    HTML, f"holds {found.group()!r}", field, text[max(0, found.start() - 30) : found.end() + 20]
                )
        if ("{" in text or "[" in text or "<" in text) and "```" not in text:
            found = _RESIDUE.search(text)
            if found and not _RESIDUE_TOPIC.search(prompt):
                yield _finding(
                    TEMPLATE, f"holds {found.group()!r}", field, text[max(0, found.start() - 30) : found.end() + 20]
                )
    elif "{{" in text or "{%" in text:
        found = _RESIDUE.search(text)
        if found and not re.search(r"\b(?:template|jinja|django|vue|latex|code|handlebars)\b", text, re.IGNORECASE):
            yield _finding(TEMPLATE, f"holds {found.group()!r}", field, found.group())

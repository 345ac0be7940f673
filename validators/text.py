"""Family X: texts a trainer would not want to teach: placeholders, fragments, residue, what no text model can do.

The kinds follow the flaws documented for Alpaca and what synthetic pipelines leave behind. Every rule
is tuned to be right when it speaks; what it cannot decide it passes.
"""

import re
from collections.abc import Iterator

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.rules import RULES, declare
from validators.unfinished import NO_CODE, TRUNCATED, cut_off, lacks_code

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
_NO_INPUT = {"n/a", "na", "none", "null", "nan", "not applicable", "n/a.", "none."}
# Quotes, brackets and stops may surround a marker; a digit, a sign or a symbol is content, and emptying it loses it.
_AROUND = r"[\s<>()\[\]{}\"'`’“”*_.,:;!?\\/|#-]*"
_NO_INPUT_WORDS = re.compile(rf"{_AROUND}(?:no[ _-]?inputs?|none|n/?a)(?: (?:is |was )?(?:required|needed|necessary|provided|given|available))?{_AROUND}", re.IGNORECASE)  # fmt: skip
_NO_OUTPUT_WORDS = re.compile(r"\W*no[ _-]?output\b", re.IGNORECASE)
_NONE_IS_AN_ANSWER = re.compile(r"\b(?:null|none|nan|which|whether|any|how many|identify|find|classif)", re.IGNORECASE)
_BOILERPLATE = re.compile(
    r"^\W*(?:as an? (?:ai|artificial intelligence|large language|language)\b|i['’]?m (?:just )?an? (?:ai|language model)|(?:i['’]?m )?sorry, (?:but )?(?:as an ai|i (?:cannot|can['’]?t|am unable|am not able))|i (?:cannot|can['’]t|am unable to|am not able to) (?:fulfil|assist|help|provide|complete|comply|browse|access))",
    re.IGNORECASE,
)
_MEDIA = re.compile(
    r"(?:^|[.!?:]\s+)(?:please |can you |could you |would you |you need to |automatically )?(?:draw|sketch|paint|generate|create|make|produce|show|record|attach|edit|crop|design|redesign)\b(?: me| us)? (?:an?|the|some|this|two|three|following)? ?(?:(?!of|for|about|to|that|with|from|describ\w*)[\w-]+ ){0,3}?(?:images?|pictures?|photos?|photographs?|drawings?|paintings?|illustrations?|videos?|audio|gifs?|infographics?|collages?|logos?|posters?|memes?|animations?|sketch(?:/drawing)?)\b(?!['’]|-| (?:caption|prompt|description|title|gallery|tag|essay|processing|class|recogn|resol|format|file|size|editor|upload|url|link|script|on hover|of an? (?:character|person)|detect|blog|game|idea|search|sharing|stream|clip|tutorial|shoot|element|tool|app|feed|player|slider|tag|carousel))",
    re.IGNORECASE,
)
_MEDIA_IN_WORDS = re.compile(r"\b(?:describe|description|caption|ideas?|prompt|html|code|css|python|svg|ascii|javascript|program|script|function|react|app|web ?(?:page|site)|java|poem|story|character sketch|outline|in (?:a few )?(?:words|sentences)|slogan|text|suggest|recommend|explain|list)\b", re.IGNORECASE)  # fmt: skip
_SHOWN_MEDIA = re.compile(r"\b(?:this|the (?:following|given|provided|attached|above|below)|the) (?:\w+ )?(?:image|photo|photograph|picture|painting|gif|video|audio|chart|graph|diagram)\b(?: (?:below|above|attached))?[^.?!\n]{0,30}[.?!:]?\s*$", re.IGNORECASE)  # fmt: skip
_SHOWN_FIRST = re.compile(r"\b(?:this|the (?:following|given|provided|attached)) (?:\w+ )?(?:image|photo|photograph|picture|painting|gif|video)\b", re.IGNORECASE)  # fmt: skip
_IMAGE_INPUT = re.compile(r"\s*(?:!\[[^\]]*\]\(|<img\b|<image\b|\[image\b[^\]]{0,25}\]|\((?:link to|attached)|[\w ]{0,20}:? ?\((?:attached|link to)[^)]*\)\s*$)", re.IGNORECASE)  # fmt: skip
_ONLY_LINK = re.compile(r"(?:[\w ]{0,25}:\s*|the link is )?\W{0,2}(?:https?://|www\.)\S+\W*", re.IGNORECASE)
_LINK_TASK = re.compile(r"\b(?:summari[sz]e|read|visit|open|click|analy[sz]e|review|check out|according to|based on) (?:the |this |following )*(?:article|page|website|site|link|url|post|blog|video|text)?\s*(?:at|on|from|below|here|:)?\s*\(?https?://", re.IGNORECASE)  # fmt: skip
_LINK_AS_TEXT = re.compile(r"\b(?:url|uri|urls|hyperlinks?|domain|links? from|extract|regex|regular expression|http|https|request|api|string|parse|shorten|encode|decode|valid|validate|code|script|program|function|algorithm|link text|anchor|seo|classify the website|protocol)\b", re.IGNORECASE)  # fmt: skip
# Khmer, Thai, Lao and Burmese are written with zero-width spaces between words.
_SPACED_SCRIPT = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff]")
_CONTROL = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x9f\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\ufeff\ufffe]"
)
_MOJIBAKE = re.compile("\u00c3[\u0080-\u00bf\u201a-\u201e\u2020-\u2022\u0160\u0161\u0152\u0153\u017d\u017e\u0178\u00a9\u00a8\u00a0\u00b6\u00bc]|\u00e2\u20ac[\u0080-\u00ff\u201c\u201d\u2122\u0153\u02dc\u00a6]|\u00c2[\u00a0-\u00bf](?![\u00a0-\u00ff])|\u00ef\u00bb\u00bf|\ufffd")  # fmt: skip
_TAG = re.compile(r"</?(?:div|span|p|br|table|t[dr]|ul|ol|li|font|script|style|img|h[1-6]|strong|em|b|i|u|sup|sub|blockquote|href)(?:\s[^<>]*)?/?>|&(?:nbsp|amp|lt|gt|quot|apos|#39|#x27|ndash|mdash|rsquo);", re.IGNORECASE)  # fmt: skip
_WHOLE_PAGE = re.compile(r"<(?:!doctype|html|head|body)\b", re.IGNORECASE)
_MARKUP_TOPIC = re.compile(r"\b(?:extension|django|flask|backend|embed|highlight\w*|animations?|image|html|xml|css|web ?page|web ?site|web|markup|tag|tags|code|javascript|jsx|react|svg|php|email template|format|parse|escape|bold|italic|underline|link|button|form|header)\b", re.IGNORECASE)  # fmt: skip
_RESIDUE = re.compile(r"(?<!\$)\{\{\s*\w[\w. |]*\}\}|\{%-?\s*\w+[^%]*%\}|(?<![\w{$\\])\{[a-z][a-z_]{2,30}\}(?![\w}])|\[(?:insert|enter) [^\]\n]{2,50}\]|<(?:insert|enter) [^>\n]{2,50}>", re.IGNORECASE)  # fmt: skip
_RESIDUE_TOPIC = re.compile(r"\b(?:template|placeholder|format|code|function|string|script|program|jinja|django|vue|latex|letter|email|e-mail|message|form|blank|python|javascript|variable|regex|set|json|emails)\b|[{}\[\]]", re.IGNORECASE)  # fmt: skip
_LANGUAGES = re.compile(r"\b(?:translat\w*|language|russian|chinese|mandarin|japanese|korean|zhong ?wen|ni hao|arabic|hindi|greek|hebrew|thai|ukrainian|bengali|urdu|persian|tamil|script|alphabet|character|kanji|cyrillic|say|write .* in)\b", re.IGNORECASE)  # fmt: skip
_LATIN = re.compile(r"[A-Za-z\u00c0-\u024f]")
_OTHER = re.compile(
    r"[\u0370-\u03ff\u0400-\u04ff\u0590-\u05ff\u0600-\u06ff\u0900-\u0dff\u0e00-\u0e7f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7af]"
)


def _finding(code: str, message: str, field: str, evidence: str = "") -> Finding:
    return Finding(code, message, RULES[code].severity, field=field, evidence=" ".join(evidence.split())[:120])


def is_marker(text: str) -> bool:
    """Whether an input says that there is none, and nothing else: `clean` empties it. "Na" is sodium."""
    if len(text) >= 28 or text.strip() == "Na":
        return False
    return text.strip().lower() in _NO_INPUT or _NO_INPUT_WORDS.fullmatch(text) is not None


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
    empty = len(bare) < 16 and bare in _NOTHING and not _NONE_IS_AN_ANSWER.search(row.instruction)
    if empty or len(bare) < 90 and "no" in bare[:6] and _NO_OUTPUT_WORDS.match(bare):
        yield _finding(PLACEHOLDER, f"the answer is {output.strip()!r}", "output")
    if row.input and is_marker(row.input):
        yield _finding(INPUT_MARKER, f"the input is {row.input.strip()!r}; leave it empty", "input")
    if not row.turns:
        yield from _check_merged(row)
    yield from _check_answer(row, prompt, output)
    if row.shape in _ONE_TURN:
        yield from _check_possible(row)
    for field, text in (("instruction", prompt), ("output", output), ("rejected", row.rejected)):
        if text:
            yield from _check_characters(field, text, prompt)


def _check_merged(row: Row) -> Iterator[Finding]:
    if row.shape not in _ONE_TURN:
        return  # prompts with worked examples have such headings by right
    found = _DANGLING_HEADING.search(row.instruction) if ":" in row.instruction[-12:] else None
    if found or ("nstruction" in row.instruction and (found := _MERGED_PROMPT.search(row.instruction))):
        yield _finding(MERGED, "holds the headings of another row", "instruction", row.instruction[found.start() :])
    if "nstruction" in row.output and "nstruction" not in row.instruction:
        found = _MERGED_ANSWER.search(row.output)
        if found:
            yield _finding(MERGED, "holds the headings of another row", "output", row.output[found.start() :])


_ONE_TURN = ("alpaca", "instruction-response", "question-answer")
_DANGLING_HEADING = re.compile(r"\n[ \t]*(?:output|response)[ \t]*:[ \t]*$", re.IGNORECASE)
_MERGED_PROMPT = re.compile(r"\n[ \t]*(?:output|response)[ \t]*\d*[ \t]*:[^\n]*(?:\n[^\n]*)*?\n[ \t]*(?:\d+\.[ \t]*)?instruction[ \t]*\d*[ \t]*:", re.IGNORECASE)  # fmt: skip
_MERGED_ANSWER = re.compile(r"\n[ \t]*(?:#+[ \t]*)?(?:\d+\.[ \t]*)?instruction[ \t]*:[^\n]*\n(?:[^\n]*\n)*?[ \t]*(?:#+[ \t]*)?(?:\d+\.[ \t]*)?(?:in|out)put[ \t]*:", re.IGNORECASE)  # fmt: skip


def _check_answer(row: Row, prompt: str, output: str) -> Iterator[Finding]:
    one_turn = row.shape in _ONE_TURN
    if why := cut_off(row.instruction if one_turn else "", output):
        yield _finding(TRUNCATED, why, "output", output.rstrip()[-80:])
    if len(output) > 15:
        same = " ".join(output.split())
        for text in (row.instruction, row.input, prompt):
            if len(text) > 15 and abs(len(text) - len(output)) < 12 and same == " ".join(text.split()):
                if not _REPEATS.search(row.instruction):
                    yield _finding(ECHO, "repeats the prompt and adds nothing", "output", output)
                break
    if output[:1] in "AISUaisu\"'" and _BOILERPLATE.search(output[:200]):
        yield _finding(BOILERPLATE, "opens with a refusal or with talk about being a model", "output", output[:100])
    if output.count("```") % 2:
        yield _finding(FENCES, f"{output.count('```')} code fences; one is open", "output")
    if len(row.turns) < 4 and lacks_code(row.instruction, output):
        yield _finding(NO_CODE, "the instruction asks for code; the answer holds none", "output", output)


# Corrections, filters and the like may rightly give back what they were given.
_REPEATS = re.compile(r"\b(?:repeat|copy|correct|edit|fix|proofread|grammar|rewrite|format|check|punctuat|capitali[sz]|spell|sort|remove|convert|translate|arrange|same|extract|identify|find|replace|simplif|paraphras|improve|order|organi[sz]|select|choose|pick|match|divide|split|transform|modif|classif|separate|group|rank|letter|case|filter|arrang|unscrambl|list)", re.IGNORECASE)  # fmt: skip


_MEDIA_NAMES = ("image", "pictur", "photo", "draw", "paint", "illustr", "video", "audio", "gif", "infograph", "collage", "logo", "poster", "meme", "animation", "sketch", "chart", "graph", "diagram")  # fmt: skip


def _names_media(text: str) -> bool:
    lower = text.lower()
    return bool([name for name in _MEDIA_NAMES if name in lower])  # a list is built faster than any() is asked


def _check_possible(row: Row) -> Iterator[Finding]:
    asked, data = row.instruction, row.input
    if len(asked) > 400:
        return  # a long prompt brings its own material
    if "http" in asked and (link := _LINK_TASK.search(asked)):
        yield _finding(IMPOSSIBLE_TASK, "asks about a page behind a link", "instruction", link.group())
    elif data and ("://" in data or "www." in data) and _ONLY_LINK.fullmatch(data.strip()):
        if not _LINK_AS_TEXT.search(asked):
            yield _finding(IMPOSSIBLE_TASK, "the input is a link, and a text model cannot open it", "input", data)
    elif data and data.lstrip()[:1] in "!<[(PpIi" and _IMAGE_INPUT.match(data):
        yield _finding(IMPOSSIBLE_TASK, "the input is a picture, and a text model cannot see it", "input", data)
    elif _names_media(asked) and (media := _MEDIA.search(asked)) and not _MEDIA_IN_WORDS.search(asked):
        yield _finding(IMPOSSIBLE_TASK, "asks for a picture or a recording", "instruction", media.group())
    elif (
        (not data or is_marker(data))
        and len(asked) < 120
        and _names_media(asked)
        and (shown := _SHOWN_FIRST.search(asked))
        and _SHOWN_MEDIA.search(asked)
    ):
        yield _finding(IMPOSSIBLE_TASK, "speaks of a picture that is not there", "instruction", shown.group())


def _check_characters(field: str, text: str, prompt: str) -> Iterator[Finding]:
    if not text.isascii():
        found = _CONTROL.search(text)
        if found and not (found.group() == "\u200b" and _SPACED_SCRIPT.search(text)):
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
            if found and not _MARKUP_TOPIC.search(prompt) and "<" not in prompt and not _WHOLE_PAGE.search(text):
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
        if found and not re.search(
            r"\b(?:template|jinja|django|vue|latex|code|handlebars|action|workflow|curly|braces?|tag|word)\b",
            text,
            re.IGNORECASE,
        ):
            yield _finding(TEMPLATE, f"holds {found.group()!r}", field, found.group())

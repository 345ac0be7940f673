"""The one Jinja environment, and the families of templates a task is worded with.

A family is one file `templates/<task>/<family>.j2` with three sections, each introduced by a line
`=== instruction`, `=== input` or `=== output`, and a fourth, `=== structured`, where the answer may be asked for as JSON:
the instruction that stands in place of the first when it is to be one JSON object and nothing else, and so says nothing
of paragraphs or tables. An instruction knows the `form` asked for: text, json or both. Files whose name begins with `_`
are fragments to include; they come without the white space around them. Templates are compiled once per process; no
template computes, and no number stands in one that is not a fact.
"""

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jinja2
import jinja2.ext
import orjson

from tapewright.errors import TemplateError
from tapewright.streams import Stream
from templates.wording import Wording, expand, is_plain

FOLDER = Path(__file__).parent
SECTIONS, STRUCTURED = ("instruction", "input", "output"), "structured"
PAGES = "pages/"
_SECTION = re.compile(r"^=== (\w+)[ \t]*\n", re.MULTILINE)

# The stream that `pick` draws from while one text is rendered. A worker renders one text at a time.
_stream: Stream = Stream(0)


@jinja2.pass_context  # keeps Jinja from folding the draw into a constant at compile time
def _pick(_: Any, alternatives: tuple[str, ...]) -> str:
    return alternatives[int(_stream.random() * len(alternatives))]


def _article(noun: str) -> str:
    """`a` or `an` before the noun, by sound for the words and numbers that occur."""
    first = noun.lstrip("*\"'(").lower()
    if re.match(
        r"(8|11[ ,x-]|18[ ,x-]|11$|18$|[aeio]|u[^nst]|un[^i]|hour|rsi|ema|sma|xrp|ltc|etf|fomc|nft|s&p)", first
    ):
        return f"an {noun}"
    return f"a {noun}"


def _json(value: Any) -> str:
    """JSON as a person writes it; Jinja's own filter escapes apostrophes for HTML."""
    return orjson.dumps(value).decode()


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_INCLUDE = re.compile(r"\{%-? include \"([^\"]+)\" -?%\}")


@jinja2.pass_context
def _fragment(context: jinja2.runtime.Context, name: str) -> str:
    """An included fragment, rendered in the same context, without the white space around it.

    Jinja's own include builds a context per call, which costs more than the fragment itself.
    """
    return "".join(_env.get_template(name).root_render_func(context)).strip()


class _Wording(jinja2.ext.Extension):
    """Turns includes and `wording` brackets of a source into expressions before Jinja sees it."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        if name and name.startswith(PAGES):
            return source  # Markdown has brackets of its own
        return expand(_INCLUDE.sub(r"{{ '\1'|fragment }}", source), name or "template")


def _environment() -> jinja2.Environment:
    env = jinja2.Environment(
        loader=jinja2.FileSystemLoader(FOLDER),
        undefined=jinja2.StrictUndefined,
        extensions=[_Wording],
        autoescape=False,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=False,
        auto_reload=False,
        cache_size=-1,
    )
    env.filters.update(pick=_pick, fragment=_fragment, tojson=_json, an=_article, cap=_capital)
    return env


_env = _environment()


@functools.cache
def compile_text(source: str) -> jinja2.Template | Wording:
    """Compile one wording, e.g. a sentence from a data file; cached by its text."""
    if is_plain(source):
        return Wording(source)
    try:
        return _env.from_string(source)
    except jinja2.TemplateSyntaxError as error:
        raise TemplateError(f"wording {source[:60]!r}: {error.message}") from error


@functools.cache
def load_family(task: str, family: str) -> Mapping[str, jinja2.Template]:
    """The compiled sections of one family, by section name.

    Raises TemplateError for a missing or unknown section or a syntax error, naming file and line.
    """
    path = FOLDER / task / f"{family}.j2"
    pieces = _SECTION.split(path.read_text(encoding="utf-8"))
    preamble, sections = pieces[0], dict(zip(pieces[1::2], pieces[2::2]))
    if set(sections) - {STRUCTURED} != set(SECTIONS):
        raise TemplateError(f"{task}/{family}.j2: sections are {sorted(sections)}; need {list(SECTIONS)}, may have {STRUCTURED!r}")  # fmt: skip
    compiled = {}
    for name, text in sections.items():
        try:
            compiled[name] = _env.from_string(preamble + text.strip("\n"))
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(f"{task}/{family}.j2 [{name}] line {error.lineno}: {error.message}") from error
    return compiled


def render_page(name: str, values: Mapping[str, Any]) -> str:
    """A page for people, `templates/pages/NAME.md.j2`: plain Jinja, nothing drawn, nothing tidied.

    Raises TemplateError for a name it uses and `values` lacks.
    """
    try:
        return _env.get_template(f"{PAGES}{name}.md.j2").render(values)
    except jinja2.UndefinedError as error:
        raise TemplateError(f"{PAGES}{name}.md.j2: {error.message}") from error


_JOINED = re.compile(r"\n {1}(?=\S)")  # an included sentence ends in a newline; a space after it joins the next
_BLANK_LINES = re.compile(r"\n{3,}")
_SPACES = re.compile(r"(?<=\S) {2,}")
_BEFORE_MARK = re.compile(r" +([,.;:!?])(?=\s|$)")


def render(template: jinja2.Template | Wording, words: Mapping[str, Any], stream: Stream) -> str:
    """Render one text, drawing its alternatives from `stream`, and tidy what empty ones leave behind."""
    global _stream
    if isinstance(template, Wording):
        text = template.render(words, stream)
    else:
        _stream = stream
        try:
            text = template.render(words)
        except jinja2.UndefinedError as error:
            raise TemplateError(f"{template.name or 'wording'}: {error.message}") from error
    if "```" not in text:
        return _tidy(text)
    # A script between fences stays as it is written: there a space may mean something.
    parts = text.split("```")
    return "```".join(part if place % 2 else _tidied_around(part) for place, part in enumerate(parts)).strip()


_QUOTED = re.compile(r"`[^`\n]+`")


def _tidied_around(text: str) -> str:
    """Tidied text with the line ends at its edges, which keep a fence on a line of its own."""
    quoted = _QUOTED.findall(text)
    tidy = _tidy(_QUOTED.sub("``", text))
    for code in quoted:  # a line of code in a sentence stays as it is, too
        tidy = tidy.replace("``", code, 1)
    before = "\n" * min(2, len(text) - len(text.lstrip("\n"))) if tidy else "\n\n"
    after = "\n" * min(2, len(text) - len(text.rstrip("\n"))) if tidy else ""
    return before + tidy + after


def _tidy(text: str) -> str:
    text = text.strip()
    if "\n " in text:
        text = _JOINED.sub(" ", text)
    if "  " in text:
        text = _SPACES.sub(" ", text)
    if " ," in text or " ." in text or " ;" in text or " :" in text:
        text = _BEFORE_MARK.sub(r"\1", text)
    if "\n\n\n" in text:
        text = _BLANK_LINES.sub("\n\n", text)
    return text

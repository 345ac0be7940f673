"""Why a sentiment answer holds, in words: the reason of a label, and the reason a wrong label would have.

Every number of a reason is quoted from the text or is the result of a written subtraction; no
reason uses a word of the label vocabularies, so the label stands in an answer once.
"""

from typing import Any

from generators.events import Event, load_frames
from tapewright.streams import Stream
from templates.engine import compile_text, render


def say(rng: Stream, wordings: str | list[str], names: dict[str, Any]) -> str:
    wording = wordings if isinstance(wordings, str) else rng.pick(wordings)
    return render(compile_text(wording), names, rng)


def draw_phrase(rng: Stream, event: Event, label: str) -> tuple[str, str]:
    """What happened, as a noun phrase, and why it bears its label."""
    return say(rng, event.phrases[label], {}), say(rng, event.whys[label], {})


def give_reason(facts: dict[str, Any], parts: dict[str, Any], polarity: str, rng: Stream) -> tuple[str, str]:
    """A clause that gives the reason, and sentences that may follow it (or nothing)."""
    if facts["mechanism"] == "number":
        return _number_reason(facts, parts, polarity, rng)
    frames, names, event = load_frames()["reason"], dict(parts["names"]), parts["event"]
    mechanism, second = facts["mechanism"], ""
    key = "flat" if polarity == "flat" else "good"
    if mechanism == "negation":
        key = f"negation_{polarity}"
    elif mechanism in ("hedge", "mixed"):
        key = f"{mechanism}_{'flat' if polarity == 'flat' else 'side'}"
    elif mechanism == "priced_in":
        key = f"priced_{'flat' if polarity == 'flat' else 'side'}"
    elif mechanism == "flow" and polarity == "flat":
        key = "flow_flat"
    elif mechanism == "flow" and names.get("intent"):
        key = "intent"
    if mechanism == "two":
        second = _sentence(say(rng, frames["two_tail"], names))
    if mechanism in ("lexical", "flow", "two") and rng.chance(0.3) and (quote := _quote(parts["text"], names)):
        names["np"] = f'"{quote}"'
        key = "quoted" if key in ("good", "flat") else key
    if facts.get("wide") and mechanism == "lexical":
        second = _sentence(say(rng, frames["decade"], names))
    elif (
        not second
        and polarity != "flat"
        and mechanism in ("hedge", "mixed", "priced_in", "negation")
        and rng.chance(0.4)
    ):
        second = _sentence(say(rng, event.whys[polarity], {}))
        if second[:-1].lower() in say(rng, frames[key], names).lower() or names["why"] in second.lower():
            second = ""
    return say(rng, frames[key], names), second


def _number_reason(facts, parts, polarity: str, rng: Stream) -> tuple[str, str]:
    frames, names, event = load_frames()["reason"], dict(parts["names"]), parts["event"]
    sign = (facts["reported"] > facts["compared"]) - (facts["reported"] < facts["compared"])
    if polarity != facts["polarity"]:  # a wrong answer reads the comparison so that its label follows
        sign = 0 if polarity == "flat" else 1 if (polarity == "good") == (event.more == "good") else -1
    names["ref"] = say(rng, load_frames()["reference"][facts["basis"]], {})
    first = say(rng, frames[("number_below", "number_equal", "number_above")[sign + 1]], names)
    why = say(rng, event.whys[polarity], {}) if polarity in event.whys else ""
    rest = []
    if rng.chance(0.35) and sign:
        rest.append(_sentence(say(rng, frames[f"polarity_{event.more}"], names)))
    if (
        sign
        and facts["reported"] != facts["compared"]
        and event.suf in ("", "%", " units", " jobs", " coins", " times")
        and rng.chance(0.35)
    ):
        high, low = sorted((facts["reported"], facts["compared"]), reverse=True)
        places = int(event.draw[2])
        names |= {"high": f"{high:,.{places}f}", "low": f"{low:,.{places}f}", "diff": f"{high - low:,.{places}f}"}
        rest.append(say(rng, frames["gap"], names))
    if facts["vocabulary"].endswith("5") and sign:
        rest.append(_sentence(say(rng, frames["wide" if facts["wide"] else "narrow"], names)))
    if why and rng.chance(0.85):
        if rng.chance(0.5):
            first = f"{first}{rng.pick((', so ', '; ', ' and thus '))}{why}"
        else:
            rest.append(_sentence(why))
    return first, " ".join(rest)


def _sentence(clause: str) -> str:
    return clause[:1].upper() + clause[1:].rstrip(".") + "."


_LABEL_WORDS = ("positive", "negative", "neutral", "bullish", "bearish")


def _quote(text: str, names: dict[str, Any]) -> str:
    """The opening words of the text, up to a mark, where they can be quoted."""
    lead = text.split(": ", 1)[1] if ": " in text[:40] else text
    for mark in (". ", "; ", ", ", " ("):
        lead = lead.split(mark)[0]
    lead = lead.strip(" .")
    usable = 3 <= len(lead.split()) <= 11 and not any(word in lead.lower() for word in _LABEL_WORDS) and '"' not in lead
    return lead if usable and (names["s"] in lead or names["e"] in lead) and not any(c.isdigit() for c in lead) else ""


def misread(facts, parts, wrong: str, rng: Stream) -> tuple[str, str]:
    """The reason a wrong label would have, with as much said after it as after a right one."""
    if facts["mechanism"] == "number":
        return _number_reason(facts, parts, wrong, rng)
    first, second = _misread(facts, parts, wrong, rng), ""
    if facts["mechanism"] == "two":
        second = _sentence(say(rng, load_frames()["reason"]["two_tail"], dict(parts["names"])))
    elif facts["mechanism"] in ("hedge", "mixed", "priced_in", "negation") and wrong != "flat" and rng.chance(0.4):
        why = say(rng, parts["event"].whys[wrong], {})
        second = "" if why.lower() in first.lower() else _sentence(why)
    return first, second


def _misread(facts, parts, wrong: str, rng: Stream) -> str:
    frames, names, event = load_frames()["reason"], dict(parts["names"]), parts["event"]
    if wrong == "flat":
        return say(rng, frames["backwards"], names)
    if wrong not in event.phrases:  # a routine notice read as news
        return f"a text like this about {names['e']} {'promises gains' if wrong == 'good' else 'bodes ill'}"
    if facts["mechanism"] == "two":
        names["np"], names["why"] = (names["np_other"], names["why_other"]) if facts["other_polarity"] == wrong else draw_phrase(rng, event, wrong)  # fmt: skip
    elif facts.get("side") == wrong:  # the convention that settles it is passed over
        names["why"] = say(rng, event.whys[wrong], {})
    elif facts["mechanism"] != "mixed":
        names["np"], names["why"] = draw_phrase(rng, event, wrong)
    else:
        names["why"] = say(rng, event.whys[wrong], {})
    return say(rng, frames["good"], names)

"""The tone of a short text, or its first-order effect on a named price, with the convention that decides.

Two rows in five turn on a number: rows 2m and 2m+1 of the task share the stream of `world.pair()`,
hence every word, and the twin has the two values swapped, so that only reading them in their order
gives the label. The rest turn on wording, denial, rumour, news already in the price, a second
entity, mixed news, or a flow alert; each of these bears every label, and where an analyst could
dispute the label, the prompt states the rule that settles it. Timeless: no market is read.
"""

from typing import Any

from generators.events import LABELS, Event, draw_names, load_events, load_frames
from generators.situation import Situation
from generators.world import World
from tapewright.streams import Stream
from templates.engine import compile_text, render

# Share of each mechanism among rows that no number decides, with its shares of bad, flat and good.
_MECHANISMS = {
    "lexical": (44, (30, 40, 30)),
    "negation": (10, (34, 32, 34)),
    "hedge": (10, (25, 50, 25)),
    "priced_in": (10, (25, 50, 25)),
    "two": (11, (33, 34, 33)),
    "mixed": (8, (24, 52, 24)),
    "flow": (7, (22, 56, 22)),
}
_NUMBER_SHARE = 0.4
_EQUAL_PAIRS = 0.4  # share of number pairs whose first row holds two equal values
VOCABULARIES = {
    "tone3": ("negative", "neutral", "positive"),
    "market3": ("bearish", "neutral", "bullish"),
    "tone5": ("very negative", "negative", "neutral", "positive", "very positive"),
    "market5": ("strongly bearish", "bearish", "neutral", "bullish", "strongly bullish"),
}
_POLARITY = {"bad": "negative", "flat": "neutral", "good": "positive"}
_OTHER = {"good": "bad", "bad": "good"}


def draw(rng: Stream, world: World) -> Situation:
    """One text and its label; whether a number decides is settled for a pair of rows at once."""
    pair = world.pair()
    if pair.chance(_NUMBER_SHARE):
        facts, parts = _number(pair, bool(world.ordinal % 2))
    else:
        facts, parts = _worded(rng)
    facts["label"] = _label(facts)
    return Situation(
        facts=facts,
        words=words(facts, parts, rng),
        origin=dict.fromkeys(facts, "drawn"),
        group=f"event:{facts['event']}",
        label=_POLARITY[facts["polarity"]],
    )


def _text(rng: Stream, wordings: str | list[str], names: dict[str, Any]) -> str:
    wording = wordings if isinstance(wordings, str) else rng.pick(wordings)
    return render(compile_text(wording), names, rng)


def _register(rng: Stream, event: Event) -> str:
    return "alert" if event.scope == "coin" else rng.weighted(("wire", "social", "note"), (45, 38, 17))


def _names(rng: Stream, event: Event, register: str) -> dict[str, str]:
    names = draw_names(rng, event)
    names["kind"] = _text(rng, load_frames()["wrap"][f"kind_{register}"], {})
    if register == "social" and names["t"]:
        names["s"] = names["t"]
        names["at"] = f"at {names['t']}"
    return names


def _phrase(rng: Stream, event: Event, label: str) -> tuple[str, str]:
    """What happened, as a noun phrase, and why it bears its label."""
    return _text(rng, event.phrases[label], {}), _text(rng, event.whys[label], {})


def _common(rng: Stream, event: Event, mechanism: str, polarity: str, register: str, five: bool) -> dict[str, Any]:
    market = rng.chance(0.42) if event.scope in ("company", "macro", "commodity") else rng.chance(0.6)
    target = rng.pick(event.targets) if event.scope in ("company", "token") else "effect"
    return {
        "event": event.slug, "mechanism": mechanism, "polarity": polarity, "register": register, "target": target,
        "vocabulary": ("market" if market else "tone") + ("5" if five else "3"),
    }  # fmt: skip


# --- rows that a number decides ---------------------------------------------------------------


def _number(pair: Stream, second: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two values and their words from the shared stream; the second row has them swapped."""
    event = pair.pick([e for e in load_events() if e.measure])
    register, basis = _register(pair, event), pair.pick(event.basis)
    names = _names(pair, event, register)
    low, high, step = _values(pair, event)
    equal, swap, turn = pair.chance(_EQUAL_PAIRS), pair.chance(0.5), pair.chance(0.5)
    values = [low, high] if swap else [high, low]
    if equal and not second:
        values = [values[0], values[0]]
    elif equal:
        values = values if turn else values[::-1]
    elif second:
        values = values[::-1]
    names["measure"] = _text(pair, event.measure, {})
    names["sm"] = names["measure"] if event.scope == "commodity" else f"{names['s']} {names['measure']}"
    names["a"], names["b"] = (_show(value, event) for value in values)
    names["c"] = _show(low * (0.86 if pair.chance(0.5) else 0.93), event)
    frames = load_frames()
    wordings = list(event.number) if event.number and (basis not in frames["number"] or pair.chance(0.5)) else frames["number"][basis]  # fmt: skip
    wordings = [w for w in wordings if basis == "consensus" or "{{c}}" not in w] or frames["number"][basis]
    body = _finish(pair, _text(pair, wordings, names), register, event, names)
    sign = (values[0] > values[1]) - (values[0] < values[1])
    polarity = LABELS[1 + (sign if event.more == "good" else -sign)]
    facts = _common(pair, event, "number", polarity, register, pair.chance(0.28))
    facts |= {"entity": names["e"], "measure": names["measure"], "reported": values[0], "compared": values[1], "basis": basis}
    if facts["vocabulary"].endswith("5"):
        facts["wide"] = abs(values[0] - values[1]) >= 0.1 * values[1]
    rules = ["inline"] + ["forecast"] * ("{{c}}" in "".join(event.number) and basis == "consensus")
    parts = {"event": event, "names": names, "text": body, "register": register, "step": step}
    parts |= {"prompt": _prompt(pair, facts, event, names, rules, body)}
    return facts, parts


def _values(rng: Stream, event: Event) -> tuple[float, float, int]:
    """Two values with the printed decimals, whose gap is clearly under or over a tenth of either."""
    low, high, decimals = event.draw[0], event.draw[1], int(event.draw[2])
    for _ in range(200):
        first = round(low * (high / low) ** rng.random(), decimals)
        spread = rng.between(0.015, 0.08) if rng.chance(0.55) else rng.between(0.13, 0.3)
        second = round(first * (1 + spread), decimals)
        if first < second and not (0.088 * first < second - first and second - first < 0.118 * second):
            break
    return first, second, decimals


def _show(value: float, event: Event) -> str:
    return f"{event.pre}{value:,.{int(event.draw[2])}f}{event.suf}"


def _finish(rng: Stream, body: str, register: str, event: Event, names: dict[str, Any], quiet: bool = False) -> str:
    """The body in its register, with a closing sentence that says nothing of the label."""
    frames = load_frames()
    filler = "" if quiet else _text(rng, frames["filler"][event.scope], names)
    if register == "social" and body[0] != "$" and rng.chance(0.5) and not names["t"]:
        body = body[0].lower() + body[1:] if not body.startswith(names["place"]) else body
    else:
        body = body[:1].upper() + body[1:]
    if filler or (register != "social" and rng.chance(0.35)) or register == "note":
        body = body.rstrip(".") + "."
    if filler:
        body = f"{body} {filler}"
    return _text(rng, frames["wrap"][register], {**names, "body": body})


# --- rows that wording decides ----------------------------------------------------------------


def _worded(rng: Stream) -> tuple[dict[str, Any], dict[str, Any]]:
    mechanism = rng.weighted(tuple(_MECHANISMS), [share for share, _ in _MECHANISMS.values()])
    polarity = rng.weighted(LABELS, _MECHANISMS[mechanism][1])
    events = _candidates(mechanism, polarity)
    event = rng.pick(events)
    register = _register(rng, event)
    names = _names(rng, event, register)
    names["np"], names["why"] = _phrase(rng, event, polarity)
    five = mechanism == "lexical" and rng.chance(0.25) and event.slug not in ("notice", "feature")
    facts = _common(rng, event, mechanism, polarity, register, five)
    facts["entity"] = names["e"]
    body, rules = _BUILDERS[mechanism](rng, event, polarity, register, names, facts)
    quiet = mechanism == "two" or names.get("intent", "") != ""
    body = _finish(rng, body, register, event, names, quiet)
    if facts["vocabulary"].endswith("5"):
        facts["wide"] = polarity != "flat" and rng.chance(0.45)
        if facts["wide"]:
            body = f"{body.rstrip('.')}. {_text(rng, load_frames()['wrap']['strong'], {})}"
    parts = {"event": event, "names": names, "text": body, "register": register}
    parts |= {"prompt": _prompt(rng, facts, event, names, rules, body)}
    return facts, parts


def _candidates(mechanism: str, polarity: str) -> list[Event]:
    scopes = {"two": ("company", "token"), "flow": ("coin",)}.get(mechanism, ("company", "token", "macro", "commodity"))
    pool = [e for e in load_events() if e.scope in scopes and polarity in e.labels]
    if mechanism in ("lexical", "two"):
        return pool + [e for e in pool if e.slug in ("notice", "feature", "politics")] * 4 * (polarity == "flat")
    return [e for e in pool if len(e.labels) == 3 and (mechanism != "mixed" or e.scope != "commodity")]


def _lexical(rng, event, polarity, register, names, facts):
    rules = ["routine"] if polarity == "flat" or rng.chance(0.4) else []
    return _text(rng, event.texts[f"{register}_{polarity}"], names), rules


def _negation(rng, event, polarity, register, names, facts):
    if polarity != "flat":  # what did not come bears the other label
        names["np"], _ = _phrase(rng, event, _OTHER[polarity])
    return _text(rng, load_frames()["negation"][polarity], names), ["feared"]


def _hedge(rng, event, polarity, register, names, facts):
    side = polarity if polarity != "flat" else rng.pick(("good", "bad"))
    names["np"], names["why"] = _phrase(rng, event, side)
    facts["side"] = side
    return _text(rng, load_frames()["hedge"]["text"], names), ["talk_flat" if polarity == "flat" else "talk_real"]


def _priced_in(rng, event, polarity, register, names, facts):
    side = polarity if polarity != "flat" else rng.pick(("good", "bad"))
    names["np"], names["why"] = _phrase(rng, event, side)
    facts["side"] = side
    return _text(rng, load_frames()["priced_in"]["flat" if polarity == "flat" else "side"], names), ["priced"]


def _mixed(rng, event, polarity, register, names, facts):
    second = rng.pick([e for e in load_events() if e.scope == event.scope and e.asset == event.asset and e is not event and len(e.labels) == 3])  # fmt: skip
    first = polarity if polarity != "flat" else rng.pick(("good", "bad"))
    names["np"], names["why"] = _phrase(rng, event, first)
    names["np2"], _ = _phrase(rng, second, polarity if polarity != "flat" else _OTHER[first])
    facts["second_event"] = second.slug
    return _text(rng, load_frames()["mixed"]["text"], names), ["mixed"]


def _two(rng, event, polarity, register, names, facts):
    side = _OTHER.get(polarity) or rng.pick(("good", "bad"))
    second = rng.pick([e for e in load_events() if e.scope == event.scope and side in e.labels])
    other = _names(rng, second, register)
    while other["e"].split()[0] == names["e"].split()[0] or other["t"] == names["t"]:
        other = _names(rng, second, register)
    own, foreign = (_text(rng, e.texts[f"{register}_{p}"], n).rstrip(".") for e, p, n in ((event, polarity, names), (second, side, other)))  # fmt: skip
    names["other"] = other["e"] if register != "social" or rng.chance(0.5) else other["t"]
    facts |= {"other": other["e"], "other_polarity": side, "second_event": second.slug}
    names["np_other"], names["why_other"] = _phrase(rng, second, side)
    pieces = [own, foreign] if rng.chance(0.5) else [foreign, own]
    joint = _text(rng, load_frames()["two"]["join"], {})
    joint = "; " if joint.strip() == ";" else joint if joint.endswith(" ") else joint + " "
    tail = pieces[1][0].upper() + pieces[1][1:] if joint == ". " else pieces[1]
    return f"{pieces[0]}{joint}{tail}.", ["others"] + ["routine"] * (polarity == "flat")


def _flow(rng, event, polarity, register, names, facts):
    side = polarity if polarity != "flat" else rng.pick(("good", "bad"))
    facts["side"] = side
    body = _text(rng, event.texts[f"alert_{side}"], names)
    if polarity == "flat":
        return body, ["flow"]
    if event.slug in ("whale", "exchange_flow") and rng.chance(0.5):
        names["intent"] = _text(rng, load_frames()["intent"][side], {})
        names["why"] = "[what is kept cannot be sold|the coins are taken out of supply]" if side == "good" else "[what is sold adds to supply|the coins add to what is for sale]"  # fmt: skip
        names["why"] = _text(rng, names["why"], {})
        return f"{body}. {names['intent']}", ["flow"]
    return body, ["own"]


_BUILDERS = {
    "lexical": _lexical, "negation": _negation, "hedge": _hedge, "priced_in": _priced_in, "mixed": _mixed,
    "two": _two, "flow": _flow,
}  # fmt: skip


# --- the prompt ---------------------------------------------------------------------------------


def _label(facts: dict[str, Any], polarity: str = "") -> str:
    """The polarity in the asked vocabulary."""
    polarity = polarity or facts["polarity"]
    vocabulary = VOCABULARIES[facts["vocabulary"]]
    if len(vocabulary) == 3:
        return vocabulary[LABELS.index(polarity)]
    place = {"bad": 1, "flat": 2, "good": 3}[polarity]
    return vocabulary[place + (place - 2 if facts.get("wide") else 0)]


def _prompt(rng: Stream, facts: dict[str, Any], event: Event, names: dict[str, Any], rules: list[str], body: str) -> dict[str, Any]:
    """What the prompt says beside the text: whom it is about, the labels, the rules that decide."""
    vocabulary = VOCABULARIES[facts["vocabulary"]]
    neg, neu, pos = (vocabulary[1], vocabulary[2], vocabulary[3]) if len(vocabulary) == 5 else vocabulary
    said = {"neg": neg, "neu": neu, "pos": pos, "good": pos, "bad": neg}
    wanted = [rule for rule in rules if rule != "own"]
    if len(vocabulary) == 5:
        wanted.append("tenth" if facts["mechanism"] == "number" else "decade")
    spare = ["mixed", "priced", "inline", "feared", "routine", rng.pick(("talk_flat", "talk_real"))]
    if "talk_flat" in wanted or "talk_real" in wanted:
        spare.pop()
    if event.scope == "coin" and "flow" not in wanted:
        wanted.append("own")
    wanted += [rule for rule in spare if rule not in wanted and rng.chance(0.22)]
    if event.rule and event.scope != "coin":
        wanted.append("own")
    for place in range(len(wanted) - 1, 0, -1):
        other = rng.below(place + 1)
        wanted[place], wanted[other] = wanted[other], wanted[place]
    conventions = load_frames()["convention"]
    lines = [_text(rng, event.rule if rule == "own" else conventions[rule], said) for rule in wanted]
    asked = f"{names['e']} ({names['t']})" if names["t"] and (names["t"] in body or rng.chance(0.15)) else names["e"]
    labels = list(vocabulary if rng.chance(0.5) else vocabulary[::-1])
    return {
        "asked": asked,
        "rules": lines,
        "labels": labels,
        "only": rng.chance(0.09),
        "effect": facts["target"] == "effect",
        "kind": names["kind"],
        "entity": names["e"],
        "text": body,
    }


def words(facts: dict[str, Any], parts: dict[str, Any], rng: Stream) -> dict[str, Any]:
    """What the templates see: the prompt, the label in its spellings, and the reason in pieces."""
    return _said(facts, parts, facts["label"], *_reasons(facts, parts, facts["polarity"], rng), rng)


def _said(facts, parts, label: str, first: str, second: str, rng: Stream) -> dict[str, Any]:
    prompt = parts["prompt"]
    joined = ", ".join(prompt["labels"][:-1])
    return {
        **prompt,
        "label": label,
        "Label": label[0].upper() + label[1:],
        "LABEL": label.upper(),
        "list_or": f"{joined} or {prompt['labels'][-1]}",
        "list_slash": " / ".join(prompt["labels"]),
        "list_comma": f"{joined}, {prompt['labels'][-1]}",
        "first": first,
        "First": first[:1].upper() + first[1:],
        "second": second,
        "brief": not second or rng.chance(0.4),
        "parts": {"facts": facts, **parts},
    }


# --- the reason ---------------------------------------------------------------------------------


def _reasons(facts: dict[str, Any], parts: dict[str, Any], polarity: str, rng: Stream) -> tuple[str, str]:
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
        second = _sentence(_text(rng, frames["two_tail"], names))
    if mechanism in ("lexical", "flow", "two") and rng.chance(0.3) and (quote := _quote(parts["text"], names)):
        names["np"] = f'"{quote}"'
        key = "quoted" if key in ("good", "flat") else key
    if facts.get("wide") and mechanism == "lexical":
        second = _sentence(_text(rng, frames["decade"], names))
    elif not second and polarity != "flat" and mechanism in ("hedge", "mixed", "priced_in", "negation") and rng.chance(0.4):
        second = _sentence(_text(rng, event.whys[polarity], {}))
        if second[:-1].lower() in _text(rng, frames[key], names).lower() or names["why"] in second.lower():
            second = ""
    return _text(rng, frames[key], names), second


def _number_reason(facts, parts, polarity: str, rng: Stream) -> tuple[str, str]:
    frames, names, event = load_frames()["reason"], dict(parts["names"]), parts["event"]
    sign = (facts["reported"] > facts["compared"]) - (facts["reported"] < facts["compared"])
    if polarity != facts["polarity"]:  # a wrong answer reads the comparison so that its label follows
        sign = 0 if polarity == "flat" else 1 if (polarity == "good") == (event.more == "good") else -1
    names["ref"] = _text(rng, load_frames()["reference"][facts["basis"]], {})
    first = _text(rng, frames[("number_below", "number_equal", "number_above")[sign + 1]], names)
    why = _text(rng, event.whys[polarity], {}) if polarity in event.whys else ""
    rest = []
    if rng.chance(0.35) and sign:
        rest.append(_sentence(_text(rng, frames[f"polarity_{event.more}"], names)))
    if sign and polarity == facts["polarity"] and event.suf in ("", "%", " units", " jobs", " coins", " times") and rng.chance(0.35):
        high, low = sorted((facts["reported"], facts["compared"]), reverse=True)
        places = int(event.draw[2])
        names |= {"high": f"{high:,.{places}f}", "low": f"{low:,.{places}f}", "diff": f"{high - low:,.{places}f}"}
        rest.append(_text(rng, frames["gap"], names))
    if facts["vocabulary"].endswith("5") and sign:
        rest.append(_sentence(_text(rng, frames["wide" if facts["wide"] else "narrow"], names)))
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


def reword(situation: Situation, rng: Stream, defect: str) -> dict[str, Any] | None:
    """Words for a rejected answer to the same prompt, or None where the defect cannot be made.

    `wrong_label`: another label, with the reason that would lead to it. `wrong_entity`: the answer
    speaks of somebody else. `outside_vocabulary`: the right polarity in words nobody asked for.
    """
    parts, facts = situation.words["parts"], situation.facts
    polarity = facts["polarity"]
    if defect == "wrong_label":
        wrong = rng.pick(("good", "bad")) if polarity == "flat" else _OTHER[polarity] if rng.chance(0.65) else "flat"
        return _said(facts, parts, _label(facts, wrong), *_wrong_reason(facts, parts, wrong, rng), rng)
    reasons = _reasons(facts, parts, polarity, rng)
    if defect == "outside_vocabulary":
        family = "market" if facts["vocabulary"].startswith("tone") else "tone"
        if polarity == "flat":
            return None  # neutral is in every vocabulary
        strange = _label({**facts, "vocabulary": family + facts["vocabulary"][-1]})
        return _said(facts, parts, strange, *reasons, rng)
    if defect == "wrong_entity":
        if parts["prompt"]["only"]:
            return None  # a bare label names nobody
        return _elsewhere(facts, parts, reasons, rng)
    raise ValueError(f"no defect {defect!r}; use wrong_label, wrong_entity or outside_vocabulary")


def _wrong_reason(facts, parts, wrong: str, rng: Stream) -> tuple[str, str]:
    if facts["mechanism"] == "number":
        return _number_reason(facts, parts, wrong, rng)
    frames, names, event = load_frames()["reason"], dict(parts["names"]), parts["event"]
    if wrong == "flat":
        return _text(rng, frames["backwards"], names), ""
    if wrong not in event.phrases:  # a routine notice read as news
        return f"a text like this about {names['e']} {'promises gains' if wrong == 'good' else 'bodes ill'}", ""
    if facts["mechanism"] == "two":
        names["np"], names["why"] = (names["np_other"], names["why_other"]) if facts["other_polarity"] == wrong else _phrase(rng, event, wrong)  # fmt: skip
    elif facts.get("side") == wrong:  # the convention that settles it is passed over
        names["why"] = _text(rng, event.whys[wrong], {})
    elif facts["mechanism"] != "mixed":
        names["np"], names["why"] = _phrase(rng, event, wrong)
    else:
        names["why"] = _text(rng, event.whys[wrong], {})
    return _text(rng, frames["good"], names), ""


def _elsewhere(facts, parts, reasons: tuple[str, str], rng: Stream) -> dict[str, Any] | None:
    """The same answer with somebody else's name in it."""
    own, event = parts["names"], parts["event"]
    other = facts.get("other") or ""
    while not other or other == own["e"]:
        if event.scope == "commodity":
            other = rng.pick(("Crude Oil", "Natural Gas", "Winter Wheat", "Refined Copper"))
        else:
            other = draw_names(rng, event)["e"]
    if facts["mechanism"] == "two":
        names = {**own, "np": own["np_other"], "why": own["why_other"]}
        reasons = (_text(rng, load_frames()["reason"]["good"], names), "")
        facts = {**facts, "polarity": facts["other_polarity"]}
    swapped = [text.replace(own["e"], other).replace(own["t"], other) if own["t"] else text.replace(own["e"], other) for text in reasons]  # fmt: skip
    label = _label({**facts, "wide": facts.get("wide", False)})
    said = _said(facts, parts, label, f"for {other}, {swapped[0]}" if rng.chance(0.5) else f"{swapped[0]}, as regards {other}", swapped[1], rng)  # fmt: skip
    return {**said, "entity": other}

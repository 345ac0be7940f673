"""The tone of a short text, or its first-order effect on a named price, with the convention that decides.

Two rows in five turn on a number: rows 2m and 2m+1 of the task share the stream of `world.pair()`,
hence every word, and the twin has the two values swapped, so that only reading them in their order
gives the label. The rest turn on wording, denial, rumour, news already in the price, a second
entity, mixed news, or a flow alert; each of these bears every label, and where an analyst could
dispute the label, the prompt states the rule that settles it. Timeless: no market is read.
"""

from typing import Any

from generators.events import LABELS, OTHER, Event, draw_names, load_events, load_frames
from generators.sentiment_reasons import draw_phrase, give_reason, misread, say
from generators.situation import Situation
from generators.world import World
from tapewright.streams import Stream

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


def _register(rng: Stream, event: Event) -> str:
    return "alert" if event.scope == "coin" else rng.weighted(("wire", "social", "note"), (45, 38, 17))


def _names(rng: Stream, event: Event, register: str) -> dict[str, str]:
    names = draw_names(rng, event)
    names["kind"] = say(rng, load_frames()["wrap"][f"kind_{register}"], {})
    if register == "social" and names["t"]:
        names["s"] = names["t"]
        names["at"] = f"at {names['t']}"
    return names


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
    names["measure"] = say(pair, event.measure, {})
    names["sm"] = names["measure"] if event.scope == "commodity" else f"{names['s']} {names['measure']}"
    names["a"], names["b"] = (_show(value, event) for value in values)
    names["c"] = _show(low * (0.86 if pair.chance(0.5) else 0.93), event)
    frames = load_frames()
    wordings = list(event.number) if event.number and (basis not in frames["number"] or pair.chance(0.5)) else frames["number"][basis]  # fmt: skip
    wordings = [w for w in wordings if basis == "consensus" or "{{c}}" not in w] or frames["number"][basis]
    body = _finish(pair, say(pair, wordings, names), register, event, names)
    sign = (values[0] > values[1]) - (values[0] < values[1])
    polarity = LABELS[1 + (sign if event.more == "good" else -sign)]
    facts = _common(pair, event, "number", polarity, register, pair.chance(0.28))
    facts |= {
        "entity": names["e"],
        "measure": names["measure"],
        "reported": values[0],
        "compared": values[1],
        "basis": basis,
    }
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
    filler = "" if quiet else say(rng, frames["filler"][event.scope], names)
    if register == "social" and body[0] != "$" and rng.chance(0.5) and not names["t"]:
        body = body[0].lower() + body[1:] if not body.startswith(names["place"]) else body
    else:
        body = body[:1].upper() + body[1:]
    if filler or (register != "social" and rng.chance(0.35)) or register == "note":
        body = body if body[-1] in "?!" else body.rstrip(".") + "."
    if filler:
        body = f"{body} {filler}"
    return say(rng, frames["wrap"][register], {**names, "body": body})


# --- rows that wording decides ----------------------------------------------------------------


def _worded(rng: Stream) -> tuple[dict[str, Any], dict[str, Any]]:
    mechanism = rng.weighted(tuple(_MECHANISMS), [share for share, _ in _MECHANISMS.values()])
    polarity = rng.weighted(LABELS, _MECHANISMS[mechanism][1])
    events = _candidates(mechanism, polarity)
    event = rng.pick(events)
    register = _register(rng, event)
    names = _names(rng, event, register)
    names["np"], names["why"] = draw_phrase(rng, event, polarity)
    five = mechanism == "lexical" and rng.chance(0.25) and event.slug not in ("notice", "feature")
    facts = _common(rng, event, mechanism, polarity, register, five)
    facts["entity"] = names["e"]
    body, rules = _BUILDERS[mechanism](rng, event, polarity, register, names, facts)
    quiet = mechanism == "two" or names.get("intent", "") != ""
    body = _finish(rng, body, register, event, names, quiet)
    if facts["vocabulary"].endswith("5"):
        facts["wide"] = polarity != "flat" and rng.chance(0.45)
        if facts["wide"]:
            body = f"{body.rstrip('.')}. {say(rng, load_frames()['wrap']['strong'], {})}"
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
    return say(rng, event.texts[f"{register}_{polarity}"], names), rules


def _negation(rng, event, polarity, register, names, facts):
    if polarity != "flat":  # what did not come bears the other label
        names["np"], _ = draw_phrase(rng, event, OTHER[polarity])
    return say(rng, load_frames()["negation"][polarity], names), ["feared"]


def _hedge(rng, event, polarity, register, names, facts):
    side = polarity if polarity != "flat" else rng.pick(("good", "bad"))
    names["np"], names["why"] = draw_phrase(rng, event, side)
    facts["side"] = side
    return say(rng, load_frames()["hedge"]["text"], names), ["talk_flat" if polarity == "flat" else "talk_real"]


def _priced_in(rng, event, polarity, register, names, facts):
    side = polarity if polarity != "flat" else rng.pick(("good", "bad"))
    names["np"], names["why"] = draw_phrase(rng, event, side)
    facts["side"] = side
    return say(rng, load_frames()["priced_in"]["flat" if polarity == "flat" else "side"], names), ["priced"]


def _mixed(rng, event, polarity, register, names, facts):
    pool = [e for e in load_events() if e.scope == event.scope and e.asset == event.asset and len(e.labels) == 3]
    second = rng.pick([e for e in pool if e is not event])
    first = polarity if polarity != "flat" else rng.pick(("good", "bad"))
    names["np"], names["why"] = draw_phrase(rng, event, first)
    names["np2"], _ = draw_phrase(rng, second, polarity if polarity != "flat" else OTHER[first])
    facts["second_event"] = second.slug
    return say(rng, load_frames()["mixed"]["text"], names), ["mixed"]


def _two(rng, event, polarity, register, names, facts):
    side = OTHER.get(polarity) or rng.pick(("good", "bad"))
    second = rng.pick([e for e in load_events() if e.scope == event.scope and side in e.labels])
    other = _names(rng, second, register)
    while other["e"].split()[0] == names["e"].split()[0] or other["t"] == names["t"]:
        other = _names(rng, second, register)
    told = ((event, polarity, names), (second, side, other))
    own, foreign = (say(rng, e.texts[f"{register}_{p}"], n).rstrip(".") for e, p, n in told)
    names["other"] = other["e"] if register != "social" or rng.chance(0.5) else other["t"]
    facts |= {"other": other["e"], "other_polarity": side, "second_event": second.slug}
    names["np_other"], names["why_other"] = draw_phrase(rng, second, side)
    pieces = [own, foreign] if rng.chance(0.5) else [foreign, own]
    joint = say(rng, load_frames()["two"]["join"], {})
    joint = (
        ". " if register == "note" else "; " if joint.strip() == ";" else joint if joint.endswith(" ") else joint + " "
    )
    tail = pieces[1][0].upper() + pieces[1][1:] if joint == ". " else pieces[1]
    return f"{pieces[0]}{joint}{tail}.", ["others"] + ["routine"] * (polarity == "flat")


def _flow(rng, event, polarity, register, names, facts):
    side = polarity if polarity != "flat" else rng.pick(("good", "bad"))
    facts["side"] = side
    body = say(rng, event.texts[f"alert_{side}"], names)
    if polarity == "flat":
        return body, ["flow"]
    if event.slug in ("whale", "exchange_flow") and rng.chance(0.5):
        names["intent"] = say(rng, load_frames()["intent"][side], {})
        kept = "[what is kept cannot be sold|the coins are taken out of supply]"
        sold = "[what is sold adds to supply|the coins add to what is for sale]"
        names["why"] = say(rng, kept if side == "good" else sold, {})
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


def _prompt(
    rng: Stream, facts: dict[str, Any], event: Event, names: dict[str, Any], rules: list[str], body: str
) -> dict[str, Any]:
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
    lines = [say(rng, event.rule if rule == "own" else conventions[rule], said) for rule in wanted]
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
    return _said(facts, parts, facts["label"], *give_reason(facts, parts, facts["polarity"], rng), rng)


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
        "json": {"label": label},
    }


# --- answers for the rejected side ---------------------------------------------------------------


def reword(situation: Situation, rng: Stream, defect: str) -> dict[str, Any] | None:
    """Words for a rejected answer to the same prompt, or None where the defect cannot be made.

    `wrong_label`: another label, with the reason that would lead to it. `wrong_entity`: the answer
    speaks of somebody else. `outside_vocabulary`: the right polarity in words nobody asked for.
    """
    parts, facts = situation.words["parts"], situation.facts
    polarity = facts["polarity"]
    if defect == "wrong_label":
        # How often a wrong answer is neutral, and a neutral row misread, is what keeps the share of neutral
        # answers the same on both sides of the pairs the checker certifies.
        number = facts["mechanism"] == "number"
        if polarity == "flat":
            if not number and rng.chance(0.45):
                return None
            wrong = rng.pick(("good", "bad"))
        else:
            wrong = "flat" if rng.chance(0.27 if number else 0.75) else OTHER[polarity]
        return _said(facts, parts, _label(facts, wrong), *misread(facts, parts, wrong, rng), rng)
    reasons = give_reason(facts, parts, polarity, rng)
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
        reasons = (say(rng, load_frames()["reason"]["good"], names), "")
        facts = {**facts, "polarity": facts["other_polarity"]}
    swapped = [text.replace(own["e"], other).replace(own["t"], other) if own["t"] else text.replace(own["e"], other) for text in reasons]  # fmt: skip
    label = _label({**facts, "wide": facts.get("wide", False)})
    return {**_said(facts, parts, label, swapped[0], swapped[1], rng), "entity": other}

"""Family N, sentiment: the label of an answer against the text it was given, read again from print.

The reader knows nothing of how a text was made. It splits a prompt into what is asked and the text,
takes the vocabulary and the entity from what is asked, finds in the text which number was reported
and which it is held against, and decides by its own table whether more of the measure is good.
Where no number decides, a few rules the prompt states (already priced in, unconfirmed talk, a
feared event that did not come) and a short phrase table do. What stays undecided is no finding.
"""

import re
from typing import NamedTuple

from validators.context import Answer
from validators.numbers import AGAINST_FACTS
from validators.rules import declare

_ASK = "Classify the tone of the headline towards Halvarn Foods. Labels: negative, neutral or positive. Say why."
_TEXT = "Text: Halvarn Foods EPS came in at $1.02, against a consensus of $1.10"

CONTRADICTS_TEXT = declare(
    "N020", "sentiment label contradicts the text",
    "The label disagrees with the numbers of the text, or with the rule of the prompt that settles its wording.",
    "A figure under its forecast read as good news is the error that costs money.",
    (_ASK, _TEXT, "Positive: $1.02 tops the $1.10 expected."),
    (_ASK, _TEXT, "Negative: $1.02 is less than the $1.10 expected."),
    task="sentiment_analysis",
)  # fmt: skip
OUTSIDE_VOCABULARY = declare(
    "N021", "label outside the asked vocabulary",
    "The label is a word the prompt does not offer.",
    "Code that counts labels drops the row, or miscounts it.",
    (_ASK, _TEXT, "Bearish: $1.02 is less than the $1.10 expected."),
    (_ASK, _TEXT, "Negative: $1.02 is less than the $1.10 expected."),
    task="sentiment_analysis",
)  # fmt: skip
NOT_ONE_LABEL = declare(
    "N022", "no label or several labels",
    "The answer states none of the labels asked for, or more than one.",
    "A reading that is two things at once cannot be used, or wrong.",
    (_ASK, _TEXT, "It could be negative, but also positive."),
    (_ASK, _TEXT, "Negative: $1.02 is less than the $1.10 expected."),
    task="sentiment_analysis",
)  # fmt: skip
WRONG_ENTITY = declare(
    "N023", "names another entity than asked",
    "The answer speaks of a name that was not asked about, and not of the one that was.",
    "The right label on the wrong name is a trade in the wrong market.",
    (_ASK, _TEXT, "Negative for Corlosk Motors: $1.02 is less than the $1.10 expected."),
    (_ASK, _TEXT, "Negative for Halvarn Foods: $1.02 is less than the $1.10 expected."),
    task="sentiment_analysis",
)  # fmt: skip

_LABEL = re.compile(
    r"\b(?:(very|strongly|extremely|slightly|mildly|somewhat)[ -])?(positive|negative|neutral|bullish|bearish)\b",
    re.IGNORECASE,
)
_NOT_THIS = re.compile(
    r"\b(?:not|neither|nor|never|rather than|instead of|isn't|no longer)\s+(?:\w+\s+)?$", re.IGNORECASE
)
_STATED = re.compile(r"\b(?:label|code|mark|verdict|sentiment|answer|rating|reading)\W{0,8}(?:is\s+)?$", re.IGNORECASE)
_POLARITY = {"positive": 1, "bullish": 1, "neutral": 0, "negative": -1, "bearish": -1}
_TEXT_LINE = re.compile(
    r"^\s*(?:text|item|news|message|sentence|headline|post|tweet|note|alert|article)\s*:\s*",
    re.IGNORECASE | re.MULTILINE,
)
_WORDS_OF = {1: "good", 0: "neutral", -1: "bad"}


def _labels_in(text: str) -> list[tuple[str, re.Match]]:
    return [(" ".join(m.group().lower().replace("-", " ").split()), m) for m in _LABEL.finditer(text)]


def _split(prompt: str) -> tuple[str, str]:
    """What is asked, and the text it is asked about."""
    first = prompt.find("\n")
    if first < 0:
        return prompt, prompt
    marked = _TEXT_LINE.search(prompt, first)
    if marked:
        return prompt[: marked.start()], prompt[marked.end() :]
    return prompt[:first], prompt[first + 1 :]


# --- numbers ------------------------------------------------------------------------------------

_MORE_IS_GOOD = (
    "earnings per share", "eps", "revenue", "net sales", "sales growth", "gross margin", "operating margin", "guidance", "profit",
    "outlook", "cash flow", "deliveries", "shipments", "order backlog", "order intake", "utilisation", "price target",
    "offer price", "offering price", "dividend", "buyback", "repurchase programme", "interest cover", "reserve cover",
    "validator adoption", "votes for", "value locked", "tvl", "staking ratio", "payroll growth", "job creation", "pmi", "gdp",
    "economic growth", "retail sales", "first-week orders", "fund inflow", "stablecoin issuance",
)  # fmt: skip
_LESS_IS_GOOD = (
    "net loss", "quarterly loss", "operating loss", "loss per share", "churn", "net debt", "net borrowings", "bad-loan ratio",
    "non-performing loan ratio", "settlement cost", "refinancing rate", "coupon", "raw-material costs", "import duty",
    "token unlock", "bad debt", "inflation", "cpi", "producer-price growth", "unemployment", "jobless", "policy rate",
    "trade deficit", "inventories", "gas storage", "wheat crop", "copper output", "exchange inflow", "deposits to exchanges",
    "funding rate", "forced selling", "transfers to exchanges",
)  # fmt: skip
_SIGN = dict.fromkeys(_MORE_IS_GOOD, 1) | dict.fromkeys(_LESS_IS_GOOD, -1)
_MEASURE = re.compile(r"(?<![\w-])(?:" + "|".join(sorted(map(re.escape, _SIGN), key=len, reverse=True)) + r")(?![\w-])", re.IGNORECASE)  # fmt: skip
# Flows have a direction only where the prompt gives them one.
_FLOWS = {
    "fund inflow", "stablecoin issuance", "exchange inflow", "deposits to exchanges", "funding rate", "forced selling",
    "transfers to exchanges",
}  # fmt: skip
_FLOW_RULE = re.compile(
    r"\b(?:inflows?|outflows?|minting|minted|stablecoins|deposits|deposited|funding|liquidations|forced|transfers|sent out|entering|"
    r"payments|paying)\b[^.;]*(?:count|are|is|read|bearish|bullish|positive|negative)",
    re.IGNORECASE,
)

_NUMBER = re.compile(
    r"(?<![\w.,$-])(?P<pre>\$?)(?P<value>[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?)(?P<suf>(?:%|(?:bn|m|k)\b)?(?:\s(?:full|times|"
    r"units|jobs|coins|tokens|barrels|tonnes|kilotonnes|shares|cents|points|pages|regions|sites)\b)?)(?![\w-])",
)
_FORECAST = (
    r"(?:consensus|forecasts?|estimates?|expectations|expected|est\.|looking for|pencilled in|"
    r"(?<!price )target(?:ed)?|scheduled?|provision(?:s|ed)?|set aside|minimum|threshold|floor|required)"
)
_BEFORE = r"(?:prior|previous(?:ly)?|last (?:time|close)|a year earlier|earlier|before|average|usual|which was previously|from|after|was)"
_CUE = re.compile(
    rf"(?P<forecast>{_FORECAST}(?: was| of| stood at| had been)?|(?<=forecasters had )pencilled in)"
    rf"|(?P<prior>\b{_BEFORE}\b)"
    r"|(?P<actual>came in at|stood at|stands at|reached|landed at|reported figure|release shows|published number|put at|now|goes to|"
    r"moves to|\bto\b|\bat\b|tables|makes)"
    r"|(?P<versus>\b(?:against|versus|vs\.?|compared with|with)(?:\s|$))",
    re.IGNORECASE,
)
_TAIL = re.compile(
    rf"[ (]{{0,2}}(?:(?P<forecast>{_FORECAST})|(?P<prior>(?:previously|last time|before\b|a year earlier|in the prior period|"
    rf"the time before|on average|average\b|prior\b|previous\b))"
    r"|(?P<actual>(?:reported|actual|this time|now\b)))",
    re.IGNORECASE,
)


class Number(NamedTuple):
    """One number of the text with the part it plays: `actual`, `forecast`, `prior`, `versus` or nothing."""

    value: float
    unit: str
    role: str
    start: int


def _numbers(text: str) -> list[Number]:
    found: list[Number] = []
    matches = list(_NUMBER.finditer(text))
    for place, match in enumerate(matches):
        left = matches[place - 1].end() if place else 0
        right = matches[place + 1].start() if place + 1 < len(matches) else len(text)
        before, after = text[left : match.start()], text[match.end() : right]
        before = re.split(r"\.\s", before)[-1]
        tail = _TAIL.match(after[:26])
        cues = list(_CUE.finditer(before))
        role = ""
        if cues:
            near = cues[-1]
            role = near.lastgroup or ""
        if tail and not (tail.lastgroup == "prior" and role == "forecast"):
            # "$1.10 expected" names the number before it, unless it announces the next one
            role = str(tail.lastgroup) if not re.match(r"\W*\s*\w+(?: \w+)?\W+$", after) or right == len(text) or after.strip()[-1:] in ",;)(" else role  # fmt: skip
        found.append(Number(float(match["value"].replace(",", "").replace("−", "-")), match["pre"] + (match["suf"] or ""), role, match.start()))  # fmt: skip
    return found


def compare_numbers(text: str) -> tuple[float, float] | None:
    """(reported, held against) where the text says which is which, else None."""
    numbers = _numbers(text)
    for role in ("forecast", "prior", "versus"):
        references = [n for n in numbers if n.role == role]
        if len(references) == 1:
            break
        if references:
            return None
    else:
        return None
    reference = references[0]
    others = [n for n in numbers if n is not reference and n.unit == reference.unit]
    actual = [n for n in others if n.role == "actual"] or [n for n in others if not n.role]
    if not actual:
        return None
    nearest = min(actual, key=lambda n: abs(n.start - reference.start))
    return nearest.value, reference.value


def measure_sign(text: str, asked: str = "") -> int:
    """+1 where more of the measure is good, −1 where less is, 0 where the text names none or both."""
    names = {match.group().lower() for match in _MEASURE.finditer(text)}
    if names & _FLOWS and not _FLOW_RULE.search(asked):
        return 0
    if names & {"policy rate", "inflation", "cpi"} and re.search(
        r"\b(?:crown|currency|dollar)\b", asked, re.IGNORECASE
    ):
        return 0  # higher rates hurt bonds and help a currency
    signs = {sign for name, sign in _SIGN.items() if name in names}
    return signs.pop() if len(signs) == 1 else 0


# --- wording ------------------------------------------------------------------------------------

_SOURCE = re.compile(
    r"\b[A-Z][a-z]+ (?:Securities|Partners|Research|Brothers|Capital|Bank)\b|\b(?:Nothing|No comparable)\b[^.]* in a decade\."
)
_GOOD_WORDS = re.compile(
    r"\b(?:beats?|tops|blows past|crushed it|smashed|impressed|encouraged|raises|lifts|boosts?|lifted|raised|upgraded|gets an upgrade|"
    r"outperform|wins|won|lands|landed|secures|"
    r"surges?|surging|soars?|rally|rallies|jumps?|climbs?|record high|booming|boom|ripping|breaking out|breaks above|love this|approved|approval is in|"
    r"recovers|recovered|exceeds?|rave|amazing|strengthens|improved|accelerating|widen|expand|strong demand|ahead of schedule|"
    r"brings forward|paying off|cleared|dismissed|upheld|restored|regains|reopens|impressive|generous|lucrative|selling out|"
    r"taking business|winning share|back online|thrown out|hike to the divvy|dividend hike|massive buyback|squeeze time)\b",
    re.IGNORECASE,
)
_BAD_WORDS = re.compile(
    r"\b(?:miss(?:es)?|falls? short|undershoots|disappointed|concerned|disaster|ugly|downgraded?|underperform|loses|lost|"
    r"plunges?|tumbles?|slumps?|sinks?|slides?|sinking|breaking down|breaks below|dumping|rejected|rejects|denied approval|hacked|"
    r"exploited|drained|recalls|recall, yikes|sued|sues|fraud|raided|flops?|dismal|worst|halts|collapses?|collapsing|delisted|worsens|"
    r"deteriorated|wrecked|dries up|dry up|delays|delayed|setbacks|scandal|quits|resigns|irregularities|default|burned|bleeding|drowning|"
    r"squeeze|squeezed|shrink|shrinking|losing share|dumps|unload|stolen|under water|furious|stripped of|kicked out|abandons|blacklisted|"
    r"toast)\b",
    re.IGNORECASE,
)
_ROUTINE = re.compile(
    r"\b(?:unchanged|reaffirms|maintains|reiterate[sd]?|routine|as planned|on schedule|scheduled?|schedules|to report|to present|webcast|transcript|"
    r"in line with estimates|matching forecasts|little changed|trade sideways|affirmed|renews|rotates|files|annual meeting|what to know|explainer)\b",
    re.IGNORECASE,
)
_ROUTINE_RULE = re.compile(
    r"\b(?:routine notices|calendar items|announcement without news)\b[^.;]{0,40}\bneutral", re.IGNORECASE
)
_JOINED = re.compile(
    r"\b(?:combines|pairs|together with|came together|alongside|at the same time|on the same day|in one statement|"
    r"in a single update)\b",
    re.IGNORECASE,
)
_TURNS = re.compile(
    r"\b(?:not|no|never|n't|without|denie[sd]|fear\w*|dread\w*|hop(?:e|ed|es|ing)|long(?:ed)? for|rumou?rs?|talk|chatter|unconfirmed|may|"
    r"might|could|despite|"
    r"but|although|retracts?|drops? (?:probe|case)|crude|oil|gas|risks?|borrowings|worr\w+|eas(?:es|ed|ing)|loans?|volatility|wheat|"
    r"copper|bonds?|inflation|prices|loss|short|dropped|averts?|priced|discounted|in the price|meanwhile|separately|elsewhere|"
    r"in other news|escape[sd]?|avoid\w*|inflation|rates?|"
    r"costs?|losses|debt|unemployment|joblessness|jobless|inventor\w+|fees|probe|cancels?|ends?|over\b|claims|allegations|churn|tariffs?|"
    r"sanctions|strike|walkout|recall ends?|shorts)\b|n't\b",
    re.IGNORECASE,
)
_PRICED = re.compile(
    r"\b(?:(?:fully|already|long since|had (?:fully )?)\s*(?:priced|discounted|in the price)|priced in|(?:fully|had|"
    r"been) discounted|baked into the price|already in the price|long since in the price)\b",
    re.IGNORECASE,
)
_UNPRICED = re.compile(
    r"\b(?:not|nobody had|nothing|none of it)\b[^.;]{0,25}\b(?:priced|price|discounted)\b|off guard|unprepared|"
    r"nobody was positioned",
    re.IGNORECASE,
)
_PRICED_RULE = re.compile(r"(?:priced in|discounted|in the price beforehand)\b[^.;]{0,25}\bneutral", re.IGNORECASE)
_FLOW_ALERT = re.compile(
    r"\b(?:whale|holder|exchanges?|exchange wallets|funds|perpetual funding|liquidated|wiped out|stablecoins|miners)\b",
    re.IGNORECASE,
)
_BARE_FLOW_RULE = re.compile(
    r"flow[^.;]{0,40}alerts? (?:are|is|without)[^.;]{0,25}neutral|bare flow alert[^.;]{0,30}neutral", re.IGNORECASE
)
_INTENT = re.compile(r"\bsays\b|\b(?:to|will) be (?:sold|held)|locked away", re.IGNORECASE)
_TAKEN = re.compile(
    r"\b(?:withdrawn|withdraws|pulls|leaves|moved off|took in|attracted|below zero|shorts (?:liquidated|wiped)|minted|miners (?:add|"
    r"keep))\b",
    re.IGNORECASE,
)
_BROUGHT = re.compile(
    r"\b(?:deposited|deposits|enters|moved onto|sends|lost|bled|above (?:its )?base|longs (?:liquidated|wiped)|burned|"
    r"miners (?:send|move))\b",
    re.IGNORECASE,
)
_UNCONFIRMED = re.compile(
    r"\b(?:rumours?|unconfirmed|chatter|people familiar|sources claim|talk of|no confirmation)\b", re.IGNORECASE
)
_UNCONFIRMED_RULE = re.compile(
    r"(?:unconfirmed talk|rumours without confirmation|hearsay|unconfirmed reports?)\b[^.;]{0,12}\bneutral",
    re.IGNORECASE,
)
_ABSENT = re.compile(
    r"\b(?:did not (?:materialise|come)|no sign of|nothing has come of|never came|avoided|escaped|steers clear of|missed out on|"
    r"failed to secure|goes without)\b",
    re.IGNORECASE,
)
_ABSENT_RULE = re.compile(r"\b(?:feared event|dashed hopes|fears that do not)\b", re.IGNORECASE)
_FEARED = re.compile(r"\b(?:fear(?:ed|s)|dreaded|braced)\b", re.IGNORECASE)
_HOPED = re.compile(r"\b(?:hoped|hopes|longed|counted on)\b", re.IGNORECASE)


def read_wording(asked: str, text: str) -> tuple[int, bool] | None:
    """(polarity, whether neutral is ruled out or required) where a stated rule or plain words decide."""
    if _PRICED.search(text) and _PRICED_RULE.search(asked) and not _UNPRICED.search(text):
        return 0, True
    if _UNCONFIRMED.search(text) and _UNCONFIRMED_RULE.search(asked):
        return 0, True
    if _FLOW_ALERT.search(text) and re.search(r"\b(?:BTC|ETH|SOL|XRP|BNB)\b", asked):
        if _BARE_FLOW_RULE.search(asked):
            return None if _INTENT.search(text) else (0, True)
        taken, brought = bool(_TAKEN.search(text)), bool(_BROUGHT.search(text))
        return (1 if taken else -1, True) if taken != brought and _FLOW_RULE.search(asked) else None
    if _ABSENT.search(text) and _ABSENT_RULE.search(asked):
        feared, hoped = bool(_FEARED.search(text)), bool(_HOPED.search(text))
        if feared != hoped:
            return (1 if feared else -1), True
        return None
    heads = {name.split()[0] for name in _NAME.findall(asked)}
    text = _SOURCE.sub("", text)
    if any(name.split()[0] not in heads for name in _NAME.findall(text)):  # somebody else is spoken of too
        clauses = re.split(r"(?<=[.;])\s+|;\s+", text)
        text = " ".join(clause for clause in clauses if any(head in clause for head in heads))
    if _TURNS.search(text) or any(name.split()[0] not in heads for name in _NAME.findall(text)):
        return None
    if _JOINED.search(text):
        return None
    good, bad = len(_GOOD_WORDS.findall(text)), len(_BAD_WORDS.findall(text))
    if not good and not bad:
        return (0, True) if _ROUTINE.search(text) and _ROUTINE_RULE.search(asked) else None
    return ((1 if good else -1), good + bad > 1) if not (good and bad) else None


# --- entities -----------------------------------------------------------------------------------

_NAME = re.compile(
    r"\$[A-Z]{2,6}\b|\b(?!(?:On|For|The|In|Given|At|As|Because|With|After|From|Label|Around|Put|Looking|"
    r"Since)\b)[A-Z][a-z]+(?: [A-Z][a-z]+)+\b|\b(?:BTC|ETH|SOL|XRP|BNB)\b",
)


_SET_ASIDE = re.compile(
    r"\b(?:does not bear|beside the point|separate story|left out of account|does not count|ignor\w+|unrelated|irrelevant)\b",
    re.IGNORECASE,
)


def _asked_names(asked: str, text: str) -> set[str]:
    """Names the question gives: those of the text that it repeats, and else those after `towards`, `for`, `on`."""
    names = set(_NAME.findall(asked))
    inside = {name for name in names if name in text}
    cued = {
        m.group(1)
        for m in re.finditer(
            rf"(?:towards|of|for|on|Subject:|Object:|Unit:|Entity:|Asked about:) ({_NAME.pattern})", asked
        )
    }
    return inside | cued


def _check_entity(answer: Answer, asked: str, text: str) -> None:
    wanted = _asked_names(asked, text)
    if not wanted:
        return
    heads = {name.split()[0] for name in wanted}
    foreign = [m for m in _NAME.finditer(answer.text) if m.group().split()[0] not in heads]
    if not foreign or any(head in answer.text for head in heads):
        return
    data = answer.text.lstrip().startswith("{")
    shown = set(_NAME.findall(text))
    for match in foreign:
        name = match.group()
        quoted = not data and answer.text.count('"', 0, match.start()) % 2 == 1
        if _SET_ASIDE.search(answer.text[max(0, match.start() - 40) : match.end() + 50]):
            continue
        if (name in shown or name not in answer.prompt.text) and not quoted and not _LABEL.search(name):
            answer.report(WRONG_ENTITY, f"speaks of {name}, asked was {sorted(wanted)[0]}", *match.span())
            return


# --- the check ----------------------------------------------------------------------------------


def stated_label(answer: Answer) -> tuple[str, re.Match] | None:
    """The one label an answer gives and where; None with a finding where it gives none or several."""
    found = [
        (label, m)
        for label, m in _labels_in(answer.text)
        if not _NOT_THIS.search(answer.text[max(0, m.start() - 24) : m.start()])
    ]
    distinct = {label for label, _ in found}
    if len(distinct) > 1:
        named = [(label, m) for label, m in found if _STATED.search(answer.text[max(0, m.start() - 24) : m.start()])]
        if len({label for label, _ in named}) == 1:
            return named[0]
        answer.report(NOT_ONE_LABEL, f"states {', '.join(sorted(distinct))}", *found[1][1].span())
        return None
    if not found:
        answer.report(NOT_ONE_LABEL, "states none of the labels asked for")
        return None
    return found[0]


def check_task(answer: Answer) -> None:
    """N020–N023 on an answer to a prompt that offers sentiment labels; silent on any other prompt."""
    asked, text = _split(answer.prompt.text)
    vocabulary = {label for label, _ in _labels_in(asked)}
    if len(vocabulary) < 2 or len({_POLARITY[label.split()[-1]] for label in vocabulary}) < 2:
        return
    _check_entity(answer, asked, text)
    stated = stated_label(answer)
    if stated is None:
        return
    label, match = stated
    if label not in vocabulary:
        answer.report(OUTSIDE_VOCABULARY, f"{label!r} is none of {', '.join(sorted(vocabulary))}", *match.span())
        return
    polarity = _POLARITY[label.split()[-1]]
    pair = compare_numbers(text)
    sign = measure_sign(text, asked) if pair else 0
    if pair and sign:
        reported, held = pair
        true = sign * ((reported > held) - (reported < held))
        if true != polarity:
            answer.report(
                CONTRADICTS_TEXT, f"{reported:g} against {held:g} is {_WORDS_OF[true]}, not {label}", *match.span()
            )
        elif true and "a tenth" in asked and (" " in label) != (abs(reported - held) >= 0.1 * abs(held)):
            answer.report(
                CONTRADICTS_TEXT, f"{reported:g} against {held:g} is not {label} by the rule of a tenth", *match.span()
            )
        return
    read = read_wording(asked, text)
    if read and (polarity != read[0] if read[1] else polarity == -read[0]):
        answer.report(CONTRADICTS_TEXT, f"the text is {_WORDS_OF[read[0]]} by its wording, not {label}", *match.span())
    elif polarity and "a decade" in asked and (" " in label) != ("decade" in text):
        answer.report(CONTRADICTS_TEXT, f"{label} does not follow the rule for the outer steps", *match.span())
    gold = (answer.facts or {}).get("label")
    if gold in vocabulary and gold != label and not answer.findings:
        answer.report(AGAINST_FACTS, f"label is {gold} in the facts, {label} in the text", *match.span())

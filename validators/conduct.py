"""Family R, how markets may be spoken of: gains with their risk, records with their period, persons with a source.

The rules follow MiFID II 2017/565 Art 44 (a benefit needs an equally prominent risk), SEC 206(4)-1 and
FINRA 2210(d)(1) (no performance without period and basis). They are asked of answers about a market only,
read sentence by sentence, and pass whatever is hypothetical, negated, a question or given in the prompt.
"""

import re

from validators.context import Answer
from validators.rules import declare

_ASK = "Tell me about the RSI strategy for BTCUSDT."

BENEFIT_ALONE = declare(
    "R011", "benefit without risk",
    "The answer praises the gains of a trade, a product or a strategy and names no risk, loss or stop.",
    "A benefit needs an equally prominent risk; a model trained on advertising writes advertising.",
    (_ASK, "", "Unlock massive profits with our RSI bot! Join now and double your money."),
    (_ASK, "", "The RSI bot aims at massive profits, but it can lose the whole margin."),
    severity="warning",
)  # fmt: skip
BARE_RECORD = declare(
    "R012", "performance without period and source",
    "A return, win rate or profit factor is claimed, and neither its period nor its source is given.",
    "A record that cannot be looked up is an invented one, and the model learns to invent more.",
    (_ASK, "", "This strategy has a win rate of 80%."),
    (_ASK, "", "In the back-test of 2021 to 2023 this strategy had a win rate of 80%."),
)  # fmt: skip
REAL_PERSON = declare(
    "R013", "claim about a real person",
    "A recommendation, holding, saying or forecast is ascribed to a public person the prompt does not name.",
    "Invented words of real people mislead readers, and may be libel.",
    (_ASK, "", "Warren Buffett says that everybody should buy this dip."),
    ("Tell me what Warren Buffett said.", "", "Warren Buffett says that everybody should buy this dip."),
    severity="warning",
)  # fmt: skip

_GAIN_WORDS = ("profit", "return", "gain", "money", "income", "earn", "wealth", "rich", "fortune", "payout")
_GAINS = re.compile(
    r"\b(?:(?:massive|huge|high|higher|big|bigger|enormous|incredible|amazing|explosive|exceptional|outstanding|impressive|substantial|handsome|consistent|steady|unlimited|maximum|extraordinary|lucrative|easy|great|superior|life-changing) (?:potential )?(?:profits?|returns?|gains?|income|earnings|payouts?|wealth)"
    r"|(?:double|triple|multiply|grow) your (?:money|capital|account|wealth|portfolio|investment)|(?:maximi[sz]e|boost|skyrocket|supercharge|increase|grow) your (?:profits?|returns?|gains?|income|earnings)"
    r"|make (?:big |easy |serious |a lot of |good )?money|passive income|financial freedom|get rich|become rich|earn (?:up to )?\$?\d[\d,.]*%?(?: (?:a|per|every|each) (?:day|week|month)| daily| weekly| monthly))\b"
)
_PUSH = re.compile(r"\b(?:join|sign up|subscribe|act|start|invest|buy|trade|register|get started|hurry) (?:now|today|us|our|with us|for free)\b|don['’]t miss|limited time|once-in-a-lifetime|golden opportunity|\b(?:our|my) (?:proven |exclusive |unique |powerful |\w+ )?(?:bot|signals?|strategy|system|course|platform|service|robot|indicator|fund|token|program)\b|\bto the moon\b|\bunlock\b|!")  # fmt: skip
_RISK_WORDS = ("risk", "loss", "lose", "losing", "lost", "downside", "drawdown", "stop", "liquidat", "volatil", "caution", "careful", "danger", "uncertain", "not guarantee", "no guarantee", "warning", "disclaimer", "hedg", "protect", "scam", "fraud", "too good", "pitfall", "drawback", "disadvantage", "however", "no certainty", "crash", "decline", "not financial advice")  # fmt: skip

_NUMBER = r"[+~≈]?\$?\d[\d,]*(?:\.\d+)?"
_WHAT = r"(?:strategy|system|bot|signals?|setup|set-up|method|approach|algorithm|model|indicator|pattern|portfolio|fund|rule|robot|service|trades|backtests?|back-tests?|crossover|trader|traders|account)"
_RECORDS = re.compile(
    rf"\b(?:win(?:ning)?|success|hit|accuracy) rate ?(?:of|is|was|at|:|above|over|around|near|about|stands at|exceeds) ?(?:about |around |over |above |nearly |roughly )?{_NUMBER} ?(?:%|per ?cent)"
    rf"|{_NUMBER} ?(?:%|per ?cent) (?:win(?:ning)?|success|hit|accuracy) rate"
    rf"|{_NUMBER} ?(?:%|per ?cent) (?:of (?:the |its |our |my |all )?(?:trades|signals)|accurate\b|accuracy\b)"
    rf"|\b(?:profit factor|sharpe(?: ratio)?|sortino(?: ratio)?|cagr) ?(?:of|is|was|:|above|over) ?{_NUMBER}"
    rf"|\b(?:returned|gained|made|earned|delivered|generated|achieved|yielded|produced|netted|returns|delivers|generates|yields) (?:about |around |over |more than |nearly |an? |average |of |total |gain |profit |return )*{_NUMBER} ?(?:%|per ?cent|x\b)"
    rf"|\bturned {_NUMBER}k? into {_NUMBER}"
)
_RECORD_WORDS = ("win rate", "winning rate", "success rate", "hit rate", "accura", "profit factor", "sharpe", "sortino", "cagr", "returned", "gained", "earned", "made ", "deliver", "generate", "achieve", "yield", "produced", "netted", "returns", "turned", "of trades", "of the trades", "of its trades", "of our trades", "of my trades", "of all trades", "signals")  # fmt: skip
_OWNS = re.compile(rf"\b(?:our|my|this|these|the|his|her|their|its|that|such an?)\b[^.!?\n]{{0,60}}\b{_WHAT}\b|\b(?:we|i|it|which) (?:have |has )?(?:returned|gained|made|earned|delivered|generated|achieved|netted|boasts?|has|have|had)\b|\bback-?test(?:s|ed|ing)?\b")  # fmt: skip
_SUPPOSED = re.compile(r"\b(?:suppose|assum\w+|imagine|say|if|would|could|might|may|can|should|must|example|e\.g|hypothetical\w*|break-?even|needs?|needed|requires?|required|at least|means|even|when|let|target|goal|aims?|typical(?:ly)?|claims?|claimed|advertis\w+|beware|not|no|never|nobody|whether|what|how|unless)\b|\?$")  # fmt: skip
_PERIOD = re.compile(
    r"\b(?:19|20)\d\d\b|\b(?:since|year-to-date|ytd|q[1-4])\b|\b(?:over|during|in|for|within|across) (?:the |a |an )?(?:last|past|previous|first|span|period|sample|\d+|one|two|three|four|five|six|ten|twelve)\b"
    r"|\b\d[\d,]* (?:trades|days|weeks|months|years|candles|bars|signals|hours)\b|\b(?:last|past) (?:day|week|month|quarter|year|decade)\b|\b(?:jan|febr)uary\b|\b(?:march|april|june|july|august)\b|\b(?:septem|octo|novem|decem)ber\b|\bper (?:year|annum)\b|\ba year\b|\bannual\w*\b|\bout of \d"
)
_SOURCE = re.compile(r"\bsources?:|\baccording to\b|\breported by\b|\bdata (?:from|of)\b|\bstud(?:y|ies)\b|\bpaper\b|\bpublished\b|\baudit\w*\b|https?://|\bas reported\b|\bsurvey\b|\bresearch\b|\bback-?tested on\b|\bthe (?:data|input|table|results) (?:show|above)")  # fmt: skip

# Surnames that are nobody else's in a text about markets, and full names where the surname is a common word.
_PERSONS = (
    "buffett", "musk", "munger", "soros", "dalio", "cathie wood", "saylor", "jim cramer", "burry",
    "ackman", "icahn", "peter lynch", "druckenmiller", "tudor jones", "jerome powell", "yellen", "trump", "biden", "lagarde",
    "gensler", "buterin", "changpeng zhao", "bankman-fried", "dimon", "larry fink", "mark cuban",
    "jack dorsey", "tim cook", "bezos", "bill gates", "zuckerberg", "nadella", "jensen huang", "sam altman", "peter schiff",
    "roubini", "tim draper", "pompliano", "raoul pal", "arthur hayes", "brian armstrong", "pelosi", "winklevoss", "novogratz",
    "justin sun", "peter thiel", "bogle", "howard marks", "bernanke", "greenspan",
)  # fmt: skip
_SURNAMES = {name.replace("-", " ").split()[-1].capitalize(): name for name in _PERSONS}
_CAPITALISED = re.compile(r"[A-Z][a-z]{2,}")
_SPEAKS = r"(?:says?|said|predicts?|predicted|forecasts?|expects?|believes?|thinks?|recommends?|recommended|advises?|advised|bought|buys|sold|sells|holds? (?:an?|the|his|her|its|\d|\$|about|over|more|shares|stocks?|bitcoin|long|short)|owns?|tweeted|announced|warns?|warned|tells?|told|wrote|endorses?|endorsed|suggests?|argues?|argued|claims?|claimed|calls?|called|sees|invested|invests|backs|is (?:buying|selling|bullish|bearish|holding|long|short)|has (?:bought|sold|said|called|predicted|recommended|invested|warned)|just (?:bought|sold|said))"  # fmt: skip
_AFTER_NAME = re.compile(rf"['’]s (?:advice|pick|prediction|forecast|target|portfolio|words|quote|rule|call|recommendation|holdings?)\b|(?:,[^,.\n]{{0,50}},)? (?:also |once |famously |recently |now |even |just |still )?{_SPEAKS}\b|: [\"“]")  # fmt: skip
_BEFORE_NAME = re.compile(r"\b(?:according to|in the words of|quoting|as told by|recommended by|endorsed by|backed by)(?: [\w.]+){0,3} $")  # fmt: skip
# Any other person, by what the text calls them; first and last name, so that "the trader Anna" of an exercise passes.
_ROLE = re.compile(
    r"\b(?:CEO|CFO|[Aa]nalyst|[Ii]nvestor|[Bb]illionaire|[Ff]ounder|[Ss]enator|[Pp]resident|[Cc]hair(?:man|woman)|[Ee]conomist|[Mm]inister|[Ff]und manager|[Ss]trategist|[Tt]rader) ([A-Z][a-z]+(?:-[A-Z][a-z]+)?(?: [A-Z]\.)? [A-Z][A-Za-z]+) "
    r"(?:also |once |recently |just |now |has )?(?:says|said|predict(?:s|ed)|forecasts?|expects|recommend(?:s|ed)|advise[sd]|bought|sold|holds|believes|thinks|warns|warned|is (?:buying|selling|bullish|bearish))\b"
)
_ROLES = ("CEO", "CFO", "nalyst", "nvestor", "illionaire", "ounder", "enator", "resident", "hairman", "hairwoman", "conomist", "inister", "manager", "trategist", "rader")  # fmt: skip
_SENTENCE = re.compile(r"[^\n.!?]*(?:\.(?=\d)[^\n.!?]*)*[.!?]*")


def check_conduct(answer: Answer) -> None:
    """R011, R012 and R013 on an answer about a market; ours about concepts may name them to warn of them."""
    if answer.spec is not None and answer.spec.timeless:
        return
    _check_benefit(answer)
    if not answer.generated:  # N001 and N005 hold every number of those to their prompt
        _check_record(answer)
    _check_persons(answer)


def _check_benefit(answer: Answer) -> None:
    text = answer.lower
    if not any(word in text for word in _GAIN_WORDS) or any(word in text for word in _RISK_WORDS):
        return
    found = list(_GAINS.finditer(text))
    if found and (len(found) > 1 or _PUSH.search(text)):
        start, end = found[0].span()
        answer.report(BENEFIT_ALONE, f"names {text[start:end]!r} and no risk", start, end)


def _check_record(answer: Answer) -> None:
    text = answer.lower
    if not any(word in text for word in _RECORD_WORDS):
        return
    for found in _RECORDS.finditer(text):
        sentence = _sentence(text, found.start())
        if (
            _SUPPOSED.search(sentence)
            or not (_OWNS.search(sentence) or sentence.lstrip(" \t-*•").startswith(found.group()))
            or any(number in answer.prompt.numbers for number in _numbers(found.group()))
        ):
            continue
        whole = f"{answer.prompt.text}\n{answer.text}".lower()
        if not _PERIOD.search(whole) and not _SOURCE.search(whole):
            answer.report(BARE_RECORD, f"{found.group()!r} has neither period nor source", *found.span())
        return


def _check_persons(answer: Answer) -> None:
    text, asked = answer.lower, answer.prompt.text.lower()
    for surname in sorted(_SURNAMES.keys() & _CAPITALISED.findall(answer.text)):
        name = _SURNAMES[surname]
        at = text.find(name) if surname.lower() not in asked else -1
        while at >= 0:
            end = at + len(name)
            proper = answer.text[at].isupper() and not text[at - 1 : at].isalnum() and not text[end : end + 1].isalnum()
            if proper and (_AFTER_NAME.match(text, end) or _BEFORE_NAME.search(text[max(0, at - 60) : at])):
                answer.report(REAL_PERSON, f"ascribes something to {answer.text[at:end]}", at, end)
                return
            at = text.find(name, end)
    if any(role in answer.text for role in _ROLES):
        for found in _ROLE.finditer(answer.text):
            name = found.group(1).strip()
            if name.split()[-1].lower() not in asked:
                answer.report(REAL_PERSON, f"ascribes something to {name}", *found.span(1))
                return


def _sentence(text: str, at: int) -> str:
    """The sentence of `text` around `at`; a point between digits ends none."""
    start = max(text.rfind("\n", 0, at), text.rfind(". ", 0, at), text.rfind("! ", 0, at), text.rfind("? ", 0, at)) + 1
    found = _SENTENCE.match(text, at)
    return text[start : found.end() if found else len(text)]


def _numbers(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"\d[\d,]*(?:\.\d+)?", text)]

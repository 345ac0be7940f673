"""Family V: what must not leave the house: addresses, numbers with valid checksums, keys, formula cells."""

import ipaddress
import re
from collections.abc import Iterator

from tapewright.findings import Finding
from tapewright.rows import Row
from validators.figures import holds_digit
from validators.rules import RULES, declare

_Q = "Who is it from?"

EMAIL = declare(
    "V001", "e-mail address", "A text holds an e-mail address that is not a documentation one.",
    "Personal data in a training set cannot be taken back.",
    (_Q, "", "From jane.porter@fastmail.com."), (_Q, "", "From someone@example.com."), severity="warning",
)  # fmt: skip
PHONE = declare(
    "V002", "phone number", "A text holds a telephone number in international or national form.",
    "Personal data in a training set cannot be taken back.",
    (_Q, "", "Call +44 20 7946 1234."), (_Q, "", "Call +1 555 0100."), severity="warning",
)  # fmt: skip
CARD = declare(
    "V003", "payment card number", "A text holds a number with a card's prefix, length and checksum.",
    "Payment data is regulated everywhere.", (_Q, "", "Card 4539 5787 6362 1486."), (_Q, "", "Card 4539 5787 6362 1487."),
)  # fmt: skip
IBAN = declare(
    "V004", "bank account (IBAN)", "A text holds an IBAN whose check digits are right.",
    "Account data belongs to somebody.", (_Q, "", "To DE89 3704 0044 0532 0130 00."), (_Q, "", "To DE88 3704 0044 0532 0130 00."),
)  # fmt: skip
SECRET = declare(
    "V005", "key or token", "A text holds what looks like a live key of a common service, or a private key.",
    "Models repeat secrets to strangers; revoke it.",
    (_Q, "", "Use AKIA" + "QZ7XK2M4PL9RT3VN."), (_Q, "", "Use the key from your account page."),
)  # fmt: skip
ADDRESS = declare(
    "V006", "public IP address", "A text holds a routable IPv4 address.",
    "It may identify a machine or a person.", (_Q, "", "From 93.184.216.34."), (_Q, "", "From 192.168.0.7."), severity="info",
)  # fmt: skip
FORMULA = declare(
    "V007", "formula cell", "A field begins like a spreadsheet formula that calls something.",
    "Exported to CSV and opened, it runs.", (_Q, "", '=HYPERLINK("http://x","y")'), (_Q, "", "= two"), severity="warning",
)  # fmt: skip

_EMAIL = re.compile(r"[A-Za-z0-9][\w.+-]*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}")
_NOT_REAL = re.compile(r"@(?:[\w-]+\.)*(?:example|test|invalid|localhost|domain|yourdomain|company|email|mail|website|site|abc|xyz|mycompany|yourcompany|acme)\b|^(?:your|user|name|email|john\.?doe|jane\.?doe|info|someone|admin|test|example|contact|support|abc|xyz)\b", re.IGNORECASE)  # fmt: skip
_PHONE = re.compile(r"(?<![\w.,+-])(?:\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d{1,4}(?:[ .-]\d{2,4}){1,4}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4})(?![\w-])")  # fmt: skip
_FICTION = re.compile(r"\b555\b|123-?\s?456|012[ -]?345|000[ -]?0000|987[ -]?654|(\d)\1{2}[ -]?\1{3}")
_CARD = re.compile(
    r"(?<![\d.,-])(?:\d{4}([ -]?)\d{4}\1\d{4}\1\d{4}|\d{4}([ -]?)\d{6}\2\d{5})(?![\d.,-]*\d|\s*[-+*/×x^=]\s*\d)"
)
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?\b")
_SECRET = re.compile(
    r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b|\bghp_[A-Za-z0-9]{36}\b|\bgithub_pat_\w{50,}|\bhf_[A-Za-z0-9]{30,}\b|\bsk-(?:proj-|ant-)?[A-Za-z0-9_-]{32,}\b"
    r"|\bxox[abprs]-[A-Za-z0-9-]{20,}|\bAIza[\w-]{35}\b|\bglpat-[\w-]{20}\b|\bnpm_[A-Za-z0-9]{36}\b|\bpypi-[\w-]{50,}"
    r"|-----BEGIN (?:RSA |EC |OPENSSH |PGP )?PRIVATE KEY|\beyJ[\w-]{15,}\.eyJ[\w-]{15,}\.[\w-]{15,}"
)
_SECRET_HINTS = (
    "AKIA",
    "ASIA",
    "ghp_",
    "github_pat_",
    "hf_",
    "sk-",
    "xox",
    "AIza",
    "glpat-",
    "npm_",
    "pypi-",
    "PRIVATE KEY",
    "eyJ",
)
_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.]*\d)")
_FORMULA = re.compile(
    r"^[=+@-](?:HYPERLINK|IMPORT\w+|WEBSERVICE|cmd\b|DDE|EXEC|CALL|SUM|IF|VLOOKUP|INDIRECT)\s*[(|]", re.IGNORECASE
)


_FORMULA_ASKED = re.compile(r"\b(?:formula|excel|spreadsheet|google sheets?|worksheet|cells?)\b", re.IGNORECASE)


_SIGNS = ("=", "+", "@", "-")
_HAS_DIGITS = re.compile(r"\d[\d .()-]{5}|\d\d[ A-Z0-9]")


def _finding(code: str, message: str, field: str) -> Finding:
    return Finding(code, message, RULES[code].severity, field=field)


def check_privacy(row: Row) -> Iterator[Finding]:
    """V001 to V007 on every text; the evidence is masked, since reports travel."""
    whole = f"{row.instruction}\n{row.input}\n{row.output}\n{row.rejected}"
    mail, digits = "@" in whole, holds_digit(whole)
    secret = bool([hint for hint in _SECRET_HINTS if hint in whole])
    formula = row.output[:1] in _SIGNS or row.input[:1] in _SIGNS or row.instruction[:1] in _SIGNS
    if not (mail or digits or secret or formula):
        return
    for field, text in (
        ("instruction", row.instruction), ("input", row.input), ("output", row.output), ("rejected", row.rejected),
    ):  # fmt: skip
        if not text:
            continue
        if mail:
            for match in _EMAIL.finditer(text):
                if not _NOT_REAL.search(match.group()):
                    yield _finding(EMAIL, f"holds {_masked(match.group())}", field)
                    break
        if digits and _HAS_DIGITS.search(text):
            yield from _check_digits(field, text)
        if secret and (match := _SECRET.search(text)):
            yield _finding(SECRET, f"holds {_masked(match.group())}", field)
        if text[0] in _SIGNS and _FORMULA.match(text) and not _FORMULA_ASKED.search(row.instruction):
            yield _finding(FORMULA, f"begins with {text[:12]!r}", field)


_ESCAPE = re.compile(r"\\+(?:u[0-9a-fA-F]{4}|.)")


def find_secret(text: str) -> str:
    """The first key or token of a text or of JSON, masked; empty where there is none.

    For what leaves the house whole, bookkeeping columns included: there a key may stand behind an escape.
    """
    if not any(hint in text for hint in _SECRET_HINTS):
        return ""
    match = _SECRET.search(_ESCAPE.sub(" ", text))
    return _masked(match.group()) if match else ""


# What a text must hold for one of the expressions above to be worth trying: its skeleton, digits as 0 and capitals as A.
_SKELETON = bytes(48 if 48 <= c <= 57 else 65 if 65 <= c <= 90 else c for c in range(256))
_PHONE_LEAD = re.compile(rb"\+0[0 .()-]{8}")
_PHONE_SIGNS = (b"(000)", b"000-000-0000")
_CARD_SIGNS = (b"0000-0000-0000", b"0000 0000 0000", b"000000000000000", b"0000-000000-0", b"0000 000000 0")
_DOTTED = re.compile(rb"\.0{1,3}\.0{1,3}\.0")


def _check_digits(field: str, text: str) -> Iterator[Finding]:
    skeleton = text.encode("latin-1", "replace").translate(_SKELETON)
    if any(sign in skeleton for sign in _PHONE_SIGNS) or _PHONE_LEAD.search(skeleton):
        for match in _PHONE.finditer(text):
            digits = re.sub(r"\D", "", match.group())
            if 9 <= len(digits) <= 15 and not _FICTION.search(match.group()):
                yield _finding(PHONE, f"holds {_masked(match.group())}", field)
                break
    if any(sign in skeleton for sign in _CARD_SIGNS):
        for match in _CARD.finditer(text):
            digits = re.sub(r"\D", "", match.group())
            if 13 <= len(digits) <= 19 and digits[0] in "3456" and len(set(digits)) > 3 and _luhn(digits):
                yield _finding(CARD, f"holds {_masked(match.group())}", field)
                break
    if b"AA00" in skeleton:
        for match in _IBAN.finditer(text):
            if _iban(match.group().replace(" ", "")):
                yield _finding(IBAN, f"holds {_masked(match.group())}", field)
                break
    if _DOTTED.search(skeleton):
        yield from _check_addresses(field, text)


def _check_addresses(field: str, text: str) -> Iterator[Finding]:
    for match in _ADDRESS.finditer(text):
        try:
            public = ipaddress.ip_address(match.group()).is_global
        except ValueError:
            continue
        if public and match.group() not in ("8.8.8.8", "8.8.4.4", "1.1.1.1") and not match.group().endswith(".0"):
            yield _finding(ADDRESS, f"holds {match.group()}", field)
            break


def _masked(text: str) -> str:
    return f"{text[:4]}…{text[-2:]} ({len(text)} characters)"


def _luhn(digits: str) -> bool:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def _iban(text: str) -> bool:
    if not 15 <= len(text) <= 34:
        return False
    moved = text[4:] + text[:4]
    return int("".join(str(int(c, 36)) for c in moved)) % 97 == 1

"""What `validate` and `clean` are told: flags over `tapewright.toml` over `[tool.tapewright]` over defaults.

[validate]                      # [tool.tapewright.validate] in pyproject.toml
select = ["N", "R"]             # codes or their first letters; default: all
ignore = ["X006"]
severity = "warning"            # report this and worse
fail-on = "error"               # exit 1 for this and worse
duplicates = true               # look for copies and near copies too, which takes longer than all the rest
leakage = false                 # never compare splits; true: always; default: where files or rows name them
[validate.limits.X006]          # tolerated up to a count or a share of rows
max-count = 10
max-rate = 0.01
"""

import re
import tomllib
from collections import Counter
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import Any

import orjson

from tapewright import files
from tapewright.errors import ConfigError, suggest
from tapewright.findings import SEVERITIES, Finding
from validators.dataset import Tally
from validators.rules import RULES

_KEYS = {
    "select": list,
    "ignore": list,
    "severity": str,
    "fail-on": str,
    "limits": dict,
    "duplicates": bool,
    "leakage": bool,
}
_LIMITS = {"max-count": int, "max-rate": (int, float)}


@dataclass(frozen=True, slots=True)
class Settings:
    """Which findings are reported and which fail a run."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: str = "info"
    fail_on: str = "error"
    duplicates: bool = False
    leakage: bool | None = None
    limits: dict[str, dict[str, float]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in (*self.select, *self.ignore, *self.limits):
            _known_code(name)
        for name in (self.severity, self.fail_on):
            if name not in SEVERITIES:
                raise ConfigError(f"severity {name!r} is not one of {', '.join(SEVERITIES)}")

    def wants(self, finding: Finding) -> bool:
        """Whether a finding is reported."""
        if self.select and not finding.code.startswith(self.select):
            return False
        if self.ignore and finding.code.startswith(self.ignore):
            return False
        return SEVERITIES.index(finding.severity) <= SEVERITIES.index(self.severity)

    def families(self) -> str:
        """The first letters of the rules over rows and files that can report anything."""
        wanted = [code for code in RULES if not self.select or code.startswith(self.select)]
        letters = {code[0] for code in wanted if not (self.ignore and code.startswith(self.ignore))}
        if not self.duplicates and not any(code.startswith("D") for code in self.select):
            letters.discard("D")
        return "".join(sorted(letters - {"L"}))

    def leaks(self) -> tuple[str, ...]:
        """The rules over splits that can report anything; none where splits are not compared."""
        if self.leakage is False:
            return ()
        wanted = [
            code for code in sorted(RULES) if code[0] == "L" and (not self.select or code.startswith(self.select))
        ]
        return tuple(code for code in wanted if not (self.ignore and code.startswith(self.ignore)))

    def asks_for_leaks(self) -> bool:
        """Whether splits must be compared, rather than where there are any."""
        return bool(self.leakage) or any(code.startswith("L") for code in self.select)

    def fails(self, tally: Tally) -> bool:
        """Whether what is left in the tally fails the run."""
        worst = SEVERITIES.index(self.fail_on)
        return any(SEVERITIES.index(finding.severity) <= worst for finding in tally.findings)


def _known_code(name: str) -> None:
    if not any(code.startswith(name) for code in RULES):
        raise ConfigError(f"no rule {name!r}.{suggest(name, sorted(RULES))} `validate --explain all` lists them")


def load_settings(folder: Path, **flags: Any) -> Settings:
    """Settings of `folder` with `flags` on top; a flag of None or () leaves the file's word standing.

    Raises ConfigError naming file and key for anything unknown or of the wrong type.
    """
    settings = Settings()
    for name, table in (("pyproject.toml", ("tool", "tapewright", "validate")), ("tapewright.toml", ("validate",))):
        path = folder / name
        if not path.is_file():
            continue
        try:
            data: Any = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            if name == "pyproject.toml":
                continue  # somebody else's to complain about
            raise ConfigError(f"{path}: {error}") from error
        if name == "tapewright.toml" and (strange := [key for key in data if key not in ("validate", "generate")]):
            raise ConfigError(f"{path}: unknown key {strange[0]!r}.{suggest(strange[0], ['validate', 'generate'])}")
        for key in table:
            data = data.get(key, {})
        settings = _with_table(settings, data, str(path))
    given = {key: value for key, value in flags.items() if value not in (None, (), "") and (value or key == "leakage")}
    return replace(settings, **given)


def _with_table(settings: Settings, table: Any, where: str) -> Settings:
    if not isinstance(table, dict):
        raise ConfigError(f"{where}: validate = {table!r} must be a table")
    changes: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise ConfigError(f"{where}: unknown key {key!r}.{suggest(key, list(_KEYS))} Known: {', '.join(_KEYS)}")
        if not isinstance(value, _KEYS[key]) or isinstance(value, list) and not all(isinstance(v, str) for v in value):
            raise ConfigError(f"{where}: {key} = {value!r} has the wrong type")
        if key == "limits":
            for code, limits in dict(value).items():
                _check_limits(where, code, limits)
        changes[key.replace("-", "_")] = tuple(value) if isinstance(value, list) else value
    try:
        return replace(settings, **changes)
    except ConfigError as error:
        raise ConfigError(f"{where}: {error}") from None


def _check_limits(where: str, code: str, limits: Any) -> None:
    if not isinstance(limits, dict):
        raise ConfigError(f"{where}: limits.{code} = {limits!r}; write e.g. {{ max-count = 10 }}")
    for name, limit in limits.items():
        if name not in _LIMITS:
            raise ConfigError(f"{where}: unknown key 'limits.{code}.{name}'.{suggest(name, list(_LIMITS))}")
        if not isinstance(limit, _LIMITS[name]) or isinstance(limit, bool):
            raise ConfigError(f"{where}: limits.{code}.{name} = {limit!r} has the wrong type")


def tolerate(tally: Tally, settings: Settings) -> int:
    """Drop the findings of rules that are within their limits; returns how many."""
    counts = tally.counts()
    tolerated: set[str] = set()
    for code, limits in settings.limits.items():
        most = max(limits.get("max-count", 0), limits.get("max-rate", 0) * tally.rows)
        tolerated |= {known for known in counts if known.startswith(code) and counts[known] <= most}
    before = tally.total
    tally.findings = [finding for finding in tally.findings if finding.code not in tolerated]
    tally.found = Counter({key: count for key, count in tally.found.items() if key[0] not in tolerated})
    return before - tally.total


class Sieve:
    """Which wanted findings of a run are reported: those a baseline does not know.

    `seen` counts the keys of all where a baseline is to be written, `known` what it knew.
    """

    def __init__(self, baseline: Counter[str] | None = None, collect: bool = False) -> None:
        self.left, self.collect = Counter(baseline or {}), collect
        self.seen: Counter[str] = Counter()
        self.known = 0

    def __call__(self, finding: Finding) -> bool:
        if not self.left and not self.collect:
            return True
        key = baseline_key(finding)
        if self.collect:
            self.seen[key] += 1
        if self.left[key] > 0:
            self.left[key] -= 1
            self.known += 1
            return False
        return True


# --- baseline ----------------------------------------------------------------------------------


_FIGURES = re.compile(r"\d+")


def baseline_key(finding: Finding) -> str:
    """A finding by rule, field and the row's content, never by file or line: rows may move.

    Findings over a whole file go by what they rest on, without the counts and shares in their message.
    """
    about = finding.content or finding.evidence or _FIGURES.sub("", finding.message)
    content = f"{finding.code}\x1f{finding.field}\x1f{about}"
    return blake2b(content.encode("utf-8", "replace"), digest_size=12).hexdigest()


def read_baseline(path: Path) -> Counter[str]:
    """Known findings with their counts. Raises ConfigError when the file is not a baseline."""
    try:
        data = orjson.loads(path.read_bytes())
        return Counter({str(key): int(count) for key, count in data["findings"].items()})
    except FileNotFoundError:
        raise ConfigError(f"no baseline {path}; write one with --update-baseline") from None
    except (orjson.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path} is not a baseline ({error}); write it anew with --update-baseline") from error


def write_baseline(path: Path, known: Counter[str]) -> None:
    """Write the counted keys as known."""
    with files.whole(path) as out:
        out.write(orjson.dumps({"version": 1, "findings": dict(sorted(known.items()))}, option=orjson.OPT_INDENT_2))

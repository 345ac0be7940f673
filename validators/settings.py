"""What `validate` and `clean` are told: flags over `tapewright.toml` over `[tool.tapewright]` over defaults.

[validate]                      # [tool.tapewright.validate] in pyproject.toml
select = ["N", "R"]             # codes or their first letters; default: all
ignore = ["X006"]
severity = "warning"            # report this and worse
fail-on = "error"               # exit 1 for this and worse
[validate.limits.X006]          # tolerated up to a count or a share of rows
max-count = 10
max-rate = 0.01
"""

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

_KEYS = {"select": list, "ignore": list, "severity": str, "fail-on": str, "limits": dict}
_LIMITS = {"max-count": int, "max-rate": (int, float)}


@dataclass(frozen=True, slots=True)
class Settings:
    """Which findings are reported and which fail a run."""

    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    severity: str = "info"
    fail_on: str = "error"
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
    given = {key: value for key, value in flags.items() if value not in (None, (), "")}
    return replace(settings, **given)


def _with_table(settings: Settings, table: dict[str, Any], where: str) -> Settings:
    changes: dict[str, Any] = {}
    for key, value in table.items():
        if key not in _KEYS:
            raise ConfigError(f"{where}: unknown key {key!r}.{suggest(key, list(_KEYS))}")
        if not isinstance(value, _KEYS[key]):
            raise ConfigError(f"{where}: {key} = {value!r} has the wrong type")
        if key == "limits":
            for code, limits in value.items():
                for name, limit in limits.items():
                    if name not in _LIMITS or not isinstance(limit, _LIMITS[name]):
                        raise ConfigError(f"{where}: limits.{code}.{name} = {limit!r}; known: max-count, max-rate")
        changes[key.replace("-", "_")] = tuple(value) if isinstance(value, list) else value
    return replace(settings, **changes)


def keep_wanted(tally: Tally, settings: Settings) -> int:
    """Drop findings that were not asked for or are within a rule's limits; returns how many were tolerated."""
    wanted = [finding for finding in tally.findings if settings.wants(finding)]
    counts = Counter(finding.code for finding in wanted)
    tolerated = set()
    for code, limits in settings.limits.items():
        most = max(limits.get("max-count", 0), limits.get("max-rate", 0) * tally.rows)
        tolerated |= {known for known in counts if known.startswith(code) and counts[known] <= most}
    tally.findings = [finding for finding in wanted if finding.code not in tolerated]
    return len(wanted) - len(tally.findings)


# --- baseline ----------------------------------------------------------------------------------


def baseline_key(finding: Finding) -> str:
    """A finding by rule and content, never by line: rows may move."""
    content = f"{finding.code}\x1f{finding.field}\x1f{finding.message}\x1f{finding.evidence}"
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


def write_baseline(path: Path, tally: Tally) -> None:
    """Write every finding of the tally as known."""
    counts = Counter(map(baseline_key, tally.findings))
    with files.whole(path) as out:
        out.write(orjson.dumps({"version": 1, "findings": dict(sorted(counts.items()))}, option=orjson.OPT_INDENT_2))


def drop_known(tally: Tally, known: Counter[str]) -> int:
    """Drop findings the baseline knows, each as often as it knows them; returns how many."""
    left = Counter(known)
    new = []
    for finding in tally.findings:
        key = baseline_key(finding)
        if left[key] > 0:
            left[key] -= 1
        else:
            new.append(finding)
    dropped = len(tally.findings) - len(new)
    tally.findings = new
    return dropped

"""Kinds of options the command line takes beside click's own: shares by name, moments and durations."""

from typing import Any

import click


class Shares(click.ParamType):
    """`name=share,…`, e.g. `train=0.8,val=0.1,test=0.1`."""

    name = "name=share,…"

    def convert(self, value: Any, param: Any, ctx: Any) -> tuple[tuple[str, float], ...]:
        if isinstance(value, tuple):
            return value
        pairs = []
        for part in value.split(","):
            name, sign, share = part.strip().partition("=")
            try:
                pairs.append((name.strip(), float(share)))
            except ValueError:
                self.fail(f"{part!r} is not name=share, e.g. risk_assessment=0.5", param, ctx)
            if not sign:
                self.fail(f"{part!r} is not name=share, e.g. risk_assessment=0.5", param, ctx)
        names = [name for name, _ in pairs]
        if len(set(names)) != len(names):
            self.fail(f"a name stands twice in {value!r}", param, ctx)
        return tuple(pairs)


class Moment(click.ParamType):
    """A UTC date or time, as epoch seconds."""

    name = "YYYY-MM-DD[ HH:MM]"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        from datetime import UTC, datetime

        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a date such as 2024-01-31 or '2024-01-31 12:00'", param, ctx)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


class Duration(click.ParamType):
    """A length of time such as `71d`, `36h` or `20min`, as seconds."""

    name = "duration"

    def convert(self, value: Any, param: Any, ctx: Any) -> int:
        if isinstance(value, int):
            return value
        import re

        found = re.fullmatch(r"(\d+(?:\.\d+)?) ?(s|min|m|h|d|w)?", value.strip().lower())
        if not found or (found[2] is None and float(found[1])):
            self.fail(f"{value!r} is not a duration such as 71d, 36h or 20min", param, ctx)
        sizes = {None: 1, "s": 1, "m": 60, "min": 60, "h": 3_600, "d": 86_400, "w": 604_800}
        return round(float(found[1]) * sizes[found[2]])

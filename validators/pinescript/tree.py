"""Walking a syntax tree."""

from collections.abc import Iterable, Iterator

from validators.pinescript import syntax as s


def path_of(expression: s.Expression) -> str:
    """`ta.ema` for the names it is made of, empty for anything else."""
    if isinstance(expression, s.Attribute):
        return expression.path
    return expression.name if isinstance(expression, s.Name) else ""


def walk(nodes: Iterable[object]) -> Iterator[s.Node]:
    """Every node below `nodes`, parents first."""
    waiting = list(nodes)[::-1]
    while waiting:
        node = waiting.pop()
        if isinstance(node, s.Node):
            yield node
            waiting += [getattr(node, name) for name in _parts(type(node))]
        elif isinstance(node, (list, tuple)):
            waiting += node[::-1]


_SLOTS: dict[type, tuple[str, ...]] = {}


def _parts(kind: type) -> tuple[str, ...]:
    known = _SLOTS.get(kind)
    if known is None:
        known = _SLOTS[kind] = tuple(
            reversed([name for name in kind.__dataclass_fields__ if name not in ("line", "column")])
        )  # type: ignore[attr-defined]
    return known

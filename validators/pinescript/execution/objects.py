"""Objects of user types and members of enums, as compiled scripts hold them."""

from math import nan
from typing import Any

from validators.pinescript.execution.failure import ExecutionError


class Member:
    """A member of an enum; its text is its title."""

    __slots__ = ("name", "title")

    def __init__(self, name: str, title: str) -> None:
        self.name, self.title = name, title

    def __repr__(self) -> str:
        return self.title


def user_type(name: str, fields: list[str]) -> type:
    """A class with the fields of a user type, each called f_ and its name, and `copy()`, which shares what they hold."""
    slots = tuple(f"f_{field}" for field in fields)

    def __init__(self: Any, *values: Any) -> None:
        for slot, value in zip(slots, values):
            setattr(self, slot, value)

    def copy(self: Any) -> Any:
        return type(self)(*[getattr(self, slot) for slot in slots])

    return type(name, (), {"__slots__": slots, "__init__": __init__, "copy": copy, "fields": slots})


class Point:
    """`chart.point`: a time, a bar and a price."""

    __slots__ = ("f_index", "f_price", "f_time")

    def __init__(self, time: float, index: float, price: float) -> None:
        self.f_time, self.f_index, self.f_price = time, index, price

    def copy(self) -> "Point":
        return Point(self.f_time, self.f_index, self.f_price)


class Drawing:
    """A line, label, box, table, fill or polyline; its properties by the names of the arguments that set them."""

    __slots__ = ("cells", "kind", "values")

    def __init__(self, kind: str, values: dict[str, Any]) -> None:
        self.kind, self.values = kind, values
        self.cells: dict[tuple[int, int], str] = {}


# How setters call what `new` calls otherwise.
_POINTS = {
    ("line", "first_point"): ("x1", "y1"), ("line", "second_point"): ("x2", "y2"), ("label", "point"): ("x", "y"),
    ("box", "top_left"): ("left", "top"), ("box", "bottom_right"): ("right", "bottom"),
    ("box", "top_left_point"): ("left", "top"), ("box", "bottom_right_point"): ("right", "bottom"),
}  # fmt: skip
_PAIRS = {"xy1": ("x1", "y1"), "xy2": ("x2", "y2")}


class Drawings:
    """Everything a script draws besides plots. `made` counts by kind; the oldest of a kind goes when there are too many."""

    def __init__(self, most: dict[str, int]) -> None:
        self.most = most
        self.made: dict[str, int] = {}
        self.alive: dict[str, dict[int, Drawing]] = {}

    def new(self, kind: str, values: dict[str, Any]) -> Drawing:
        drawing = Drawing(kind, {})
        self._set(drawing, values)
        self._keep(drawing)
        return drawing

    def _keep(self, drawing: Drawing) -> None:
        kind = drawing.kind
        self.made[kind] = self.made.get(kind, 0) + 1
        alive = self.alive.setdefault(kind, {})
        alive[id(drawing)] = drawing
        if kind in self.most and len(alive) > self.most[kind]:
            del alive[next(iter(alive))]

    def copy(self, drawing: Any) -> Any:
        if drawing.__class__ is not Drawing:
            return nan
        made = Drawing(drawing.kind, dict(drawing.values))
        self._keep(made)
        return made

    def delete(self, drawing: Any) -> None:
        if drawing.__class__ is Drawing:
            self.alive.get(drawing.kind, {}).pop(id(drawing), None)

    def set(self, drawing: Any, word: str, values: dict[str, Any]) -> None:
        """What `set_…` does; nothing to na."""
        if drawing.__class__ is Drawing:
            names = _PAIRS.get(word)
            if names:
                values = dict(zip(names, values.values()))
            elif word in ("first_point", "second_point", "top_left_point", "bottom_right_point"):
                values = {word: next(iter(values.values()))}
            self._set(drawing, values)

    def _set(self, drawing: Drawing, values: dict[str, Any]) -> None:
        for name, value in values.items():
            places = _POINTS.get((drawing.kind, name))
            if places is not None and value.__class__ is Point:
                at = value.f_index if value.f_index == value.f_index else value.f_time
                drawing.values[places[0]], drawing.values[places[1]] = at, value.f_price
            else:
                drawing.values[name] = value

    def get(self, drawing: Any, name: str) -> Any:
        """What `get_…` gives: na of na."""
        return drawing.values.get(name, nan) if drawing.__class__ is Drawing else nan

    def price_at(self, line: Any, x: float) -> float:
        """`line.get_price`: of the line drawn on without end."""
        x1, y1, x2, y2 = (self.get(line, name) for name in ("x1", "y1", "x2", "y2"))
        return y1 + (y2 - y1) * (x - x1) / (x2 - x1) if x1 != x2 else nan

    def cell(self, table: Any, column: int, row: int, text: Any = None) -> None:
        """Write into a cell. Raises ExecutionError for one the table does not have."""
        if table.__class__ is not Drawing:
            return
        columns, rows = table.values.get("columns", 0), table.values.get("rows", 0)
        if not (0 <= column < columns and 0 <= row < rows):
            raise ExecutionError(
                f"cell {column}, {row} of a table with {columns} columns and {rows} rows; make it larger"
            )
        if text is not None:
            table.cells[column, row] = text

    def all(self, kind: str) -> list[Drawing]:
        """Those not deleted, oldest first."""
        return list(self.alive.get(kind, {}).values())

"""Calls of the language's functions: which Python each becomes, and the type of what it gives.

Plain functions become calls of Python functions; those that look back (`ta.*`) get a state of their own for each
place they are called from; what draws, asks or orders becomes a call of the object that keeps it.
"""

from validators.pinescript import syntax as s
from validators.pinescript.builtins import Builtin, Signature
from validators.pinescript.execution import natives
from validators.pinescript.execution.calls import Calls, Given
from validators.pinescript.execution.values import VOID, Type, Value, either, element, parts, written
from validators.pinescript.tree import path_of, walk

_OF_ARGUMENT = (
    "math.abs",
    "math.max",
    "math.min",
    "nz",
    "fixnan",
    "ta.change",
    "ta.mom",
    "ta.max",
    "ta.min",
    "ta.median",
    "ta.mode",
    "ta.range",
)
_PURE_SPACES = ("math", "str", "color")
_PURE = ("na", "nz", "int", "float", "bool", "string", "color", "line", "label", "box", "table", "linefill")
_ELEMENTS = ("get", "first", "last", "pop", "shift", "remove", "max", "min", "mode", "median", "range", "sum")
_SAME = ("copy", "slice", "concat", "abs", "transpose", "submatrix", "standardize", "sum_of")
_ORDERS = ("entry", "order", "exit", "close", "close_all", "cancel", "cancel_all")
_TICKED = ("str.tostring", "math.round_to_mintick")


class Functions(Calls):
    """Compiles calls of the language's functions."""

    quiet = False  # in a script run for `request.security()` alone, where nothing is ordered, drawn or told

    def built_in(self, node: s.Call, built: Builtin, path: str, given: Given | None = None) -> Value:
        special = self.special(node, built, path, given)
        if special is not None:
            return special
        given = given if given is not None else self.arguments(node)
        if path in natives.VARIADIC:
            if len(given) < built.least:
                raise self.fail(f"{path}() takes at least {built.least} arguments, {len(given)} given", node)
            way, codes = built.signatures[0], [value.code for _, value in given]
            kinds = [value for _, value in given]
        else:
            way, taken = self.match(node, built, given)
            names = [slot.name for slot in max(built.signatures, key=lambda entry: len(entry.slots)).slots]
            names = natives.ORDER.get(path, names)
            codes = [taken[name].code if name in taken else "None" for name in names]
            kinds = list(taken.values())
            while codes and codes[-1] == "None":
                codes.pop()
        if path in _TICKED:
            codes = [*codes, *["None"] * (2 - len(codes) if path == "str.tostring" else 0), "mintick"]
        kind = self.returned(path, way, kinds, node)
        if path in natives.STATES:
            return self.looking_back(path, natives.STATES[path], codes, kind, chart=False)
        if path in natives.BAR_STATES:
            return self.looking_back(path, natives.BAR_STATES[path], ["bar", *codes], kind, chart=True)
        name = natives.FUNCTIONS_BY_PATH.get(path)
        if name is None:
            raise self.fail(f"{path}() is not supported here", node)
        code = f"{name}({', '.join(codes)})"
        if kind == "void":
            self.source.emit(code)
            return VOID
        pure = path.partition(".")[0] in _PURE_SPACES or path in _PURE
        depth = max((value.depth for value in kinds), default=0) + 1
        sure = kind == "bool" or path in ("nz",) and all(value.sure for value in kinds[1:])
        return Value(code, kind, effect=not pure, depth=depth, sure=sure)

    def looking_back(self, path: str, factory: str, codes: list[str], kind: Type, chart: bool) -> Value:
        """A call with a state of its own, made before the first bar."""
        state = self.source.fresh("s")
        if self.loops:
            self.source.once(f"{state} = Lanes({f'lambda: {factory}(chart)' if chart else factory})")
            codes = ["bar", *codes]
        else:
            self.source.once(f"{state} = {factory}({'chart' if chart else ''})")
        sure = kind == "bool"
        return Value(f"{state}({', '.join(codes)})", kind, effect=True, sure=sure, depth=1)

    def vwap_of_day(self) -> Value:
        self.columns["hlc3"] = None
        return self.looking_back("ta.vwap", natives.BAR_STATES["ta.vwap"], ["bar", "c_hlc3"], "float", chart=True)

    # --- types ---------------------------------------------------------------------------------

    def returned(self, path: str, way: Signature, values: list[Value], node: s.Call) -> Type:
        """The type of what a call gives."""
        space, _, word = path.rpartition(".")
        first = values[0].base if values else "?"
        if path in _OF_ARGUMENT:
            kind: Type = first
            for value in values[1:]:
                kind = either(kind, value.base) if path in ("math.max", "math.min", "nz") else kind
            if path in ("math.max", "math.min") and "?" in (kind, first):
                return "float"
            return kind if kind != "na" else "float"
        if path == "ta.valuewhen":
            return values[1].base
        if space in ("array", "matrix", "map"):
            return self.collected(space, word, first, values, way, node)
        if isinstance(way.returns, list):
            return [kind.base for kind in way.returns]
        return way.returns.base

    def collected(self, space: str, word: str, first: str, values: list[Value], way: Signature, node: s.Call) -> Type:
        """The type of what a function of arrays, matrices or maps gives."""
        inner = parts(first)
        if word == "new" and node.types:
            return f"{space}<{', '.join(written(part) for part in node.types)}>"
        if word.startswith("new_"):
            return f"array<{word[4:]}>"
        if path_of(node.function) == "array.from":
            kind: Type = values[0].base
            for value in values[1:]:
                kind = either(kind, value.base)
            return f"array<{kind}>"
        if space == "map":
            if word in ("get", "put", "remove"):
                return element(first)
            if word in ("keys", "values") and len(inner) == 2:
                return f"array<{inner[0] if word == 'keys' else inner[1]}>"
            return first if word == "copy" else way.returns.base if not isinstance(way.returns, list) else "?"
        if word in ("row", "col", "remove_row", "remove_col"):
            return f"array<{element(first)}>"
        if word in _SAME or (space == "matrix" and word in ("sum", "diff", "pow", "inv", "pinv", "kron")):
            return first
        if word in _ELEMENTS:
            return element(first)
        if space == "matrix" and word == "mult":
            second = values[1].base if len(values) > 1 else "?"
            return f"array<{element(first)}>" if second.startswith("array") else first
        base = way.returns.base if not isinstance(way.returns, list) else "?"
        return "float" if base == "int" and word in ("avg", "stdev", "variance", "det", "trace") else base

    # --- functions with a way of their own -----------------------------------------------------

    def special(self, node: s.Call, built: Builtin, path: str, given: Given | None) -> Value | None:
        """A call that is no plain one, or None."""
        space, _, word = path.rpartition(".")
        if (
            path in ("na", "nz")
            and given is None
            and len(node.arguments) == (1 if path == "na" else len(node.arguments))
        ):
            return self.short(node, path)
        if path in ("alert", "alertcondition"):
            return self.told(node, built, path)
        if space == "strategy" and word in _ORDERS or space == "strategy.risk":
            return self.order(node, built, path, word)
        if space in ("strategy.closedtrades", "strategy.opentrades"):
            ((_, number),) = self.arguments(node)
            kind: Type = (
                "string"
                if word.endswith(("_id", "comment"))
                else "int"
                if word.endswith(("index", "time"))
                else "float"
            )
            return Value(f"broker.look({space[9:]!r}, {word!r}, {number.code})", kind, depth=number.depth + 1)
        if space in ("line", "label", "box", "linefill", "polyline", "table") and word:
            return self.drawing(node, built, space, word, given)
        if space == "log":
            values = self.arguments(node)
            if not self.quiet:
                codes = ", ".join(value.code for _, value in values)
                self.source.emit(f"rt.log(bar, {word!r}, {codes})")
            return VOID
        if path in ("array.new", "matrix.new", "map.new") or word.startswith("new_") and space == "array":
            return self.new_collection(node, built, path, given)
        return None

    def short(self, node: s.Call, path: str) -> Value | None:
        """`na(x)` and `nz(x)` of a plain name."""
        values = [value for _, value in self.arguments(node)]
        value = self.kept(values[0]) if not values[0].effect and values[0].depth < 3 and len(values) == 1 else values[0]
        if path == "na":
            code = f"({value.code} != {value.code})" if value.atom else f"isna({value.code})"
            return Value(code, "bool", sure=True, effect=value.effect, depth=value.depth + 1)
        if len(values) > 2:
            raise self.fail("nz() takes one or two arguments", node)
        kind = value.type
        if len(values) == 2:
            kind = either(kind, values[1].type)
        elif kind == "bool":
            values.append(Value("False", "bool", atom=True, const=True, sure=True))
        elif kind in ("string", "color"):
            values.append(Value("''", "string", atom=True, const=True, sure=True))
        other = values[1] if len(values) == 2 else Value("0", "int", atom=True, const=True, sure=True)
        if value.atom and other.atom:
            code = f"({value.code} if {value.code} == {value.code} else {other.code})"
        else:
            code = f"nz({value.code}, {other.code})"
        effect = value.effect or other.effect
        return Value(
            code,
            kind if kind != "na" else "float",
            sure=other.sure,
            effect=effect,
            depth=max(value.depth, other.depth) + 1,
        )

    def guarded(self, given: Given) -> bool:
        """Open a block for version 5's argument `when`; true where there is one."""
        for name, value in given:
            if name == "when":
                self.source.emit(f"if {self.condition(value)}:")
                self.source.depth += 1
                return True
        return False

    def told(self, node: s.Call, built: Builtin, path: str) -> Value:
        _, taken = self.match(node, built, self.arguments(node))
        if self.quiet:
            return VOID
        if path == "alert":
            often = taken["freq"].code if "freq" in taken else "'freq_once_per_bar'"
            self.source.emit(f"rt.alert(bar, {taken['message'].code}, {often}, {self.source.fresh('a')!r})")
            return VOID
        words = taken.get("message") or taken.get("title")
        with self.source.block(f"if {self.condition(taken['condition'])}:"):
            self.source.emit(f"rt.alert(bar, {words.code if words else repr('')}, 'freq_all', '')")
        return VOID

    def order(self, node: s.Call, built: Builtin, path: str, word: str) -> Value:
        given = self.arguments(node)
        _, taken = self.match(node, built, given)
        if self.quiet:
            return VOID
        if path.startswith("strategy.risk.") and word not in ("allow_entry_in", "max_position_size"):
            return VOID  # accepted: what they limit is not simulated
        guarded = self.guarded(given)
        codes = ", ".join(f"{name}={value.code}" for name, value in taken.items())
        self.source.emit(f"broker.{word}({codes})")
        self.source.depth -= guarded
        return VOID

    def drawing(self, node: s.Call, built: Builtin, space: str, word: str, given: Given | None) -> Value:
        given = given if given is not None else self.arguments(node)
        _, taken = self.match(node, built, given)
        values = {name: value.code for name, value in taken.items()}
        if word == "new":
            inner = ", ".join(f"{name!r}: {code}" for name, code in values.items())
            return Value(f"drawings.new({space!r}, {{{inner}}})", space, effect=True)
        target = values.pop(next(iter(values)))
        if word == "copy":
            return Value(f"drawings.copy({target})", space, effect=True)
        if word == "get_price":
            return Value(f"drawings.price_at({target}, {values['x']})", "float")
        if word.startswith("get_"):
            kind: Type = (
                "string" if word == "get_text" else "int" if word[4:] in ("x", "x1", "x2", "left", "right") else "float"
            )
            return Value(f"drawings.get({target}, {word[4:]!r})", "line" if word.startswith("get_line") else kind)
        if word == "delete":
            self.source.emit(f"drawings.delete({target})")
        elif space == "table" and word.startswith("cell"):
            text = f", {values['text']}" if "text" in values else ""
            self.source.emit(f"drawings.cell({target}, {values['column']}, {values['row']}{text})")
        elif word.startswith("set_"):
            inner = ", ".join(f"{name!r}: {code}" for name, code in values.items())
            self.source.emit(f"drawings.set({target}, {word[4:]!r}, {{{inner}}})")
        return VOID

    def new_collection(self, node: s.Call, built: Builtin, path: str, given: Given | None) -> Value:
        if path == "map.new":
            return Value("{}", self.collected("map", "new", "?", [], built.signatures[0], node), effect=True)
        _, taken = self.match(node, built, given if given is not None else self.arguments(node))
        space, _, word = path.rpartition(".")
        kind = self.collected(space, word, "?", [], built.signatures[0], node)
        empty = self.missing(element(kind))
        codes = [
            taken[name].code if name in taken else "0"
            for name in (("size",) if space == "array" else ("rows", "columns"))
        ]
        value = taken["initial_value"].code if "initial_value" in taken else empty
        return Value(f"new_{space}({', '.join(codes)}, {value})", kind, effect=True)


def worth(node: s.Expression) -> bool:
    """Whether an argument that only says how something looks can fail or change anything, and so has to be run."""
    return any(
        isinstance(part, s.Call) and path_of(part.function).partition(".")[0] not in ("color", "str", "math", "input", "na", "nz")
        or isinstance(part, s.Index) and not isinstance(part.offset, s.Literal)
        for part in walk([node])
    )  # fmt: skip

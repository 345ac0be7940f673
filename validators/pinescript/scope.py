"""Names and where they can be seen."""

from dataclasses import dataclass, field

from validators.pinescript import syntax as s
from validators.pinescript.kinds import Kind


@dataclass(slots=True)
class Variable:
    """A declared name. `kind` is that of its value, `place` where it was declared."""

    name: str
    kind: Kind | list[Kind]
    place: tuple[int, int]
    mode: str = ""
    used: bool = False
    value: s.Expression | None = None


@dataclass(slots=True)
class Scope:
    """One block; `parent` is the block around it. `top` is true for the script itself."""

    parent: "Scope | None" = None
    names: dict[str, Variable] = field(default_factory=dict)
    function: bool = False

    @property
    def top(self) -> bool:
        """Whether this is the script's own block."""
        return self.parent is None

    def find(self, name: str) -> Variable | None:
        """The variable that `name` means here."""
        scope: Scope | None = self
        while scope is not None:
            found = scope.names.get(name)
            if found is not None:
                return found
            scope = scope.parent
        return None

    def visible(self) -> list[str]:
        """Every name that can be seen here."""
        scope: Scope | None = self
        names: list[str] = []
        while scope is not None:
            names += scope.names
            scope = scope.parent
        return names

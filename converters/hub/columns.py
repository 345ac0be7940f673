"""The columns of a table that rows of any shape make: found row by row, one type each, in the order they came."""

from typing import Any

from tapewright.errors import FileError

_FLAT = (str, int, float, bool, type(None))


class Columns:
    """Gathers the schema of records; what a record lacks is null in the table."""

    def __init__(self) -> None:
        self._schema: Any = None
        self._seen: set[tuple] = set()

    def see(self, records: list[dict[str, Any]], place: str) -> None:
        """Take in some records of a file. Raises FileError naming the column that fits no one type."""
        nested = []
        for record in records:
            kinds = tuple((name, value.__class__) for name, value in record.items())
            if not all(kind in _FLAT for _, kind in kinds):
                nested.append(record)
            elif kinds not in self._seen:
                self._seen.add(kinds)
                self._unify([record], place)
        if nested:
            self._unify(nested, place)

    def _unify(self, records: list[dict[str, Any]], place: str) -> None:
        import pyarrow as pa

        names = dict.fromkeys(name for record in records for name in record)
        try:
            found = pa.table({name: pa.array([record.get(name) for record in records]) for name in names}).schema
            known = found if self._schema is None else self._schema
            self._schema = pa.unify_schemas([known, found], promote_options="permissive")
        except (pa.ArrowException, OverflowError) as error:
            reason = str(error).splitlines()[0]
            raise FileError(f"{place}: no table fits these rows ({reason}); give each column one type") from error

    def schema(self) -> Any:
        """The Arrow schema; what was null in every row is text."""
        import pyarrow as pa

        return pa.schema([pa.field(one.name, _without_null(one.type)) for one in self._schema])


def _without_null(kind: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_null(kind):
        return pa.string()
    if pa.types.is_list(kind):
        return pa.list_(_without_null(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(one.name, _without_null(one.type)) for one in kind])
    return kind

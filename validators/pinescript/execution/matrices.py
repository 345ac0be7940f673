"""`matrix.*`: a matrix is its rows. Linear algebra is numpy's, in double precision."""

from math import fsum, isclose, nan
from typing import Any

from validators.pinescript.execution import windows
from validators.pinescript.execution.failure import ExecutionError

MOST = 100_000  # elements, as in the language


class Matrix:
    """Rows of equal length; `width` is that of a matrix without rows, too."""

    __slots__ = ("rows", "width")

    def __init__(self, rows: list[list], width: int) -> None:
        self.rows, self.width = rows, width

    @property
    def flat(self) -> list:
        """All elements, row by row."""
        return [value for row in self.rows for value in row]


def new(rows: Any = 0, columns: Any = 0, value: Any = nan) -> Matrix:
    if rows != rows or columns != columns or rows < 0 or columns < 0 or rows * columns > MOST:
        raise ExecutionError(f"a matrix of {rows} by {columns}; up to {MOST:,} elements are possible")
    return Matrix([[value] * int(columns) for _ in range(int(rows))], int(columns))


def _at(matrix: Any, row: Any, column: Any) -> tuple[int, int]:
    if matrix.__class__ is not Matrix:
        raise ExecutionError("a matrix function on na; make the matrix first, e.g. with matrix.new<float>(2, 2, 0)")
    if not (0 <= row < len(matrix.rows) and 0 <= column < matrix.width):
        raise ExecutionError(f"element {row}, {column} of a matrix of {len(matrix.rows)} by {matrix.width}")
    return int(row), int(column)


def get(matrix: Matrix, row: Any, column: Any) -> Any:
    row, column = _at(matrix, row, column)
    return matrix.rows[row][column]


def put(matrix: Matrix, row: Any, column: Any, value: Any) -> None:
    row, column = _at(matrix, row, column)
    matrix.rows[row][column] = value


def row_of(matrix: Matrix, row: Any) -> list:
    return list(matrix.rows[_at(matrix, row, 0)[0]])


def column_of(matrix: Matrix, column: Any) -> list:
    column = _at(matrix, 0, column)[1]
    return [row[column] for row in matrix.rows]


def add_row(matrix: Matrix, row: Any = None, values: Any = None) -> None:
    values = list(values) if isinstance(values, list) else [nan] * matrix.width
    if matrix.rows and len(values) != matrix.width:
        raise ExecutionError(f"matrix.add_row() with {len(values)} values to rows of {matrix.width}")
    matrix.width = len(values)
    matrix.rows.insert(len(matrix.rows) if row is None or row != row else int(row), values)


def add_column(matrix: Matrix, column: Any = None, values: Any = None) -> None:
    values = list(values) if isinstance(values, list) else [nan] * len(matrix.rows)
    if matrix.rows and len(values) != len(matrix.rows):
        raise ExecutionError(f"matrix.add_col() with {len(values)} values to {len(matrix.rows)} rows")
    if not matrix.rows:
        matrix.rows = [[] for _ in values]
    at = matrix.width if column is None or column != column else int(column)
    for row, value in zip(matrix.rows, values):
        row.insert(at, value)
    matrix.width += 1


def remove_row(matrix: Matrix, row: Any = None) -> list:
    at = len(matrix.rows) - 1 if row is None or row != row else row
    return matrix.rows.pop(_at(matrix, at, 0)[0])


def remove_column(matrix: Matrix, column: Any = None) -> list:
    at = _at(matrix, 0, matrix.width - 1 if column is None or column != column else column)[1]
    matrix.width -= 1
    return [row.pop(at) for row in matrix.rows]


def swap_rows(matrix: Matrix, a: int, b: int) -> None:
    rows = matrix.rows
    a, b = _at(matrix, a, 0)[0], _at(matrix, b, 0)[0]
    rows[a], rows[b] = rows[b], rows[a]


def swap_columns(matrix: Matrix, a: int, b: int) -> None:
    _at(matrix, 0, a)
    _at(matrix, 0, b)
    for row in matrix.rows:
        row[a], row[b] = row[b], row[a]


def fill(matrix: Matrix, value: Any, r0: Any = None, r1: Any = None, c0: Any = None, c1: Any = None) -> None:
    for row in matrix.rows[int(r0 or 0) : len(matrix.rows) if r1 is None else int(r1)]:
        for column in range(int(c0 or 0), matrix.width if c1 is None else int(c1)):
            row[column] = value


def part(matrix: Matrix, r0: Any = None, r1: Any = None, c0: Any = None, c1: Any = None) -> Matrix:
    rows = [
        row[int(c0 or 0) : None if c1 is None else int(c1)]
        for row in matrix.rows[int(r0 or 0) : None if r1 is None else int(r1)]
    ]
    return Matrix(rows, len(rows[0]) if rows else 0)


def transpose(matrix: Matrix) -> Matrix:
    return Matrix([list(column) for column in zip(*matrix.rows)], len(matrix.rows))


def reshape(matrix: Matrix, rows: int, columns: int) -> None:
    flat = matrix.flat
    if rows * columns != len(flat):
        raise ExecutionError(f"matrix.reshape() to {rows} by {columns} of {len(flat)} elements")
    matrix.rows, matrix.width = [flat[i * columns : (i + 1) * columns] for i in range(rows)], columns


def reverse(matrix: Matrix) -> None:
    matrix.rows = [row[::-1] for row in matrix.rows[::-1]]


def sort(matrix: Matrix, column: Any = None, order: Any = None, _: Any = None) -> None:
    matrix.rows.sort(key=lambda row: row[int(column or 0)], reverse=order == "descending")


def concat(left: Matrix, right: Matrix) -> Matrix:
    left.rows.extend([list(row) for row in right.rows])
    return left


def _pairwise(operate):
    """An operation of a matrix with a matrix of its size, or with a number."""

    def called(left: Any, right: Any) -> Matrix:
        if left.__class__ is not Matrix:
            left, right, swap = right, left, True
        else:
            swap = False
        if right.__class__ is Matrix:
            if (len(left.rows), left.width) != (len(right.rows), right.width):
                raise ExecutionError(
                    f"{len(left.rows)} by {left.width} and {len(right.rows)} by {right.width} do not fit"
                )
            rows = [[operate(a, b) for a, b in zip(x, y)] for x, y in zip(left.rows, right.rows)]
        else:
            rows = [[operate(right, a) if swap else operate(a, right) for a in row] for row in left.rows]
        return Matrix(rows, left.width)

    return called


def mult(left: Any, right: Any) -> Any:
    """With a number, an array (a vector, which gives one) or a matrix."""
    if left.__class__ is Matrix and isinstance(right, list):
        _same(left.width, len(right))
        return [fsum([a * b for a, b in zip(row, right)]) for row in left.rows]
    if left.__class__ is Matrix and right.__class__ is Matrix:
        _same(left.width, len(right.rows))
        columns = list(zip(*right.rows))
        return Matrix(
            [[fsum([a * b for a, b in zip(row, column)]) for column in columns] for row in left.rows], right.width
        )
    return _pairwise(lambda a, b: a * b)(left, right)


def _same(a: int, b: int) -> None:
    if a != b:
        raise ExecutionError(f"matrix.mult(): {a} columns by {b} rows do not fit")


def power(matrix: Matrix, exponent: int) -> Matrix:
    if not 0 <= exponent <= 1_000:
        raise ExecutionError(f"matrix.pow() to {exponent}; 0 to 1,000 are possible")
    found = Matrix([[float(i == j) for j in range(matrix.width)] for i in range(matrix.width)], matrix.width)
    for _ in range(int(exponent)):
        found = mult(found, matrix)
    return found


def _algebra(name: str):
    """A function of `numpy.linalg`; na, or a matrix of na, where there is no answer."""

    def called(matrix: Matrix) -> Any:
        import numpy as np

        array = np.array(matrix.rows, dtype=float)
        try:
            if name == "eigenvectors":
                found = np.real(np.linalg.eig(array)[1])
            elif name == "eigenvalues":
                found = np.real(np.linalg.eigvals(array))
            else:
                found = getattr(np.linalg, name)(array)
        except np.linalg.LinAlgError:
            return Matrix([[nan] * matrix.width for _ in matrix.rows], matrix.width) if name in ("inv", "pinv") else nan
        if found.ndim == 2:
            return Matrix(found.tolist(), found.shape[1])
        return found.tolist() if found.ndim else float(found)

    return called


def rank(matrix: Matrix) -> int:
    import numpy as np

    return int(np.linalg.matrix_rank(np.array(matrix.rows, dtype=float)))


def kron(left: Matrix, right: Matrix) -> Matrix:
    rows = [[a * b for a in x for b in y] for x in left.rows for y in right.rows]
    return Matrix(rows, left.width * right.width)


def _every(test):
    """Whether `test(row, column, value, matrix)` holds everywhere."""
    return lambda matrix: all(
        test(i, j, value, matrix) for i, row in enumerate(matrix.rows) for j, value in enumerate(row)
    )


def _square(matrix: Matrix) -> bool:
    return len(matrix.rows) == matrix.width


def _triangular(matrix: Matrix) -> bool:
    lower = _every(lambda i, j, value, _: j <= i or value == 0)
    upper = _every(lambda i, j, value, _: j >= i or value == 0)
    return _square(matrix) and (lower(matrix) or upper(matrix))


def _measure(measure):
    def called(matrix: Matrix) -> float:
        known = [value for value in matrix.flat if value == value]
        return measure(known) if known else nan

    return called


FUNCTIONS = {
    "matrix.get": get, "matrix.set": put, "matrix.row": row_of, "matrix.col": column_of, "matrix.rows": lambda m: len(m.rows),
    "matrix.columns": lambda m: m.width, "matrix.elements_count": lambda m: len(m.rows) * m.width, "matrix.add_row": add_row,
    "matrix.add_col": add_column, "matrix.remove_row": remove_row, "matrix.remove_col": remove_column, "matrix.swap_rows": swap_rows,
    "matrix.swap_columns": swap_columns, "matrix.fill": fill, "matrix.submatrix": part, "matrix.transpose": transpose,
    "matrix.reshape": reshape, "matrix.reverse": reverse, "matrix.sort": sort, "matrix.concat": concat,
    "matrix.copy": lambda m: Matrix([list(row) for row in m.rows], m.width), "matrix.sum": _pairwise(lambda a, b: a + b),
    "matrix.diff": _pairwise(lambda a, b: a - b), "matrix.mult": mult, "matrix.pow": power, "matrix.inv": _algebra("inv"),
    "matrix.pinv": _algebra("pinv"), "matrix.det": _algebra("det"), "matrix.rank": rank, "matrix.kron": kron,
    "matrix.eigenvalues": _algebra("eigenvalues"), "matrix.eigenvectors": _algebra("eigenvectors"),
    "matrix.trace": lambda m: fsum([row[i] for i, row in enumerate(m.rows)]), "matrix.avg": _measure(lambda known: fsum(known) / len(known)),
    "matrix.max": _measure(max), "matrix.min": _measure(min), "matrix.median": _measure(windows.median), "matrix.mode": _measure(windows.mode),
    "matrix.is_square": _square, "matrix.is_zero": _every(lambda i, j, value, m: value == 0),
    "matrix.is_binary": _every(lambda i, j, value, m: value in (0, 1)),
    "matrix.is_identity": lambda m: _square(m) and _every(lambda i, j, value, _: value == (i == j))(m),
    "matrix.is_diagonal": lambda m: _square(m) and _every(lambda i, j, value, _: i == j or value == 0)(m),
    "matrix.is_antidiagonal": lambda m: _square(m) and _every(lambda i, j, value, _: i + j == m.width - 1 or value == 0)(m),
    "matrix.is_symmetric": lambda m: _square(m) and _every(lambda i, j, value, _: value == m.rows[j][i])(m),
    "matrix.is_antisymmetric": lambda m: _square(m) and _every(lambda i, j, value, _: value == -m.rows[j][i])(m),
    "matrix.is_triangular": _triangular,
    "matrix.is_stochastic": lambda m: all(isclose(fsum(row), 1) and all(value >= 0 for value in row) for row in m.rows),
}  # fmt: skip

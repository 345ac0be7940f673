"""Which class row i belongs to: a schedule that keeps every prefix within one row of its weights.

Tijdeman's solution of the chairman assignment problem (Discrete Mathematics 32, 1980): after n rows
each class of k has n·w rows to within 1 − 1/(2k − 2). It is fixed before anything is drawn, so the
first n rows of a larger run are the smaller run.
"""

from collections.abc import Iterator, Mapping


def schedule(weights: Mapping[str, float], size: int) -> Iterator[tuple[str, int]]:
    """Yield (class, its running number) for rows 0 … size − 1. Weights must add up to 1."""
    names = [name for name, weight in weights.items() if weight > 0]
    shares = [weights[name] for name in names]
    counts = [0] * len(names)
    if len(names) == 1:
        for index in range(size):
            yield names[0], index
        return
    slack = 1 / (2 * len(names) - 2)
    order = range(len(names))
    for n in range(1, size + 1):
        best, soonest = 0, float("inf")
        for i in order:
            ahead = shares[i] * n - counts[i]
            if ahead >= slack - 1e-12:
                deadline = (1 - slack - ahead) / shares[i]
                if deadline < soonest - 1e-12:
                    best, soonest = i, deadline
        yield names[best], counts[best]
        counts[best] += 1

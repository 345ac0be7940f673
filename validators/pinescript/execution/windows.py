"""What is true of a window of values: extremes, deviation, ranks. States as in `averages`; na values are left out.

Formulas: the reference entries of the functions. Deviations are of the population unless `biased` is false.
"""

from math import ceil, fsum, nan, sqrt

from validators.pinescript.execution.averages import Update, whole


def _window(measure, least: int = 1):
    """A factory of `update(value, length, …)`: `measure(window, …)` once the window is full."""

    def factory() -> Update:
        values: list[float] = []

        def update(x: float, n: int, *rest) -> float:
            if n.__class__ is not int or n < 1:
                n = whole(n)
            if x == x:
                values.append(x)
            return measure(values[-n:], *rest) if len(values) >= n and n >= least else nan

        return update

    return factory


def _extreme_of(column: str, pick, place: bool):
    """`highest` and `lowest` of a value, or of the chart's own column where none is given."""

    def factory(chart) -> Update:
        values: list[float] = []
        own = getattr(chart, column)

        def update(bar: int, x: float | None, n: int) -> float:
            if n.__class__ is not int or n < 1:
                n = whole(n)
            if x is None:
                if bar + 1 < n:
                    return nan
                window = own[bar + 1 - n : bar + 1]
            else:
                if x == x:
                    values.append(x)
                if len(values) < n:
                    return nan
                window = values[-n:]
            return pick(window) if not place else -window[::-1].index(pick(window))

        return update

    return factory


def variance(window: list[float], biased: object = True) -> float:
    """Of the population, or of a sample."""
    n = len(window)
    mean = fsum(window) / n
    below = n if biased is not False else n - 1
    return fsum([(x - mean) ** 2 for x in window]) / below if below else nan


def stdev(window: list[float], biased: object = True) -> float:
    """Standard deviation."""
    return sqrt(variance(window, biased))


def mean_deviation(window: list[float]) -> float:
    """Mean distance from the mean (`ta.dev`)."""
    mean = fsum(window) / len(window)
    return fsum([abs(x - mean) for x in window]) / len(window)


def median(window: list[float]) -> float:
    """The value in the middle."""
    ordered, half = sorted(window), len(window) // 2
    return ordered[half] if len(window) % 2 else (ordered[half - 1] + ordered[half]) / 2


def mode(window: list[float]) -> float:
    """The most frequent value, the least of them where several are."""
    counts: dict[float, int] = {}
    for x in window:
        counts[x] = counts.get(x, 0) + 1
    most = max(counts.values())
    return min(x for x, count in counts.items() if count == most)


def spread(window: list[float]) -> float:
    """Greatest less least."""
    return max(window) - min(window)


def nearest_rank(window: list[float], percentage: float) -> float:
    """The value at rank ceil(p/100·n)."""
    return sorted(window)[max(ceil(percentage / 100 * len(window)), 1) - 1]


def interpolated(window: list[float], percentage: float) -> float:
    """Between the two nearest ranks, the i-th of n values standing at (i - 0.5)/n."""
    ordered, n = sorted(window), len(window)
    place = min(max(percentage / 100 * n - 0.5, 0.0), n - 1.0)
    low = int(place)
    return ordered[low] + (ordered[min(low + 1, n - 1)] - ordered[low]) * (place - low)


def gravity(window: list[float]) -> float:
    """Centre of gravity (`ta.cog`)."""
    below = fsum(window)
    return -fsum([x * (i + 1) for i, x in enumerate(reversed(window))]) / below if below else nan


def _ranks(window: list[float]) -> list[float]:
    """Ranks from 1, equal values sharing their mean."""
    order = sorted(range(len(window)), key=window.__getitem__)
    ranks, at = [0.0] * len(window), 0
    while at < len(order):
        end = at
        while end + 1 < len(order) and window[order[end + 1]] == window[order[at]]:
            end += 1
        for i in order[at : end + 1]:
            ranks[i] = (at + end) / 2 + 1
        at = end + 1
    return ranks


def rank_correlation(window: list[float]) -> float:
    """Spearman's, between value and time, in percent (`ta.rci`)."""
    n = len(window)
    distance = fsum([(rank - i) ** 2 for i, rank in enumerate(_ranks(window), 1)])
    return 100 * (1 - 6 * distance / (n * (n * n - 1)))


def pearson(left: list[float], right: list[float]) -> float:
    """Correlation coefficient; na where one does not move."""
    n = len(left)
    a, b = fsum(left) / n, fsum(right) / n
    below = sqrt(fsum([(x - a) ** 2 for x in left]) * fsum([(y - b) ** 2 for y in right]))
    return fsum([(x - a) * (y - b) for x, y in zip(left, right)]) / below if below else nan


def correlation() -> Update:
    xs: list[float] = []
    ys: list[float] = []

    def update(x: float, y: float, n: int) -> float:
        n = whole(n)
        if x == x and y == y:
            xs.append(x)
            ys.append(y)
        return pearson(xs[-n:], ys[-n:]) if len(xs) >= n else nan

    return update


def percentrank() -> Update:
    """How many percent of the `length` values before are no greater than this one."""
    values: list[float] = []

    def update(x: float, n: int) -> float:
        n = whole(n)
        if x != x:
            return nan
        values.append(x)
        if len(values) <= n:
            return nan
        return 100.0 * sum([before <= x for before in values[-n - 1 : -1]]) / n

    return update


def _all_before(test):
    """`rising` and `falling`: this value against every one of the `length` before it."""

    def factory() -> Update:
        values: list[float] = []

        def update(x: float, n: int) -> bool:
            n = whole(n)
            values.append(x)
            return len(values) > n and all(test(x, before) for before in values[-n - 1 : -1])

        return update

    return factory


STATES = {
    "ta.stdev": _window(stdev), "ta.variance": _window(variance), "ta.dev": _window(mean_deviation), "ta.median": _window(median),
    "ta.mode": _window(mode), "ta.range": _window(spread), "ta.cog": _window(gravity), "ta.rci": _window(rank_correlation, 2),
    "ta.percentile_nearest_rank": _window(nearest_rank), "ta.percentile_linear_interpolation": _window(interpolated),
    "ta.correlation": correlation, "ta.percentrank": percentrank,
    "ta.rising": _all_before(lambda x, before: x > before), "ta.falling": _all_before(lambda x, before: x < before),
}  # fmt: skip
BAR_STATES = {
    "ta.highest": _extreme_of("high", max, False), "ta.lowest": _extreme_of("low", min, False),
    "ta.highestbars": _extreme_of("high", max, True), "ta.lowestbars": _extreme_of("low", min, True),
}  # fmt: skip

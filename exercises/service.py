"""The judges of the exercises of notebook 07."""

import itertools
from typing import Any

from exercises.judging import (
    CAUGHT,
    NotAttempted,
    as_array,
    is_close,
    judged,
    judged_by_table,
    reject_if,
)

import numpy as np


@judged_by_table()
def exercise_1() -> Any:
    """The number of requests inside at 400 a minute and 1.5 seconds."""
    return {
        "right": 400 / 60 * 1.5,
        "The rate is one a minute, and the latency is in seconds. Take one unit for both.": 400 * 1.5,
        "Little's law multiplies rate and latency.": (400 / 60 / 1.5, 400 / 1.5),
        "That is the number of requests a second. Each of them stays for a while.": 400 / 60,
        "L = λ W: requests a second times seconds.": ...,
    }


RANGES = [
    (np.array([-1000.0, 0.0, 400.0, 3000.0]),),
    (np.array([[2.0, 5.0], [3.0, 4.1]]),),
    (np.array([-6.0, -2.5, -1.0]),),
]


def _quantised(x: np.ndarray, a: float, b: float) -> dict[str, Any]:
    s = (b - a) / 255
    z = -128 - round(a / s)
    return {"q": np.clip(np.round(x / s) + z, -128, 127), "s": s, "z": z}


@judged_by_table(cases=RANGES)
def exercise_2(x: Any) -> Any:
    """The whole numbers of eight bits that stand for an array, their scale and zero point."""
    right = _quantised(x, min(0.0, x.min()), max(0.0, x.max()))
    table = {"right": right}
    if x.min() > 0 or x.max() < 0:
        table["Zero has to be in the range: extend it to 0."] = {"s": (x.max() - x.min()) / 255}
    else:
        table["From −128 to 127 there are 255 steps."] = {"s": (x.max() - x.min()) / 256}
        table["That is a symmetric scale. Cover the range of x, and no more."] = {"s": np.abs(x).max() / 127}
    return table | {
        "The scale is the width of the range over the number of steps.": "s",
        "The smallest number becomes −128, so z = −128 − round(a / s).": "z",
        "Divide by the scale, round, add the zero point, and stay between −128 and 127.": "q",
    }


EDGES = np.array([0.01, 0.02, 0.05, 0.1, 0.5])
HISTOGRAMS = [
    (np.array([90, 5, 3, 1, 1]), np.array([0, 0, 0, 0, 100]), EDGES, 60),
    (np.array([100, 800, 100, 0, 0]), np.array([1, 0, 0, 0, 9]), EDGES, 50),
    (np.array([900, 50, 30, 19, 1]), np.array([1, 1, 1, 2, 5]), EDGES, 99),
    (np.array([50, 50, 0, 0, 0]), np.array([0, 50, 50, 0, 0]), EDGES, 75),
]


def _edge(counts: np.ndarray, edges: np.ndarray, p: float) -> float:
    up_to = np.cumsum(counts)
    return float(edges[np.argmax(up_to >= p / 100 * up_to[-1])])


@judged_by_table(cases=HISTOGRAMS, tolerance=1e-6)
def exercise_3(first: Any, second: Any, edges: Any, p: Any) -> Any:
    """The edge that at least p % of the requests of two histograms do not exceed."""
    both = _edge(first, edges, p), _edge(second, edges, p)
    counts = first + second
    above = float(edges[min(np.argmax(np.cumsum(counts) >= p / 100 * counts.sum()) + 1, len(edges) - 1)])
    return {
        "right": _edge(counts, edges, p),
        "That is the mean of two percentiles, and no percentile. Add the counts first.": np.mean(both),
        "That is the larger of two percentiles. Add the counts first.": max(both),
        "That is the smaller of two percentiles. Add the counts first.": min(both),
        "One edge too far: at least p % is enough.": above,
        "Add the counts, add them up from the left, and take the first edge that reaches p % of all.": ...,
    }


TIMES = [
    (np.array([0.0, 0.1, 0.2, 0.3, 1.4, 1.5, 2.6]), 1.0, 2),
    (np.array([0.0, 100.0, 100.1, 100.2, 100.3, 100.4]), 1.0, 3),
    (np.array([0.0, 0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.25]), 2.0, 1),
]


def _bucket(
    times: np.ndarray, rate: float, size: float, start: float, most: float, always: bool
) -> np.ndarray:
    tokens, then, verdicts = start, times[0], []
    for now in times:
        tokens = min(most, tokens + rate * (now - then))
        then = now
        verdicts.append(tokens >= 1)
        tokens -= 1 if always or verdicts[-1] else 0
    return np.array(verdicts, float)


@judged_by_table(cases=TIMES)
def exercise_4(times: Any, rate: Any, size: Any) -> Any:
    """Which requests a bucket of tokens lets through."""
    return {
        "right": _bucket(times, rate, size, size, size, False),
        "The bucket is full at the first request.": _bucket(times, rate, size, 0, size, False),
        "The bucket never holds more than its size, however long nobody asks.": _bucket(
            times, rate, size, size, np.inf, False
        ),
        "A request that is refused takes no token.": _bucket(times, rate, size, size, size, True),
        "Fill up for the time since the last request, then see whether there is a whole token.": ...,
    }


def _three_numbers(answer: Any, order: str) -> list[float]:
    """Return the three numbers of an answer, which may be anything at all."""
    try:
        found = list(itertools.islice(answer, 4))  # it may be endless
    except CAUGHT:
        found = []
    reject_if(len(found) != 3, f"Three numbers are asked for, in this order: {order}.")
    if any(each is ... for each in found):
        raise NotAttempted
    return [float(as_array(each, ())) for each in found]


@judged
def exercise_5(answer: Any, sizes: Any, seconds: Any) -> None:
    """Fixed cost of a call, cost of one more example, and the batch with half of the best throughput."""
    a, b, half_at = _three_numbers(answer, "a, b, n")
    right_b, right_a = np.polyfit(sizes, seconds, 1)

    def near(value: float, right: float) -> bool:
        return bool(is_close(value / right, 1, 0.01))

    reject_if(near(a, right_b) and near(b, right_a), "You have a and b the other way round.")
    fitted = near(a, right_a) and near(b, right_b)
    reject_if(
        not fitted, f"The line that fits best has other values than a = {a:.3g} and b = {b:.3g} (in seconds)."
    )
    reject_if(near(half_at, right_b / right_a), "That is b / a. When is a + b n as much as 2 b n?")
    reject_if(not near(half_at, right_a / right_b), "Throughput is n / (a + b n). When is it half of 1 / b?")


# Between what the means of 200,000 simulated requests lie; by theory 2.5, 2.78 and 5.
LATENCIES = {
    "one fast server": (2.3, 2.7),
    "two with a common queue": (2.6, 3.0),
    "two with own queues": (4.5, 5.6),
}


@judged
def exercise_6(answer: Any) -> None:
    """The mean latencies of one fast server, two with a common queue, and two with queues of their own."""
    found = _three_numbers(answer, "one fast, two common, two separate")
    waiting = [2.0, 1.78, 4.0]
    hint = "These are waiting times. The latency has the service in it."
    reject_if(all(abs(x - y) < 0.15 * y for x, y in zip(found, waiting, strict=True)), hint)
    for value, (name, (low, high)) in zip(found, LATENCIES.items(), strict=True):
        hint = f"For {name} you found {value:.2f} s, and it lies between {low:g} and {high:g} s."
        reject_if(not low <= value <= high, hint)

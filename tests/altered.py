"""Answers to exercises made from other answers."""

import numpy as np


def listed(function):
    """Return a function that answers with lists."""

    def answer(*arguments):
        found = function(*arguments)
        return [part.tolist() for part in found] if isinstance(found, tuple) else np.asarray(found).tolist()

    return answer


def changed(function, **parts):
    """Return a function some of whose answers are replaced: place → function of answer and arguments."""

    def answer(*case):
        found = list(function(*case))
        for place, make in parts.items():
            found[int(place[1:])] = make(found[int(place[1:])], *case)
        return tuple(found)

    return answer

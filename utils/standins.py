"""The sample tier: small data sets that need no network and are the same on every machine.

The digits are real. The pictures and the reviews are stand-ins made by code, and are called so wherever
they appear. To give the same bytes everywhere, random numbers come from `RandomState`, whose stream NumPy
has frozen, and the arithmetic is the kind that IEEE 754 defines to the last bit: no sine, no logarithm, no
sum whose order is the processor's choice.
"""

import gzip
import hashlib
import importlib.util
import numbers
from pathlib import Path

from utils import TutorialError

import numpy as np

DIGITS_SHA256 = ""


def _positive_whole_number(count: int) -> int:
    """Return `count` as an `int`, or say in a sentence that it is no number of things to make."""
    if not isinstance(count, numbers.Integral) or count < 1:
        raise TutorialError(
            f"`count` says how many to make, so it is a whole number from 1 up, not {count!r}."
        )
    return int(count)


# ------------------------------------------------------------------------------------------------ digits


# ------------------------------------------------------------------------------------------------ shapes

SIZE = 32  # pixels along a side, as in CIFAR-10
BLOCK = 500  # pictures drawn at a time, which bounds the memory

# Directions of the five edges of a star: cosine and sine of 90° + 72° k. Written out, since the last digit
# of a computed cosine differs between machines.
STAR_EDGES = (
    (0.0, 1.0),
    (-0.951057, 0.309017),
    (-0.587785, -0.809017),
    (0.587785, -0.809017),
    (0.951057, 0.309017),
)


def _disc(u, v):
    return np.sqrt(u * u + v * v) - 0.85


def _ring(u, v):
    return np.abs(np.sqrt(u * u + v * v) - 0.76) - 0.2


def _crescent(u, v):
    bite = u - 0.5
    return np.maximum(np.sqrt(u * u + v * v) - 1.0, 0.85 - np.sqrt(bite * bite + v * v))


def _triangle(u, v):
    return np.maximum(v, 0.866025 * np.abs(u) - 0.5 * v) - 0.5


def _square(u, v):
    return np.maximum(np.abs(u), np.abs(v)) - 0.75


def _frame(u, v):
    return np.abs(np.maximum(np.abs(u), np.abs(v)) - 0.66) - 0.17


def _cross(u, v):
    u, v = np.abs(u), np.abs(v)
    return np.maximum(np.maximum(u, v) - 0.95, np.minimum(u, v) - 0.27)


def _star(u, v):
    # A point is in a five-pointed star if it lies behind at least four of the five lines along its edges.
    lines = np.sort([a * u + b * v for a, b in STAR_EDGES], axis=0)
    return lines[-2] - 0.36


def _bars(u, v):
    u = np.abs(u)
    return np.maximum(np.minimum(u, np.abs(u - 0.66)) - 0.18, np.abs(v) - 0.85)


def _hourglass(u, v):
    u, v = np.abs(u), np.abs(v)
    return np.maximum(v - 0.85, 0.75 * (u - v) - 0.06)


SHAPES = {
    "disc": _disc,
    "ring": _ring,
    "crescent": _crescent,
    "triangle": _triangle,
    "square": _square,
    "frame": _frame,
    "cross": _cross,
    "star": _star,
    "bars": _bars,
    "hourglass": _hourglass,
}
SHAPE_NAMES = tuple(SHAPES)


def shape_pictures(count, seed):
    count = _positive_whole_number(count)
    random = np.random.RandomState(seed)
    labels = (random.permutation(count) % len(SHAPES)).astype(np.int64)
    blocks = [_draw(labels[start : start + BLOCK], random) for start in range(0, count, BLOCK)]
    return np.concatenate(blocks), labels


def _between(random, low, high, shape):
    return low + (high - low) * random.random_sample(shape)


def _draw(labels, random, tilt=0.3, blob=28, grain=14, rmin=6.0, rmax=11.0, cmin=12, cmax=108):
    n = len(labels)
    radius = _between(random, rmin, rmax, (n, 1, 1))
    # The whole shape is in the picture, so the room for its centre depends on its size.
    centre_x, centre_y = radius + (SIZE - 2 * radius) * random.random_sample((2, n, 1, 1))
    half = _between(random, -tilt, tilt, (n, 1, 1))
    cosine, sine = (1 - half * half) / (1 + half * half), 2 * half / (1 + half * half)
    pixel = np.arange(SIZE) + 0.5
    x, y = (pixel[None, :] - centre_x) / radius, (pixel[:, None] - centre_y) / radius
    u, v = cosine * x + sine * y, cosine * y - sine * x
    cover = np.empty((n, SIZE, SIZE))
    for kind, distance in enumerate(SHAPES.values()):
        here = labels == kind
        cover[here] = distance(u[here], v[here]) * radius[here]
    cover = np.clip(0.5 - cover, 0.0, 1.0)[..., None]

    side = 2 * random.randint(2, size=(n, 1, 1, 1), dtype=np.int64) - 1
    ground, ink = random.randint(cmin, cmax, size=(2, n, 1, 1, 3), dtype=np.int64)
    coarse = random.randint(-blob, blob + 1, size=(n, 3, 5, 5), dtype=np.int64)
    weight = np.maximum(0.0, 1 - np.abs(pixel[:, None] / 8 - np.arange(5)))
    texture = np.moveaxis(weight @ coarse @ weight.T, 1, -1)
    texture += random.randint(-grain, grain + 1, size=(n, SIZE, SIZE, 1), dtype=np.int64)
    picture = 128 + side * (cover * (ink + ground) - ground) + texture
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)

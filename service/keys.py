"""Who may ask, and how much: keys that are stored as hashes, and a quota for each.

    python -m service --new-key Ada --keys keys.json

makes a key, shows it once, and keeps its hash. A key has 256 random bits, so a plain SHA-256 is enough:
nobody can try them all. A password, which people think up, would need a slow hash with a salt.
"""

import hashlib
import hmac
import json
import math
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from utils import TutorialError


class KeysError(TutorialError):
    """The file of keys cannot be used."""


class Quota:
    """A bucket of tokens: it fills at a rate up to a size, and each example takes one out.

    Attributes:
        rate: Tokens a second.
        size: How many the bucket holds, which is how much may be asked at once after a rest.
    """

    def __init__(self, rate: float, size: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.rate, self.size, self._clock = rate, size, clock
        self._tokens, self._then = size, clock()

    def take(self, count: int) -> int:
        """Take tokens and return 0; or take none and return after how many seconds there will be enough."""
        now = self._clock()
        self._tokens = min(self.size, self._tokens + self.rate * (now - self._then))
        self._then = now
        if count <= self._tokens:
            self._tokens -= count
            return 0
        return max(1, math.ceil((count - self._tokens) / self.rate))


class Keys:
    """The clients that may ask.

    Attributes:
        quotas: The quota of each client, by name.
    """

    def __init__(self, hashes: dict[str, str], rate: float = 100, size: float = 200) -> None:
        """Take the clients.

        Args:
            hashes: The SHA-256 of each client's key, by the name of the client.
            rate: How many examples a second each may ask for.
            size: How many at once, after a rest.
        """
        self._hashes = hashes
        self.quotas = {name: Quota(rate, size) for name in hashes}

    def owner(self, key: str) -> str | None:
        """Return whose key this is; `None` if it is nobody's.

        It compares with every hash and each to its end, so the time that it takes tells nothing.
        """
        mine, found = hashed(key), None
        for name, known in self._hashes.items():
            if hmac.compare_digest(mine, known):
                found = name
        return found


def read(path: Path) -> Keys:
    """Read a file of keys.

    Args:
        path: The file, as `add` writes it.

    Raises:
        KeysError: It cannot be read.
    """
    try:
        hashes = json.loads(path.read_text(encoding="utf-8"))
        if not (isinstance(hashes, dict) and all(isinstance(each, str) for each in hashes.values())):
            raise ValueError
    except (OSError, ValueError):
        raise KeysError(
            f"{path} is no file of keys. Make one by: python -m service --new-key NAME --keys {path}"
        ) from None
    return Keys(hashes)


def add(path: Path, name: str) -> str:
    """Make a key for a client, keep its hash in a file, and return it; it is nowhere else.

    Args:
        path: The file, which may not be there yet.
        name: Who gets the key. An older key of that name is no longer valid.
    """
    hashes = read(path)._hashes if path.exists() else {}
    key = secrets.token_urlsafe(32)
    path.write_text(json.dumps({**hashes, name: hashed(key)}, indent=1) + "\n", encoding="utf-8")
    path.chmod(0o600)
    return key


def hashed(key: str) -> str:
    """Return the SHA-256 of a key, which is all that is kept of it."""
    return hashlib.sha256(key.encode()).hexdigest()

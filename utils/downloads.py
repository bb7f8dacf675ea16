"""Fetch one verified file: from several sources, resumed where they allow it, and put in place all at once.

`utils.files` knows which files there are and what they must contain; this module only moves bytes.
"""

import contextlib
import errno
import hashlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path

from utils import TutorialError

CONNECT_TIMEOUT = 10.0  # seconds until a server must have accepted the connection
STALL_TIMEOUT = 30.0  # seconds without a single byte
ATTEMPTS = 3  # per source, for failures that may pass
BACKOFF = 1.0  # seconds before the second attempt, twice as long before the third
SLOW = 250_000  # bytes per second: a slower source gives way to the next one ...
PATIENCE = 30.0  # ... after so many seconds
LARGEST = 400_000_000  # bytes; no file of the data sets has half as many, unpacked or not
_CHUNK = 1 << 15  # bytes written at a time
_TOO_LARGE = f"the server sent more than {LARGEST / 1e6:.0f} MB, which is not the file"
_BUSY = {408, 425, 429, 500, 502, 503, 504}  # HTTP answers that may be different in a moment


class DatasetError(TutorialError):
    """A data set cannot be had, or was asked for with a value that makes no sense."""


class DamagedError(DatasetError):
    """A file is there, but it is not the file that was published."""


class _SourceError(Exception):
    """This source does not deliver the file."""


class _TooLargeError(_SourceError):
    """What this source sends is larger than the file can be."""


class _BrokenOffError(_SourceError):
    """This source may deliver the file, or the rest of it, at another attempt."""


class _SlowError(_SourceError):
    """This source would deliver the file, but so slowly that the others come first."""


def verify(content: bytes, checksum: str, label: str | Path) -> None:
    """Make sure that a file is the one that was published.

    Args:
        content: All bytes of the file.
        checksum: Algorithm and hexadecimal digest, as in `"sha256:731c5a..."` or `"md5:c99caf..."`.
        label: How the error names the file.

    Raises:
        DamagedError: The checksum of `content` is another one.
    """
    algorithm, expected = checksum.split(":")
    found = hashlib.new(algorithm, content, usedforsecurity=False).hexdigest()
    if found != expected:
        kind = "a web page saved under this name" if _is_web_page(content) else "damaged or incomplete"
        raise DamagedError(f"{label} is {kind}: its {algorithm} is {found}, not {expected}.")


def read(path: Path) -> bytes:
    """Return all bytes of a file, unless there are more than any of the data sets' files has.

    Args:
        path: The file.

    Raises:
        DamagedError: The file is too large to be one of them.
        OSError: It cannot be read.
    """
    size = path.stat().st_size
    if size > LARGEST:
        raise DamagedError(f"{path} is not the file that was published: it has {size:,} bytes.")
    return path.read_bytes()


@contextlib.contextmanager
def lock(path: Path) -> Iterator[None]:
    """Hold the right to write `path`, in this process alone; wait for it if another process has it.

    Args:
        path: The file to be written. Its folder is made if it does not exist.

    Raises:
        DatasetError: The folder cannot be made or written to.
    """
    import filelock

    lock_path = path.with_name(path.name + ".lock")
    file_lock = filelock.FileLock(lock_path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file_lock.acquire(timeout=0)
        except filelock.Timeout:
            print(f"Another program is fetching {path.name}. Waiting until it has finished.", flush=True)
            file_lock.acquire()
    except OSError as error:
        raise _storage_error(error, path) from None
    try:
        yield
    finally:
        # Removed while it is still held: whoever has it open notices, and locks a new file.
        # Windows does not remove open files; there, filelock itself does it after the release.
        with contextlib.suppress(OSError):
            lock_path.unlink()
        file_lock.release()


def set_aside(path: Path) -> None:
    """Make room for a good file by renaming the damaged file or folder at its place, if there is one."""
    if path.exists():
        kept = path.with_name(f"{path.name}.damaged-{datetime.now():%Y%m%d-%H%M%S-%f}")
        path.rename(kept)
        print(f"The damaged {path.name} is kept as {kept.name}.")


def fetch(
    path: Path, sources: Sequence[str], checksum: str, install: Callable[[Path], None] | None = None
) -> None:
    """Download a file from the first source that delivers it whole. The caller holds `lock(path)`.

    What has arrived when a connection breaks is kept next to `path`, under its name with `.part` added, and
    the download is continued from there: by the next attempt, from the next source, or by the next call.

    Args:
        path: The file to download.
        sources: Web addresses (URLs) of the file, best first.
        checksum: Algorithm and hexadecimal digest of the file, as for `verify`.
        install: Called with the path of the complete download, in place of the check of `checksum`: verifies
            it (raising `DamagedError`) and puts what is in it where it belongs.

    Raises:
        DatasetError: No source delivered the file, or the folder cannot take it. Says for each source why,
            and which file to put where by hand. The first line is a sentence of its own.
    """

    def install_file(part: Path) -> None:
        verify(read(part), checksum, "the file it sent")
        set_aside(path)
        part.replace(path)

    part = path.with_name(path.name + ".part")
    reasons: dict[str, str] = {}
    queue = [(source, len(sources) == 1) for source in sources]
    try:
        for source, patient in queue:
            try:
                _fetch_from(source, part, install or install_file, patient)
                part.unlink(missing_ok=True)
                return
            except _SlowError as error:
                reasons[source] = str(error)
                queue.append((source, True))  # once more, after the others
            except _TooLargeError as error:
                part.unlink(missing_ok=True)
                reasons[source] = str(error)
            except (_SourceError, DamagedError) as error:
                reasons[source] = str(error)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            part.unlink(missing_ok=True)  # A disk without a free byte stops more than this program.
        raise _storage_error(error, path) from None
    why = "; ".join(dict.fromkeys(reasons.values())) or "no source is known"
    algorithm, digest = checksum.split(":")
    raise DatasetError(
        "\n".join(
            [
                f"{path.name} is not there and could not be downloaded ({why}).",
                *(f"  {source}: {reason}" for source, reason in reasons.items()),
                f"Try again later, or put {path.name} ({algorithm} {digest}) into {path.parent} by hand.",
            ]
        )
    )


def _fetch_from(source: str, part: Path, install: Callable[[Path], None], patient: bool) -> None:
    """Download and install from one source, and try again after a failure that may pass."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            resumed = _receive(source, part, patient)
            try:
                install(part)
                return
            except DamagedError as error:
                part.unlink()
                if not resumed:
                    raise
                # The beginning came from elsewhere, or from another day, and need not fit the rest.
                raise _BrokenOffError(str(error)) from None
        except _BrokenOffError:
            if attempt == ATTEMPTS:
                raise
            time.sleep(BACKOFF * 2 ** (attempt - 1))


def _receive(source: str, part: Path, patient: bool) -> bool:
    """Receive into `part` what it still lacks.

    Args:
        source: Web address of the file.
        part: What has arrived so far, if anything.
        patient: Whether to stay with a slow source.

    Returns:
        Whether an older beginning was continued.

    Raises:
        _SourceError: The file did not arrive, or not all of it.
    """
    import requests
    from tqdm import tqdm

    offset = part.stat().st_size if part.exists() else 0
    # A server may compress on the way unless told `identity`; then lengths and offsets count something else.
    headers = {"Accept-Encoding": "identity"}
    if offset:
        headers["Range"] = f"bytes={offset}-"
    answered, received = False, 0
    try:
        with requests.get(
            source, headers=headers, stream=True, timeout=(CONNECT_TIMEOUT, STALL_TIMEOUT)
        ) as response:
            answered = True
            content_range = response.headers.get("Content-Range", "")
            if response.status_code == 416 and content_range == f"bytes */{offset}":
                return True  # Nothing is missing.
            resumed = response.status_code == 206 and content_range.startswith(f"bytes {offset}-")
            if response.status_code == 416 or (response.status_code == 206 and not resumed):
                part.unlink(missing_ok=True)
                raise _BrokenOffError("the server could not continue an interrupted download")
            if not response.ok:
                kind = _BrokenOffError if response.status_code in _BUSY else _SourceError
                raise kind(f"the server answered {response.status_code} {response.reason}")

            chunks = response.iter_content(_CHUNK)
            first = next(chunks, b"")
            if not resumed:
                if _is_web_page(first):
                    raise _SourceError("the server sent a web page (a login or an error?), not the file")
                offset = 0
            length = response.headers.get("Content-Length", "")
            if length.isdigit() and offset + int(length) > LARGEST:
                raise _TooLargeError(_TOO_LARGE)
            start = time.monotonic()
            with (
                part.open("ab" if resumed else "wb") as file,
                tqdm(
                    desc=part.stem,
                    initial=offset,
                    total=offset + int(length) if length.isdigit() else None,
                    unit="B",
                    unit_scale=True,
                    leave=False,
                ) as progress,
            ):
                for chunk in itertools.chain([first], chunks):
                    received += len(chunk)
                    if offset + received > LARGEST:
                        raise _TooLargeError(_TOO_LARGE)
                    file.write(chunk)
                    progress.update(len(chunk))
                    elapsed = time.monotonic() - start
                    if not patient and elapsed > PATIENCE and received < SLOW * elapsed:
                        raise _SlowError(f"the server is slow ({received / elapsed / 1000:,.0f} kB/s)")
            return resumed
    except requests.RequestException as error:
        if answered:
            raise _BrokenOffError("the connection broke off or stalled") from None
        # Not tried again: who sits in a room without internet has waited long enough for this server.
        raise _SourceError(_no_answer(error)) from None


def _no_answer(error: Exception) -> str:
    """Say why a server did not answer at all."""
    import requests

    if isinstance(error, requests.exceptions.SSLError):
        return "the server's certificate was not accepted (is the clock right, is there a filter?)"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy server could not be reached"
    if isinstance(error, requests.exceptions.Timeout):
        return "the server did not answer in time"
    if isinstance(error, requests.exceptions.ConnectionError):
        return "the server could not be reached"
    return f"the address could not be used: {error}"


def _is_web_page(content: bytes) -> bool:
    """Tell a web page from data: it begins with a tag, and none of our files does."""
    return content[:200].lstrip().startswith(b"<")


def _storage_error(error: OSError, path: Path) -> DatasetError:
    """Say what is wrong with the folder of `path`, and what to do."""
    remedy = "or set TUTORIAL_DATA_DIR to another folder"
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return DatasetError(f"The disk is full: {path} could not be stored. Free some space, {remedy}.")
    if isinstance(error, PermissionError) or error.errno == errno.EROFS:
        return DatasetError(
            f"{path} could not be stored, because the folder cannot be written to. Change that, {remedy}."
        )
    if isinstance(error, FileExistsError | NotADirectoryError):
        return DatasetError(
            f"{path} could not be stored, because a part of its path is a file. Rename that file, {remedy}."
        )
    return DatasetError(f"{path} could not be stored: {error.strerror or error}. Put that right, {remedy}.")

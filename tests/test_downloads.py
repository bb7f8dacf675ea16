"""Tests of `utils.downloads` against a server on loopback that misbehaves in every way we have heard of."""

import errno
import hashlib
import os
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

from utils import downloads
from utils.downloads import DamagedError, DatasetError, fetch, lock, verify

import numpy as np
import pytest
from loopback import LOGIN_PAGE, Server, hang, hurry, page, status, whole

CONTENT = b"\x1f\x8b" + np.random.RandomState(0).bytes(400_000)
CHECKSUM = "sha256:" + hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    hurry(monkeypatch)
    with Server() as running:
        yield running


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "mnist.npz"


def get(server: Server, path: Path, *sources: str) -> None:
    """Fetch `path` from paths of the server."""
    with lock(path):
        fetch(path, [server.url(source) for source in sources], CHECKSUM)


def names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir())


def test_a_file_arrives_whole_and_alone(server, path):
    server.answers["/a"] = [whole(CONTENT)]
    get(server, path, "/a")
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["mnist.npz"]
    assert server.requests == [("/a", None)]


def test_the_folder_is_made(server, tmp_path):
    server.answers["/a"] = [whole(CONTENT)]
    get(server, tmp_path / "new" / "folder" / "mnist.npz", "/a")
    assert (tmp_path / "new" / "folder" / "mnist.npz").read_bytes() == CONTENT


FAILURES = {
    "forbidden": (status(403), "answered 403 Forbidden", 1),
    "not found": (status(404), "answered 404 Not Found", 1),
    "busy": (status(503), "answered 503 Service Unavailable", 2),
    "login page": (page(LOGIN_PAGE), "sent a web page", 1),
    "login page that calls itself data": (page(LOGIN_PAGE, "application/zip"), "sent a web page", 1),
    "another file": (whole(b"PK" + CONTENT), "is damaged or incomplete: its sha256 is", 1),
    "empty": (whole(b""), "is damaged or incomplete: its sha256 is", 1),
    "hangs": (hang, "did not answer in time", 1),
    "stalls": (whole(CONTENT, cut=1000, stall=True, ranges=False), "broke off or stalled", 2),
    "breaks off": (whole(CONTENT, cut=1000, ranges=False), "broke off or stalled", 2),
}


@pytest.mark.parametrize(("answer", "reason", "attempts"), FAILURES.values(), ids=FAILURES)
def test_the_next_source_answers_when_the_first_fails(server, path, answer, reason, attempts):
    server.answers |= {"/a": [answer], "/b": [whole(CONTENT)]}
    get(server, path, "/a", "/b")
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["mnist.npz"]
    assert len(server.ranges("/a")) == attempts
    assert len(server.ranges("/b")) == 1


@pytest.mark.parametrize(("answer", "reason", "attempts"), FAILURES.values(), ids=FAILURES)
def test_the_error_says_why_and_what_to_do(server, path, answer, reason, attempts):
    server.answers["/a"] = [answer]
    with pytest.raises(DatasetError) as caught:
        get(server, path, "/a", "/missing")
    message = str(caught.value)
    assert re.search(f"{server.url('/a')}: .*{reason}", message)
    assert f"{server.url('/missing')}: the server answered 404 Not Found" in message
    assert message.splitlines()[-1] == (
        f"Try again later, or put mnist.npz ({CHECKSUM.replace(':', ' ')}) into {path.parent} by hand."
    )
    assert "mnist.npz is not there and could not be downloaded" in message.splitlines()[0]
    assert reason in message.splitlines()[0]
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert not path.exists()
    assert not path.with_name("mnist.npz.lock").exists()


def test_a_server_that_does_not_exist(server, path):
    with Server() as other:
        closed = other.url("/a")
    server.answers["/b"] = [whole(CONTENT)]
    with lock(path):
        with pytest.raises(DatasetError, match="the server could not be reached"):
            fetch(path, [closed], CHECKSUM)
        fetch(path, [closed, server.url("/b")], CHECKSUM)
    assert path.read_bytes() == CONTENT


def test_a_broken_download_is_continued(server, path):
    server.answers["/a"] = [whole(CONTENT, cut=300_000), whole(CONTENT)]
    get(server, path, "/a")
    assert path.read_bytes() == CONTENT
    first, second = server.ranges("/a")
    arrived = int(re.fullmatch(r"bytes=(\d+)-", second)[1])
    assert first is None
    assert 300_000 - downloads._CHUNK < arrived <= 300_000
    assert server.sent == 300_000 + len(CONTENT) - arrived


def test_a_stalled_download_is_continued_by_the_next_source(server, path):
    server.answers |= {"/a": [whole(CONTENT, cut=300_000, stall=True), status(404)], "/b": [whole(CONTENT)]}
    get(server, path, "/a", "/b")
    assert path.read_bytes() == CONTENT
    assert server.ranges("/b") != [None]
    assert server.sent < len(CONTENT) + downloads._CHUNK


def test_a_broken_download_is_continued_by_the_next_call(server, path):
    server.answers["/a"] = [whole(CONTENT, cut=300_000), status(404)]
    with pytest.raises(DatasetError):
        get(server, path, "/a")
    assert names(path.parent) == ["mnist.npz.part"]
    server.answers["/a"] = [whole(CONTENT)]
    get(server, path, "/a")
    assert path.read_bytes() == CONTENT
    assert server.sent < len(CONTENT) + downloads._CHUNK


def test_a_server_that_ignores_ranges_sends_all_again(server, path):
    server.answers["/a"] = [whole(CONTENT, cut=300_000), whole(CONTENT, ranges=False)]
    get(server, path, "/a")
    assert path.read_bytes() == CONTENT
    assert server.ranges("/a")[1] is not None


@pytest.mark.parametrize(
    "beginning", [b"another file", CONTENT + b"more"], ids=["of another file", "longer than the file"]
)
def test_a_beginning_that_does_not_fit_is_dropped(server, path, beginning):
    path.with_name("mnist.npz.part").write_bytes(beginning)
    server.answers["/a"] = [whole(CONTENT)]
    get(server, path, "/a")
    assert path.read_bytes() == CONTENT
    assert server.ranges("/a") == [f"bytes={len(beginning)}-", None]


def test_a_server_that_continues_elsewhere_is_asked_for_all(server, path):
    path.with_name("mnist.npz.part").write_bytes(CONTENT[:100])
    server.answers["/a"] = [whole(CONTENT, shift=5, cut=100_000), whole(CONTENT)]
    get(server, path, "/a")
    assert path.read_bytes() == CONTENT
    assert server.ranges("/a") == ["bytes=100-", None]


def test_a_complete_download_is_not_sent_again(server, path):
    path.with_name("mnist.npz.part").write_bytes(CONTENT)
    server.answers["/a"] = [whole(CONTENT)]
    get(server, path, "/a")
    assert path.read_bytes() == CONTENT
    assert server.sent == 0


@pytest.mark.parametrize("answer", [page(LOGIN_PAGE), status(403), hang], ids=["login page", "403", "hangs"])
def test_a_failure_keeps_what_has_arrived(server, path, answer):
    path.with_name("mnist.npz.part").write_bytes(CONTENT[:100])
    server.answers["/a"] = [answer]
    with pytest.raises(DatasetError):
        get(server, path, "/a")
    assert path.with_name("mnist.npz.part").read_bytes() == CONTENT[:100]


def test_a_wrong_download_is_deleted(server, path):
    server.answers["/a"] = [whole(b"PK" + CONTENT)]
    with pytest.raises(DatasetError):
        get(server, path, "/a")
    assert names(path.parent) == []


def test_a_slow_server_gives_way_and_gets_a_second_chance(server, path, monkeypatch):
    monkeypatch.setattr(downloads, "PATIENCE", 0.0)
    monkeypatch.setattr(downloads, "SLOW", 1e15)
    server.answers |= {"/slow": [whole(CONTENT)], "/broken": [status(404)]}
    get(server, path, "/slow", "/broken")
    assert path.read_bytes() == CONTENT
    assert [requested for requested, _ in server.requests] == ["/slow", "/broken", "/slow"]
    assert server.requests[-1][1] is not None


def test_a_slow_server_is_used_to_the_end_if_it_is_the_only_one(server, path, monkeypatch):
    monkeypatch.setattr(downloads, "PATIENCE", 0.0)
    monkeypatch.setattr(downloads, "SLOW", 1e15)
    server.answers["/slow"] = [whole(CONTENT)]
    get(server, path, "/slow")
    assert path.read_bytes() == CONTENT
    assert server.requests == [("/slow", None)]


def test_a_damaged_file_is_replaced_but_kept(server, path, capsys):
    path.write_bytes(b"damaged")
    server.answers["/a"] = [status(403), whole(CONTENT)]
    with pytest.raises(DatasetError):
        get(server, path, "/a")
    assert path.read_bytes() == b"damaged"
    assert names(path.parent) == ["mnist.npz"]
    get(server, path, "/a")
    assert path.read_bytes() == CONTENT
    kept, good = sorted(path.parent.iterdir(), reverse=True)
    assert good == path
    assert kept.read_bytes() == b"damaged"
    assert f"The damaged mnist.npz is kept as {kept.name}." in capsys.readouterr().out


def fail_with(monkeypatch: pytest.MonkeyPatch, code: int, *, when_writing: bool) -> None:
    """Let the file system fail at `.part` files: permission bits do not bind root, and disks are not full."""
    real_open = Path.open

    def failing_open(self, mode="r", *arguments, **options):
        if self.suffix != ".part" or mode == "rb":
            return real_open(self, mode, *arguments, **options)
        if not when_writing:
            raise OSError(code, os.strerror(code), str(self))
        file = real_open(self, mode, *arguments, **options)

        class Failing:
            def write(self, chunk):
                file.write(chunk[:10])
                raise OSError(code, os.strerror(code))

            def __enter__(self):
                return self

            def __exit__(self, *_):
                file.close()

        return Failing()

    monkeypatch.setattr(Path, "open", failing_open)


def test_a_full_disk(server, path, monkeypatch):
    fail_with(monkeypatch, errno.ENOSPC, when_writing=True)
    server.answers |= {"/a": [whole(CONTENT)], "/b": [whole(CONTENT)]}
    with pytest.raises(DatasetError, match=r"^The disk is full: .*mnist.npz .*TUTORIAL_DATA_DIR") as caught:
        get(server, path, "/a", "/b")
    assert caught.value.__suppress_context__
    assert server.ranges("/b") == []
    assert names(path.parent) == []


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_read_only_file(server, path, monkeypatch, code):
    fail_with(monkeypatch, code, when_writing=False)
    server.answers["/a"] = [whole(CONTENT)]
    with pytest.raises(DatasetError, match="cannot be written to"):
        get(server, path, "/a")
    assert names(path.parent) == []


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_read_only_folder(server, path, monkeypatch, code):
    real_open = os.open

    def failing_open(name, *arguments, **options):
        if str(name).endswith(".lock"):
            raise OSError(code, os.strerror(code), name)
        return real_open(name, *arguments, **options)

    monkeypatch.setattr(os, "open", failing_open)
    with pytest.raises(DatasetError, match=r"mnist.npz .*cannot be written to.*TUTORIAL_DATA_DIR") as caught:
        get(server, path, "/a")
    assert caught.value.__suppress_context__
    assert server.requests == []


def test_a_folder_that_is_a_file(server, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(DatasetError, match=r"mnist\.npz could not be stored"):
            get(server, folder / "mnist.npz", "/a")
    assert (tmp_path / "file").read_text() == "not a folder"


def test_the_lock_makes_others_wait_and_leaves_nothing(path, capsys):
    got_it = threading.Event()

    def second() -> None:
        with lock(path):
            got_it.set()

    thread = threading.Thread(target=second)
    with lock(path):
        thread.start()
        assert not got_it.wait(0.3)
        assert "Another program is fetching mnist.npz. Waiting" in capsys.readouterr().out
    assert got_it.wait(5)
    thread.join()
    assert names(path.parent) == []


def test_verify_names_file_and_checksums():
    verify(CONTENT, CHECKSUM, "some file")
    verify(b"abc", "md5:900150983cd24fb0d6963f7d28e17f72", "some file")
    with pytest.raises(DamagedError, match=r"some file is damaged or incomplete: its md5 is 9001.*, not 123"):
        verify(b"abc", "md5:123", "some file")
    with pytest.raises(DamagedError, match="some file is a web page saved under this name"):
        verify(LOGIN_PAGE, CHECKSUM, "some file")


def endless(handler: BaseHTTPRequestHandler) -> None:
    """Send zeros and never say how many."""
    handler.send_response(200)
    handler.end_headers()
    for _ in range(10_000):
        handler.wfile.write(bytes(1 << 16))
    handler.close_connection = True


@pytest.mark.parametrize("answer", [endless, whole(b"PK" + bytes(600_000))], ids=["endless", "too large"])
def test_a_server_cannot_fill_the_disk(server, path, answer, monkeypatch):
    monkeypatch.setattr(downloads, "LARGEST", 500_000)
    server.answers |= {"/a": [answer], "/b": [whole(CONTENT)]}
    get(server, path, "/a", "/b")
    assert path.read_bytes() == CONTENT
    assert names(path.parent) == ["mnist.npz"]
    server.answers["/b"] = [status(404)]
    path.unlink()
    with pytest.raises(DatasetError, match=r"the server sent more than .* which is not the file"):
        get(server, path, "/a", "/b")
    assert names(path.parent) == []

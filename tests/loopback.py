"""A server on loopback that misbehaves in every way we have heard of, for the tests of downloads."""

import re
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from utils import downloads

import pytest

LOGIN_PAGE = b"\n <!DOCTYPE html><title>Please log in</title>"

Answer = Callable[[BaseHTTPRequestHandler], None]


class Server(ThreadingHTTPServer):
    """A server on loopback that gives each path the answers that a test lays down.

    Attributes:
        answers: For each path, what it answers, in turn; the last answer is given for ever.
        requests: Path and `Range` header of each request so far.
        sent: Number of bytes of files sent so far.
        released: Ends all hanging answers when set.
    """

    daemon_threads = True

    def __init__(self) -> None:
        self.answers: dict[str, list[Answer]] = {}
        self.requests: list[tuple[str, str | None]] = []
        self.sent = 0
        self.released = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    def url(self, path: str) -> str:
        """Return the web address of `path`."""
        return f"http://127.0.0.1:{self.server_port}{path}"

    def ranges(self, path: str) -> list[str | None]:
        """Return the `Range` header of each request for `path`."""
        return [header for requested, header in self.requests if requested == path]

    def __enter__(self) -> "Server":
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.requests.append((self.path, self.headers["Range"]))
        answers = self.server.answers.get(self.path) or [status(404)]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        try:
            answer(self)
        except ConnectionError:
            self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""


def status(code: int) -> Answer:
    """Answer with an error page."""
    return lambda handler: handler.send_error(code)


def page(content: bytes, kind: str = "text/html") -> Answer:
    """Answer 200 with something else than the file."""
    return whole(content, ranges=False, kind=kind)


def hang(handler: BaseHTTPRequestHandler) -> None:
    """Accept the request and never answer it."""
    handler.server.released.wait(10)
    handler.close_connection = True


def whole(
    content: bytes,
    *,
    ranges: bool = True,
    shift: int = 0,
    cut: int | None = None,
    stall: bool = False,
    kind: str = "application/octet-stream",
) -> Answer:
    """Answer with the file, or what is left of it.

    Args:
        content: The file.
        ranges: Whether the `Range` header is heeded.
        shift: Number of bytes by which a range begins too late.
        cut: Number of bytes after which the connection breaks.
        stall: Whether it hangs instead of breaking.
        kind: Media type.
    """

    def answer(handler: BaseHTTPRequestHandler) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", handler.headers["Range"] or "") if ranges else None
        start = int(asked[1]) + shift if asked else 0
        if start >= len(content) and asked:
            handler.send_response(416)
            handler.send_header("Content-Range", f"bytes */{len(content)}")
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        handler.send_response(206 if asked else 200)
        if asked:
            handler.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        handler.send_header("Content-Type", kind)
        handler.send_header("Content-Length", str(len(content) - start))
        handler.end_headers()
        body = content[start:] if cut is None else content[start : start + cut]
        handler.server.sent += len(body)  # before the client has it all and the test goes on
        handler.wfile.write(body)
        handler.wfile.flush()
        if stall:
            hang(handler)
        handler.close_connection = True

    return answer


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let downloads give up soon, though not so soon that a busy machine fails the tests."""
    monkeypatch.setattr(downloads, "STALL_TIMEOUT", 1.0)
    monkeypatch.setattr(downloads, "ATTEMPTS", 2)
    monkeypatch.setattr(downloads, "BACKOFF", 0.01)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

"""Start the service: `python -m service`, or `make serve`."""

import argparse
import logging
import os
import socket
import sys
from pathlib import Path

from service import keys
from utils import TutorialError

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def main() -> None:
    """Read the command line, and serve until interrupted."""
    parser = argparse.ArgumentParser(
        prog="python -m service", description="Serve the digit reader of notebook 03."
    )
    parser.add_argument("--host", default="127.0.0.1", help="where to listen; 0.0.0.0 for the whole network")
    parser.add_argument("--port", type=int, default=8000, help="0 for any that is free")
    parser.add_argument("--keys", type=Path, help="a file of keys; without one, everybody may ask")
    parser.add_argument(
        "--new-key", metavar="NAME", help="make a key, keep its hash in the file of keys, and stop"
    )
    parser.add_argument(
        "--audit", type=Path, help="a file for the log of who asked what, without the pictures"
    )
    parser.add_argument(
        "--reviews", action="store_true", help="read reviews, too; trains that network once, some minutes"
    )
    arguments = parser.parse_args()
    try:
        if arguments.new_key:
            make_key(arguments.keys or Path("keys.json"), arguments.new_key)
        else:
            serve(arguments)
    except TutorialError as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        pass


def make_key(path: Path, name: str) -> None:
    """Make a key and show it."""
    key = keys.add(path, name)
    print(f"The key of {name}, which is shown only now: {key}\nIts hash is in {path}.")


def serve(arguments: argparse.Namespace) -> None:
    """Load the network and serve it."""
    known = keys.read(arguments.keys) if arguments.keys else None
    listening = listen(arguments.host, arguments.port)
    if arguments.audit:
        handler = logging.FileHandler(arguments.audit, encoding="utf-8")
        logging.getLogger("service.audit").addHandler(handler)
        logging.getLogger("service.audit").setLevel(logging.INFO)

    from service import app, model, reviews  # after what can be wrong, for TensorFlow takes seconds

    import uvicorn

    network, reader = model.obtain(), reviews.obtain(arguments.reviews)
    read = reviews.reader(reader) if reader else None
    service = app.create_app(model.predictor(network), known, read=read)
    host = f"[{arguments.host}]" if ":" in arguments.host else arguments.host
    print(f"The service is at http://{host}:{listening.getsockname()[1]} — Ctrl-C ends it.", flush=True)
    if known is None and arguments.host not in LOOPBACK:
        print("Whoever reaches this machine may ask. Give keys by --new-key and --keys.", flush=True)
    config = uvicorn.Config(
        service, log_level="warning", access_log=False, server_header=False, timeout_graceful_shutdown=5
    )
    uvicorn.Server(config).run(sockets=[listening])


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens.

    Raises:
        TutorialError: The address is taken, or none of this machine's.
    """
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        # Where the protocol is not named, asyncio lets small packets wait for one another: 40 ms an answer.
        listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        if os.name != "nt":  # there, it would let two services share a port
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(2048)
        return listening
    except (OSError, OverflowError) as error:
        raise TutorialError(
            f"Nothing can listen at {host}, port {port} ({error}). Choose another port, such as: "
            f'make serve ARGS="--port {port + 1 if 0 < port < 65535 else 8001}"'
        ) from None


if __name__ == "__main__":
    main()

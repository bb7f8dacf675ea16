"""The service: what each address answers, and what is refused before it costs anything."""

import asyncio
import contextlib
import json
import logging
import time
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated, Any

from service import documentation, protocol
from service.batching import Batcher, Busy, Stopped
from service.keys import Keys
from service.protocol import BadRequest, InferRequest, InferResponse, ReviewsRequest

import numpy as np
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from starlette.exceptions import HTTPException as AnyHTTPException

NAME, REVIEWS = "digits", "reviews"
MOST_BYTES = 512 * 1024  # of a request: 64 pictures need half of it
TOO_LARGE = f"A request has at most {MOST_BYTES:,} bytes."
NOT_READY = "The network is not ready."
OURS = "Something went wrong here, and it has been noted."
# What is said where the framework would say “Not Found”.
SENTENCES = {
    400: protocol.sentence(()),
    404: "There is nothing at this address. /docs says what there is.",
    405: "This address does not take that method. /docs says which it takes.",
}
PATIENCE = 10.0  # seconds in which a request must have arrived
PAGE = Path(__file__).with_name("page.html")
PAGE_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src 'self'; "
    "img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

audit = logging.getLogger("service.audit")
trouble = logging.getLogger("service.trouble")


class Metrics:
    """What is counted, for `/metrics`; the last three tell whether the pictures are still what they were."""

    def __init__(self) -> None:
        own = CollectorRegistry()
        self.registry = own
        self.requests = Counter("requests", "requests by answer", ["route", "status"], registry=own)
        self.seconds = Histogram("request_seconds", "time to an answer", ["route"], registry=own)
        sizes = [1, 2, 4, 8, 16, 32, 64]
        self.batch = Histogram("batch_pictures", "pictures in a batch", buckets=sizes, registry=own)
        self.here = Gauge("pictures_here", "pictures in the queue or in the network", registry=own)
        tenths = [k / 10 for k in range(1, 11)]
        self.digits = Counter("digits", "answers by digit", ["digit"], registry=own)
        self.confidence = Histogram("confidence", "highest probability", buckets=tenths, registry=own)
        self.brightness = Histogram("brightness", "mean pixel, from 0 to 1", buckets=tenths, registry=own)

    def note(self, pictures: np.ndarray, probabilities: np.ndarray) -> None:
        """Count what was asked and answered."""
        for picture, row in zip(pictures, probabilities, strict=True):
            self.digits.labels(int(row.argmax())).inc()
            self.confidence.observe(float(row.max()))
            self.brightness.observe(picture.mean() / 255)


class _Body:
    """The body of a request, as it arrives: not for ever, and not more of it than may be."""

    def __init__(self, receive: Any, patience: float) -> None:
        self._receive, self._patience = receive, patience
        self._end = time.perf_counter() + patience
        self._size, self._complete = 0, False

    async def _next(self) -> dict[str, Any]:
        message = await asyncio.wait_for(self._receive(), max(self._end - time.perf_counter(), 0.0))
        self._size += len(message.get("body", b""))
        self._complete = not message.get("more_body", False)
        return message

    async def receive(self) -> dict[str, Any]:
        """Return the next piece, or refuse the whole."""
        if self._complete:
            return await self._receive()
        try:
            message = await self._next()
        except asyncio.TimeoutError:
            raise refusal(408, f"The request had not arrived after {self._patience:g} s.") from None
        if self._size > MOST_BYTES:
            await self.discard()
            raise refusal(413, TOO_LARGE)
        return message

    async def discard(self) -> None:
        """Take in what a client is still sending, up to a bound, so that it comes to read the answer."""
        with contextlib.suppress(asyncio.TimeoutError):
            while not self._complete and self._size < 8 * MOST_BYTES:
                await self._next()


class Guard:
    """Stands before the application: limits what comes in, and counts and logs what goes out.

    The log says who asked for what, when, and what became of it. It holds no picture and no key.
    """

    def __init__(self, app: Any, metrics: Metrics, patience: float) -> None:
        self.app, self.metrics, self.patience = app, metrics, patience

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started, status = time.perf_counter(), 500
        state = scope.setdefault("state", {})
        body = _Body(receive, self.patience)

        async def noted_send(message: dict[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            refused = _refused_at_sight(scope)
            if refused:
                await body.discard()
            await (refused or self.app)(scope, body.receive, noted_send)
        finally:
            route = getattr(scope.get("route"), "path", "no such address")
            seconds = time.perf_counter() - started
            self.metrics.requests.labels(route, status).inc()
            self.metrics.seconds.labels(route).observe(seconds)
            entry = {
                "time": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
                "client": state.get("client"),
                "method": scope["method"],
                "route": route,
                "status": status,
                "pictures": state.get("pictures", 0),
                "milliseconds": round(1000 * seconds, 1),
            }
            audit.info(json.dumps(entry))


class Refusal(HTTPException):
    """A refusal in a sentence of ours."""


def refusal(status: int, sentence: str) -> Refusal:
    """Return the refusal of a request of which something may still be on its way, so the connection ends."""
    return Refusal(status, sentence, {"Connection": "close"})


def _refused_at_sight(scope: dict[str, Any]) -> Response | None:
    """Return the answer to a request that is refused by its headers alone; `None` for any other."""
    headers = dict(scope["headers"])
    if headers.get(b"content-encoding", b"identity") != b"identity":
        # A thousandth of a file can unpack to all of it, and pictures this small need no packing.
        return _error(refusal(415, "Send the request unpacked, without a Content-Encoding."))
    if int(headers.get(b"content-length", b"0")) > MOST_BYTES:
        return _error(refusal(413, TOO_LARGE))
    return None


def _error(error: AnyHTTPException) -> JSONResponse:
    """Return what the protocol says instead of an answer: a sentence."""
    return JSONResponse({"error": error.detail}, error.status_code, error.headers)


def create_app(
    predict: Callable[[np.ndarray], np.ndarray],
    keys: Keys | None = None,
    room: int = 512,
    patience: float = PATIENCE,
    read: Callable[[np.ndarray], np.ndarray] | None = None,
) -> FastAPI:
    """Return the service.

    Args:
        predict: From pictures, `uint8` of shape (n, 28, 28), to probabilities of shape (n, 10).
        keys: Who may ask; `None` for everybody.
        room: How many pictures may be here at once before the service refuses more.
        patience: Seconds in which a request must have arrived.
        read: From texts, an array of them, to how positive each review is; `None` where there is no reader.
    """
    metrics = Metrics()
    batcher = Batcher(predict, room=room, on_batch=metrics.batch.observe)
    batchers = {NAME: batcher, **({REVIEWS: Batcher(read, room=room)} if read else {})}

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            for each in batchers.values():
                await stack.enter_async_context(each)
            yield

    # FastAPI's own pages of documentation load their scripts from elsewhere.
    app = FastAPI(
        title="Digits", description=__doc__, version="1", lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.state.batcher, app.state.metrics = batcher, metrics
    app.add_middleware(Guard, metrics=metrics, patience=patience)

    @app.exception_handler(AnyHTTPException)
    async def refuse(request: Request, error: AnyHTTPException) -> JSONResponse:
        if not isinstance(error, Refusal):  # the framework's own
            sentence = SENTENCES.get(error.status_code, f"{error.detail}.")
            return _error(Refusal(error.status_code, sentence, error.headers))
        return _error(error)

    @app.exception_handler(RequestValidationError)
    async def explain(request: Request, error: RequestValidationError) -> JSONResponse:
        of_reviews = request.url.path.startswith(f"/v2/models/{REVIEWS}/")
        sentences = protocol.OF_REVIEWS if of_reviews else protocol.SENTENCES
        return _error(Refusal(400, protocol.sentence(error.errors()[0]["loc"], sentences)))

    @app.exception_handler(Exception)
    async def apologise(request: Request, error: Exception) -> JSONResponse:  # the server logs the traceback
        return _error(refusal(500, OURS))

    # All of these are coroutines: FastAPI would send a plain function to a thread, and wait for it.
    async def client(request: Request) -> str | None:
        """Return who asks, by the key in the header “Authorization: Bearer KEY”."""
        if keys is None:
            return None
        kind, _, key = request.headers.get("authorization", "").partition(" ")
        name = keys.owner(key.strip()) if kind.lower() == "bearer" else None
        if name is None:
            sentence = "This service needs a key that it knows: send the header “Authorization: Bearer KEY”."
            raise Refusal(401, sentence, {"WWW-Authenticate": "Bearer"})
        request.state.client = name
        return name

    async def model(name: str) -> str:
        """Return the name of a model that there is."""
        if name not in batchers:
            raise Refusal(404, f"There is no model “{name[:50]}”. There is: {', '.join(batchers)}.")
        return name

    async def ask(batcher: Batcher, examples: np.ndarray, owner: str | None, request: Request) -> np.ndarray:
        """Return the network's answers, or refuse."""
        request.state.pictures = len(examples)
        seconds = keys.quotas[owner].take(len(examples)) if keys else 0
        if seconds:
            sentence = f"That is more than your quota. Ask again in {seconds} s."
            raise Refusal(429, sentence, {"Retry-After": str(seconds)})
        try:
            return await batcher(examples)
        except Busy as busy:
            raise Refusal(429, str(busy), {"Retry-After": str(busy.seconds)}) from None
        except Stopped:
            raise Refusal(503, NOT_READY) from None
        except Exception:
            trouble.exception("The network failed on %d examples.", len(examples))
            raise Refusal(500, OURS) from None

    @app.get("/", response_class=HTMLResponse, include_in_schema=False)
    async def page() -> HTMLResponse:
        text = PAGE.read_text(encoding="utf-8")
        if read:  # show that part of the page
            text = text.replace("<body>", '<body class="reads-reviews">')
        return HTMLResponse(text, headers={"Content-Security-Policy": PAGE_POLICY})

    @app.get("/docs", response_class=HTMLResponse, include_in_schema=False)
    async def docs() -> HTMLResponse:
        return HTMLResponse(
            documentation.page(app.openapi()), headers={"Content-Security-Policy": PAGE_POLICY}
        )

    @app.get("/metrics", response_class=Response)
    async def numbers() -> Response:
        """Say for Prometheus what was asked, how long it took, and what the pictures are like."""
        metrics.here.set(sum(each.here for each in batchers.values()))
        return Response(
            generate_latest(metrics.registry), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    @app.get("/v2")
    async def server() -> dict[str, Any]:
        """Say what this server is."""
        return {"name": "tutorial-notebooks", "version": "1", "extensions": []}

    @app.get("/v2/health/live")
    async def live() -> dict[str, bool]:
        """Say that the process answers."""
        return {"live": True}

    @app.get("/v2/health/ready")
    async def ready() -> dict[str, bool]:
        """Say whether the network can be asked; 503 if not."""
        if not all(each.works for each in batchers.values()):
            raise Refusal(503, NOT_READY)
        return {"ready": True}

    @app.get("/v2/models/{name}")
    async def metadata(name: Annotated[str, Depends(model)]) -> dict[str, Any]:
        """Say what the model takes and gives."""
        return protocol.metadata(name)

    @app.get("/v2/models/{name}/ready")
    async def model_ready(name: Annotated[str, Depends(model)]) -> dict[str, bool]:
        """Say whether the model can be asked; 503 if not."""
        return await ready()

    async def read_reviews(
        owner: Annotated[str | None, Depends(client)], asked: ReviewsRequest, request: Request
    ) -> JSONResponse:
        """Say how positive reviews of films are, from 0 to 1."""
        try:
            texts = protocol.reviews_of(asked)
        except BadRequest as error:
            raise Refusal(400, str(error)) from None
        positive = await ask(batchers[REVIEWS], texts, owner, request)
        return JSONResponse(protocol.verdicts(asked, positive))

    if read:  # before the address of the digits, which has a name in its place
        app.post(f"/v2/models/{REVIEWS}/infer", response_model=InferResponse)(read_reviews)

    @app.post("/v2/models/{name}/infer", response_model=InferResponse)
    async def infer(
        name: Annotated[str, Depends(model)],
        owner: Annotated[str | None, Depends(client)],
        asked: InferRequest,
        request: Request,
    ) -> JSONResponse:
        """Read the digits in pictures."""
        try:
            pictures = protocol.pictures_of(asked)
        except BadRequest as error:
            raise Refusal(400, str(error)) from None
        probabilities = await ask(batcher, pictures, owner, request)
        metrics.note(pictures, probabilities)
        return JSONResponse(protocol.response(name, asked, probabilities))

    return app

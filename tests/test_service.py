"""The service: it answers what is right, refuses in a sentence what is not, and loses nothing."""

import asyncio
import contextlib
import gzip
import io
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from service import __main__ as command
from service import keys as service_keys
from service.app import MOST_BYTES, create_app
from service.batching import Batcher, Busy, Stopped
from service.keys import Keys, KeysError, Quota
from service.protocol import MOST_PICTURES
from utils import TutorialError

import httpx
import numpy as np
import pytest
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from tools.collection import ROOT

INFER = "/v2/models/digits/infer"
JSON = {"Content-Type": "application/json"}


def first_pixel(pictures: np.ndarray) -> np.ndarray:
    """Stand in for the network: the digit is the last one of the first pixel's value."""
    return np.eye(10, dtype=np.float32)[pictures[:, 0, 0] % 10]


def picture(digit: int = 0) -> list[int]:
    return [digit] + [0] * 783


def asking(data, shape=(1, 28, 28), **changed) -> dict:
    tensor = {"name": "pictures", "datatype": "UINT8", "shape": list(shape), "data": data}
    return {"inputs": [{**tensor, **changed}]}


def digits_in(answer: httpx.Response) -> list[int]:
    assert answer.status_code == 200, answer.text
    return answer.json()["outputs"][0]["data"]


@contextlib.contextmanager
def serving(predict=first_pixel, **options) -> Iterator[httpx.Client]:
    """Serve in a thread, and yield a client of it."""
    listening = command.listen("127.0.0.1", 0)
    app = create_app(predict, **options)
    config = uvicorn.Config(app, log_level="critical", timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    try:
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with httpx.Client(base_url=address, trust_env=False, timeout=20) as client:
            yield client
    finally:
        server.should_exit = True
        thread.join()
        listening.close()


@pytest.fixture(scope="module")
def client() -> Iterator[httpx.Client]:
    """Return a client of a service that everybody may ask."""
    with serving() as client:
        yield client


# ------------------------------------------------------------ what is right


def test_pictures_are_read_flat_and_nested(client):
    assert digits_in(client.post(INFER, json=asking(picture(3)))) == [3]
    pictures = np.zeros((4, 28, 28), int)
    pictures[:, 0, 0] = [7, 1, 0, 9]
    for data in (pictures.tolist(), pictures.ravel().tolist()):
        assert digits_in(client.post(INFER, json=asking(data, (4, 28, 28)))) == [7, 1, 0, 9]


def test_an_answer_has_the_form_of_the_protocol_and_of_its_own_description(client):
    answer = client.post(INFER, json={"id": "mine", **asking(picture(3) + picture(4), (2, 28, 28))}).json()
    assert (answer["model_name"], answer["id"]) == ("digits", "mine")
    outputs = {output["name"]: output for output in answer["outputs"]}
    assert outputs["digit"] == {"name": "digit", "datatype": "INT64", "shape": [2], "data": [3, 4]}
    assert outputs["probabilities"]["shape"] == [2, 10]
    assert outputs["probabilities"]["data"] == np.eye(10)[[3, 4]].ravel().tolist()
    described = client.get("/v2/models/digits").json()
    assert [(each["name"], each["datatype"]) for each in described["outputs"]] == [
        (output["name"], output["datatype"]) for output in answer["outputs"]
    ]


def test_it_says_that_it_lives_and_is_ready(client):
    for address in ("/v2", "/v2/health/live", "/v2/health/ready", "/v2/models/digits/ready"):
        assert client.get(address).status_code == 200
    addresses = client.get("/openapi.json").json()["paths"]
    assert {"/v2/health/live", "/v2/health/ready", "/v2/models/{name}", "/v2/models/{name}/infer"} <= {
        *addresses
    }


def test_the_example_of_the_description_is_right(client):
    schema = client.get("/openapi.json").json()["components"]["schemas"]["InferRequest"]
    assert client.post(INFER, json=schema["example"]).status_code == 200


def test_the_page_needs_nothing_from_elsewhere(client):
    page = client.get("/")
    assert page.headers["content-type"].startswith("text/html")
    assert "connect-src 'self'" in page.headers["content-security-policy"]
    assert "http" not in page.text.replace("http-equiv", "")


def numbers(client: httpx.Client) -> dict[str, float]:
    """Return what /metrics says: the sum over the labels of each number."""
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(client.get("/metrics").text):
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


def test_the_metrics_count_requests_pictures_and_what_they_are_like():
    with serving() as client:
        client.post(INFER, json=asking(picture(3)))
        client.post(INFER, json=asking([255] * 1568, (2, 28, 28)))
        client.post(INFER, json=asking([255]))
        found = numbers(client)
    assert found["requests_total"] == 3
    assert found["request_seconds_count"] == 3
    assert found["digits_total"] == found["confidence_count"] == found["brightness_count"] == 3
    assert found["brightness_sum"] == pytest.approx(2 + 3 / 255 / 784)
    assert found["batch_pictures_sum"] == 3
    assert found["pictures_here"] == 0


# ------------------------------------------------------------ what is wrong


def long_nested(depth: int) -> bytes:
    return b'{"inputs": ' + b"[" * depth + b"]" * depth + b"}"


BAD = {
    "no body": (b"", 400, "not JSON"),
    "not JSON": (b"seven", 400, "not JSON"),
    "half of a JSON": (b'{"inputs": [', 400, "not JSON"),
    "not UTF-8": (b"\xff\xfe\xff", 400, "not JSON"),
    "nested a hundred thousand times": (long_nested(100_000), 400, "not JSON"),
    "a list": (b"[]", 400, "Open Inference Protocol"),
    "no inputs": (b"{}", 400, "One input is expected"),
    "two inputs": (json.dumps({"inputs": 2 * asking(picture())["inputs"]}), 400, "One input is expected"),
    "another name": (json.dumps(asking(picture(), name="image")), 400, "name of the input is “pictures”"),
    "numbers with a point": (json.dumps(asking(picture(), datatype="FP32")), 400, "UINT8"),
    "pixels from 0 to 1": (json.dumps(asking([0.5] * 784)), 400, "whole numbers from 0 to 255"),
    "NaN": (json.dumps(asking([float("nan")] + [0] * 783)), 400, "whole numbers from 0 to 255"),
    "infinity": (json.dumps(asking(picture())).replace("[0,", "[1e999,"), 400, "whole numbers"),
    "negative": (json.dumps(asking([-1] + [0] * 783)), 400, "whole numbers from 0 to 255"),
    "too bright": (json.dumps(asking(picture(256))), 400, "whole numbers from 0 to 255"),
    "a number of a thousand digits": (json.dumps(asking([10**999] + [0] * 783)), 400, "whole numbers"),
    "a number of ten thousand digits": (
        json.dumps(asking(picture(77))).replace("[77,", f"[{'7' * 10_000},"),
        400,
        "",
    ),
    "texts": (json.dumps(asking(["0"] * 784)), 400, "whole numbers from 0 to 255"),
    "a long text among many": (json.dumps(asking(["x" * 100_000] + [0] * 60_000)), 400, "whole numbers"),
    "nothing in it": (json.dumps(asking([None] * 784)), 400, "whole numbers from 0 to 255"),
    "lists of unequal length": (json.dumps(asking([[[0, 1], [2]]])), 400, "nested by their shape"),
    "too few pixels": (json.dumps(asking([0] * 783)), 400, "[783]"),
    "another shape": (json.dumps(asking(picture(), (1, 784))), 400, "[n, 28, 28]"),
    "no shape": (json.dumps(asking(picture(), ())), 400, "[n, 28, 28]"),
    "no picture": (json.dumps(asking([], (0, 28, 28))), 400, "[n, 28, 28]"),
    "a negative number of pictures": (json.dumps(asking([], (-1, 28, 28))), 400, "[n, 28, 28]"),
    "a hundred million pixels": (json.dumps(asking([0], (1, 10_000, 10_000))), 400, "[n, 28, 28]"),
    "too many pictures": (
        json.dumps(asking([0] * 784 * (MOST_PICTURES + 1), (MOST_PICTURES + 1, 28, 28))),
        400,
        f"n from 1 to {MOST_PICTURES}",
    ),
    "too large": (b" " * (MOST_BYTES + 1), 413, "at most 524,288 bytes"),
    "far too large": (b" " * (4 * MOST_BYTES), 413, "at most 524,288 bytes"),
}


def see_a_sentence(answer: httpx.Response, status: int, words: str = "") -> None:
    """See that a refusal is a sentence, and tells nothing of the code behind it."""
    assert answer.status_code == status, answer.text
    assert [*answer.json()] == ["error"]
    sentence = answer.json()["error"]
    assert sentence[-1] == "."
    assert words in sentence
    assert "Traceback" not in sentence
    assert ".py" not in sentence
    assert len(sentence) < 300


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_a_status_and_a_sentence_and_the_next_request_an_answer(client, name):
    body, status, words = BAD[name]
    see_a_sentence(client.post(INFER, content=body, headers=JSON), status, words)
    assert digits_in(client.post(INFER, json=asking(picture(5)))) == [5]


def test_another_kind_of_content_is_refused(client):
    body = json.dumps(asking(picture()))
    see_a_sentence(client.post(INFER, content=body, headers={"Content-Type": "text/plain"}), 400)


def test_a_small_request_that_unpacks_to_a_large_one_is_not_unpacked(client):
    bomb = gzip.compress(bytes(10**8))
    assert len(bomb) < MOST_BYTES
    answer = client.post(INFER, content=bomb, headers={**JSON, "Content-Encoding": "gzip"})
    see_a_sentence(answer, 415, "unpacked")


def test_a_request_of_unknown_length_is_cut_off(client):
    pieces = (bytes(64 * 1024) for _ in range(1000))
    with contextlib.suppress(httpx.WriteError):  # the connection may be gone before all is sent
        see_a_sentence(client.post(INFER, content=pieces, headers=JSON), 413)
    assert digits_in(client.post(INFER, json=asking(picture(5)))) == [5]


def test_an_unknown_address_model_or_method_is_named(client):
    see_a_sentence(client.post("/v2/models/letters/infer", json=asking(picture())), 404, "letters")
    see_a_sentence(client.get("/nowhere"), 404, "nothing at this address")
    see_a_sentence(client.get(INFER), 405, "method")


def test_a_slow_client_is_let_go_and_nobody_waits_for_it():
    with serving(patience=0.5) as client:
        with socket.create_connection((client.base_url.host, client.base_url.port), timeout=10) as slow:
            head = f"POST {INFER} HTTP/1.1\r\nHost: here\r\nContent-Type: application/json\r\n"
            slow.sendall((head + "Content-Length: 1000\r\n\r\n{").encode())
            started = time.monotonic()
            assert digits_in(client.post(INFER, json=asking(picture(5)))) == [5]
            assert time.monotonic() - started < 0.4
            answer = slow.makefile("rb").read()  # until the service hangs up
        assert b" 408 " in answer.split(b"\r\n")[0]
        assert b"had not arrived after 0.5 s." in answer


def test_a_thousand_silent_connections_keep_nobody_waiting(client):
    with contextlib.ExitStack() as stack:
        for _ in range(1000):
            place = (client.base_url.host, client.base_url.port)
            stack.enter_context(socket.create_connection(place, timeout=10))
        assert digits_in(client.post(INFER, json=asking(picture(5)))) == [5]


def test_an_error_behind_the_service_is_a_sentence_and_the_next_request_is_answered(caplog):
    def moody(pictures):
        if pictures[0, 0, 0] == 13:
            raise RuntimeError("a secret")
        return first_pixel(pictures)

    with serving(moody) as client:
        answer = client.post(INFER, json=asking(picture(13)))
        see_a_sentence(answer, 500)
        assert "secret" not in answer.text
        assert "a secret" in caplog.text  # with its traceback, for whoever runs the service
        assert digits_in(client.post(INFER, json=asking(picture(5)))) == [5]


# ------------------------------------------------------------ anything at all

ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=10), inner, max_size=5),
    max_leaves=20,
)
NEARLY = st.fixed_dictionaries(
    {
        "inputs": st.lists(
            st.fixed_dictionaries(
                {
                    "name": st.just("pictures") | ANYTHING,
                    "datatype": st.just("UINT8") | ANYTHING,
                    "shape": st.just([1, 28, 28]) | st.lists(st.integers(-2, 70), max_size=4) | ANYTHING,
                    "data": st.just([0] * 784)
                    | st.lists(st.integers(-1, 256), min_size=783, max_size=785)
                    | ANYTHING,
                }
            ),
            max_size=2,
        )
        | ANYTHING
    },
    optional={"id": ANYTHING, "parameters": ANYTHING},
)
MANY = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)


@MANY
@given(body=ANYTHING | NEARLY)
def test_whatever_is_asked_the_answer_is_right_or_a_sentence(client, body):
    answer = client.post(INFER, content=json.dumps(body), headers=JSON)
    if answer.status_code == 200:
        assert body["inputs"][0]["shape"] == [1, 28, 28]
    else:
        see_a_sentence(answer, 400)


@MANY
@given(body=st.binary(max_size=200))
def test_whatever_bytes_arrive_the_answer_is_a_sentence(client, body):
    see_a_sentence(client.post(INFER, content=body, headers=JSON), 400)


@MANY
@given(pixels=st.binary(min_size=784, max_size=784), n=st.integers(1, 3))
def test_every_picture_is_answered(client, pixels, n):
    answer = client.post(INFER, json=asking([*pixels] * n, (n, 28, 28)))
    assert digits_in(answer) == [pixels[0] % 10] * n


def strategy_of(schema: dict, schemas: dict) -> st.SearchStrategy:
    """Return a strategy for whatever a part of the description allows."""
    if "$ref" in schema:
        return strategy_of(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    if "anyOf" in schema:
        return st.one_of([strategy_of(each, schemas) for each in schema["anyOf"]])
    if "const" in schema:
        return st.just(schema["const"])
    kind = schema["type"]
    if kind == "object":
        parts = {name: strategy_of(part, schemas) for name, part in schema["properties"].items()}
        wanted = schema.get("required", [])
        return st.fixed_dictionaries(
            {name: parts[name] for name in wanted},
            optional={name: part for name, part in parts.items() if name not in wanted},
        )
    if kind == "array":
        most = min(schema.get("maxItems", 4), 4)
        return st.lists(
            strategy_of(schema["items"], schemas), min_size=schema.get("minItems", 0), max_size=most
        )
    if kind == "integer":
        return st.integers(schema.get("minimum", -3), schema.get("maximum", 70))
    assert kind == "string"
    return st.text(max_size=min(schema.get("maxLength", 50), 50))


@pytest.mark.parametrize(
    ("model", "request_name"), [("digits", "InferRequest"), ("reviews", "ReviewsRequest")]
)
def test_what_the_description_allows_is_answered_or_refused_in_a_sentence(both, model, request_name):
    schemas = both.get("/openapi.json").json()["components"]["schemas"]
    statuses = []

    @MANY
    @given(body=strategy_of(schemas[request_name], schemas))
    def ask(body):
        answer = both.post(INFER.replace("digits", model), content=json.dumps(body), headers=JSON)
        statuses.append(answer.status_code)
        if answer.status_code == 200:
            assert set(answer.json()) == set(schemas["InferResponse"]["required"])
            assert answer.json()["outputs"][0]["shape"] == body["inputs"][0]["shape"][:1]
        else:
            see_a_sentence(answer, 400)

    ask()
    assert 400 in statuses
    example = both.post(INFER.replace("digits", model), json=schemas[request_name]["example"])
    assert example.status_code == 200


# ------------------------------------------------------------ reviews


def letters(texts: np.ndarray) -> np.ndarray:
    """Stand in for the reader: the longer, the better."""
    return np.array([len(text) / 100 for text in texts], np.float32)


@pytest.fixture(scope="module")
def both() -> Iterator[httpx.Client]:
    """Return a client of a service with both models."""
    with serving(read=letters) as client:
        yield client


READ = "/v2/models/reviews/infer"


def about(texts, **changed) -> dict:
    return {
        "inputs": [{"name": "reviews", "datatype": "BYTES", "shape": [len(texts)], "data": texts, **changed}]
    }


def test_reviews_are_read(both):
    answer = both.post(READ, json={"id": "mine", **about(["good", "not bad at all"])}).json()
    assert (answer["model_name"], answer["id"]) == ("reviews", "mine")
    assert answer["outputs"] == [{"name": "positive", "datatype": "FP32", "shape": [2], "data": [0.04, 0.14]}]
    described = both.get("/v2/models/reviews").json()
    assert [each["name"] for each in described["outputs"]] == ["positive"]
    assert both.get("/v2/models/reviews/ready").status_code == 200
    assert digits_in(both.post(INFER, json=asking(picture(5)))) == [5]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (about([]), "[n]"),
        (about(["good"], shape=[2]), "as many as there are texts"),
        (about(["good"] * 65), "texts of at most"),
        (about(["x" * 20_001]), "texts of at most"),
        (about([7]), "texts of at most"),
        (about(["good"], datatype="UINT8"), "BYTES"),
        (asking(picture()), "“reviews”"),
    ],
)
def test_what_is_no_review_gets_a_sentence(both, body, words):
    see_a_sentence(both.post(READ, json=body), 400, words)


def test_where_there_is_no_reader_there_are_no_reviews(client):
    see_a_sentence(client.get("/v2/models/reviews"), 404, "reviews")
    see_a_sentence(client.post(READ, json=asking(picture())), 404, "reviews")


def test_the_page_asks_for_reviews_where_there_is_a_reader(client, both):
    assert '<body class="reads-reviews">' in both.get("/").text
    assert 'class="reads-reviews"' not in client.get("/").text


def test_the_documentation_needs_nothing_from_elsewhere_and_names_every_address(both):
    page = both.get("/docs")
    assert page.headers["content-type"].startswith("text/html")
    assert "http" not in page.text
    assert "<script" not in page.text
    for address in both.get("/openapi.json").json()["paths"]:
        assert address in page.text
    assert "Not bad at all." in page.text


# ------------------------------------------------------------ many at once


def gated():
    """Return a network that answers only when an event is set, and that event."""
    gate = threading.Event()

    def predict(pictures):
        assert gate.wait(20)
        return first_pixel(pictures)

    return predict, gate


def test_what_finds_no_room_is_refused_at_once_and_nothing_else_is_lost():
    predict, gate = gated()

    async def ask(address):
        async with httpx.AsyncClient(base_url=address, trust_env=False, timeout=20) as many:
            inside = [asyncio.create_task(many.post(INFER, json=asking(picture(k)))) for k in range(4)]
            while "pictures_here 4.0" not in (await many.get("/metrics")).text:
                await asyncio.sleep(0.01)
            refused = await many.post(INFER, json=asking(picture()))
            gate.set()
            return refused, await asyncio.gather(*inside), await many.post(INFER, json=asking(picture(8)))

    with serving(predict, room=4) as client:
        refused, answers, later = asyncio.run(ask(client.base_url))
    see_a_sentence(refused, 429, "Ask again in 1 s")
    assert refused.headers["retry-after"] == "1"
    assert [digits_in(answer) for answer in answers] == [[0], [1], [2], [3]]
    assert digits_in(later) == [8]


def batched(scenario, predict=first_pixel, **options):
    """Run a scenario with a batcher; return what it returns, and the sizes of the batches."""
    sizes = []

    async def run():
        async with Batcher(predict, on_batch=sizes.append, **options) as batcher:
            return await scenario(batcher)

    return asyncio.run(run()), sizes


def pictures_of(*digits: int) -> np.ndarray:
    pictures = np.zeros((len(digits), 28, 28), np.uint8)
    pictures[:, 0, 0] = digits
    return pictures


def test_everybody_gets_the_own_answer_out_of_a_batch():
    async def scenario(batcher):
        questions = [pictures_of(*range(k % 3 + 1)) + np.uint8(k) for k in range(50)]
        return questions, await asyncio.gather(*map(batcher, questions))

    (questions, answers), sizes = batched(scenario)
    for question, answer in zip(questions, answers, strict=True):
        assert np.array_equal(answer, first_pixel(question))
    assert sum(sizes) == sum(map(len, questions))
    assert len(sizes) < 10
    assert max(sizes) <= 64


def test_a_batch_is_no_larger_than_it_may_be():
    async def scenario(batcher):
        await asyncio.gather(*(batcher(pictures_of(*range(3))) for _ in range(7)))

    _, sizes = batched(scenario, most=7)
    assert sorted(sizes) in ([3, 6, 6, 6], [3, 3, 3, 6, 6])


def test_who_leaves_takes_nobody_along_and_leaves_room():
    predict, gate = gated()

    async def scenario(batcher):
        leaving, staying = (asyncio.create_task(batcher(pictures_of(digit))) for digit in (1, 2))
        await asyncio.sleep(0.05)
        leaving.cancel()
        gate.set()
        return await staying, batcher

    (answer, batcher), _ = batched(scenario, predict)
    assert answer.argmax() == 2
    assert batcher.here == 0


def test_a_network_may_be_replaced_while_requests_arrive():
    async def scenario(batcher):
        async def ask(k):
            await asyncio.sleep(0.001 * k)
            return (await batcher(pictures_of(3))).argmax()

        async def replace():
            await asyncio.sleep(0.03)
            batcher.predict = lambda pictures: first_pixel(pictures + np.uint8(1))

        *answers, _ = await asyncio.gather(*map(ask, range(60)), replace())
        return answers

    answers, _ = batched(scenario)
    assert answers == sorted(answers)
    assert set(answers) == {3, 4}


def test_where_the_worker_has_ended_nobody_waits():
    async def scenario(batcher):
        batcher._worker.cancel()
        await asyncio.sleep(0.01)
        assert not batcher.works
        with pytest.raises(Stopped):
            await batcher(pictures_of(1))

    batched(scenario)


def test_a_full_queue_says_when_to_come_again():
    async def scenario(batcher):
        await batcher(pictures_of(1))
        inside = [asyncio.create_task(batcher(pictures_of(k))) for k in range(9)]
        await asyncio.sleep(0)
        with pytest.raises(Busy) as refused:
            await batcher(pictures_of(1))
        await asyncio.gather(*inside)
        return refused.value.seconds

    def slow(pictures):
        time.sleep(0.02)
        return first_pixel(pictures)

    seconds, _ = batched(scenario, slow, room=9)
    assert seconds == 1


# ------------------------------------------------------------ for whom

KEY = "a-key-that-is-ours"


def one_key(**quota) -> Keys:
    return Keys({"Ada": service_keys.hashed(KEY)}, **quota)


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Return what is written to the audit log."""
    written = io.StringIO()
    handler, logger = logging.StreamHandler(written), logging.getLogger("service.audit")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield written
    logger.removeHandler(handler)


def test_only_who_has_a_key_may_ask_and_the_log_holds_neither_key_nor_picture(log):
    with serving(keys=one_key()) as client:
        for header in ({}, {"Authorization": "Bearer another"}, {"Authorization": f"Basic {KEY}"}):
            see_a_sentence(client.post(INFER, json=asking(picture()), headers=header), 401, "Bearer KEY")
        answer = client.post(INFER, json=asking([77] * 784), headers={"Authorization": f"Bearer {KEY}"})
        assert digits_in(answer) == [7]
        assert client.get("/v2/health/live").status_code == 200
    entries = [json.loads(line) for line in log.getvalue().splitlines()]
    assert [(each["client"], each["status"], each["pictures"]) for each in entries] == [
        (None, 401, 0), (None, 401, 0), (None, 401, 0), ("Ada", 200, 1), (None, 200, 0),
    ]  # fmt: skip
    assert entries[3]["route"] == "/v2/models/{name}/infer"
    assert "77, 77" not in log.getvalue()
    assert all(set(each) == set(entries[0]) for each in entries)
    assert KEY not in log.getvalue()


def test_who_asks_for_more_than_the_quota_is_told_when_to_come_again():
    header = {"Authorization": f"Bearer {KEY}"}
    with serving(keys=one_key(rate=0.5, size=3)) as client:
        assert digits_in(client.post(INFER, json=asking([0] * 1568, (2, 28, 28)), headers=header)) == [0, 0]
        answer = client.post(INFER, json=asking([0] * 1568, (2, 28, 28)), headers=header)
        see_a_sentence(answer, 429, "quota")
        assert answer.headers["retry-after"] == "2"
        assert digits_in(client.post(INFER, json=asking(picture(4)), headers=header)) == [4]


def test_a_quota_fills_up_to_its_size():
    now = 0.0
    quota = Quota(rate=2, size=10, clock=lambda: now)
    assert quota.take(10) == 0
    assert quota.take(1) == 1
    now = 2.0
    assert quota.take(5) == 1
    assert quota.take(4) == 0
    now = 1000.0
    assert [quota.take(11), quota.take(10)] == [1, 0]


def test_keys_are_kept_as_hashes_and_a_new_one_replaces_the_old(tmp_path):
    path = tmp_path / "keys.json"
    old, other, new = (service_keys.add(path, name) for name in ("Ada", "Bob", "Ada"))
    keys = service_keys.read(path)
    assert [keys.owner(key) for key in (old, other, new, "", "ключ")] == [None, "Bob", "Ada", None, None]
    assert not any(key in path.read_text() for key in (old, other, new))


@pytest.mark.parametrize("content", [None, "", "[]", '{"Ada": 1}', "\udcff"])
def test_a_file_that_holds_no_keys_is_named(tmp_path, content):
    path = tmp_path / "keys.json"
    if content is not None:
        path.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(KeysError, match="is no file of keys"):
        service_keys.read(path)


# ------------------------------------------------------------ the command


def test_an_address_that_is_taken_is_a_sentence():
    with command.listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(TutorialError, match=f"port {port} .*Choose another port"):
            command.listen("127.0.0.1", port)
    with pytest.raises(TutorialError, match="Nothing can listen"):
        command.listen("192.0.2.1", 0)


def test_a_key_is_made_on_the_command_line(tmp_path, monkeypatch, capsys):
    path = tmp_path / "keys.json"
    monkeypatch.setattr(sys, "argv", ["service", "--new-key", "Ada", "--keys", str(path)])
    command.main()
    key = capsys.readouterr().out.split(": ")[1].split("\n")[0]
    assert service_keys.read(path).owner(key) == "Ada"


def test_the_command_serves_a_network_that_is_kept_and_ends_when_told(tmp_path):
    from service import model

    model.keep(model.build(), tmp_path / "service" / "digits-sample.keras")
    environment = {**os.environ, "TUTORIAL_DATA": "sample", "TUTORIAL_DATA_DIR": str(tmp_path)}
    server = subprocess.Popen(
        [sys.executable, "-m", "service", "--port", "0"],
        cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        line = server.stdout.readline()
        assert "The service is at http://127.0.0.1:" in line
        answer = httpx.post(line.split()[4] + INFER, json=asking(picture()), trust_env=False)
        probabilities = answer.json()["outputs"][1]["data"]
        assert sum(probabilities) == pytest.approx(1, abs=1e-4)
    finally:
        server.terminate()
        server.wait(timeout=20)

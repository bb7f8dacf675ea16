"""Requests and answers as the Open Inference Protocol, version 2, has them, and what is wrong with one."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, Field

MOST_PICTURES = 64  # in one request
PICTURE = (28, 28)


class BadRequest(Exception):
    """A request that makes no sense; the message says why, for the client."""


Pixel = Annotated[int, Field(strict=True, ge=0, le=255)]
T = TypeVar("T")
# It stops at the first bad value: a list of every bad one would cost more than the pictures.
Quick = Annotated[list[T], Field(fail_fast=True)]


class Pictures(BaseModel):
    """Pictures: their pixels flat, row by row, or in nested lists.

    The type is asked for by name because no number would tell: a pixel of 1 is nearly black from 0 to 255,
    and white from 0 to 1, and a network answers both.
    """

    name: Literal["pictures"]
    datatype: Literal["UINT8"]
    shape: Quick[int]
    data: Quick[Pixel] | Quick[Quick[Quick[Pixel]]]


class InferRequest(BaseModel):
    """Pictures to read."""

    id: str = Field("", max_length=100)
    inputs: list[Pictures] = Field(min_length=1, max_length=1)

    model_config = {
        "json_schema_extra": {
            "example": {
                "id": "a black picture",
                "inputs": [
                    {"name": "pictures", "datatype": "UINT8", "shape": [1, 28, 28], "data": [0] * 784}
                ],
            }
        }
    }


class Reviews(BaseModel):
    """Reviews of films: texts."""

    name: Literal["reviews"]
    datatype: Literal["BYTES"]
    shape: Quick[int]
    data: Annotated[list[Annotated[str, Field(max_length=20_000)]], Field(max_length=MOST_PICTURES)]


class ReviewsRequest(BaseModel):
    """Reviews to read."""

    id: str = Field("", max_length=100)
    inputs: list[Reviews] = Field(min_length=1, max_length=1)

    model_config = {
        "json_schema_extra": {
            "example": {
                "id": "a review",
                "inputs": [
                    {"name": "reviews", "datatype": "BYTES", "shape": [1], "data": ["Not bad at all."]}
                ],
            }
        }
    }


class Output(BaseModel):
    """An array, its values flat, row by row."""

    name: str
    datatype: str
    shape: list[int]
    data: list[float]


class InferResponse(BaseModel):
    """The digit in each picture, and how probable each of the ten is."""

    model_name: str
    id: str
    outputs: list[Output]


# What to say where a part of a request is wrong.
SENTENCES = {
    "name": "The name of the input is “pictures”.",
    "datatype": "The datatype of “pictures” is UINT8: pixels are whole numbers, 0 for black, 255 for white.",
    "shape": f"The shape of “pictures” is [n, 28, 28], with n from 1 to {MOST_PICTURES}.",
    "data": "The data of “pictures” are whole numbers from 0 to 255, in one list or nested by their shape.",
    "id": "The id is a text of at most 100 characters.",
    "inputs": "One input is expected: {“name”: “pictures”, “datatype”: “UINT8”, “shape”: […], “data”: […]}.",
}


# The same for reviews.
OF_REVIEWS = {
    "name": "The name of the input is “reviews”.",
    "datatype": "The datatype of “reviews” is BYTES: each is a text.",
    "shape": f"The shape of “reviews” is [n], with n from 1 to {MOST_PICTURES}, as many as there are texts.",
    "data": "The data of “reviews” are texts of at most 20,000 characters, in one list.",
    "id": SENTENCES["id"],
    "inputs": "One input is expected: {“name”: “reviews”, “datatype”: “BYTES”, “shape”: […], “data”: […]}.",
}


def sentence(place: Sequence[Any], sentences: Mapping[str, str] = SENTENCES) -> str:
    """Say what is wrong with a request.

    Args:
        place: Where: names and numbers, from the whole to the part.
        sentences: What to say, by the name of the part.
    """
    for part in reversed(place):
        if part in sentences:
            return sentences[part]
    return "The request is not JSON, or not as the Open Inference Protocol has it; /docs has an example."


def metadata(name: str) -> dict[str, Any]:
    """Return what a client can ask about the model before it sends a picture."""
    if name == "reviews":
        return {
            "name": name,
            "platform": "keras",
            "inputs": [{"name": "reviews", "datatype": "BYTES", "shape": [-1]}],
            "outputs": [{"name": "positive", "datatype": "FP32", "shape": [-1]}],
        }
    return {
        "name": name,
        "platform": "keras",
        "inputs": [{"name": "pictures", "datatype": "UINT8", "shape": [-1, *PICTURE]}],
        "outputs": [
            {"name": "digit", "datatype": "INT64", "shape": [-1]},
            {"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]},
        ],
    }


def pictures_of(request: InferRequest) -> np.ndarray:
    """Return the pictures of a request, `uint8` of shape (n, 28, 28).

    Args:
        request: What a client sent.

    Raises:
        BadRequest: It holds no pictures, or not as they should be.
    """
    (tensor,) = request.inputs
    n = tensor.shape[0] if tensor.shape else 0
    if tensor.shape != [n, *PICTURE] or not 1 <= n <= MOST_PICTURES:
        raise BadRequest(f"{SENTENCES['shape']} This one is {tensor.shape[:8]}.")
    try:
        values = np.array(tensor.data, np.uint8)
    except ValueError:  # lists of unequal length
        raise BadRequest(SENTENCES["data"]) from None
    if values.shape not in {(n, *PICTURE), (n * PICTURE[0] * PICTURE[1],)}:
        raise BadRequest(
            f"{SENTENCES['data']} Theirs is {tensor.shape}, and the data are {list(values.shape)}."
        )
    return values.reshape(n, *PICTURE)


def reviews_of(request: ReviewsRequest) -> np.ndarray:
    """Return the reviews of a request, texts of shape (n,).

    Args:
        request: What a client sent.

    Raises:
        BadRequest: There is none, or their number is not what the request says.
    """
    (tensor,) = request.inputs
    if not tensor.data or tensor.shape != [len(tensor.data)]:
        raise BadRequest(f"{OF_REVIEWS['shape']} This one is {tensor.shape[:8]}.")
    return np.array(tensor.data, object)


def verdicts(request: ReviewsRequest, positive: np.ndarray) -> dict[str, Any]:
    """Return the answer to a request about reviews.

    Args:
        request: The request.
        positive: How positive each is, from 0 to 1.
    """
    values = [round(float(each), 6) for each in positive]
    output = {"name": "positive", "datatype": "FP32", "shape": [len(values)], "data": values}
    return {"model_name": "reviews", "id": request.id, "outputs": [output]}


def response(name: str, request: InferRequest, probabilities: np.ndarray) -> dict[str, Any]:
    """Return the answer to a request.

    Args:
        name: What the model is called.
        request: The request.
        probabilities: Of shape (n, 10).
    """
    n = len(probabilities)
    digits = probabilities.argmax(axis=1).tolist()
    values = [round(float(each), 6) for each in probabilities.ravel()]
    return {
        "model_name": name,
        "id": request.id,
        "outputs": [
            {"name": "digit", "datatype": "INT64", "shape": [n], "data": digits},
            {"name": "probabilities", "datatype": "FP32", "shape": [n, 10], "data": values},
        ],
    }

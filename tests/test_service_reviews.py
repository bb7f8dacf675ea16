"""The reader of reviews: its words are those of the data, and what is kept is what is read."""

from service import model, reviews
from utils.datasets import load_imdb

import numpy as np
import pytest


@pytest.fixture(scope="module")
def data():
    return load_imdb(vocabulary=10_000, length=200, tier="sample")


@pytest.fixture(scope="module")
def trained(data):
    """Return a reader that was trained for a moment."""
    few = type(data)(**{**vars(data), "x_train": data.x_train[:256], "y_train": data.y_train[:256]})
    lines = []
    network = reviews.train(few, lines.append)
    assert "epoch 1 of" in lines[0]
    return network


def test_words_are_cut_up_and_numbered_as_in_the_data(data, trained):
    text = "This film was NOT bad: but, at times, a bit boring!"
    ids = data.encode(text)[1:]  # without the <start>
    length = len(ids)
    (words,) = reviews.words_of([text], length)
    assert list(words) == text.lower().replace(":", "").replace(",", "").replace("!", "").split()
    lookup = next(layer for layer in trained.layers if "lookup" in layer.name)
    assert np.array_equal(np.array(lookup(words[np.newaxis].astype(str)))[0], reviews.numbers(ids))


def test_the_last_words_are_read_after_empty_ones():
    assert reviews.words_of(["a b c", "", "d"], 2).tolist() == [["b", "c"], ["", ""], ["", "d"]]


def test_what_is_loaded_reads_as_what_was_kept(tmp_path, trained):
    model.keep(trained, tmp_path / "reviews.keras")
    texts = np.array(["not bad at all", ""], object)
    read = reviews.reader(model.load(tmp_path / "reviews.keras"))
    assert np.array_equal(read(texts), reviews.reader(trained)(texts))
    assert np.all((read(texts) > 0) & (read(texts) < 1))


def test_it_is_trained_once_and_only_if_that_is_asked_for(tmp_path, monkeypatch, trained):
    monkeypatch.setenv("TUTORIAL_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TUTORIAL_DATA", "sample")
    assert reviews.obtain(train_it=False) is None
    monkeypatch.setattr(reviews, "train", lambda data, say: trained)
    said = []
    assert reviews.obtain(True, said.append) is trained
    assert "trained now, once: IMDB" in said[0]
    monkeypatch.setattr(reviews, "train", lambda *_: pytest.fail("it was trained again"))
    assert reviews.obtain(True) is not None
    assert reviews.obtain(False) is not None

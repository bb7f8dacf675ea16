"""The network of the service is that of notebook 03, and only the file that was kept is opened."""

import ast

from service import model
from service.model import ModelError
from utils.datasets import load_mnist

import keras
import numpy as np
import pytest

from benchmarks import contenders


@pytest.fixture(scope="module")
def data():
    return load_mnist(tier="sample")


@pytest.fixture(scope="module")
def notebook(data):
    """Return what notebook 03 defines that its recipe needs."""
    imports, defined = contenders.top_level(contenders.notebook_of("mnist"))
    wanted = contenders.needed_for("train_recipe", {**defined, "data": None})
    names = {"data": data}
    exec(compile(ast.Module([*imports, *wanted], []), "notebook 03", "exec"), names)
    return names


def layers_of(network: keras.Model) -> list[tuple]:
    """Return kind and settings of each layer, without its name."""
    return [
        (type(layer).__name__, {k: v for k, v in layer.get_config().items() if k != "name"})
        for layer in network.layers
    ]


@pytest.mark.parametrize("shift", [0, 1])
def test_it_is_built_as_in_notebook_03(notebook, shift):
    assert layers_of(model.build(shift)) == layers_of(notebook["build_recipe"](shift=shift))


def test_it_is_trained_and_prepares_its_pictures_as_in_notebook_03(notebook, data):
    lines = []
    ours, theirs = model.train(data, epochs=1, say=lines.append), notebook["train_recipe"](epochs=1)
    for left, right in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert np.allclose(left, right, atol=1e-5)
    pictures = data.x_val[:100]
    scores = np.array(theirs(pictures, training=False))
    expected = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    assert np.allclose(model.predictor(ours)(pictures), expected, atol=1e-5)
    assert "epoch 1 of 1" in lines[0]


def test_what_is_loaded_is_what_was_kept(tmp_path):
    network = model.build()
    model.keep(network, tmp_path / "digits.keras")
    loaded = model.load(tmp_path / "digits.keras")
    pictures = np.random.RandomState(0).randint(256, size=(5, 28, 28)).astype(np.uint8)
    assert np.array_equal(model.predictor(network)(pictures), model.predictor(loaded)(pictures))
    assert {path.name for path in tmp_path.iterdir()} == {"digits.keras", "digits.keras.sha256"}


@pytest.mark.parametrize("harm", ["a bit", "the checksum", "both swapped"])
def test_a_file_that_is_not_the_one_that_was_kept_is_not_opened(tmp_path, monkeypatch, harm):
    path = tmp_path / "digits.keras"
    model.keep(model.build(), path)
    if harm == "a bit":
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif harm == "the checksum":
        model.checksum_of(path).unlink()
    else:
        path.write_bytes(b"PK")
    monkeypatch.setattr(keras.models, "load_model", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(ModelError, match=r"is not opened\. Delete it"):
        model.load(path)


def test_code_in_a_file_does_not_run(tmp_path):
    path = tmp_path / "digits.keras"
    network = keras.Sequential([keras.Input((28, 28)), keras.layers.Lambda(lambda x: x[:, 0, :10])])
    model.keep(network, path)
    with pytest.raises(Exception, match=r"(?i)unsafe|safe_mode"):
        model.load(path)


def test_it_is_trained_once(tmp_path, monkeypatch, data):
    monkeypatch.setenv("TUTORIAL_DATA_DIR", str(tmp_path))
    monkeypatch.setattr(model, "train", lambda data, say: model.build())
    said = []
    network = model.obtain(said.append)
    assert "trained now, once: MNIST, sample data" in said[0]
    monkeypatch.setattr(model, "train", lambda *_: pytest.fail("it was trained again"))
    again = model.obtain(said.append)
    assert len(said) == 3
    assert np.array_equal(network.get_weights()[0], again.get_weights()[0])


def test_where_nothing_can_be_kept_it_is_served_all_the_same(tmp_path, monkeypatch, data):
    monkeypatch.setenv("TUTORIAL_DATA_DIR", str(tmp_path))
    (tmp_path / "service").write_text("a file in the place of the folder")
    monkeypatch.setattr(model, "train", lambda data, say: model.build())
    said = []
    assert model.obtain(said.append)
    assert "cannot be kept" in said[-1]

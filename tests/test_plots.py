"""Tests of the figures' helpers."""

import base64
import io
from unittest import mock

from utils import plots

import matplotlib as mpl
import numpy as np
import PIL.Image
import pytest

mpl.use("agg")
plt = plots.plt


def shown(figure, alt="A line that rises."):
    """Show a figure and return the picture and its metadata as a notebook would keep them."""
    with mock.patch.object(plots, "display") as display:
        plots.show(figure, alt)
    (image,) = display.call_args.args
    data, metadata = image._repr_mimebundle_()
    return PIL.Image.open(io.BytesIO(base64.b64decode(data["image/png"]))), metadata["image/png"]


def test_a_shown_figure_has_its_alt_text_and_is_closed():
    figure, axes = plt.subplots()
    axes.plot([0, 1])
    _, metadata = shown(figure, alt="A line that rises.")
    assert metadata["alt"] == "A line that rises."
    assert not plt.fignum_exists(figure.number)


def test_a_shown_figure_is_small_sharp_and_of_the_size_on_screen_that_was_asked_for():
    plots.use_house_style()
    figure, axes = plt.subplots(figsize=(5, 3))
    axes.plot(np.random.RandomState(0).normal(size=200))
    picture, metadata = shown(figure)
    assert picture.mode == "P"
    assert metadata["width"] == pytest.approx(5 * 96, abs=1)
    assert picture.width >= 1.4 * metadata["width"]


def test_a_small_coloured_mark_keeps_its_colour():
    figure, axes = plt.subplots()
    axes.imshow(np.random.RandomState(0).uniform(size=(64, 64)), cmap="gray")
    axes.plot(30, 30, "o", color=plots.BLUE, markersize=6)
    picture, _ = shown(figure)
    blue = np.array(mpl.colors.to_rgb(plots.BLUE)) * 255
    distance = np.abs(np.asarray(picture.convert("RGB")).reshape(-1, 3) - blue).max(axis=1)
    assert distance.min() <= 12


def test_a_photograph_keeps_its_colours():
    figure, axes = plt.subplots()
    photograph = np.random.RandomState(0).randint(256, size=(16, 16, 3), dtype=np.uint8)
    axes.imshow(photograph)
    picture, _ = shown(figure)
    shown_colours = np.array([colour for _, colour in picture.getcolors(picture.width * picture.height)])
    differences = np.abs(shown_colours[:, np.newaxis] - photograph.reshape(-1, 3).astype(int)).max(axis=2)
    assert differences.min(axis=0).max() <= 4
    assert [255, 255, 255] in shown_colours.tolist()


def test_neighbouring_curves_differ_in_line_style_too():
    with mpl.rc_context():
        plots.use_house_style()
        cycle = list(mpl.rcParams["axes.prop_cycle"])
    styles = [str(entry["linestyle"]) for entry in cycle]
    assert len(set(styles)) == len(styles) >= 6


def test_learning_curves_count_epochs_from_one():
    _, axes = plt.subplots()
    plots.learning_curves(axes, {"training": [3.0, 2.0], "validation": [3.5, 2.5]}, "loss")
    assert [list(line.get_xdata()) for line in axes.lines] == [[1, 2], [1, 2]]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["training", "validation"]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("epoch", "loss")
    plt.close("all")


def test_an_image_grid_has_a_title_for_each_picture_and_empty_places_stay_empty():
    figure = plots.image_grid(np.zeros((5, 4, 4), np.uint8), list("abcde"), columns=3)
    drawn = [axes.get_title(loc="center") for axes in figure.axes if axes.images]
    assert drawn == list("abcde")
    assert len(figure.axes) == 6
    assert not any(axes.axison for axes in figure.axes)
    plt.close("all")


def test_growth_names_the_exponent_of_a_power():
    figure, axes = plt.subplots()
    sizes = [10, 20, 40, 80]
    slope = plots.growth(axes, sizes, [7.0, *(0.5 * size**1.5 for size in sizes[1:])], "words", "seconds")
    assert slope == pytest.approx(1.5)
    assert axes.get_title(loc="left") == "slope of the last three: 1.50"
    assert [label.get_text() for label in axes.get_xticklabels()] == ["10", "20", "40", "80"]
    plt.close(figure)

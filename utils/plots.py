"""The house style of the figures, and the few figures that more than one notebook needs."""

import io
from collections.abc import Mapping, Sequence

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import PIL.Image
from cycler import cycler
from IPython.display import Image, display
from matplotlib.axes import Axes
from matplotlib.figure import Figure

# From the palette of Okabe and Ito (https://jfly.uni-koeln.de/color/), which colour-blind readers tell apart,
# ordered so that neighbours differ in lightness too; each has a line style of its own for greyscale print.
BLUE, ORANGE, BLACK, GREEN, SKY = "#0072B2", "#E69F00", "#000000", "#009E73", "#56B4E9"
VERMILION, PURPLE = "#D55E00", "#CC79A7"

_DOTS_PER_INCH = 144
_COLOURS = 128  # of a chart
_LEVELS = 31  # above black, of each primary colour in a photograph
_SCREEN_DOTS_PER_INCH = 96


def use_house_style() -> None:
    """Set matplotlib's defaults for every figure that follows."""
    mpl.rcParams.update(
        {
            "figure.figsize": (6.4, 3.4),
            "figure.constrained_layout.use": True,
            "axes.prop_cycle": cycler(color=[BLUE, ORANGE, BLACK, GREEN, VERMILION, SKY, PURPLE])
            + cycler(linestyle=["-", "--", ":", "-.", (0, (5, 1)), (0, (1, 1)), (0, (3, 1, 1, 1))]),
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.titlesize": "medium",
            "axes.titlelocation": "left",
            "legend.frameon": False,
            "lines.linewidth": 1.8,
            "image.cmap": "gray",
            "font.size": 10,
        }
    )


def show(figure: Figure, alt: str) -> None:
    """Show a figure as a small picture that has a text for readers who cannot see it, and close it.

    Args:
        figure: The finished figure.
        alt: What the figure shows, in a sentence: what is drawn against what, and what one sees in it.
    """
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=_DOTS_PER_INCH)
    plt.close(figure)
    picture = PIL.Image.open(drawn).convert("RGB")
    if _shows_photographs(figure):
        # No eye sees the difference of four levels in 255, and the file is half as large.
        picture = picture.point(
            [round(round(level / 255 * _LEVELS) * 255 / _LEVELS) for level in range(256)] * 3
        )
    else:
        # A palette is enough for a chart and takes a third of the space.
        picture = picture.quantize(_COLOURS, PIL.Image.Quantize.MAXCOVERAGE, dither=PIL.Image.Dither.NONE)
    small = io.BytesIO()
    picture.save(small, format="png", optimize=True)
    width = round(picture.width * _SCREEN_DOTS_PER_INCH / _DOTS_PER_INCH)
    image = Image(small.getvalue(), width=width)
    image.alt = alt  # no argument: Colab's IPython does not know it as one
    display(image)


def _shows_photographs(figure: Figure) -> bool:
    """Tell whether there is a picture in the figure whose pixels have colours of their own."""
    return any(image.get_array().ndim == 3 for axes in figure.axes for image in axes.images)


def learning_curves(axes: Axes, curves: Mapping[str, Sequence[float]], quantity: str) -> None:
    """Draw one curve a name against the epoch, counted from 1.

    Args:
        axes: Where to draw.
        curves: Name of a curve → its value after each epoch.
        quantity: What the values are, for the axis.
    """
    for name, values in curves.items():
        axes.plot(range(1, len(values) + 1), values, label=name)
    axes.set(xlabel="epoch", ylabel=quantity)
    axes.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    axes.legend()


def growth(axes: Axes, sizes: Sequence[float], values: Sequence[float], size: str, quantity: str) -> float:
    """Draw how a quantity grows on two logarithmic axes; the slope of the last three points is the title.

    Args:
        axes: Where to draw.
        sizes: The sizes, increasing; at least three.
        values: The quantity at each size.
        size: What the sizes are, for the axis.
        quantity: What the values are, for the axis.

    Returns:
        The slope: the exponent of the power that fits the last three points best.
    """
    slope = float(np.polyfit(np.log(sizes[-3:]), np.log(values[-3:]), 1)[0])
    axes.loglog(sizes, values, marker="o")
    axes.set(xlabel=f"{size} (logarithmic)", ylabel=f"{quantity} (logarithmic)")
    axes.set_title(f"slope of the last three: {slope:.2f}", loc="left")
    axes.set_xticks(sizes, [f"{each:,}" for each in sizes], fontsize="small")
    axes.minorticks_off()
    axes.yaxis.set_major_locator(mpl.ticker.LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}")
    return slope


def image_grid(images: np.ndarray, titles: Sequence[str], columns: int, size: float = 1.0) -> Figure:
    """Draw pictures in rows, each with a title.

    Args:
        images: Pictures of shape (n, height, width) or (n, height, width, 3), of any dtype.
        titles: The n titles.
        columns: Pictures in a row.
        size: Width and height of a picture, in inches, without its title.

    Returns:
        The figure.
    """
    rows = -(-len(images) // columns)
    figure, grid = plt.subplots(rows, columns, figsize=(size * columns, (size + 0.25) * rows), squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    for axes, image, title in zip(grid.flat, images, titles, strict=False):
        axes.imshow(image)
        axes.set_title(title, loc="center", fontsize="small")
    return figure

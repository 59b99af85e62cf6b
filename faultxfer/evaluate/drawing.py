"""How every picture looks: size, colours, legend, and the file it is written to.

Drawing needs no screen and changes no settings: pyplot is not used. matplotlib is loaded by the
first picture, as its import alone may write a font cache.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito, "Color universal design", 2008: seen apart with every common colour blindness.
BLUE, RED, ORANGE = "#0072B2", "#D55E00", "#E69F00"
OTHER_COLOURS = (RED, "#009E73", "#CC79A7", ORANGE, "#56B4E9", "#555555")
GREY, PALE = "#BDBDBD", "#DDDDDD"
DPI = 120
# Points of the smallest text, where a picture is 8 inches wide: on a printed page, which is
# narrower, it has 9 still.
SMALL = 10
# What the model that is judged is called.
CANDIDATE, SOURCE = "candidate", "source model"
# Keyword arguments of matplotlib.
Style = dict[str, Any]


def new_figure(title: str, heights: tuple[float, ...] = (1,)) -> tuple[Figure, list[Axes]]:
    """A figure with one plot for each of the ``heights``, below one another on one x axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=DPI, layout="constrained")
    figure.set_layout_engine("constrained", w_pad=0.08, h_pad=0.06)
    figure.subplots(len(heights), 1, sharex=True, gridspec_kw={"height_ratios": heights})
    for axes in figure.axes:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, color="#E5E5E5", linewidth=0.6)
        axes.set_axisbelow(True)
    figure.axes[0].set_title(title, loc="left", fontsize=12)
    return figure, figure.axes


def of(who: str, title: str) -> str:
    """The title, where another model than a candidate is judged.

    >>> of(CANDIDATE, "How many are found?"), of(SOURCE, "How many are found?")
    ('How many are found?', 'Source model: how many are found?')
    """
    if who == CANDIDATE:
        return title
    return f"{who.capitalize()}: {title[0].lower()}{title[1:]}"


def with_legend_below(figure: Figure, columns: int) -> Figure:
    """The same figure, with a legend of its first plot."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    style: Style = {"ncols": columns, "fontsize": SMALL, "frameon": False}
    legend = figure.legend(handles, labels, loc="outside lower center", **style)
    for text in legend.get_texts():
        text.set_parse_math(False)  # a title may hold dollar signs
    return figure


def save_figure(figure: Figure, path: Path) -> None:
    """Write as PNG; without the software's version the bytes depend on the picture alone."""
    layout = figure.get_layout_engine()
    if layout is not None:
        # Otherwise matplotlib draws everything once more to find out where it goes.
        layout.execute(figure)
        figure.set_layout_engine("none")
    figure.savefig(path, dpi=DPI, metadata={"Software": None})

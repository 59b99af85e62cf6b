"""The picture of ``exponents.py``: cost against rows, sensors and machines, on logarithms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
from slopes import Cost, series

PANELS = ("rows", "sensors", "machines")
COLOURS = {
    "validate": "#1b7f79",
    "score": "#2a6fbb",
    "score-stack": "#8250a8",
    "transfer": "#c2541d",
    "pretrain": "#a03050",
    "fleet": "#5d6b1f",
}
TITLES = {
    "score": "score, one network",
    "score-stack": "score, default stack",
    "fleet": "fleet transfer",
}
GREY = "#8a8f98"


def save_picture(costs: Sequence[Cost], png: Path, *, wall: bool) -> None:
    """Write it; a panel for each thing that grows, of which there are costs."""
    shown = [panel for panel in PANELS if any(one.by == panel for one in costs)]
    figure, panels = plt.subplots(
        1,
        len(shown),
        figsize=(13, 5.2),
        gridspec_kw={"width_ratios": [2 if panel == "rows" else 1 for panel in shown]},
        layout="constrained",
        squeeze=False,
        sharey=True,
    )
    for panel, axes in zip(shown, panels[0], strict=True):
        _panel(axes, panel, [one for one in costs if one.by == panel], wall=wall)
    unit = "on the clock" if wall else "of the processor"
    panels[0][0].set_ylabel(f"seconds {unit}, net of the start")
    title = "What commands cost by size; dotted: in proportion to the size (slope 1)"
    figure.suptitle(title, x=0.01, ha="left", fontsize=13)
    figure.savefig(png, dpi=110)
    plt.close(figure)


def _panel(axes: Axes, panel: str, costs: Sequence[Cost], *, wall: bool) -> None:
    axes.set(xscale="log", yscale="log", xlabel=panel)
    for (release, what), of_size in series(costs).items():
        sizes, seconds = [one.size for one in of_size], [one.net(wall=wall) for one in of_size]
        today, colour = release == "today", COLOURS[what]
        style, alpha = ("o-", 1) if today else ("o--", 0.5)
        axes.plot(sizes, seconds, style, color=colour, linewidth=2, markersize=5, alpha=alpha)
        axes.annotate(
            TITLES.get(what, what) + ("" if today else ", before"),
            (sizes[-1], seconds[-1]),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=colour,
            fontsize=10,
        )
        guide = [seconds[-1] * size / sizes[-1] for size in sizes]
        axes.plot(sizes, guide, ":", color=GREY, linewidth=1, zorder=0)
    # Room for the names, which stand behind the last points.
    left, right = axes.get_xlim()
    axes.set_xlim(left, right * (right / left) ** (0.3 if panel == "rows" else 0.45))
    # Plain numbers; between powers of ten only where there are few of those.
    axes.xaxis.set_major_locator(LogLocator(subs=(1,) if panel == "rows" else (1, 3)))
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.tick_params(labelleft=True)
    axes.grid(visible=True, which="major", color="#e4e6ea", linewidth=0.8)
    axes.spines[["top", "right"]].set_visible(False)

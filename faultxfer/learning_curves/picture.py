"""The learning curve as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from faultxfer.evaluate.drawing import BLUE, RED, new_figure, save_figure, with_legend_below
from faultxfer.learning_curves.curve import SCRATCH, TRANSFER, LearningCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLES = {TRANSFER: (BLUE, "o-"), SCRATCH: (RED, "s--")}


def save_learning_picture(path: Path, curve: LearningCurve, title: str) -> None:
    """Write the picture as PNG; the same curve gives the same bytes."""
    save_figure(learning_figure(curve, title), path)


def learning_figure(curve: LearningCurve, title: str) -> Figure:
    """PR-AUC of transfer and scratch over labelled rows, with intervals, and the fitted curves up to their limit."""
    figure, (axes,) = new_figure(f"What do labelled rows bring? {title}")
    axes.set_xscale("log")
    for who, (color, style) in _STYLES.items():
        _draw(axes, curve, who, color, style)
    axes.axvline(
        curve.at_hand if curve.now == curve.at_hand else curve.now, color="black", linewidth=0.8
    )
    axes.axhline(
        curve.fault_share,
        color="black",
        linestyle=":",
        label=f"random ranking ({curve.fault_share:.2g})",
    )
    _label_counts(axes, curve)
    axes.set_xlabel("labelled rows of the new machine (log scale)")
    axes.set_ylabel("PR-AUC on rows held out (1 is perfect)")
    axes.set_ylim(max(0.0, _lowest(curve) - 0.05), 1.02)
    return with_legend_below(figure, columns=3)


def _draw(axes: Axes, curve: LearningCurve, who: str, color: str, style: str) -> None:
    rows = [point.rows for point in curve.points]
    figures = [getattr(point, who) for point in curve.points]
    low, value, high = (
        np.array([getattr(one, name) for one in figures]) for name in ("low", "value", "high")
    )
    axes.fill_between(rows, low, high, color=color, alpha=0.18, linewidth=0)
    axes.plot(rows, value, style, color=color, label=f"{who}, with 95 % interval")
    if curve.shapes[who].fits:
        axes.plot(
            curve.grid,
            curve.shapes[who].fitted,
            ":",
            color=color,
            linewidth=1.4,
            label=f"{who}, fitted curve",
        )


def _label_counts(axes: Axes, curve: LearningCurve) -> None:
    rows = [*(point.rows for point in curve.points), curve.limit]
    axes.set_xticks(rows, [str(count) for count in rows])
    axes.minorticks_off()
    axes.annotate(
        f" {curve.now} rows{' at hand' if curve.now == curve.at_hand else ''}",
        (curve.now, 0.02),
        xycoords=("data", "axes fraction"),
        fontsize=8,
    )


def _lowest(curve: LearningCurve) -> float:
    bounds = [getattr(point, who).low for point in curve.points for who in _STYLES]
    return float(min([curve.fault_share, *(bound for bound in bounds if bound is not None)]))

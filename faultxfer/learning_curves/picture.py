"""The learning curve as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from faultxfer.evaluate.drawing import BLUE, RED, SMALL, new_figure, save_figure, with_legend_below
from faultxfer.learning_curves.curve import SCRATCH, TRANSFER, LearningCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_STYLES = {TRANSFER: (BLUE, "o-"), SCRATCH: (RED, "s--")}


def save_learning_picture(path: Path, curve: LearningCurve, title: str) -> None:
    """Write the picture as PNG; the same curve gives the same bytes."""
    save_figure(learning_figure(curve, title), path)


def learning_figure(curve: LearningCurve, title: str) -> Figure:
    """PR-AUC of transfer and scratch over labelled rows, with intervals and fitted curves."""
    figure, (axes,) = new_figure(f"What do labelled rows bring? {title}")
    axes.set_xscale("log")
    for who, (color, style) in _STYLES.items():
        _draw(axes, curve, who, color, style)
    axes.axvline(curve.now, color="black", linewidth=0.8)
    chance = f"random ranking ({curve.fault_share:.2g})"
    axes.axhline(curve.fault_share, color="black", linestyle=":", label=chance)
    _label_counts(axes, curve)
    axes.set_xlabel("labelled rows of the new machine (log scale)")
    axes.set_ylabel("PR-AUC on rows held out (1 is perfect)")
    axes.set_ylim(max(0.0, _lowest(curve) - 0.05), 1.02)
    return with_legend_below(figure, columns=2)


def _draw(axes: Axes, curve: LearningCurve, who: str, color: str, style: str) -> None:
    rows, estimates = [], []
    for point in curve.points:
        estimate = getattr(point, who)
        rows.append(point.rows)
        estimates.append((estimate.low, estimate.value, estimate.high))
    low, value, high = np.transpose(estimates)
    axes.fill_between(rows, low, high, color=color, alpha=0.18, linewidth=0)
    axes.plot(rows, value, style, color=color, label=f"{who}, with 95% interval")
    shape, label = curve.shapes[who], f"{who}, fitted curve"
    if shape.fits:
        axes.plot(curve.grid, shape.fitted, ":", color=color, linewidth=1.4, label=label)


def _label_counts(axes: Axes, curve: LearningCurve) -> None:
    rows = [*(point.rows for point in curve.points), curve.limit]
    axes.set_xticks(rows, [str(count) for count in rows])
    axes.minorticks_off()
    text = f" {curve.now} rows"
    if curve.now == curve.at_hand:
        text += " at hand"
    place = (curve.now, 0.02)
    axes.annotate(text, place, xycoords=("data", "axes fraction"), fontsize=SMALL)


def _lowest(curve: LearningCurve) -> float:
    lowest = curve.fault_share
    for point in curve.points:
        for low in (point.transfer.low, point.scratch.low):
            if low is not None:
                lowest = min(lowest, low)
    return lowest

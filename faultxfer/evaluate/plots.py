"""Pictures of a candidate on the test rows, as PNG files."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.stats import binomtest

from faultxfer.errors import DataError
from faultxfer.evaluate.drawing import (
    BLUE,
    CANDIDATE,
    GREY,
    OTHER_COLOURS,
    PALE,
    RED,
    SMALL,
    Style,
    new_figure,
    of,
    save_figure,
    with_legend_below,
)
from faultxfer.evaluate.metrics import equal_mass_bins
from faultxfer.evaluate.ranking import precision_and_recall
from faultxfer.evaluate.rows import ScoredRows
from faultxfer.evaluate.score_over_time import score_over_time_figure
from faultxfer.wording import counted, percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DASHES = "--", "-.", "-"
# Width of a contestant's name, in letters, and inches of one line of it.
_NAME_WIDTH, _LINE = 38, 0.19
_OVER_TIME = "score_over_time"
# Where a picture of few contestants ends.
_LOWEST = 2.6
# With fewer rows of a class, or groups, a share of faults is chance.
_FEWEST_OF_A_CLASS, _FEWEST_GROUPS = 10, 3
_REPORT = "Report this: a model's answer does not fit the rows it was given"


def save_pictures(
    folder: Path,
    scored: ScoredRows,
    others: dict[str, np.ndarray],
    pr_auc: dict[str, float | None],
    history: dict[str, list[float]],
    *,
    named: Collection[str] | None = None,
    who: str = CANDIDATE,
) -> dict[str, Path]:
    """Draw all pictures; the same input gives the same bytes.

    Args:
        folder: takes the files; made if missing.
        scored: test rows and the predictions of the model that is judged.
        others: display title -> (m,) probabilities on the same rows.
        pr_auc: display title, that of ``who`` among them -> PR-AUC, None for a contestant that
            could not run. There is no picture of rivals where there are none.
        history: ``loss`` and ``val_loss`` per epoch; without any there are no training curves.
        named: titles whose curves have a colour and a name, the others are pale; all if None.
        who: what the model that is judged is called.

    Returns:
        Name of the picture -> its file ``<name>.png``.

    Raises:
        DataError: arrays of other shapes, one class only, or values that are no probabilities.
    """
    scored = _checked(scored, others)
    named = others if named is None else named
    figures = {
        "precision_recall": precision_recall_figure(scored, others, pr_auc, named, who),
        "reliability": reliability_figure(scored.y, scored.probabilities, who),
        _OVER_TIME: score_over_time_figure(scored, who),
    }
    if len(pr_auc) > 1:
        figures["rivals"] = rivals_figure(pr_auc, float(scored.y.mean()), who)
    if any(history.values()):
        figures["training_curves"] = training_curves_figure(history, who)
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for name, figure in figures.items():
        paths[name] = folder / f"{name}.png"
        save_figure(figure, paths[name])
    return paths


def save_scores(folder: Path, scored: ScoredRows) -> dict[str, Path]:
    """The one picture of rows that are not of both classes: what was said of them over time."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{_OVER_TIME}.png"
    save_figure(score_over_time_figure(scored, CANDIDATE), path)
    return {_OVER_TIME: path}


def precision_recall_figure(
    scored: ScoredRows,
    others: dict[str, np.ndarray],
    pr_auc: dict[str, float | None],
    named: Collection[str],
    who: str = CANDIDATE,
) -> Figure:
    """Precision against recall, with the point at which the model that is judged alarms.

    It and the ``named`` others have a colour and a name, the best first; the rest is
    pale.
    """
    title = "How many faults are found, and how many alarms are true?"
    figure, (axes,) = new_figure(of(who, title))
    ranked = sorted(others, key=lambda title: -(pr_auc.get(title) or 0.0))
    bright = [title for title in ranked if title in named]
    pale = [title for title in ranked if title not in named]
    _draw_curve(axes, scored, scored.probabilities, _label(who, pr_auc), c=BLUE, lw=3.0)
    for number, title in enumerate(bright):
        colour = OTHER_COLOURS[number % len(OTHER_COLOURS)]
        dashes = _DASHES[(number + number // len(OTHER_COLOURS)) % len(_DASHES)]
        label = _label(title, pr_auc)
        _draw_curve(axes, scored, others[title], label, c=colour, ls=dashes, lw=1.6)
    for title in pale:
        label = "other rivals" if title == pale[0] else "_"
        _draw_curve(axes, scored, others[title], label, c=PALE, lw=1.0)
    _mark_operating_point(axes, scored, who)
    _mark_chance(axes.axhline, float(scored.y.mean()), "alarms at random")
    axes.set(xlabel="share of fault rows found (recall)", xlim=(-0.02, 1.02))
    axes.set(ylabel="share of alarms that are true (precision)", ylim=(-0.02, 1.04))
    figure.set_figheight(figure.get_figheight() + _LINE * len(bright))
    return with_legend_below(figure, columns=1)


def _draw_curve(
    axes: Axes,
    rows: ScoredRows,
    probabilities: np.ndarray,
    label: str,
    *,
    lw: float,
    **style: Any,
) -> None:
    precision, recall = precision_and_recall(rows.y, probabilities, rows.fold)
    # From no fault found on, at the precision of the first.
    recall, precision = np.r_[0.0, recall], np.r_[precision[:1], precision]
    axes.plot(recall, precision, ds="steps-pre", lw=lw, zorder=1 + lw, label=label, **style)


def _label(title: str, pr_auc: dict[str, float | None]) -> str:
    score = pr_auc.get(title)
    return title if score is None else f"{title} (PR-AUC {score:.3f})"


def _mark_chance(line: Callable[..., object], prevalence: float, what: str) -> None:
    label = f"{what} (fault share {percent(prevalence)})"
    line(prevalence, color="black", linestyle=":", label=label)


def _mark_operating_point(axes: Axes, scored: ScoredRows, who: str) -> None:
    # Without alarms there is no precision, which the legend says.
    if not scored.alarms.any():
        axes.plot([], [], linestyle="none", label=f"{who} raises no alarm on these rows")
        return
    recall = scored.alarms[scored.y == 1].mean()
    precision = scored.y[scored.alarms].mean()
    found, true = f"{recall:.0%} of fault rows found", f"{precision:.0%} of alarms true"
    ring: Style = {"color": BLUE, "mfc": "white", "mew": 2.5, "ms": 11, "clip_on": False}
    label = f"{who}'s alarms: {found}, {true}"
    axes.plot(recall, precision, "o", zorder=5, label=label, **ring)


def reliability_figure(y: np.ndarray, probabilities: np.ndarray, who: str = CANDIDATE) -> Figure:
    """Stated against observed fault share in bins of equal mass, with 95 % Wilson intervals.

    Where the rows are too few to tell, it says so in place of points. The intervals take rows as
    independent; rows of one run are alike, so the truth is less certain than they look.
    """
    title = of(who, "When a fault probability is stated, how often is it a fault?")
    figure, (axes, below) = new_figure(title, heights=(4, 1))
    axes.plot([0, 1], [0, 1], color="black", linestyle=":", label="stated = observed")
    if reason := _too_few(y, probabilities):
        plate: Style = {"ha": "center", "va": "center", "bbox": {"facecolor": "white", "pad": 8.0}}
        axes.text(0.5, 0.5, reason, size=SMALL + 1, **plate)
    else:
        _draw_shares(axes, y, probabilities, who)
    axes.set(ylabel="observed share of faults", xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    below.hist(probabilities, bins=np.linspace(0, 1, 42).tolist(), color=BLUE, alpha=0.6, log=True)
    # The lower end lets one row be seen.
    below.set(xlabel="fault probability stated", ylabel="rows\n(log scale)", ylim=(0.7, None))
    below.yaxis.set_major_formatter("{x:g}")
    below.yaxis.set_minor_formatter("")
    return with_legend_below(figure, columns=1)


def _too_few(y: np.ndarray, probabilities: np.ndarray) -> str:
    """Why shares of faults would be chance; empty where there are enough rows."""
    faults, groups = int(y.sum()), len(equal_mass_bins(probabilities))
    if min(faults, len(y) - faults) >= _FEWEST_OF_A_CLASS and groups >= _FEWEST_GROUPS:
        return ""
    rows = f"{counted(faults, 'fault row')} and {counted(len(y) - faults, 'normal row')}"
    needed = f"at least {_FEWEST_OF_A_CLASS} of each"
    if groups < _FEWEST_GROUPS:
        needed = f"{needed}, with probabilities\nthat fall into {_FEWEST_GROUPS} groups of ten rows"
    return f"Too few rows to say: {rows}.\nNeeded: {needed}."


def _draw_shares(axes: Axes, y: np.ndarray, probabilities: np.ndarray, who: str) -> None:
    stated, observed, errors = [], [], []
    for rows in equal_mass_bins(probabilities):
        share = y[rows].mean()
        bounds = binomtest(int(y[rows].sum()), len(rows)).proportion_ci(method="wilson")
        stated.append(probabilities[rows].mean())
        observed.append(share)
        errors.append((max(share - bounds.low, 0.0), max(bounds.high - share, 0.0)))
    label = f"{who}, {len(y):,} rows in groups of similar size; 95% interval as if rows were"
    style: Style = {"fmt": "o-", "color": BLUE, "capsize": 3, "label": f"{label} independent"}
    axes.errorbar(stated, observed, yerr=np.transpose(errors), **style)


def training_curves_figure(history: dict[str, list[float]], who: str = CANDIDATE) -> Figure:
    """Loss per epoch, on a logarithmic scale where it spans more than a factor of ten."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    figure, (axes,) = new_figure(of(who, "The network's error while it learned"))
    lines = (
        ("loss", "rows it learned from", BLUE, "o-"),
        ("val_loss", "rows held back from it", RED, "s--"),
    )
    losses: list[float] = []
    for key, label, colour, style in lines:
        values = history.get(key, [])
        losses += [loss for loss in values if np.isfinite(loss)]
        if values:
            axes.plot(range(1, len(values) + 1), values, style, color=colour, ms=3, label=label)
    if losses and 0 < 10 * min(losses) < max(losses):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.set(xlabel="epoch (pass over the rows)", ylabel="loss (class-balanced log-loss, nats)")
    axes.set_xlim(0.5, max(map(len, history.values())) + 0.5)
    return with_legend_below(figure, columns=2)


def rivals_figure(
    pr_auc: dict[str, float | None], prevalence: float, who: str = CANDIDATE
) -> Figure:
    """PR-AUC of all contestants, the best on top and those that could not run at the bottom."""
    figure, (axes,) = new_figure("How well does each contestant rank faults above normal rows?")
    # A white plate keeps the dotted line off the text.
    plate: Style = {"va": "center", "bbox": {"facecolor": "white", "edgecolor": "none", "pad": 1.0}}
    values = {title: value for title, value in pr_auc.items() if value is not None}
    ranked = sorted(pr_auc.keys() - values.keys())
    ranked += sorted(values, key=lambda title: (values[title], title))
    names = [textwrap.fill(title, _NAME_WIDTH) for title in ranked]
    for place, title in enumerate(ranked):
        value, colour, weight = pr_auc[title], GREY, "normal"
        if title == who:
            colour, weight = BLUE, "bold"
        if value is not None:
            axes.barh(place, value, height=0.7, color=colour)
        text = "could not run" if value is None else f"{value:.3f}"
        axes.text((value or 0.0) + 0.01, place, text, size=SMALL, weight=weight, **plate)
    _mark_chance(axes.axvline, prevalence, "ranking at random")
    axes.set_yticks(range(len(names)), names, parse_math=False, size=SMALL)
    axes.set(xlabel="PR-AUC (average precision; 1 is perfect)", xlim=(0, 1.12))
    axes.set(xticks=np.linspace(0, 1, 6), ylim=(-0.6, len(names) - 0.4))
    axes.grid(visible=False, axis="y")
    # Every name needs room for its lines; the rest of the figure takes an inch and a half.
    lines = max(name.count("\n") + 1 for name in names)
    figure.set_figheight(max(_LOWEST, (lines + 0.7) * _LINE * len(names) + 1.5))
    return with_legend_below(figure, columns=1)


def _checked(scored: ScoredRows, others: dict[str, np.ndarray]) -> ScoredRows:
    """The same rows with plain types."""
    _require_shapes(scored, others)
    labels = np.unique(scored.y).tolist()
    if labels != [0, 1]:
        raise DataError(
            "A picture needs rows of both classes, 0 and 1",
            received={"labels": labels},
            remedy="Judge on rows that hold faults and normal operation",
        )
    for title, values in {CANDIDATE: scored.probabilities, **others}.items():
        if not ((values >= 0) & (values <= 1)).all():
            lowest, highest = float(values.min()), float(values.max())
            raise DataError(
                "Some probabilities do not lie between 0 and 1",
                received={"contestant": title, "lowest": lowest, "highest": highest},
                remedy=_REPORT,
            )
    return ScoredRows(
        scored.y.astype(int),
        scored.probabilities,
        scored.alarms.astype(bool),
        scored.run.astype(str),
        scored.time.astype(float),
        scored.fold.astype(int),
    )


def _require_shapes(scored: ScoredRows, others: dict[str, np.ndarray]) -> None:
    rows = np.size(scored.y)
    arrays = {f"scored {name}": values for name, values in vars(scored).items()}
    for name, values in {**arrays, **others}.items():
        if np.shape(values) != (rows,):
            raise DataError(
                "An array does not have one value for each test row",
                received={"array": name, "shape": np.shape(values), "rows": rows},
                remedy=_REPORT,
            )

"""Pictures of a judged candidate, as PNG files.

Drawing needs no screen and changes no settings: pyplot is not used. matplotlib is loaded by the first picture, as
its import alone may write a font cache.
"""

from __future__ import annotations

import re
import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import precision_recall_curve

from faultxfer.errors import DataError
from faultxfer.evaluate.metrics import equal_mass_bins
from faultxfer.evaluate.rows import Judged, has_dates

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

CANDIDATE = "candidate"
# Okabe & Ito, "Color universal design", 2008: told apart with every common kind of colour blindness.
BLUE, _ORANGE, RED, _GREY = "#0072B2", "#E69F00", "#D55E00", "#BDBDBD"
_OTHERS = ("#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#555555")
_DASHES = "-", "--", "-."
_MOST_ROWS, _MOST_LABELS, _MOST_CURVES, _LABEL_WIDTH = (
    3000,
    12,
    11,
    18,
)  # what can be told apart at 8 inches
_REPORT = "Report this: a model's answer does not fit the rows it was given"


def save_pictures(
    folder: Path,
    judged: Judged,
    others: dict[str, np.ndarray],
    pr_auc: dict[str, float | None],
    history: dict[str, list[float]],
) -> dict[str, Path]:
    """Draw all pictures; the same input gives the same bytes.

    Args:
        folder: takes the files; made if missing.
        judged: rows and the candidate's answers.
        others: display title -> (m,) probabilities on the same rows.
        pr_auc: display title, ``candidate`` among them -> PR-AUC, None for a contestant that could not run.
        history: ``loss`` and ``val_loss`` per epoch; without any the training curves are left out.

    Returns:
        Name of the picture -> its file ``<name>.png``.

    Raises:
        DataError: arrays of other shapes, one class only, or values that are no probabilities.
    """
    judged = _checked(judged, others)
    figures = {
        "precision_recall": precision_recall_figure(judged, others, pr_auc),
        "reliability": reliability_figure(judged.y, judged.probabilities),
        "score_over_time": score_over_time_figure(judged),
        "rivals": rivals_figure(pr_auc, float(judged.y.mean())),
    }
    if any(history.values()):
        figures["training_curves"] = training_curves_figure(history)
    folder.mkdir(parents=True, exist_ok=True)
    for name, figure in figures.items():
        save_figure(figure, folder / f"{name}.png")
    return {name: folder / f"{name}.png" for name in figures}


def save_figure(figure: Figure, path: Path) -> None:
    """Write as PNG; without the software's version the bytes depend on the picture alone."""
    figure.savefig(path, dpi=120, metadata={"Software": None})


def precision_recall_figure(
    judged: Judged, others: dict[str, np.ndarray], pr_auc: dict[str, float | None]
) -> Figure:
    """Precision against recall of the candidate and the best others, with the point at which the candidate alarms."""
    figure, (axes,) = new_figure("How many faults are found, and how many alarms are true?")
    best = sorted(others, key=lambda title: -(pr_auc.get(title) or 0.0))[:_MOST_CURVES]
    drawn = {
        CANDIDATE: judged.probabilities,
        **{title: others[title] for title in others if title in best},
    }
    for k, (title, probabilities) in enumerate(drawn.items()):
        precision, recall, _ = precision_recall_curve(judged.y, probabilities)
        score, style = pr_auc.get(title), _DASHES[(k + k // len(_OTHERS)) % len(_DASHES)]
        label = title if score is None else f"{title} (PR-AUC {score:.3f})"
        color, width = (BLUE, 3.0) if title == CANDIDATE else (_OTHERS[k % len(_OTHERS)], 1.1)
        axes.plot(
            recall,
            precision,
            style,
            ds="steps-post",
            c=color,
            lw=width,
            zorder=1 + width,
            label=label,
        )
    _mark_operating_point(axes, judged)
    share = judged.y.mean()
    axes.axhline(
        share, color="black", linestyle=":", label=f"alarms at random (fault share {share:.2g})"
    )
    axes.set(
        xlabel="share of fault rows found (recall)",
        ylabel="share of alarms that are true (precision)",
    )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    return with_legend_below(figure, columns=2)


def _mark_operating_point(axes: Axes, judged: Judged) -> None:
    if not judged.alarms.any():  # there is no precision then, which the legend says
        axes.plot([], [], linestyle="none", label=f"{CANDIDATE} raises no alarm on these rows")
        return
    recall, precision = judged.alarms[judged.y == 1].mean(), judged.y[judged.alarms].mean()
    label = (
        f"{CANDIDATE}'s alarms: {recall:.0%} of fault rows found, {precision:.0%} of alarms true"
    )
    axes.plot(
        recall,
        precision,
        "o",
        color=BLUE,
        mfc="white",
        mew=2.5,
        ms=11,
        zorder=5,
        clip_on=False,
        label=label,
    )


def reliability_figure(y: np.ndarray, probabilities: np.ndarray) -> Figure:
    """Stated against observed fault share in bins of equal mass, with 95 % Wilson intervals.

    The intervals take rows as independent; rows of one run are alike, so the truth is less certain than they look.
    """
    figure, (axes, below) = new_figure(
        "When a fault probability is stated, how often is it a fault?", heights=(4, 1)
    )
    bins = equal_mass_bins(probabilities)
    stated, observed = (
        np.array([values[rows].mean() for rows in bins]) for values in (probabilities, y)
    )
    tests = [
        binomtest(int(y[rows].sum()), len(rows)).proportion_ci(method="wilson") for rows in bins
    ]
    errors = np.array(
        [observed - [test.low for test in tests], [test.high for test in tests] - observed]
    ).clip(min=0)
    label = f"{CANDIDATE}, {len(y)} rows in groups of similar size; 95 % interval as if rows were independent"
    axes.plot([0, 1], [0, 1], color="black", linestyle=":", label="stated = observed")
    axes.errorbar(stated, observed, yerr=errors, fmt="o-", color=BLUE, capsize=3, label=label)
    axes.set(ylabel="observed share of faults", xlim=(-0.02, 1.02), ylim=(-0.02, 1.04))
    below.hist(probabilities, bins=np.linspace(0, 1, 42).tolist(), color=BLUE, alpha=0.6, log=True)
    below.set(
        xlabel="fault probability stated", ylabel="rows\n(log scale)", ylim=(0.7, None)
    )  # one row must be seen
    below.yaxis.set_major_formatter("{x:g}")
    below.yaxis.set_minor_formatter("")
    return with_legend_below(figure, columns=2)


def score_over_time_figure(judged: Judged) -> Figure:
    """The candidate's probability row after row, with true faults shaded and alarms marked."""
    all_runs, dated = runs_in_order(judged)
    runs = readable_part(all_runs, judged.y)
    rows = np.concatenate(runs)
    starts = np.cumsum([0, *(len(run) for run in runs[:-1])])
    some = (
        ""
        if len(runs) == len(all_runs)
        else f"\n({len(runs)} of {len(all_runs)} runs are shown and counted here)"
    )
    figure, (axes,) = new_figure(
        "What the candidate says over time, and where the faults were" + some
    )
    _draw_scores(axes, judged, rows, starts)
    _label_runs(axes, starts, len(rows), _run_labels(judged, runs, dated))
    axes.set(
        xlim=(-0.5, len(rows) - 0.5),
        ylim=(-0.17, 1.04),
        yticks=np.linspace(0, 1, 6),
        ylabel="fault probability",
    )
    axes.set_xlabel(
        f"rows, one run after the other ({'start of the run, UTC' if dated else 'name of the run'})"
    )
    axes.grid(visible=False, axis="x")
    return with_legend_below(figure, columns=4)


def runs_in_order(judged: Judged) -> tuple[list[np.ndarray], bool]:
    """Row positions of each run in time order, and whether the runs are ordered by date.

    Dates count where all times are seconds since 1970 and most runs start at a time of their own; otherwise the
    order is that of the runs' names. Rows without times keep their order.
    """
    names, place, counts = np.unique(judged.run, return_inverse=True, return_counts=True)
    runs = np.split(np.lexsort((judged.time, place)), np.cumsum(counts)[:-1])
    starts = np.array([judged.time[run[0]] for run in runs])
    dated = has_dates(judged.time) and len(np.unique(starts)) > len(starts) / 2
    # Digits count as numbers, so that run 2 comes before run 10.
    parts = [
        [(text, int(digits or -1)) for text, digits in re.findall(r"(\D*)(\d*)", name)]
        for name in names.tolist()
    ]
    order = sorted(range(len(runs)), key=lambda k: (starts[k] if dated else 0.0, parts[k]))
    return [runs[k] for k in order], dated


def readable_part(runs: list[np.ndarray], y: np.ndarray) -> list[np.ndarray]:
    """As many whole runs as can be read, half of them with faults if possible, spread evenly over the order."""
    faulty = [k for k, rows in enumerate(runs) if y[rows].any()]
    normal = [k for k, rows in enumerate(runs) if not y[rows].any()]
    chosen = list(range(len(runs)))
    while len(chosen) > 2 and sum(len(runs[k]) for k in chosen) > _MOST_ROWS:
        count = min(len(chosen) - 1, _MOST_ROWS)
        with_faults = min(len(faulty), max(count - len(normal), -(-count // 2)))
        halves = ((faulty, with_faults), (normal, count - with_faults))
        chosen = sorted(
            half[int(k)] for half, n in halves for k in np.linspace(0, len(half) - 1, n).round()
        )
    return [runs[k] for k in chosen]


def _draw_scores(axes: Axes, judged: Judged, rows: np.ndarray, starts: np.ndarray) -> None:
    """Row positions are the x axis: the k-th of ``rows`` is drawn at k."""
    place, y, alarms = np.arange(len(rows)), judged.y[rows], judged.alarms[rows]
    edges = np.flatnonzero(np.diff(y, prepend=0, append=0)).reshape(-1, 2)
    stretches = [(start - 0.5, float(end - start)) for start, end in edges.tolist()]
    axes.broken_barh(
        stretches, (0, 1), facecolor=_ORANGE, edgecolor=_ORANGE, alpha=0.35, label="true fault"
    )
    axes.vlines(starts[1:] - 0.5, -0.17, 1.04, color=_GREY, linewidth=0.7, zorder=1)
    # A NaN before each run's first row lifts the pen between runs.
    x, p = (
        np.insert(values.astype(float), starts, np.nan)
        for values in (place, judged.probabilities[rows])
    )
    axes.plot(
        x,
        p,
        color=BLUE,
        linewidth=1,
        marker=".",
        ms=5 if len(rows) < 300 else 1.5,
        label="fault probability",
    )
    for label, hit, height, color in (
        ("alarm, true", 1, -0.05, "black"),
        ("alarm, false", 0, -0.12, RED),
    ):
        at = place[alarms & (y == hit)]
        axes.plot(
            at,
            np.full(len(at), height),
            "|",
            color=color,
            ms=9,
            mew=1.5,
            label=f"{label} ({len(at)} rows)",
        )


def _label_runs(axes: Axes, starts: np.ndarray, rows: int, labels: list[str]) -> None:
    """Label runs at their start, leaving out those that would come too close to the label before."""
    shown: dict[int, str] = {}
    for start, label in zip(starts.tolist(), labels, strict=True):
        if not shown or start - max(shown) >= rows / _MOST_LABELS:
            shown[start] = label
    axes.set_xticks([*shown], [*shown.values()], parse_math=False, rotation=30, ha="right", size=8)


def _run_labels(judged: Judged, runs: list[np.ndarray], dated: bool) -> list[str]:
    if not dated:  # the tail of a name tells runs apart, as the machine's name comes first
        names = [str(judged.run[run[0]]) for run in runs]
        return [
            name if len(name) <= _LABEL_WIDTH else "…" + name[1 - _LABEL_WIDTH :] for name in names
        ]
    moments = [datetime.fromtimestamp(judged.time[run[0]], UTC) for run in runs]
    days_differ = len({moment.date() for moment in moments}) == len(moments)
    return [moment.strftime("%Y-%m-%d" if days_differ else "%Y-%m-%d %H:%M") for moment in moments]


def training_curves_figure(history: dict[str, list[float]]) -> Figure:
    """Loss per epoch, on a logarithmic scale where it spans more than a factor of ten."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    figure, (axes,) = new_figure("The network's error while it learned")
    lines = (
        ("loss", "rows it learned from", BLUE, "o-"),
        ("val_loss", "rows held back from it", RED, "s--"),
    )
    for key, label, color, style in lines:
        if values := history.get(key):
            axes.plot(range(1, len(values) + 1), values, style, color=color, ms=3, label=label)
    losses = [loss for values in history.values() for loss in values if np.isfinite(loss)] or [1.0]
    if 0 < 10 * min(losses) < max(losses):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10], min_n_ticks=1))
    axes.set(xlabel="epoch (pass over the rows)", ylabel="loss (class-balanced log-loss, nats)")
    axes.set_xlim(0.5, max(map(len, history.values())) + 0.5)
    return with_legend_below(figure, columns=2)


def rivals_figure(pr_auc: dict[str, float | None], share: float) -> Figure:
    """PR-AUC of all contestants, the best on top and those that could not run at the bottom."""
    figure, (axes,) = new_figure("How well does each contestant rank faults above normal rows?")
    plate = {
        "facecolor": "white",
        "edgecolor": "none",
        "pad": 1.0,
    }  # keeps the dotted line off the text
    titles = sorted(
        pr_auc, key=lambda title: (pr_auc[title] is not None, pr_auc[title] or 0.0, title)
    )
    figure.set_figheight(max(figure.get_figheight(), 0.4 * len(titles)))
    for place, title in enumerate(titles):
        value, (color, weight) = (
            pr_auc[title],
            (BLUE, "bold") if title == CANDIDATE else (_GREY, "normal"),
        )
        if value is not None:
            axes.barh(place, value, height=0.7, color=color)
        text = "could not run" if value is None else f"{value:.3f}"
        axes.text((value or 0.0) + 0.01, place, text, va="center", weight=weight, bbox=plate)
    axes.axvline(
        share, color="black", linestyle=":", label=f"ranking at random (fault share {share:.2g})"
    )
    axes.set_yticks(
        range(len(titles)), [textwrap.fill(title, 30) for title in titles], parse_math=False
    )
    axes.set(
        xlabel="PR-AUC (average precision; 1 is perfect)",
        xticks=np.linspace(0, 1, 6),
        xlim=(0, 1.12),
    )
    axes.grid(visible=False, axis="y")
    return with_legend_below(figure, columns=1)


def _checked(judged: Judged, others: dict[str, np.ndarray]) -> Judged:
    """The same rows with plain types."""
    rows, labels = np.size(judged.y), np.unique(judged.y).tolist()
    for name, values in {
        **{f"judged {name}": values for name, values in vars(judged).items()},
        **others,
    }.items():
        if np.shape(values) != (rows,):
            received: dict[str, object] = {"array": name, "shape": np.shape(values), "rows": rows}
            raise DataError(
                "One value for each judged row was expected", received=received, remedy=_REPORT
            )
    if labels != [0, 1]:
        remedy = "Judge on rows that hold faults and normal operation"
        raise DataError(
            "Rows of both classes, 0 and 1, were expected",
            received={"labels": labels},
            remedy=remedy,
        )
    for title, values in {CANDIDATE: judged.probabilities, **others}.items():
        if not ((values >= 0) & (values <= 1)).all():
            received = {
                "contestant": title,
                "lowest": float(values.min()),
                "highest": float(values.max()),
            }
            raise DataError(
                "Probabilities from 0 to 1 were expected", received=received, remedy=_REPORT
            )
    alarms, run = judged.alarms.astype(bool), judged.run.astype(str)
    return Judged(
        judged.y.astype(int), judged.probabilities, alarms, run, judged.time.astype(float)
    )


def new_figure(title: str, heights: tuple[float, ...] = (1,)) -> tuple[Figure, list[Axes]]:
    """A figure with one plot for each of the ``heights``, below one another with a common x axis."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5), dpi=120, layout="constrained")
    grid = figure.subplots(
        len(heights), 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": heights}
    )
    for axes in grid.flat:
        axes.spines[["top", "right"]].set_visible(False)
        axes.grid(visible=True, color="#E5E5E5", linewidth=0.6)
        axes.set_axisbelow(True)
    figure.axes[0].set_title(title, loc="left", fontsize=12)
    return figure, figure.axes


def with_legend_below(figure: Figure, columns: int) -> Figure:
    """The same figure, with a legend of its first plot."""
    handles, labels = figure.axes[0].get_legend_handles_labels()
    legend = figure.legend(
        handles, labels, loc="outside lower center", ncols=columns, fontsize=8, frameon=False
    )
    for text in legend.get_texts():
        text.set_parse_math(False)  # a title may hold dollar signs
    return figure

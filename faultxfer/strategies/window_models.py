"""Whether models that read windows tell more, and windows of a machine's rows like the source's."""

from __future__ import annotations

import dataclasses

import numpy as np

from faultxfer.bundle.bundle import Bundle
from faultxfer.bundle.frozen import Block, FrozenSource, SourceModels, Views, WindowModels
from faultxfer.bundle.input_map import SOURCE, InputMap
from faultxfer.data.dataset import Dataset
from faultxfer.data.moments import Moments, restarted, usual_step
from faultxfer.data.windows import RowWindows, Windows, fit_windows, widened
from faultxfer.strategies.smoothing_choice import best_way, smoothed, ways_to_smooth
from faultxfer.strategies.source_benefit import fit_source_models

# Half-lives in usual steps: those of exponential averages of span 5 and 15.
STEPS = (1.7, 5.2)
# Wider plants have none: four features a sensor would cost them more than all else.
MOST_SENSORS = 100
# Windows that are learnt from begin anew once in so many rows: averages near the start of a
# recording vary more, by which models would tell where in it a fault begins.
_RESTART = 30
# Said where they do.
WINDOWS_HELP = (
    "Models that also read how the sensors went before a row told source runs held out better, so "
    "transfers from this model look back too."
)
# Readings of a pass over all rows.
_MOST_VALUES = 4_000_000


def source_windows(data: Dataset, rows: np.ndarray | None = None) -> Dataset:
    """The source's rows with windows; without where recordings are single rows.

    Args:
        data: all rows.
        rows: positions of those that are wanted, which have the windows that they have among all.
    """
    some = data if rows is None else data.take(rows)
    step = usual_step(data.moments)
    if step is None or len(data.features) > MOST_SENSORS:
        return some
    short, long = (step * each for each in STEPS)
    return dataclasses.replace(some, windows=_made(data.X, data.moments, (short, long), rows))


def machine_windows(data: Dataset, source: Bundle, apart: np.ndarray) -> Dataset:
    """A machine's rows with windows like those that its source's models read.

    As long as the source's by the clock, or in steps where the machine's are longer than those.

    Args:
        data: rows; those of the sensors that the source knows stand first.
        source: narrowed to the machine.
        apart: (n,) rows with different numbers do not see each other: those that train and judge.
    """
    over = None if source.models is None else source.models.over_windows
    return data if over is None else windows_like(over, data, apart)


def windows_like(over: WindowModels, data: Dataset, apart: np.ndarray) -> Dataset:
    """The same for the source's models that read windows."""
    step = usual_step(data.moments)
    if step is None:
        return data
    half_lives = [step * each for each in over.steps]
    if over.clock and not np.isnan(data.time).all():
        like = over.windows.short, over.windows.long
        half_lives = [max(*both) for both in zip(half_lives, like, strict=True)]
    short, long = half_lives
    known, moments = data.X[:, : len(over.windows.usual)], data.moments.apart(apart)
    return dataclasses.replace(data, windows=_made(known, moments, (short, long)))


def _made(
    X: np.ndarray,
    moments: Moments,
    half_lives: tuple[float, float],
    rows: np.ndarray | None = None,
) -> RowWindows:
    """Windows of all rows or some to learn from, for few sensors at a time, to bound the memory."""
    at_a_time = max(1, _MOST_VALUES // max(1, len(X)))
    moments, parts = restarted(moments, _RESTART), []
    for first in range(0, X.shape[1], at_a_time):
        own = X[:, first : first + at_a_time]
        windows = fit_windows(own, moments, *half_lives)
        values = windows(own, moments)
        parts.append(RowWindows(windows, values if rows is None else values[rows]))
    usual = np.concatenate([part.windows.usual for part in parts])
    values = np.concatenate([part.values for part in parts], axis=2)
    return RowWindows(Windows(*half_lives, usual), values)


def window_models(
    train: Dataset, rows: np.ndarray, held: Dataset, models: SourceModels, seed: int
) -> WindowModels | None:
    """The source's models that read windows; None where rows held out are no likelier with them.

    Args:
        train: the source's training rows.
        rows: positions of those that are fitted on.
        held: rows of other runs, with windows of their own.
        models: of readings, fitted on training rows.
        seed: of the fits.
    """
    over = fit_over_windows(source_windows(train, rows), seed)
    return over if over is not None and windows_help(models, over, held) else None


def fit_over_windows(data: Dataset, seed: int) -> WindowModels | None:
    """Models of rows with windows; None of rows without."""
    if data.windows is None:
        return None
    wide = widened(data.X, data.windows.values)
    models = fit_source_models(wide, data.y, seed)
    clock = not bool(np.isnan(data.time).all())
    return WindowModels(data.windows.windows, STEPS, clock, models)


def windows_help(models: SourceModels, over: WindowModels, held: Dataset) -> bool:
    """Whether rows held out are the likelier where models that read windows have half a say.

    Both sides may be smoothed, in whichever way suits them, as they will be.

    Args:
        models: of readings.
        over: of readings and windows.
        held: rows with windows that fitted neither.
    """
    if held.windows is None:
        return False
    of_rows = _said(models.frozen(None), held.X)
    of_windows = _said(over.models.frozen(None), widened(held.X, held.windows.values))
    ways = ways_to_smooth(held)
    every = [
        smoothed(said, way, held.moments)
        for said in (of_rows, (of_rows + of_windows) / 2)
        for way in ways
    ]
    return best_way(every, held.y, held.run) >= len(ways)


def _said(source: FrozenSource, X: np.ndarray) -> np.ndarray:
    """(n,) mean logits of trees and logistic regression, in source units."""
    width = len(source.spread.center)
    views = Views(source, {SOURCE: InputMap(np.ones(width), np.zeros(width))}, X)
    blocks = views.blocks((Block("trees", SOURCE), Block("linear", SOURCE)))
    return np.asarray(blocks.mean(axis=1))

"""Draws of ``time_quality.py``: whole recordings, cut at random places before anything else.

In some data sets faults begin at the same place of every recording, so that the position alone
separates the classes. Where a recording is cut, it does not.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from transfer_tasks import Cell, TransferTask, half_of_runs

from faultxfer.data.blocks import rows_in_order
from faultxfer.data.dataset import Dataset

# Rows of the shortest recording that says anything about time.
FEWEST_ROWS = 10
# Share of a recording that is left, from and to.
_LEFT = (0.3, 0.8)
_TEST_ROWS = 20_000


def cells_of(
    task: TransferTask,
    asked: argparse.Namespace,
    kind: str,
    measured: Callable[[list[tuple[int, int]]], Iterable[tuple[str, Any]]],
) -> list[Any]:
    """What was found in the draws of a pair that are asked for, where they could be drawn.

    Args:
        task: the pair; nothing where others are asked for.
        asked: folder ``cache``, ``seeds``, ``rows`` and ``tasks``.
        kind: folder in the cache.
        measured: finds what is not in the cache, by N and seed; each is written as it comes.
    """
    if asked.tasks and task.name not in asked.tasks:
        return []
    path = asked.cache / kind / f"{task.name.replace(' ', '_')}.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    todo = [(n, s) for s in asked.seeds for n in asked.rows if f"{n}-{s}" not in known]
    path.parent.mkdir(parents=True, exist_ok=True)
    for key, found in measured(todo) if todo else ():
        known[key] = found
        path.write_text(json.dumps(known), encoding="utf-8")
    wanted = [f"{n}-{s}" for s in asked.seeds for n in asked.rows]
    return [known[key] for key in wanted if known.get(key)]


def has_recordings(data: Dataset) -> bool:
    """Whether the usual recording has rows enough."""
    counts = np.unique(data.run.astype(str), return_counts=True)[1]
    return float(np.median(counts)) >= FEWEST_ROWS


def in_order(data: Dataset) -> Dataset:
    """The rows, recording by recording in the order of time."""
    return data.take(rows_in_order(data.run.astype(str), data.time))


def cut(data: Dataset, rng: np.random.Generator) -> Dataset:
    """A piece of each recording, at a random place of it; rows stand in order."""
    begins, ends = _bounds(data)
    kept = []
    for begin, end in zip(begins, ends, strict=True):
        rows = end - begin
        length = max(min(FEWEST_ROWS, rows), round(rows * rng.uniform(*_LEFT)))
        start = begin + int(rng.integers(rows - length + 1))
        kept.append(np.arange(start, start + length))
    return data.take(np.concatenate(kept))


def position(data: Dataset) -> np.ndarray:
    """(n,) rows since the start of the recording, of rows in order."""
    begins, ends = _bounds(data)
    return np.concatenate([np.arange(end - begin) for begin, end in zip(begins, ends, strict=True)])


def draw_recordings(data: Dataset, rows: int, seed: int, fewest: int = 4) -> Cell | None:
    """About ``rows`` rows of whole recordings of half of them; the other half judges.

    Recordings join until there are rows enough and some of each class; the last one is cut off
    where there are enough. None where the half has fewer.
    """
    rng = np.random.default_rng([seed, rows, 21])
    number = np.unique(data.run.astype(str), return_inverse=True)[1]
    half = half_of_runs(np.bincount(number, weights=data.y) > 0, rng)
    taken: list[int] = []
    for run in rng.permutation(half):
        own = np.flatnonzero(number == run)
        classes = np.bincount(data.y[taken], minlength=2)
        if len(taken) >= rows and min(classes) >= fewest:
            break
        short = rows - len(taken)
        brings = np.bincount(data.y[own], minlength=2)
        if short <= 0 and not (brings[classes < fewest] > 0).any():
            continue
        taken += own.tolist() if short <= 0 else own[: max(short, FEWEST_ROWS)].tolist()
    classes = np.bincount(data.y[taken], minlength=2)
    if len(taken) < rows or min(classes) < fewest:
        return None
    test = np.flatnonzero(~np.isin(number, half))
    runs = rng.permutation(np.unique(number[test]))
    sizes = np.cumsum(np.bincount(number)[runs])
    judged = test[np.isin(number[test], runs[: int(np.searchsorted(sizes, _TEST_ROWS)) + 1])]
    return Cell(data.take(np.sort(taken)), data.take(judged))


def _bounds(data: Dataset) -> tuple[np.ndarray, np.ndarray]:
    begins = np.flatnonzero(np.append(True, data.run[1:] != data.run[:-1]))
    return begins, np.append(begins[1:], len(data))

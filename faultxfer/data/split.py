"""Who is trained on, who calibrates, who judges.

Split by run, or cross-fit where no honest hold-out exists.

Rows of one run are neighbours in time and nearly copies of each other, so a run never lies on two
sides. A hold-out needs enough runs and faults on every side. Where they are lacking, out-of-fold
predictions by run judge the *procedure* instead,
and where even the runs are lacking, contiguous blocks in time with a gap between the sides
(Bergmeir & Benitez, "On the use of cross-validation for time series predictor evaluation", 2012).
Where the faults are too few for that, each is held out from models that may have seen no fault of
the machine at all: that shows what is said of it, and decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faultxfer.config import SplitOptions
from faultxfer.data.blocks import blocks_of, rows_in_order
from faultxfer.data.dataset import Dataset
from faultxfer.errors import DataError
from faultxfer.wording import counted, listed

HOLD_OUT, CROSS_FIT = "hold-out", "cross-fit"
BY_RUN, BY_BLOCK, BY_FEW = "run", "time block", "few faults"
# What the rows are where they are not of both classes: nothing is divided then.
BY_HEALTHY, BY_FAULTS, BY_NOTHING = "healthy rows", "faults alone", "no label"
# What the folds hold together, in words.
_FOLDS_BY = {BY_RUN: "run", BY_BLOCK: "time block", BY_FEW: "fault"}
_ONE_CLASS = {
    BY_HEALTHY: "Every labelled row is healthy, so what it finds is not shown on this machine; its "
    "false alarms are those on rows by which its threshold was chosen.",
    BY_FAULTS: "Every labelled row is a fault, so its false alarms are not shown on this machine.",
    BY_NOTHING: "No row has a label, so neither what it finds nor its false alarms are shown on "
    "this machine.",
}
# How many machines a message names.
_SHOWN = 3
# Fewer normal rows than this on a side say nothing of what is normal.
FEWEST_NORMALS = 2


@dataclass(frozen=True)
class Fold:
    """Positions of the rows that train and of those that are predicted."""

    train: np.ndarray
    test: np.ndarray


@dataclass(frozen=True)
class Split:
    """How rows are divided.

    Attributes:
        mode: ``hold-out`` or ``cross-fit``.
        by: ``run``, ``time block`` or ``few faults``; ``healthy rows``, ``faults alone`` or
            ``no label`` where there are not both classes.
        reason: one sentence on why, for the report.
        train, calibration, test: row positions of a hold-out; for cross-fitting ``train`` holds
            every row and the other two are empty.
        folds: the folds of cross-fitting; empty for a hold-out.
    """

    mode: str
    by: str
    reason: str
    train: np.ndarray
    calibration: np.ndarray
    test: np.ndarray
    folds: tuple[Fold, ...] = ()

    @property
    def fold_numbers(self) -> np.ndarray:
        """(m,) fold in which each of the rows that judge was held out; one fold for a hold-out."""
        if self.mode == HOLD_OUT:
            return np.zeros(len(self.test), dtype=int)
        number = np.zeros(len(self.train), dtype=int)
        for place, fold in enumerate(self.folds):
            number[fold.test] = place
        return number

    def blocks(self, rows: int) -> np.ndarray:
        """(n,) number of the block of time of each row, where blocks of one recording are apart.

        All the same where whole recordings are, or where nothing is decided.
        """
        return self.fold_numbers if self.by == BY_BLOCK else np.zeros(rows, dtype=int)

    @property
    def decides(self) -> bool:
        """Whether rows that were held out can decide anything."""
        return self.by != BY_FEW and self.has_both_classes

    @property
    def has_both_classes(self) -> bool:
        """Whether faults and normal rows are labelled, without which nothing can be fitted."""
        return self.by not in _ONE_CLASS

    @property
    def validity(self) -> str:
        """How far metrics from this split hold, in one sentence."""
        if self.mode == HOLD_OUT:
            return (
                "Metrics come from runs that took no part in training, calibration or choice of "
                "the "
                "threshold."
            )
        if not self.has_both_classes:
            return _ONE_CLASS[self.by]
        if not self.decides:
            return (
                "These rows are too few to judge by: every fault was held out from models that may "
                "have seen no fault of this machine, and what they said of it decides nothing."
            )
        if self.by == BY_RUN:
            return (
                "Metrics come from cross-fitting by run: they judge the procedure, not the very "
                f"model that is registered, which is fitted on all rows; {self._fitted_on}."
            )
        return (
            "Metrics come from cross-fitting by blocks of time inside a run: they judge the "
            "procedure on the recordings at hand and may flatter it on new ones; "
            f"{self._fitted_on}."
        )

    @property
    def _fitted_on(self) -> str:
        """How much less the models of the folds have seen than the one that is registered."""
        shares = [len(fold.train) / len(self.train) for fold in self.folds]
        least, most = f"{min(shares):.0%}", f"{max(shares):.0%}"
        between = most if least == most else f"{least} to {most}"
        return f"those that were measured had seen {between} of the rows"


def split_rows(data: Dataset, options: SplitOptions, seed: int) -> Split:
    """Choose and make the split; nothing is divided where there are not both classes.

    Raises:
        DataError: fewer normal rows than two sides need.
    """
    if data.faults in (0, len(data)):
        return _undivided(data)
    hold_out = try_hold_out(data, options, seed)
    if isinstance(hold_out, Split):
        return hold_out
    return _cross_fit(data, options, seed, why_no_hold_out=hold_out)


def _undivided(data: Dataset) -> Split:
    """All rows together: nothing is fitted on them that they could not judge."""
    rows = np.arange(len(data))
    normals = int((data.y == 0).sum())
    by, what = BY_NOTHING, "none has a label"
    if data.faults:
        by, what = BY_FAULTS, "all are labelled fault"
    elif normals:
        by, what = BY_HEALTHY, "none is labelled fault"
    reason = f"nothing was divided, as {what}"
    return Split(CROSS_FIT, by, reason, rows, rows[:0], rows[:0])


def require_both_classes(data: Dataset) -> None:
    """Refuse rows of one class.

    Raises:
        DataError: there are no fault rows, or no normal rows.
    """
    if data.faults in (0, len(data)):
        missing = "fault" if data.faults == 0 else "normal"
        raise DataError(
            f"There is no {missing} row, and both classes are needed",
            received={"rows": len(data), "fault rows": data.faults},
            where=f"label of equipment {_machines(data)}",
            remedy="Add labelled rows of the missing class, and check the label spellings in the "
            "contract",
        )


def _machines(data: Dataset) -> str:
    """The machines of the rows, for a message."""
    names = sorted(set(data.equipment.astype(str).tolist()))
    return listed([repr(name) for name in names], most=_SHOWN)


def try_hold_out(data: Dataset, options: SplitOptions, seed: int) -> Split | str:
    """A hold-out by run, or the sentence that says why there is none."""
    sides = divide_runs(data, (options.calibration_share, options.test_share), seed)
    train, calibration, test = sides
    for name, rows, faults in (
        ("test", test, options.min_test_faults),
        ("calibration", calibration, options.min_calibration_faults),
        ("training", train, options.min_calibration_faults),
    ):
        side = data.take(rows)
        normals = len(side) - side.faults
        if side.faults < faults or normals < options.min_normals:
            return (
                f"the {name} side of a hold-out would have {side.faults} fault and {normals} "
                f"normal rows; {faults} and {options.min_normals} are needed"
            )
    runs = len(set(data.run[test]))
    needed = options.min_test_runs
    if runs < needed:
        have = counted(runs, "run")
        return f"the test side of a hold-out would have {have}; {needed} are needed"
    order = "in time order" if _runs_are_in_time(data) else "at random, as runs have no common time"
    counts = f"{len(train)} rows train, {len(calibration)} calibrate, {len(test)} test"
    reason = f"whole runs were held out {order}: {counts}"
    return Split(HOLD_OUT, BY_RUN, reason, train, calibration, test)


def divide_runs(
    data: Dataset, later_shares: tuple[float, ...], seed: int
) -> tuple[np.ndarray, ...]:
    """Give whole runs to sides: the first side takes what is left, each later side its share.

    Runs with and without faults are divided apart, so that every side gets both where it can;
    inside each group the earliest runs go to the first side where runs have a common time, else a
    seeded shuffle decides.

    Returns:
        For each side, sorted row positions.
    """
    runs, start, faulty = _runs(data)
    if _runs_are_in_time(data):
        order = np.argsort(start, kind="stable")
    else:
        order = np.random.default_rng(seed).permutation(len(runs))
    first_share = 1 - sum(later_shares)
    bounds = np.cumsum([first_share, *later_shares])[:-1]
    side_of: dict[object, int] = {}
    has_faults = faulty[order]
    for group in (order[has_faults], order[~has_faults]):
        cuts = np.round(bounds * len(group)).astype(int)
        for side, members in enumerate(np.split(group, cuts)):
            side_of.update(dict.fromkeys(runs[members], side))
    sides = np.array([side_of[run] for run in data.run])
    return tuple(np.flatnonzero(sides == number) for number in range(len(later_shares) + 1))


def _runs(data: Dataset) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Names of the runs, their first times, and whether each has a fault."""
    runs, position = np.unique(data.run.astype(str), return_inverse=True)
    start = np.full(len(runs), np.inf)
    np.minimum.at(start, position, np.nan_to_num(data.time, nan=np.inf))
    faulty = np.bincount(position, weights=data.y) > 0
    return runs, start, faulty


def _runs_are_in_time(data: Dataset) -> bool:
    """Whether run starts can be compared; a sequence number that begins anew in each run cannot."""
    _, start, _ = _runs(data)
    return bool(np.isfinite(start).all()) and len(np.unique(start)) > len(start) / 2


def _cross_fit(data: Dataset, options: SplitOptions, seed: int, why_no_hold_out: str) -> Split:
    by, folds = BY_RUN, _folds_by_run(data, options, seed)
    if not folds:
        by, folds = BY_BLOCK, _folds_by_block(data, options, options.gap)
    if not folds:
        by, folds = BY_FEW, _folds_of_few(data, options)
    rows = np.arange(len(data))
    none = rows[:0]
    reason = f"{len(folds)} folds by {_FOLDS_BY[by]}, as {why_no_hold_out}"
    return Split(CROSS_FIT, by, reason, rows, none, none, folds)


def fold_rows(data: Dataset, options: SplitOptions, seed: int) -> tuple[Fold, ...]:
    """Folds for cross-fitting inside training rows: by run where it goes, else blocks in time.

    These folds weigh learners and judge nothing, so the gap between blocks shrinks where the rows
    are too few for it. None where a class has too few rows.

    Raises:
        DataError: one class only.
    """
    require_both_classes(data)
    if by_run := _folds_by_run(data, options, seed):
        return by_run
    for gap in range(options.gap, -1, -1):
        if by_block := _folds_by_block(data, options, gap):
            return by_block
    return ()


def _folds_by_run(data: Dataset, options: SplitOptions, seed: int) -> tuple[Fold, ...]:
    """Folds of whole runs, each with runs of both classes; none if a class has one run alone."""
    names, run = np.unique(data.run.astype(str), return_inverse=True)
    faults = np.bincount(run, weights=data.y, minlength=len(names))
    rows = np.column_stack([np.bincount(run) - faults, faults])
    count = min(options.folds, *np.count_nonzero(rows, axis=0).tolist())
    if count < 2:
        return ()
    fold = _dealt(rows, count, np.random.default_rng(seed))[run]
    every = np.arange(len(data))
    folds = [Fold(every[fold != number], every[fold == number]) for number in range(count)]
    return tuple(folds) if _usable(folds, data.y) else ()


def _dealt(rows: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    """(r,) fold of each run: as many runs of each class in every fold as go, then as many rows.

    Runs of both classes are dealt first, then those of faults alone, then the others, each time the
    long ones before the short ones, to the fold that has the fewest runs of these classes. So no
    fold lacks a class as long as each class has a run for every fold.

    Args:
        rows: (r, 2) normal rows and fault rows of each run.
        count: of the folds.
        rng: decides between runs of one length.
    """
    holds = rows > 0
    kind = np.where(holds.all(axis=1), 0, np.where(holds[:, 1], 1, 2))
    mixed = rng.permutation(len(rows))
    order = mixed[np.lexsort((-rows.sum(axis=1)[mixed], kind[mixed]))]
    runs_in, rows_in = np.zeros((count, 2)), np.zeros((count, 2))
    fold = np.empty(len(rows), dtype=int)
    for run in order:
        has = holds[run]
        fullness = np.lexsort((rows_in[:, has].sum(axis=1), runs_in[:, has].sum(axis=1)))
        fold[run] = fullness[0]
        runs_in[fold[run]] += has
        rows_in[fold[run]] += rows[run]
    return fold


def _folds_by_block(data: Dataset, options: SplitOptions, gap: int) -> tuple[Fold, ...]:
    """Contiguous blocks of each class's rows in time, with ``gap`` rows left out around each block.

    None where a class has too few rows for two blocks.
    """
    order = rows_in_order(data.run.astype(str), data.time)
    for count in range(min(options.folds, _rarer(data) // 2), 1, -1):
        folds = _blocks(order, data.y, count, gap)
        if _usable(folds, data.y):
            return tuple(folds)
    return ()


def _folds_of_few(data: Dataset, options: SplitOptions) -> tuple[Fold, ...]:
    """The same with models that may have no fault to learn from, but normal rows.

    Raises:
        DataError: the normal rows do not suffice for two sides.
    """
    order = rows_in_order(data.run.astype(str), data.time)
    most = min(options.folds, max(_rarer(data), FEWEST_NORMALS + 1))
    for gap in range(options.gap, -1, -1):
        for count in range(most, 1, -1):
            folds = _blocks(order, data.y, count, gap)
            normals = [len(fold.train) - data.y[fold.train].sum() for fold in folds]
            if min(normals) >= FEWEST_NORMALS:
                return tuple(folds)
    raise _too_few(data)


def _rarer(data: Dataset) -> int:
    """Rows of the rarer class."""
    return min(data.faults, len(data) - data.faults)


def _too_few(data: Dataset) -> DataError:
    normals = len(data) - data.faults
    return DataError(
        "There are not enough normal rows to learn from some and to choose a threshold on others "
        f"(it takes {FEWEST_NORMALS + 1})",
        received={"rows": len(data), "fault rows": data.faults, "normal rows": normals},
        where=f"equipment {min(data.equipment)!r}",
        remedy="Collect and label more rows of normal operation; nothing was changed",
    )


def _blocks(order: np.ndarray, y: np.ndarray, count: int, gap: int) -> list[Fold]:
    rows = len(order)
    block = blocks_of(y, order, count)[order]
    folds = []
    around = np.ones(2 * gap + 1)
    for number in range(count):
        inside = block == number
        # Not mode="same": that is as long as the kernel where the gap is wider than the recording.
        near = np.convolve(inside, around)[gap : gap + rows] > 0
        folds.append(Fold(np.sort(order[~near]), np.sort(order[inside])))
    return folds


def _usable(folds: list[Fold], y: np.ndarray) -> bool:
    """Every training side needs at least two rows of each class."""
    for fold in folds:
        faults = y[fold.train].sum()
        if min(faults, len(fold.train) - faults) < 2:
            return False
    return True

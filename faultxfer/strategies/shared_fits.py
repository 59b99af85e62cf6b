"""What several contestants fit on the same rows is fitted once, on every processor.

The stack of a fold, the stacks of other folds that are weighed by it, and the rivals ask for the
same learners on the same rows, and then for what these say of the same rows.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from faultxfer.bundle.frozen import Block, FrozenSource, Views
from faultxfer.bundle.input_map import MAPS, SOURCE, InputMap, fit_maps
from faultxfer.bundle.members import Member, Stack, member_logits, together
from faultxfer.data.split import Fold
from faultxfer.data.thinning import thinned
from faultxfer.environment import one_thread_of_linear_algebra
from faultxfer.strategies.learners.over_windows import OverWindows
from faultxfer.strategies.learners.protocol import Learner, TrainingRows

# Sets of rows whose features are kept at a time: one for each thread, on most machines.
_KEPT = 2
# Target rows that a learner is fitted on, where there are not as many in short runs alone. Of
# 10,000 to 31,000 rows of turbofans all were worth .0001 to .0014 more (decision 46).
MOST_FITTED = 8000
_Given = TypeVar("_Given")
_Got = TypeVar("_Got")


def processors() -> int:
    """How many threads may compute: as many as OMP_NUM_THREADS says, else all there are."""
    asked = os.environ.get("OMP_NUM_THREADS", "")
    return int(asked) if asked.isdigit() and int(asked) else len(os.sched_getaffinity(0))


def in_threads(work: Callable[[_Given], _Got], given: Sequence[_Given]) -> list[_Got]:
    """What ``work`` gives for each, in order. LightGBM and BLAS compute side by side in threads."""
    threads = min(processors(), len(given))
    if threads < 2:
        return [work(one) for one in given]
    with one_thread_of_linear_algebra(), ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, given))


class SharedFits:
    """Learners fitted on some of the target's rows, and what they say of all of them.

    A learner is known by its name: two that differ have two names.

    Args:
        source: the source's models.
        source_rows: (m, d) rows and (m,) labels of the source for pooled learners.
        X: (n, d) target rows.
        y: (n,) their labels; a learner sees those of the rows that it is fitted on.
        seed: of anything drawn.
        run: (n,) their recordings, of which long ones give way where rows are many
            (:data:`MOST_FITTED`); None fits on all rows.
        over_windows: the same of readings and windows side by side; None without windows.
    """

    def __init__(
        self,
        source: FrozenSource,
        source_rows: tuple[np.ndarray, np.ndarray],
        X: np.ndarray,
        y: np.ndarray,
        seed: int,
        *,
        run: np.ndarray | None = None,
        over_windows: SharedFits | None = None,
    ) -> None:
        self.source, self.X, self._run = source, X, run
        self.over_windows = over_windows
        self._y, self._seed = y, seed
        self._pool, self._pool_y = source_views(source, source_rows[0], X.shape[1]), source_rows[1]
        self._maps: dict[bytes, dict[str, InputMap]] = {}
        as_it_is = InputMap(np.ones(len(source.spread.center)), np.zeros(len(source.spread.center)))
        self._as_they_are = _OneAtATime(source, {SOURCE: as_it_is}, X)
        self._seen: dict[bytes, _Seen] = {}
        self._members: dict[tuple[str, bytes], Member] = {}
        self._said: dict[tuple[str, bytes], np.ndarray] = {}
        self._lock = threading.Lock()

    def members(self, learners: Iterable[Learner], rows: np.ndarray) -> tuple[Member, ...]:
        """The learners fitted on the target rows at these positions."""
        return tuple(in_threads(lambda learner: self.member(learner, rows), [*learners]))

    def out_of_fold(self, learners: Sequence[Learner], folds: Sequence[Fold]) -> np.ndarray:
        """(c, n) logits of the rows that each fold tests by learners fitted on those it trains on.

        NaN for rows that no fold tests.
        """
        logits = np.full((len(learners), len(self.X)), np.nan)

        def predict(work: tuple[Fold, int]) -> None:
            fold, place = work
            member = self.member(learners[place], fold.train)
            logits[place, fold.test] = self.said(member, fold.train, fold.test)

        in_threads(predict, [(fold, place) for fold in folds for place in range(len(learners))])
        return logits

    def member(self, learner: Learner, rows: np.ndarray) -> Member:
        """A learner fitted on the target rows at these positions."""
        key = learner.name, rows.tobytes()
        if key not in self._members:
            fits = self._wide if isinstance(learner, OverWindows) else self
            self._members[key] = learner.fit(fits._seen_by(rows).own)
        return self._members[key]

    @property
    def _wide(self) -> SharedFits:
        if self.over_windows is None:
            raise ValueError("There are no windows. Received: over_windows=None")
        return self.over_windows

    def said(self, member: Member, rows: np.ndarray, of: np.ndarray | None = None) -> np.ndarray:
        """Uncalibrated logits by a member that was fitted on these positions.

        Args:
            member: as :meth:`member` gives it.
            rows: positions that it was fitted on.
            of: positions of the rows that are asked for; all if left out.
        """
        if member.over_windows and self.over_windows is not None:
            return self.over_windows.said(member, rows, of)
        key = member.name, rows.tobytes()
        if key not in self._said:
            if of is not None:
                # Weighing asks for the rows of one fold; most models are asked for no others.
                return member_logits(member, self._views(rows, of))
            self._said[key] = member_logits(member, self._seen_by(rows).views)
        return self._said[key] if of is None else self._said[key][of]

    def window_maps(self, rows: np.ndarray) -> dict[str, InputMap]:
        """The same of readings and windows side by side; none without windows."""
        return {} if self.over_windows is None else self.over_windows.maps(rows)

    def maps(self, rows: np.ndarray) -> dict[str, InputMap]:
        """Input maps fitted on the target rows at these positions."""
        key = rows.tobytes()
        if key not in self._maps:
            X, y = self.X[rows], self._y[rows]
            self._maps[key] = fit_maps(X, y, self.source.spread, self.source.normal)
        return self._maps[key]

    def knows(self, stack: Stack, X: np.ndarray, windows: np.ndarray | None) -> bool:
        """Whether these are the rows that are shared, and with what was before them."""
        return X is self.X and (windows is not None or not stack.reads_windows)

    def together(self, stack: Stack, rows: np.ndarray) -> np.ndarray:
        """(n,) logits of all rows by a stack of members that were fitted on these positions."""
        return together(stack, [self.said(member, rows) for member in stack.members])

    def _seen_by(self, rows: np.ndarray) -> _Seen:
        """Rows through input maps that are fitted on these positions alone."""
        key = rows.tobytes()
        with self._lock:
            if key not in self._seen:
                while len(self._seen) >= max(_KEPT, processors()):
                    self._seen.pop(next(iter(self._seen)))
                views = _OneAtATime(self.source, self.maps(rows), self.X)
                views.as_they_are = self._as_they_are
                every = TrainingRows(views, self._y, self._pool, self._pool_y, self._seed)
                self._seen[key] = _Seen(views, every.take(self._fitted_on(rows)))
            return self._seen[key]

    def _views(self, rows: np.ndarray, of: np.ndarray) -> Views:
        """Some of all rows through input maps that are fitted on others."""
        views = _OneAtATime(self.source, self.maps(rows), self.X[of])
        views.as_they_are = self._as_they_are.take(of)
        return views

    def _fitted_on(self, rows: np.ndarray) -> np.ndarray:
        if self._run is None:
            return rows
        return np.asarray(rows[thinned(self._y[rows], self._run[rows], MOST_FITTED)])


class _OneAtATime(Views):
    """Views that several threads may ask: each block is computed once.

    The source's map is the same whatever rows maps are fitted on, and so is what it leads to.
    """

    as_they_are: Views | None = None

    def __init__(self, source: FrozenSource, maps: dict[str, InputMap], X: np.ndarray) -> None:
        super().__init__(source, maps, X)
        self._lock = threading.RLock()

    def block(self, block: Block) -> np.ndarray:
        if self.as_they_are is not None and block.map == SOURCE:
            return self.as_they_are.block(block)
        with self._lock:
            return super().block(block)

    def _fill_from_network(self, block: Block) -> None:
        # Features are many times as large as logits, and few learners read them.
        self.hidden = block.kind == "hidden"
        super()._fill_from_network(block)


@dataclass(frozen=True)
class _Seen:
    """All rows through the maps of some, and those some to learn from."""

    views: Views
    own: TrainingRows


def source_views(source: FrozenSource, X: np.ndarray, of_target: int) -> Views:
    """(m, d) source rows seen through the source: in its units whatever the map is called.

    Args:
        source: its models.
        X: readings of every sensor that it had, also of those that the target lacks.
        of_target: how many sensors the target has; those that the source lacks are new.
    """
    common = X if source.whole is None else X[:, source.whole.common]
    sensors = common.shape[1]
    as_they_are = InputMap(np.ones(sensors), np.zeros(sensors))
    views = _SourceViews(source, dict.fromkeys(MAPS, as_they_are), common)
    views.every, views.new = X, of_target - sensors
    return views


class _SourceViews(_OneAtATime):
    """Source rows: already in source units, so every map is the first one and shares its blocks.

    What the target lacks is read here; what is new there was never measured.
    """

    every: np.ndarray
    new: int

    def block(self, block: Block) -> np.ndarray:
        return super().block(Block(block.kind, MAPS[0]))

    def completed(self, map_name: str) -> np.ndarray:
        return self.every

    def _new(self) -> np.ndarray:
        return np.full((len(self), self.new), np.nan)

"""Are alarms with delays better events? Prints the tables of ``docs/alarms.md``.

    uv run python benchmarks/event_quality.py --data DIR --cache DIR

Recordings are cut at random places (``recordings.py``); whole ones of half of the machine's are
labelled until there are N rows, and those of the other half judge. The product is fitted on the
labelled rows, without the source network, for each budget of false alarms a day, as an aim and as a
promise. Beside it stands what single rows of the same model can reach on the rows that judge: the
best event F0.5 of all thresholds with as many false alarms as the product raised there, or the next
fewer.
"""

from __future__ import annotations

import argparse
import dataclasses
from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from few_faults import source_bundle
from recordings import cells_of, cut, draw_recordings, in_order
from time_quality import interval
from transfer_tasks import TASKS, Cell, Table, TransferTask, read_table

from faultxfer.bundle.bundle import Bundle
from faultxfer.config import TransferOptions
from faultxfer.data.dataset import Dataset
from faultxfer.data.split import split_rows
from faultxfer.errors import UserError
from faultxfer.exact_bounds import lowest_count
from faultxfer.metric_table import OPERATOR_ALARMS_PER_DAY
from faultxfer.simulation.simulator import NEW_PLANT, simulate_pump
from faultxfer.strategies import stack
from faultxfer.strategies.delay_choice import Counts, LabelledEvents, healthy_days
from faultxfer.strategies.learners import rivals
from faultxfer.strategies.procedure import run_strategy
from faultxfer.strategies.protocol import FittedStrategy, Task

# Seconds from row to row of tables that only count them.
_STEPS = {"TEP": 180.0}
_BEGIN, _DAY = 1.7e9, 86_400.0
# False alarms a day that the sets can show; 120 a day are five an hour.
_BUDGETS = {"skab": (120.0,), "TEP": (1.0, 5.0), "pumps": (1.0,), "fleet": (0.2, 1.0)}
_CONFIDENCE, _LEVELS, _RATE = 0.95, 200, 0.05


def main() -> None:
    """Measure what is missing in the cache, and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the data sets")
    parser.add_argument("--cache", type=Path, required=True, help="folder for models and results")
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(33, 43)))
    parser.add_argument("--rows", type=int, nargs="+", default=[500, 1000, 4000])
    parser.add_argument("--tasks", nargs="+", choices=[task.name for task in all_tasks()])
    asked = parser.parse_args()
    stack.default_learners = rivals  # the source network is built and not trained
    print(table([line for task in all_tasks() for line in _of_task(task, asked)]))


def all_tasks() -> list[TransferTask]:
    """Those with recordings and a clock, and a machine that is watched for months."""
    pumps = next(task for task in TASKS if task.name == "pumps→pump-9")
    fleet = TransferTask("fleet→pump-21", pumps.source, Table("pump-21", "fault", _long_pump))
    return [*(one for one in TASKS if _kind(one.name) in _BUDGETS), fleet]


def _long_pump(_: Path) -> Any:
    """A day of each run, a row in fifteen minutes, most days healthy."""
    return simulate_pump(
        "pump-21", seed=21, runs=240, rows_per_run=96, fault_share=0.2, plant=NEW_PLANT
    )


def _kind(name: str) -> str:
    return name.split("→")[0].split()[0]


def _of_task(task: TransferTask, asked: argparse.Namespace) -> list[dict[str, Any]]:
    cells = cells_of(task, asked, "events", lambda todo: _measured(task, todo, asked))
    return [line for cell in cells for line in cell]


def _measured(
    task: TransferTask, todo: list[tuple[int, int]], asked: argparse.Namespace
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    source, kept = source_bundle(task, asked)
    whole = dated(in_order(read_table(task.target, asked.data)), task.name)
    for rows, seed in todo:
        cell = draw_recordings(cut(whole, np.random.default_rng([seed, 77])), rows, seed)
        who = {"task": task.name, "rows": rows, "seed": seed}
        found = [] if cell is None else list(_cell(source, kept, cell, seed, _kind(task.name)))
        yield f"{rows}-{seed}", [who | one for one in found]


def dated(data: Dataset, name: str) -> Dataset:
    """The same rows on a calendar."""
    step = _STEPS.get(_kind(name))
    return data if step is None else dataclasses.replace(data, time=_BEGIN + step * data.time)


@dataclasses.dataclass
class _Remembering:
    """The product's stack, fitted once on the same rows whatever is asked of its alarms."""

    own: Any = dataclasses.field(default_factory=stack.StackedLearners)
    fits: dict[bytes, FittedStrategy] = dataclasses.field(default_factory=dict)

    def fit(self, task: Task) -> FittedStrategy:
        key = task.target.fingerprints().tobytes()
        if key not in self.fits:
            self.fits[key] = self.own.fit(task)
        return self.fits[key]


def _cell(
    source: Bundle, kept: Dataset, cell: Cell, seed: int, kind: str
) -> Iterator[dict[str, Any]]:
    strategy, train = _Remembering(), cell.train
    days = healthy_days(train.y, train.moments)
    try:
        split = split_rows(train, TransferOptions().split, seed)
    except UserError:
        return
    task, bare = Task(source, train, kept, TransferOptions(seed=seed)), None
    for budget, confidence in [(None, None), *product(_BUDGETS[kind], (None, _CONFIDENCE))]:
        options = TransferOptions(
            seed=seed, false_alarms_per_day=budget, alarm_confidence=confidence
        )
        asked = {"budget": budget, "promised": confidence is not None, "days": days}
        try:
            bundle, _, _ = run_strategy(strategy, dataclasses.replace(task, options=options), split)
        except UserError as error:
            yield {**asked, "refused": str(error)}
            continue
        bare = bare or dataclasses.replace(bundle, delays=None)
        yield {**asked, **judged(bundle, bare, cell.test, budget or OPERATOR_ALARMS_PER_DAY)}


def judged(bundle: Bundle, bare: Bundle, test: Dataset, budget: float) -> dict[str, Any]:
    """Events on rows that nobody saw: of the product, without delays, and as rows could be best."""
    events, days = LabelledEvents(test.y, test.moments), healthy_days(test.y, test.moments)
    alarms = bundle.alarms(bundle.probabilities(test.X, test.moments), test.moments)
    own = events.counted(alarms[events.order])
    smooth = bundle.probabilities(test.X, test.moments)[events.order]
    plain = bundle.probabilities(test.X)[events.order]
    rows, smoothed = (best_rows(said, events, own) for said in (plain, smooth))
    before = events.counted(bare.alarms(smooth))
    delays = bundle.delays
    return {
        "test_days": days,
        "faults": own.faults,
        "false_alarms": own.false_alarms,
        "kept": own.false_alarms / days <= budget,
        "met": lowest_count(own.false_alarms, _CONFIDENCE) / days <= budget,
        "before_f": before.f_score,
        "before_recall": before.found / before.faults,
        "before_false_alarms": before.false_alarms,
        "f": own.f_score,
        "recall": own.found / own.faults,
        "rows_f": rows.f_score,
        "rows_recall": rows.found / rows.faults,
        "smoothed_f": smoothed.f_score,
        "smoothed_recall": smoothed.found / smoothed.faults,
        "fault_rows": own.fault_rows,
        "delays": delays and [delays.on / delays.step, delays.off / delays.step, delays.deadband],
    }


def best_rows(said: np.ndarray, events: LabelledEvents, own: Counts) -> Counts:
    """The best threshold of single rows with as many false alarms, or the next fewer.

    Thresholds whose alarms are longer than allowed would be one alarm for each recording.
    """
    longest = max(own.normal_rows, _RATE)
    shares = np.linspace(1 - longest, 1, _LEVELS)
    levels = np.unique(np.quantile(said[~events.faulty], shares, method="higher"))
    counts = [events.counted(said > level) for level in levels]
    able = [one for one in counts if one.normal_rows <= longest]
    most = max(one.false_alarms for one in able if one.false_alarms <= own.false_alarms)
    same = [one for one in able if one.false_alarms == most]
    return max(same, key=lambda one: (one.f_score, one.found))


def table(lines: list[dict[str, Any]]) -> str:
    """Means by pair, budget and N; differences of event F0.5; what became of promises."""
    cells: dict[tuple[Any, ...], list[dict[str, Any]]] = defaultdict(list)
    for line in lines:
        cells[line["task"], line["rows"], line["budget"], line["promised"]].append(line)
    said = [
        "| pair | N | a day | healthy days | draws | refused | false alarms a day | ≤ asked, met "
        "| recall | F0.5 | without delays: a day, recall, F0.5 | best rows: recall, F0.5 |",
        "|---|---:|---|---:|---:|---:|---:|---|---:|---:|---|---|",
    ]
    gains: dict[tuple[str, str], list[np.ndarray]] = defaultdict(list)
    for (task, rows, budget, promised), own in cells.items():
        fitted = [one for one in own if "refused" not in one]
        kind = "default" if budget is None else "promise" if promised else "aim"
        begin = f"| {task} | {rows} | {kind} {budget or ''} "
        begin += f"| {np.mean([one['days'] for one in own]):.3g} | {len(own)} "
        begin += f"| {len(own) - len(fitted)} |"
        if not fitted:
            said.append(f"{begin} – | – | – | – | – | – |")
            continue
        said.append(f"{begin} {_means(fitted)}")
        for rival in ("before_f", "rows_f"):
            gain = np.array([one["f"] - one[rival] for one in fitted])
            gains[kind, rival].append(gain)
    for (kind, rival), own in gains.items():
        low, high = interval(own)
        mean = np.mean([one.mean() for one in own])
        whom = "without delays" if rival == "before_f" else "the best rows"
        change = f"{mean:+.3f} [{low:+.3f}, {high:+.3f}]"
        said.append(f"\nF0.5, {kind} minus {whom}, {len(own)} cells: {change}.")
    return "\n".join(said)


def _means(fitted: list[dict[str, Any]]) -> str:
    """The cells of a line of the table behind the draws."""

    def mean(name: str) -> float:
        return float(np.mean([one[name] for one in fitted]))

    def a_day(name: str) -> float:
        return float(sum(one[name] for one in fitted) / sum(one["test_days"] for one in fitted))

    return (
        f"{a_day('false_alarms'):.2g} | {mean('kept'):.0%}, {mean('met'):.0%} "
        f"| {mean('recall'):.2f} | {mean('f'):.3f} | {a_day('before_false_alarms'):.2g}, "
        f"{mean('before_recall'):.2f}, {mean('before_f'):.3f} | {mean('rows_recall'):.2f}, "
        f"{mean('rows_f'):.3f} |"
    )


if __name__ == "__main__":
    main()

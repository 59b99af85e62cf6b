"""Made-up fleets: machines with runs, faults at the end of some runs, sensors that drift and hum."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from faultxfer.column_kinds.rows import ColumnRows


@dataclass(frozen=True)
class Fleet:
    """What a twin differs in: size, scale, seed, and how often faults come."""

    seed: int
    machines: int
    runs: int
    rows: int
    scale: float
    period: float


TWINS = (
    Fleet(seed=1, machines=3, runs=8, rows=40, scale=1.0, period=600.0),
    Fleet(seed=2, machines=2, runs=12, rows=25, scale=1000.0, period=1.0),
    Fleet(seed=3, machines=4, runs=6, rows=60, scale=0.01, period=86_400.0),
)


def rows_of(fleet: Fleet, **columns: np.ndarray) -> ColumnRows:
    """The fleet's rows with two sensors and the columns given."""
    draw = np.random.default_rng(fleet.seed)
    run = np.repeat(np.arange(fleet.machines * fleet.runs), fleet.rows)
    size = len(run)
    step = np.tile(np.arange(fleet.rows), fleet.machines * fleet.runs)
    fault = ((run % 2 == 1) & (step >= 0.6 * fleet.rows)).astype(float)
    sensors = {
        "one": fleet.scale * (50 + draw.normal(size=size).cumsum() * 0.1 + draw.normal(size=size)),
        "two": fleet.scale * (10 + fault + draw.normal(size=size)),
    }
    machine = run // fleet.runs
    seconds = 1_770_000_000.0 + fleet.period * (np.arange(size) % (fleet.runs * fleet.rows))
    return ColumnRows({**sensors, **columns}, machine, run, fault, seconds)


def draws(fleet: Fleet) -> np.random.Generator:
    """Another stream than that of the sensors."""
    return np.random.default_rng([fleet.seed, 99])

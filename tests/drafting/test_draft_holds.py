"""Tags with times of their own are held by their rhythm; tags with holes are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from draft_rows import infer, table

from faultxfer.contract.schema import Contract
from faultxfer.reading.table import RawTable

SIZE = 1200


def outer_joined(every: dict[str, float], seed: int, jitter: float) -> RawTable:
    """Each tag at its own steps (seconds), outer-joined; labels in all rows."""
    draw = np.random.default_rng(seed)
    moments: dict[float, dict[str, str]] = {}
    for place, (name, step) in enumerate(every.items()):
        seconds = 0.0
        for number in range(int(SIZE / step) * 10):
            seconds += step * (1 + jitter * draw.uniform(-1, 1))
            cell = f"{10 * (place + 1) + draw.normal():.3f}"
            moments.setdefault(round(seconds, 1), {})[name] = cell
            assert number >= 0
    times = sorted(moments)
    cells = {name: [moments[t].get(name, "") for t in times] for name in every}
    stamps = [str(np.datetime64("2026-03-17T06:00:00.0") + np.timedelta64(int(t * 1000), "ms"))
              for t in times]  # fmt: skip
    faults = [str(int(t / SIZE * 3 % 2 > 1)) for t in times]
    return table(time=stamps, **cells, fault=faults)


@pytest.mark.parametrize(
    ("every", "jitter", "expected"),
    [
        ({"a": 60.0, "b": 60.0, "c": 60.0}, 0.4, {"a": (110, 130), "b": (110, 130)}),
        ({"flow": 5.0, "T": 50.0, "p": 25.0}, 0.3, {"T": (95, 110), "p": (48, 55)}),
        ({"x 1": 600.0, "x 2": 300.0}, 0.0, {"x 1": (1200, 1200)}),
    ],
)
def test_a_tag_is_held_for_two_of_its_steps(
    every: dict[str, float], jitter: float, expected: dict[str, tuple[float, float]]
) -> None:
    contract, text = infer(outer_joined(every, 3, jitter))
    for name, (low, high) in expected.items():
        seconds = contract.sensors[name].hold_seconds
        assert seconds is not None
        assert low <= seconds <= high
    assert "`hold` is how long a value counts" in text
    assert "times of its own, a reading every" in text
    assert all(sensor.max_missing == 0.2 for sensor in contract.sensors.values())


def full(draw: np.random.Generator) -> dict[str, list[str]]:
    times = [str(np.datetime64("2026-03-17T06:00:00") + 10 * n) for n in range(SIZE)]
    cells = {name: [f"{value:.2f}" for value in draw.normal(50, 5, SIZE)] for name in "abc"}
    return {"time": times, **cells, "fault": [str(n // 100 % 2) for n in range(SIZE)]}


def _random_holes(cells: list[str], draw: np.random.Generator) -> list[str]:
    return [cell if draw.random() > 0.4 else "" for cell in cells]


def _half_dead(cells: list[str], _draw: np.random.Generator) -> list[str]:
    return [*cells[: SIZE // 2], *[""] * (SIZE - SIZE // 2)]


def _long_gaps(cells: list[str], _draw: np.random.Generator) -> list[str]:
    return ["" if place // 60 % 2 else cell for place, cell in enumerate(cells)]


@pytest.mark.parametrize("holes", [_random_holes, _half_dead, _long_gaps])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_tag_with_holes_among_others_is_not_held(
    holes: Callable[[list[str], np.random.Generator], list[str]], seed: int
) -> None:
    draw = np.random.default_rng(seed)
    rows = full(draw)
    rows["b"] = holes(rows["b"], draw)
    contract, _ = infer(table(**rows))
    assert _held(contract) == set()


@pytest.mark.parametrize(("step", "hold"), [(6, "2min"), (3, "60s"), (30, "10min")])
def test_a_slow_tag_beside_fast_ones_is_held(step: int, hold: str) -> None:
    rows = full(np.random.default_rng(step))
    rows["slow"] = [cell if place % step == 0 else "" for place, cell in enumerate(rows["c"])]
    contract, _ = infer(table(**rows))
    assert _held(contract) == {"slow"}
    assert contract.sensors["slow"].hold == hold


def test_without_a_time_nothing_is_held() -> None:
    rows = full(np.random.default_rng(4))
    del rows["time"]
    rows["slow"] = [cell if place % 4 == 0 else "" for place, cell in enumerate(rows["c"])]
    contract, _ = infer(table(**rows))
    assert _held(contract) == set()


def _held(contract: Contract) -> set[str]:
    return {name for name, sensor in contract.sensors.items() if sensor.hold}

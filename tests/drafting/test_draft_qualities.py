"""A column of quality stands at the sensor whose readings are bad where it is not good."""

from __future__ import annotations

import numpy as np
import pytest
from draft_rows import infer, line_of, table

SIZE = 600
Columns = dict[str, list[str]]


def plant(seed: int, names: tuple[str, str, str], scale: float) -> Columns:
    draw = np.random.default_rng(seed)
    times = [str(np.datetime64("2026-03-17T06:00:00") + 60 * n) for n in range(SIZE)]
    cells = {
        name: [f"{scale * (place + 2 + 0.1 * value):.5g}" for value in draw.normal(size=SIZE)]
        for place, name in enumerate(names)
    }
    return {"when": times, **cells, "fault": [str(n // 50 % 2) for n in range(SIZE)]}


def bad_rows(seed: int, shift: int = 0) -> list[int]:
    draw = np.random.default_rng([seed, 7])
    starts = draw.choice(np.arange(10, SIZE - 60, 40), 6, replace=False)
    return sorted(int(start) + shift + step for start in starts for step in range(8))


def spoilt(cells: list[str], rows: list[int], how: str) -> list[str]:
    """Readings that are missing, stand still, or read one value far off."""
    out = list(cells)
    for row in rows:
        out[row] = {"missing": "", "dead": out[row - 1], "far": "-9999"}[how]
    return out


def codes(rows: list[int], good: str, bad: tuple[str, ...]) -> list[str]:
    out = [good] * SIZE
    for row in rows:
        out[row] = bad[row // 20 % len(bad)]
    return out


TWINS = (
    (1, ("flow", "speed", "temp"), 10.0, "192", ("0", "24"), "missing"),
    (2, ("PT-7.Value", "x", "motor current"), 1000.0, "Good", ("Bad", "Uncertain"), "dead"),
    (3, ("a", "b", "c"), 0.5, "0", ("4", "8"), "far"),
    (4, ("u", "v", "w"), 3.0, "OK", ("Invalid",), "missing"),
)
twins = pytest.mark.parametrize("twin", TWINS, ids=[twin[3] for twin in TWINS])
Twin = tuple[int, tuple[str, str, str], float, str, tuple[str, ...], str]


@twins
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_quality_is_of_the_sensor_that_is_bad_where_it_is_not_good(
    twin: Twin, place: int
) -> None:
    seed, names, scale, good, bad, how = twin
    rows, columns = bad_rows(seed), plant(seed, names, scale)
    columns[names[place]] = spoilt(columns[names[place]], rows, how)
    quality = {"state": codes(rows, good, bad)}
    contract, text = infer(table(**(quality | columns if place else columns | quality)))
    found = contract.sensors[names[place]].quality
    assert found is not None
    assert (found.column, found.good) == ("state", (good,))
    assert contract.quality_columns == {"state"}
    assert "state" not in (*contract.sensors, *contract.ignore)
    assert "its readings are doubtful where it is not" in text


@twins
def test_each_of_several_qualities_finds_its_own_sensor(twin: Twin) -> None:
    seed, names, scale, good, bad, how = twin
    columns, qualities = plant(seed, names, scale), {}
    for place, name in enumerate(names):
        rows = bad_rows(seed, shift=10 * place)
        columns[name] = spoilt(columns[name], rows, how)
        qualities[f"q{2 - place}"] = codes(rows, good, bad)
    contract, _ = infer(table(**columns, **dict(sorted(qualities.items()))))
    told = {name: sensor.quality.column for name, sensor in contract.sensors.items()
            if sensor.quality}  # fmt: skip
    assert told == {name: f"q{2 - place}" for place, name in enumerate(names)}


@twins
def test_names_decide_between_sensors_that_are_bad_together(twin: Twin) -> None:
    seed, names, scale, good, bad, how = twin
    rows, columns = bad_rows(seed), plant(seed, names, scale)
    for name in names[:2]:
        columns[name] = spoilt(columns[name], rows, "missing")
    columns[f"{names[1]} status of it"] = codes(rows, good, bad)
    contract, _ = infer(table(**columns))
    quality = contract.sensors[names[1]].quality
    assert quality is not None
    assert how in ("missing", "dead", "far")
    assert contract.sensors[names[0]].quality is None


@pytest.mark.parametrize(("good", "bad"), [("192", "24"), ("Good", "Bad"), ("valid", "invalid")])
def test_where_nothing_shows_the_sensor_the_draft_says_what_to_write(good: str, bad: str) -> None:
    rows, columns = bad_rows(5), plant(5, ("flow", "speed", "temp"), 4.0)
    columns["state"] = codes(rows, good, (bad,))
    contract, text = infer(table(**columns))
    assert contract.quality_columns == set()
    assert "state" in contract.ignore
    assert f'quality: {{column: state, good: ["{good}"]}}' in line_of(text, "state")


@pytest.mark.parametrize("good", ["192", "Good", "OK"])
def test_a_quality_that_is_good_in_all_rows_is_no_sensor_beside_another(good: str) -> None:
    rows, columns = bad_rows(6), plant(6, ("flow", "speed", "temp"), 4.0)
    columns["speed"] = spoilt(columns["speed"], rows, "missing")
    columns["s1"], columns["s2"] = codes(rows, good, ("0",)), [good] * SIZE
    if good != "192":
        columns["s1"] = codes(rows, good, ("Bad",))
    contract, text = infer(table(**columns))
    assert contract.quality_columns == {"s1"}
    assert "s2" in contract.ignore
    assert "good in all rows" in line_of(text, "s2")


@pytest.mark.parametrize("words", [("RUN", "IDLE"), ("open", "half", "shut"), ("auto", "manual")])
def test_states_of_the_machine_are_no_qualities(words: tuple[str, ...]) -> None:
    columns = plant(8, ("flow", "speed", "temp"), 4.0)
    columns["mode"] = [words[n // 45 % len(words)] for n in range(SIZE)]
    contract, text = infer(table(**columns))
    assert contract.quality_columns == set()
    assert "states" in line_of(text, "mode")


def test_bad_readings_make_no_limits() -> None:
    rows, columns = bad_rows(9), plant(9, ("flow", "speed", "temp"), 4.0)
    columns["speed"] = spoilt(columns["speed"], rows, "far")
    columns["state"] = codes(rows, "192", ("0",))
    contract, _ = infer(table(**columns))
    low = contract.sensors["speed"].min
    assert low is not None
    assert low > -100

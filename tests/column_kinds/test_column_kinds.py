"""Each kind is found in fleets of other sizes, scales and clocks; measurements are left alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from fleets import TWINS, Fleet, draws, rows_of

from faultxfer.column_kinds.kinds import RULES, find_kinds
from faultxfer.column_kinds.rows import ColumnRows

twins = pytest.mark.parametrize("fleet", TWINS, ids=lambda fleet: f"seed{fleet.seed}")


def kind(fleet: Fleet, values: np.ndarray, **more: np.ndarray) -> str | None:
    found = find_kinds(rows_of(fleet, **more, X=values))
    return next((each.kind for each in found if each.column == "X"), None)


@twins
def test_measurements_are_nothing_else(fleet: Fleet) -> None:
    assert find_kinds(rows_of(fleet)) == []


# Leaks


@twins
@pytest.mark.parametrize("late", [0, 2], ids=["at once", "late"])
def test_a_state_word_is_a_leak(fleet: Fleet, late: int) -> None:
    rows = rows_of(fleet)
    shown = (rows.fault == 1) & (np.roll(rows.fault, late) == 1)
    word = draws(fleet).choice([3.0, 7.0, 8.0], size=len(rows))
    word[shown] = draws(fleet).choice([20.0, 41.0], size=int(shown.sum()))
    assert kind(fleet, word * fleet.scale) == "leak"
    assert kind(fleet, -word) == "leak"


@twins
def test_a_stop_timer_is_a_leak(fleet: Fleet) -> None:
    fault = rows_of(fleet).fault
    timer = np.where(fault == 1, draws(fleet).uniform(1, 900, size=len(fault)), 0.0)
    assert kind(fleet, timer * fleet.scale) == "leak"


@twins
def test_a_state_that_stands_in_normal_rows_too_is_none(fleet: Fleet) -> None:
    rows = rows_of(fleet)
    word = np.where(rows.fault == 1, 5.0, 1.0)
    word[draws(fleet).random(len(rows)) < 0.3] = 5.0
    assert kind(fleet, word) is None


def test_two_faults_are_too_few_for_a_leak() -> None:
    """However many rows they have."""
    run = np.repeat(np.arange(6), 500)
    fault = (run < 2).astype(float)
    word = np.where(fault == 1, 4.0, 1.0)
    noise = np.random.default_rng(0).normal(size=3000)
    rows = ColumnRows({"a": noise, "X": word}, np.zeros(3000, dtype=int), run, fault, None)
    assert [each.kind for each in find_kinds(rows)] == []


@twins
def test_a_set_point_of_its_own_in_each_run_is_no_leak(fleet: Fleet) -> None:
    rows = rows_of(fleet)
    levels = 0.5 * draws(fleet).permutation(int(rows.run.max()) + 1) + 0.25
    assert kind(fleet, levels[rows.run].astype(float)) is None


@twins
def test_a_sensor_that_separates_is_a_question(fleet: Fleet) -> None:
    rows = rows_of(fleet)
    values = 5 + 10 * rows.fault + draws(fleet).normal(size=len(rows))
    assert kind(fleet, values * fleet.scale) == "question"
    assert kind(fleet, -values) == "question"


@twins
@pytest.mark.parametrize("digits", [0, 1])
def test_rounded_readings_that_separate_are_a_question_too(fleet: Fleet, digits: int) -> None:
    """They are few values on a grid, and no codes."""
    rows = rows_of(fleet)
    spread = 2 / 10**digits
    values = 60 + spread * (10 * rows.fault + draws(fleet).normal(size=len(rows)))
    assert kind(fleet, np.round(values, digits)) == "question"


def test_without_labels_nothing_leaks() -> None:
    rows = rows_of(TWINS[0], X=np.where(rows_of(TWINS[0]).fault == 1, 3.0, 1.0))
    without = ColumnRows(rows.values, rows.machine, rows.run, None, rows.seconds)
    assert find_kinds(without) == []


# Counters and clocks


@twins
@pytest.mark.parametrize("overflow", [np.inf, 0.4], ids=["on and on", "overflows"])
def test_what_rises_all_the_time_counts(fleet: Fleet, overflow: float) -> None:
    rises = draws(fleet).gamma(3.0, 1.0, size=len(rows_of(fleet))).cumsum()
    counter = np.round(rises % (overflow * rises[-1]), 2)
    assert kind(fleet, counter) == "counter"
    assert kind(fleet, 1e6 - counter) == "counter"


@twins
def test_hours_that_stand_still_at_times_count(fleet: Fleet) -> None:
    moves = draws(fleet).random(len(rows_of(fleet))) < 0.3
    assert kind(fleet, moves.cumsum() * fleet.scale) == "counter"


@twins
def test_a_ramp_with_noise_does_not_count(fleet: Fleet) -> None:
    size = len(rows_of(fleet))
    ramp = np.arange(size) + draws(fleet).normal(size=size) * 5
    assert kind(fleet, ramp) is None


def test_work_pieces_say_nothing_of_counters_and_names() -> None:
    """Runs of one row: the wear of the tool rises from one work piece to the next."""
    size = 400
    fault = (np.arange(size) % 9 == 0).astype(float)
    wear = np.arange(size, dtype=float) * 0.5 % 120
    columns = {"wear": wear, "type": np.repeat([1.0, 2.0], size // 2)}
    machine = np.repeat([0, 1], size // 2)
    rows = ColumnRows(columns, machine, np.arange(size), fault, np.arange(size, dtype=float))
    assert [each for each in find_kinds(rows) if each.kind in ("counter", "name")] == []


@twins
@pytest.mark.parametrize("unit", [1.0, 1e3, 1e6, 1e9])
def test_seconds_since_1970_are_a_clock_in_every_unit(fleet: Fleet, unit: float) -> None:
    late = rows_of(fleet).seconds + draws(fleet).uniform(0, 0.4, size=len(rows_of(fleet)))
    assert kind(fleet, np.floor(late * unit)) == "clock"


@twins
def test_days_of_a_spreadsheet_are_a_clock(fleet: Fleet) -> None:
    assert kind(fleet, rows_of(fleet).seconds / 86_400 + 25_569) == "clock"


def test_dates_in_digits_are_a_clock() -> None:
    seconds = rows_of(TWINS[0]).seconds
    days = pd.to_datetime(pd.Series(seconds), unit="s").dt.strftime("%Y%m%d").astype(float)
    assert kind(TWINS[0], days.to_numpy()) == "clock"


# Names, copies, qualities


@twins
def test_a_number_for_each_machine_is_a_name(fleet: Fleet) -> None:
    plate = draws(fleet).permutation(1000)[: fleet.machines].astype(float)
    assert kind(fleet, plate[rows_of(fleet).machine] * fleet.scale) == "name"


@twins
def test_a_number_for_each_run_is_a_name(fleet: Fleet) -> None:
    rows = rows_of(fleet)
    order = draws(fleet).permutation(int(rows.run.max()) + 1)
    if len(order) <= 40:
        order = order * 3
    assert kind(fleet, order[rows.run].astype(float)) == "name"


@twins
def test_a_column_twice_is_a_copy(fleet: Fleet) -> None:
    found = find_kinds(rows_of(fleet, X=rows_of(fleet).values["two"]))
    assert [(each.column, each.kind, each.of) for each in found] == [("X", "copy", "two")]


@twins
def test_one_value_everywhere_is_a_note(fleet: Fleet) -> None:
    assert kind(fleet, np.full(len(rows_of(fleet)), fleet.scale)) == "constant"


@twins
@pytest.mark.parametrize("how", ["missing", "held", "far off"])
def test_codes_that_go_with_bad_readings_are_a_quality(fleet: Fleet, how: str) -> None:
    rows = rows_of(fleet)
    begins = draws(fleet).choice(len(rows) - 6, size=8, replace=False) + 1
    bad = np.zeros(len(rows), dtype=bool)
    readings = rows.values["one"].copy()
    for begin in begins:
        bad[begin : begin + 4] = True
    readings[bad] = {"missing": np.nan, "far off": -9999.0}.get(how, 0.0)
    if how == "held":
        last = np.maximum.accumulate(np.where(bad, 0, np.arange(len(rows))))
        readings = rows.values["one"][last]
    codes = np.where(bad, draws(fleet).choice([4.0, 9.0], size=len(rows)), 1.0)
    found = find_kinds(rows_of(fleet, tag=readings, X=codes))
    assert [(each.column, each.kind, each.of) for each in found] == [("X", "quality", "tag")]


@twins
def test_the_run_bit_of_a_machine_that_stands_still_is_no_quality(fleet: Fleet) -> None:
    rows = rows_of(fleet)
    still = np.arange(len(rows)) // 11 % 7 == 3
    flow = np.where(still, 0.0, 100 + draws(fleet).normal(size=len(rows)))
    power = np.where(still, 0.0, 7 + 0.1 * draws(fleet).normal(size=len(rows)))
    assert kind(fleet, np.where(still, 0.0, 1.0), flow=flow, power=power) is None


# Harmless columns


@twins
@pytest.mark.parametrize("levels", [2, 5, 9])
def test_set_points_are_measurements(fleet: Fleet, levels: int) -> None:
    rows = rows_of(fleet)
    changes = draws(fleet).random(len(rows)) < 0.05
    values = draws(fleet).choice(np.arange(levels) * 2.5, size=int(changes.sum()) + 1)
    assert kind(fleet, values[changes.cumsum()] * fleet.scale) is None


@twins
def test_a_valve_that_follows_the_duty_is_a_measurement(fleet: Fleet) -> None:
    duty = rows_of(fleet).values["one"]
    assert kind(fleet, np.digitize(duty, np.quantile(duty, [0.3, 0.7])) * 8.0) is None


def test_a_few_rows_say_nothing() -> None:
    rows = ColumnRows(
        {"X": np.arange(40.0)}, np.zeros(40, dtype=int), np.zeros(40, dtype=int), None, None
    )
    assert find_kinds(rows) == []


def test_each_rule_says_what_it_looks_for() -> None:
    assert all(rule.__doc__ for rule in RULES)

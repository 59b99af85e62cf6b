"""A draft takes columns for what they hold: names, separators, order and scale do not matter."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import yaml
from draft_rows import infer, line_of, table

from faultxfer.drafting.draft import EQUIPMENT, RUN, TIME
from faultxfer.drafting.infer import draft_of
from faultxfer.drafting.roles import roles_of
from faultxfer.errors import DataError
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.table import RawTable

# Names of time, machine, flow and pressure, how many machines, and the place of the added column.
TWINS = (
    (("when", "pump", "flow", "p"), 2, 0),
    (("Zeitpunkt", "Anlage", "Durchfluss", "Druck"), 3, 3),
    (("t_stamp", "tag", "Q", "dp"), 4, 4),
)
twins = pytest.mark.parametrize("twin", TWINS, ids=lambda twin: twin[0][0])
RUN_ROWS, RUNS = 30, 8


def cells(twin: tuple[tuple[str, ...], int, int], **more: object) -> dict[str, list[object]]:
    """Rows of all machines, one machine after the other; every second run ends in a fault."""
    (time, machine, flow, pressure), machines, place = twin
    size = RUN_ROWS * RUNS
    draw = np.random.default_rng(machines)
    start = pd.Timestamp("2026-02-03 04:05:00")
    stamps = [str(start + pd.Timedelta(minutes=10 * n)) for n in range(size)] * machines
    rows: dict[str, list[object]] = {
        time: list(stamps),
        machine: [n + 1 for n in range(machines) for _ in range(size)],
        flow: draw.normal(100, 5, size * machines).round(2).tolist(),
        pressure: draw.normal(6, 0.3, size * machines).round(3).tolist(),
    }
    added = {name: list(column) for name, column in more.items()}  # type: ignore[call-overload]
    names = list(rows)
    ordered = [*names[:place], *added, *names[place:]]
    return {name: {**rows, **added}[name] for name in ordered} | {"fault": faults(machines)}


def faults(machines: int) -> list[object]:
    one = [int(n // RUN_ROWS % 2 == 1 and n % RUN_ROWS >= 18) for n in range(RUN_ROWS * RUNS)]
    return list(one * machines)


def size_of(twin: tuple[tuple[str, ...], int, int]) -> int:
    return RUN_ROWS * RUNS * twin[1]


@twins
def test_times_and_machines_are_found_by_their_cells(
    twin: tuple[tuple[str, ...], int, int],
) -> None:
    contract, text = infer(table(**cells(twin)))
    (time, machine, flow, pressure), machines, _ = twin
    assert (contract.time_column, contract.equipment_column) == (time, machine)
    assert contract.features == (flow, pressure)
    assert f"time begins anew in each of {machines} values" in line_of(text, "equipment_column")


@twins
@pytest.mark.parametrize("unit", [1, 1000], ids=["seconds", "milliseconds"])
def test_epochs_are_times_under_any_name(twin: tuple[tuple[str, ...], int, int], unit: int) -> None:
    rows = cells(twin)
    time = twin[0][0]
    rows[time] = [int(pd.Timestamp(str(cell)).timestamp()) * unit for cell in rows[time]]
    assert infer(table(**rows))[0].time_column == time


def test_one_name_in_each_file_is_the_machine() -> None:
    first, second = (cells(TWINS[0]) for _ in range(2))
    half = RUN_ROWS * RUNS
    one = table("a.csv", **{name: column[:half] for name, column in first.items()})
    other = table("b.csv", **{name: column[half:] for name, column in second.items()})
    assert infer(one, other)[0].equipment_column == "pump"


def test_a_count_that_begins_anew_shows_runs() -> None:
    size = RUN_ROWS * RUNS
    rows = {
        "campaign": [n // RUN_ROWS for n in range(size)],
        "cycle": [n % RUN_ROWS for n in range(size)],
        "flow": np.random.default_rng(0).normal(size=size).round(3).tolist(),
        "fault": faults(1),
    }
    contract, _ = infer(table(**rows))
    assert (contract.run_column, contract.equipment_column) == ("campaign", None)


def test_the_screen_says_what_looks_like_a_time() -> None:
    size = RUN_ROWS * RUNS
    flow = np.random.default_rng(0).normal(size=size).round(3).tolist()
    rows = table(sample=list(range(size)), flow=flow, fault=faults(1))
    lines = {line["role"]: line for line in roles(rows)}
    assert "'sample' looks like one" in str(lines["time"]["why"])
    assert "--equipment-column" in str(lines["machine"]["why"])


def roles(*tables: RawTable) -> list[dict[str, str | None]]:
    named: dict[str, str | None] = {EQUIPMENT: None, RUN: None, TIME: None}
    return roles_of(
        draft_of(list(tables), label="fault", family="f", named=named, csv_options=Csv())
    )


@pytest.mark.parametrize("written", ["%d/%m/%Y", "%m/%d/%Y", "%d-%m-%y"])
def test_days_that_may_be_months_stop_the_draft(written: str) -> None:
    rows = cells(TWINS[1])
    days = pd.to_datetime(pd.Series(rows["Zeitpunkt"]))
    rows["Zeitpunkt"] = [day.strftime(f"{written} %H:%M") for day in days]
    with pytest.raises(DataError, match="one way only"):
        infer(table(**rows))


# What is no sensor


@twins
def test_state_words_and_counters_are_left_out_with_the_reason(
    twin: tuple[tuple[str, ...], int, int],
) -> None:
    size, machines = size_of(twin), twin[1]
    word = [17 if fault else 4 for fault in faults(machines)]
    word[0] = 5
    hours = [round(4000 + n / 6, 2) for n in range(size)]
    contract, text = infer(table(**cells(twin, W1=word, hrs=hours)))
    assert set(contract.ignore) == {"W1", "hrs"}
    assert "tells the label: 4, 5 in normal rows, 17 in fault rows" in line_of(text, "W1")
    assert "counter" in line_of(text, "hrs")


@twins
def test_qualities_are_left_out(twin: tuple[tuple[str, ...], int, int]) -> None:
    flags = [0 if n % 40 in (7, 8) else 192 for n in range(size_of(twin))]
    contract, text = infer(table(**cells(twin, qual=flags)))
    assert contract.ignore == ("qual",)
    assert "quality" in line_of(text, "qual")


@twins
def test_states_in_words_are_said_with_what_they_are(
    twin: tuple[tuple[str, ...], int, int],
) -> None:
    words = [("OPEN", "MID", "CLOSED")[n // 5 % 3] for n in range(size_of(twin))]
    _, text = infer(table(**cells(twin, valve=words)))
    assert "3 states (OPEN, MID, CLOSED)" in line_of(text, "valve")


def test_a_sensor_that_separates_stays_with_a_question() -> None:
    twin = TWINS[0]
    draw = np.random.default_rng(5)
    level = [round(10 * int(str(f)) + draw.normal(), 3) for f in faults(twin[1])]
    rows = table(**cells(twin, level=level))
    contract, text = infer(rows)
    assert "level" in contract.sensors
    assert "separates the labels by itself" in line_of(text, "level")
    assert ("sensor, look at it", "level") in {
        (line["role"], line["column"]) for line in roles(rows)
    }


def test_a_counter_stays_where_machines_left_out_gain_by_it() -> None:
    """Wear alone tells the faults here."""
    twin = TWINS[1]
    rows = cells(twin)
    one = [0.01 * n + 0.001 * (n * 7 % 5) for n in range(RUN_ROWS * RUNS)]
    rows["wear"] = [round(cell, 4) for cell in one * twin[1]]
    draw = np.random.default_rng(3)
    rows["fault"] = [int(float(str(cell)) > 1.6 and draw.random() < 0.7) for cell in rows["wear"]]
    contract, _ = infer(table(**rows))
    assert "counter" in contract.sensors["wear"].keep


def test_where_all_columns_rise_they_stay() -> None:
    rows = table(flow=list(range(60)), fault=[0, 1] * 30)
    assert infer(rows)[0].features == ("flow",)


# Limits


@pytest.mark.parametrize(
    ("nothing", "scale"), [("65535", 1.0), ("-9999", 30.0), ("-3276.8", 0.2), ("253", 0.5)]
)
def test_limits_are_not_drafted_from_values_for_no_reading(nothing: str, scale: float) -> None:
    draw = np.random.default_rng(1)
    flow: list[object] = (scale * draw.normal(20, 2, 120)).round(3).tolist()
    calm, _ = infer(table(flow=flow, fault=[0, 1] * 60))
    flow[7] = flow[50] = flow[90] = nothing
    contract, text = infer(table(flow=flow, fault=[0, 1] * 60))
    sensor, without = contract.sensors["flow"], calm.sensors["flow"]
    assert sensor.min == pytest.approx(without.min, rel=0.3)
    assert sensor.max == pytest.approx(without.max, rel=0.3)
    proposed = "".join(
        line[2:] + "\n" for line in text.splitlines() if line.startswith(("# csv", "#   missing"))
    )
    assert yaml.safe_load(proposed) == {"csv": {"missing": [nothing]}}


def test_a_machine_that_stands_still_reads_0() -> None:
    draw = np.random.default_rng(1)
    flow = draw.normal(200, 2, 120).round(2).tolist()
    flow[10] = flow[60] = 0.0
    contract, text = infer(table(flow=flow, fault=[0, 1] * 60))
    low = contract.sensors["flow"].min
    assert low is not None
    assert low < 0
    assert "missing: [" not in text


@pytest.mark.parametrize("rows", [40, 80])
def test_a_stuck_sensor_does_not_set_the_limit_that_should_find_it(rows: int) -> None:
    draw = np.random.default_rng(1)
    flow = draw.normal(20, 2, 200).round(2).tolist()
    flow[60 : 60 + rows] = [flow[60]] * rows
    _, text = infer(table(flow=flow, fault=[0, 1] * 100))
    assert "stuck_after: 10" in text


@pytest.mark.parametrize(
    ("name", "spelt", "blocks"),
    [("zz", "{}", [3, 1, 2]), ("Ort", "Halle {}", [1, 2]), ("k", "{}0", [7, 5, 9, 2])],
)
def test_the_screen_says_what_may_name_machines_that_were_recorded_one_after_the_other(
    name: str, spelt: str, blocks: list[int]
) -> None:
    each = 60
    size = each * len(blocks)
    start = pd.Timestamp("2026-02-03 04:05:00")
    draw = np.random.default_rng(size)
    rows = table(
        when=[str(start + pd.Timedelta(minutes=5 * n)) for n in range(size)],
        p=draw.normal(6, 1, size).round(3).tolist(),
        **{name: [spelt.format(block) for block in blocks for _ in range(each)]},
        fault=[int(n % 40 > 30) for n in range(size)],
    )
    why = {line["role"]: str(line["why"]) for line in roles(rows)}
    assert why["machine"] == f"'{name}' looks like one: --equipment-column '{name}'"
    assert why["run"] == f"'{name}' looks like one: --run-column '{name}'"


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("xx", [round(46_000 + n / 144, 6) for n in range(240)]),
        ("elapsed", [0.5 * n for n in range(240)]),
        ("Laufzeit", [round(12.5 + 0.1 * n, 1) for n in range(240)]),
    ],
)
def test_numbers_that_rise_evenly_look_like_a_time(name: str, values: list[float]) -> None:
    flow = np.random.default_rng(0).normal(size=240).round(3).tolist()
    rows = table(flow=flow, **{name: list(values)}, fault=faults(1))
    why = {line["role"]: str(line["why"]) for line in roles(rows)}
    assert why["time"] == f"'{name}' looks like one: --time-column '{name}'"


@pytest.mark.parametrize(
    ("names", "first"), [(("ort", "kW"), 0), (("Z", "A"), 0), (("a_power", "name"), 1)]
)
def test_of_two_columns_that_name_machines_the_first_or_the_one_in_words_is_taken(
    names: tuple[str, str], first: int
) -> None:
    rows = cells(TWINS[1])
    numbers = rows.pop("Anlage")
    shown = {names[1 - first]: [11 * int(str(number)) for number in numbers]}
    taken = [f"M{number}" if first else 70 - int(str(number)) for number in numbers]
    ordered = {**shown, names[first]: taken} if first else {names[first]: taken, **shown}
    assert infer(table(**{**ordered, **rows}))[0].equipment_column == names[first]

"""Ranges, units and names in a drafted contract are what a YAML reader and a person expect."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from draft_rows import FAULT, FLOW, infer, line_of, table
from hypothesis import given, settings
from hypothesis import strategies as st

from faultxfer.contract.check import check_table
from faultxfer.contract.schema import Sensor, parse_contract
from faultxfer.errors import ContractError
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.read_csv import read_csv

# Ranges, units, missing values


def test_the_range_is_what_was_seen_and_as_much_again_on_both_sides() -> None:
    contract, text = infer(table(flow=FLOW, fault=FAULT))
    sensor = contract.sensors["flow"]
    assert (sensor.min, sensor.max) == (-10, 50)
    assert (sensor.on_breach, sensor.drafted) == ("warn", True)
    assert "physically" in text.split("family:")[0]
    assert "quarantine" in text.split("family:")[0]


def test_limits_have_three_significant_digits_and_are_rounded_outwards() -> None:
    sensor = infer(table(pressure_pa=[101325, 101330, 101327, 101326], fault=FAULT))[0].sensors[
        "pressure_pa"
    ]
    assert (sensor.min, sensor.max) == (101000, 102000)
    small = infer(table(gap=[0.0012345, 0.002, 0.0015, 0.0013], fault=FAULT))[0].sensors["gap"]
    assert (small.min, small.max) == (0.000468, 0.00277)


def test_limits_are_numbers_for_every_yaml_reader() -> None:
    _, text = infer(table(energy=[1e20, 3e20, 2e20, 1e20], fault=FAULT))
    assert yaml.safe_load(text)["sensors"]["energy"]["max"] == 5e20


def test_a_constant_column_gets_no_range() -> None:
    contract, text = infer(table(op3=[100] * 4, flow=FLOW, fault=FAULT))
    assert contract.sensors["op3"].min is contract.sensors["op3"].max is None
    assert "constant at 100" in line_of(text, "op3")


def test_the_range_covers_all_files() -> None:
    contract, _ = infer(
        table("a.csv", t=[0, 1, 1, 1], fault=FAULT), table("b.csv", t=[10, 9, 9, 9], fault=FAULT)
    )
    assert (contract.sensors["t"].min, contract.sensors["t"].max) == (-10, 20)


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("discharge_pressure_bar", "bar"),
        ("Temperature_C", "degC"),
        ("speed (rpm)", "rpm"),
        ("current_a", "A"),
        ("vibration_mm_s", "mm/s"),
        ("flow_m3h", "m3/h"),
        ("power_kW", "kW"),
        ("load_pct", "%"),
        ("TS1_min", ""),
        ("alpha", ""),
    ],
)
def test_units_are_guessed_from_the_end_of_the_name(name: str, unit: str) -> None:
    assert infer(table(**{name: FLOW, "fault": FAULT}))[0].sensors[name].unit == unit


def test_gaps_as_large_as_in_the_examples_are_allowed() -> None:
    contract, text = infer(table(flow=[1, "", "", 2], level=[1, 2, 3, ""], fault=FAULT))
    assert contract.sensors["flow"].max_missing == 0.55
    assert contract.sensors["level"].max_missing == 0.3
    assert "missing in 50%" in line_of(text, "flow")


# What is written

ROWS = {
    "time": [1, 2, 3, 4],
    "flow_m3h": [1, "", "", 2],
    "running": ["on", "off", "on", "on"],
    "valve": [100] * 4,
    "fault": FAULT,
}


def test_a_draft_and_its_long_form_are_the_same_contract() -> None:
    contract, _ = infer(table(**ROWS), csv_options=Csv(decimal="."))
    long_form = yaml.safe_dump(contract.model_dump(mode="json"), sort_keys=False)
    assert (
        len(yaml.safe_load(long_form)["sensors"]["valve"]) == len(Sensor.model_fields) - 1
    )  # `drafted`
    again = parse_contract(yaml.safe_load(long_form), where="long form")
    assert again == contract
    assert again.digest() == contract.digest()


def test_a_draft_writes_only_what_differs_from_the_defaults() -> None:
    contract, text = infer(table(**ROWS))
    assert yaml.safe_load(text) == contract.model_dump(mode="json", exclude_defaults=True)
    assert yaml.safe_load(text)["sensors"]["valve"] == {"on_breach": "warn"}


def test_a_sensor_has_range_missing_share_and_usual_step_beside_it() -> None:
    _, text = infer(table(flow=[10, 12, 13, 40], level=[1, 2, "", 4], fault=FAULT))
    assert line_of(text, "flow").endswith("# seen 10 to 40, none missing, usual step 2")
    assert line_of(text, "level").endswith("# seen 1 to 4, missing in 25%, usual step 1")


def test_the_usual_step_is_taken_inside_runs() -> None:
    cells = {"run": ["a", "a", "b", "b"], "flow": [1, 2, 100, 101]}
    assert "usual step 1" in line_of(infer(table(**cells, fault=FAULT))[1], "flow")
    alone = {"run": list("abcd"), "flow": [1, 2, 100, 101]}
    assert "step" not in line_of(infer(table(**alone, fault=FAULT))[1], "flow")


# Whatever stands in the names and cells

NAMES = [
    "a: b",
    "# flow",
    "it's",
    'say "x"',
    "yes",
    "null",
    "1",
    "1e3",
    "Δp_bar",
    "flow ",
    "-",
    "y",
    "{x}",
    "a\nb",
    "☃\U0001f600",
]


@pytest.mark.parametrize("name", NAMES)
def test_odd_column_names_survive_in_every_role(name: str) -> None:
    as_sensor, _ = infer(table(**{name: FLOW, "fault": FAULT}))
    assert as_sensor.features == (name,)
    as_label, _ = infer(table(**{name: FAULT, "flow": FLOW}), label=name)
    assert as_label.label.column == name
    ignored, _ = infer(table(**{name: list("abcd"), "flow": FLOW, "fault": FAULT}))
    assert ignored.ignore == (name,)
    as_run, _ = infer(
        table(**{name: list("abcd"), "flow": FLOW, "fault": FAULT}), run_column=name, family=name
    )
    assert (as_run.run_column, as_run.family) == (name, name)


printable = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@settings(max_examples=60, deadline=None)
@given(
    names=st.lists(printable, min_size=3, max_size=5, unique=True),
    numbers=st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=4, max_size=4),
    file=printable,
)
def test_every_draft_follows_the_schema_and_holds_each_column_once(
    names: list[str], numbers: list[float], file: str
) -> None:
    label, flow, *others = names
    cells: dict[str, list[object]] = {label: ["0", "1", "0", "1"], flow: list(numbers)}
    cells |= {name: [f"{name}?"] * 4 for name in others}
    try:
        contract, _ = infer(table(file, **cells), label=label)
    except ContractError as error:
        # A name may happen to be that of a key, a counter or a label.
        assert "column of numbers" in str(error)  # noqa: PT017
        return
    keys = (
        contract.equipment_column,
        contract.run_column,
        contract.time_column,
        contract.label.column,
    )
    assert sorted([*contract.features, *contract.ignore, *filter(None, keys)]) == sorted(names)
    sensor = contract.sensors[flow]
    assert sensor.min is None or sensor.min <= min(numbers)
    assert sensor.max is None or sensor.max >= max(numbers)


def test_a_messy_file_fits_the_contract_drafted_from_it(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    rows = [
        f"2026-01-01 00:{minute:02d}:00;p1;{20 + minute};{minute / 3:.3f};{minute % 2};x"
        for minute in range(40)
    ]
    rows[5] = "2026-01-01 00:05:00;p1;sensor off;;0;x"
    path.write_text(
        "Timestamp;Machine;Temp_C;flow: in;Fault;comment\n" + "\n".join(rows), encoding="utf-8-sig"
    )
    raw = read_csv(path)
    contract, _ = infer(raw, label="Fault")
    checked = check_table(raw, contract, labelled=True)
    assert not checked.refused
    assert (len(checked.accepted), len(checked.rejected)) == (39, 1)


@settings(deadline=None)
@given(
    st.lists(
        st.text(min_size=1, max_size=8).map(str.strip).filter(bool),
        min_size=1,
        max_size=4,
        unique=True,
    )
)
def test_names_given_for_a_file_without_header_come_back_from_the_draft(names: list[str]) -> None:
    columns = tuple(dict.fromkeys((*names, "flow", "fault")))
    contract, _ = infer(
        table(flow=FLOW, fault=FAULT), csv_options=Csv(header=False, columns=columns)
    )
    assert (contract.csv.header, contract.csv.columns) == (False, columns)
    assert infer(table(flow=FLOW, fault=FAULT))[0].csv.header is None

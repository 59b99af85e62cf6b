"""A drafted contract is valid, fits its own examples, and keeps what leaks the label away from the model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from faultxfer.contract.check import check_table
from faultxfer.contract.infer import infer_contract
from faultxfer.contract.schema import Contract, parse_contract
from faultxfer.contract.table import RawTable
from faultxfer.data.read_csv import read_csv
from faultxfer.errors import ContractError
from faultxfer.steps.intake import check_files


def table(file: str = "a.csv", **cells: list[object]) -> RawTable:
    """Rows as the reader hands them over: every cell is text."""
    frame = pd.DataFrame(
        {name: pd.Series([str(cell) for cell in column], dtype="str") for name, column in cells.items()}
    )
    return RawTable(file, frame, np.arange(2, len(frame) + 2), "0" * 64)


FLOW = [10.0, 20.0, 30.0, 20.0]
FAULT = [0, 0, 1, 1]


def infer(*tables: RawTable, **options: str) -> tuple[Contract, str]:
    text = infer_contract(list(tables), **{"label": "fault", "family": "pumps", **options})
    return parse_contract(yaml.safe_load(text), where="draft"), text


def line_of(text: str, name: str) -> str:
    return next(line for line in text.splitlines() if line.lstrip(" -").startswith(name))


# Columns and their roles


@pytest.mark.parametrize(
    ("role", "names"),
    {
        "equipment_column": ["equipment", "Machine", "machine_id", "Unit Number", "asset"],
        "run_column": ["run", "Run ID", "cycle_id", "batch", "recording"],
        "time_column": ["time", "Timestamp", "datetime", "date", "cycle", "seq"],
    }.items(),
)
def test_key_columns_are_recognised_by_their_usual_names(role: str, names: list[str]) -> None:
    for name in names:
        contract, _ = infer(table(**{name: [1, 2, 3, 4], "flow": FLOW, "fault": FAULT}))
        assert getattr(contract, role) == name
        assert contract.features == ("flow",)


def test_a_column_named_for_one_role_is_not_taken_for_another() -> None:
    rows = table(cycle=[1, 1, 2, 2], machine=[1, 1, 1, 1], time=[1, 2, 1, 2], flow=FLOW, batch=FAULT)
    contract, _ = infer(rows, label="batch", run_column="cycle", equipment_column="time")
    assert contract.label.column == "batch"
    assert contract.run_column == "cycle"
    assert contract.equipment_column == "time"
    assert contract.time_column is None


def test_a_column_named_by_the_user_wins_over_the_usual_name() -> None:
    contract, _ = infer(table(machine=[1] * 4, pump=["p1"] * 4, flow=FLOW, fault=FAULT), equipment_column="pump")
    assert contract.equipment_column == "pump"
    assert "machine" in contract.ignore


def test_without_key_columns_the_draft_says_what_stands_in() -> None:
    contract, text = infer(table(flow=FLOW, fault=FAULT))
    assert contract.equipment_column is contract.run_column is contract.time_column is None
    assert "each file counts as one recording" in line_of(text, "run_column")


def test_a_time_that_cannot_be_read_is_not_taken_for_the_time() -> None:
    contract, _ = infer(table(time=["31.03.2026 14:05"] * 4, flow=FLOW, fault=FAULT))
    assert contract.time_column is None
    assert contract.ignore == ("time",)


def test_a_measurement_is_not_taken_for_the_name_of_a_machine() -> None:
    contract, _ = infer(table(unit=[0.5, 1.25, 2.5, 3.5], flow=FLOW, fault=FAULT))
    assert contract.equipment_column is None


@pytest.mark.parametrize(("numbers", "is_sensor"), [(8, True), (7, False)])
def test_a_column_is_a_sensor_from_four_in_five_filled_cells(numbers: int, is_sensor: bool) -> None:
    level = [*range(numbers), *["?"] * (10 - numbers), "", "n/a"]
    contract, _ = infer(table(level=level, flow=range(12), fault=[0, 1] * 6))
    assert ("level" in contract.sensors) is is_sensor
    assert ("level" in contract.ignore) is not is_sensor


def test_text_and_empty_columns_are_ignored() -> None:
    contract, _ = infer(table(note=list("abcd"), spare=[""] * 4, flow=FLOW, fault=FAULT))
    assert contract.features == ("flow",)
    assert set(contract.ignore) == {"note", "spare"}


def test_sensors_keep_the_order_of_the_file() -> None:
    contract, _ = infer(table(z=FLOW, a=FLOW, fault=FAULT, m=FLOW))
    assert contract.features == ("z", "a", "m")


@pytest.mark.parametrize(
    "name", ["fault_pump", "Label2", "anomaly_score", "failure mode", "changepoint", "target", "machine_failure"]
)
def test_columns_named_like_a_label_never_become_sensors(name: str) -> None:
    contract, text = infer(table(**{name: [5, 6, 7, 8], "flow": FLOW, "fault": FAULT}))
    assert contract.ignore == (name,)
    assert "leak the label" in text


@pytest.mark.parametrize(
    "copy",
    [["0", "0.0", "1", "1.0"], ["1", "1", "0", "0"], ["ok", "ok", "nok", "nok"], ["No", "no", "yes", "yes"]],
    ids=["number", "opposite", "the same text", "other text"],
)
def test_a_column_that_equals_the_label_never_becomes_a_sensor(copy: list[str]) -> None:
    contract, text = infer(table(relay=copy, flow=FLOW, fault=["ok", "ok", "nok", "nok"]))
    assert contract.ignore == ("relay",)
    assert "leak the label" in line_of(text, "relay")


def test_a_constant_zero_is_no_copy_of_a_label_that_knows_one_class_only() -> None:
    contract, _ = infer(table(valve=[0] * 4, flow=FLOW, fault=[0] * 4))
    assert contract.features == ("valve", "flow")


def test_counters_and_spare_keys_do_not_become_sensors() -> None:
    contract, _ = infer(table(index=[0, 1, 2, 3], timestamp=[5, 6, 7, 8], seq=[1, 2, 3, 4], flow=FLOW, fault=FAULT))
    assert contract.time_column == "timestamp"
    assert contract.ignore == ("index", "seq")


def test_columns_that_some_files_lack_are_ignored_with_the_reason() -> None:
    first = table("a.csv", flow=FLOW, extra=FLOW, fault=FAULT)
    second = table("b.csv", fault=FAULT, flow=FLOW, other=FLOW)
    contract, text = infer(first, second)
    assert contract.features == ("flow",)
    assert set(contract.ignore) == {"extra", "other"}
    assert "b.csv has no such column" in line_of(text, "extra")
    assert "a.csv has no such column" in line_of(text, "other")


def test_a_sensor_that_one_file_leaves_empty_is_ignored_as_that_file_would_be_refused() -> None:
    contract, text = infer(
        table("a.csv", flow=FLOW, level=FLOW, fault=FAULT), table("b.csv", flow=FLOW, level=[""] * 4, fault=FAULT)
    )
    assert contract.features == ("flow",)
    assert "b.csv" in line_of(text, "level")


def test_the_notes_of_a_quarantine_file_do_not_become_sensors() -> None:
    contract, _ = infer(table(flow=FLOW, fault=FAULT, _file=["a.csv"] * 4, _line=[7, 8, 9, 12], _codes=["X"] * 4))
    assert contract.features == ("flow",)


# Ranges, units, missing values


def test_the_range_is_what_was_seen_and_as_much_again_on_both_sides() -> None:
    contract, text = infer(table(flow=FLOW, fault=FAULT))
    sensor = contract.sensors["flow"]
    assert (sensor.min, sensor.max) == (-10, 50)
    assert sensor.on_breach == "warn"
    assert "physically" in text.split("version:")[0]
    assert "quarantine" in text.split("version:")[0]


def test_limits_have_three_significant_digits_and_are_rounded_outwards() -> None:
    sensor = infer(table(pressure_pa=[101325, 101330, 101327, 101326], fault=FAULT))[0].sensors["pressure_pa"]
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
    contract, _ = infer(table("a.csv", t=[0, 1, 1, 1], fault=FAULT), table("b.csv", t=[10, 9, 9, 9], fault=FAULT))
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


# The label


@pytest.mark.parametrize(
    ("normal", "fault"),
    [
        ("0", "1"),
        ("0.0", "1.0"),
        ("false", "true"),
        ("normal", "fault"),
        ("Normal", "Anomaly"),
        ("OK", "NOK"),
        ("no", "yes"),
        ("healthy", "faulty"),
        ("none", "defect"),
    ],
)
def test_usual_label_spellings_are_sorted(normal: str, fault: str) -> None:
    label = infer(table(flow=FLOW, fault=[normal, fault, normal, fault]))[0].label
    assert normal in label.normal
    assert fault in label.fault


def test_integer_and_float_spellings_of_a_numeric_label_go_together() -> None:
    label = infer(table(flow=FLOW, fault=[0, 0, 1, 1]))[0].label
    assert (label.normal, label.fault) == (("0", "0.0"), ("1", "1.0"))


@pytest.mark.parametrize(
    ("only", "normal", "fault"),
    [
        ("0", "0", "1"),
        ("1.0", "0.0", "1.0"),
        ("OK", "OK", "NOK"),
        ("Fault", "Normal", "Fault"),
        ("alarm", "normal", "alarm"),
    ],
)
def test_a_label_of_one_known_class_gets_the_opposite_of_its_spelling(only: str, normal: str, fault: str) -> None:
    contract, text = infer(table(flow=FLOW, fault=[only] * 4))
    assert normal in contract.label.normal
    assert fault in contract.label.fault
    assert "no example row is of this class" in text


def test_rows_without_a_label_do_not_count_as_a_spelling() -> None:
    label = infer(table(flow=FLOW, fault=["", "0", "1", "NaN"]))[0].label
    assert (label.normal, label.fault) == (("0", "0.0"), ("1", "1.0"))


@pytest.mark.parametrize("cells", [["A", "B"], ["0", "2"], ["normal", "leak"], ["-1", "1"], ["nan", ""]])
def test_spellings_that_cannot_be_sorted_are_an_error(cells: list[str]) -> None:
    with pytest.raises(ContractError, match=r"Received: .*column 'fault' of a\.csv.*Write 0 for normal"):
        infer(table(flow=FLOW, fault=cells * 2))


# Errors


def test_an_absent_label_column_is_an_error_that_lists_the_columns() -> None:
    with pytest.raises(ContractError, match=r"'Fault' was expected.*columns=\['flow', 'fault'\].*a\.csv"):
        infer(table(flow=FLOW, fault=FAULT), label="Fault")


def test_a_label_that_only_one_file_has_is_an_error_that_names_the_other() -> None:
    with pytest.raises(ContractError, match=r"Where: b\.csv"):
        infer(table(flow=FLOW, fault=FAULT), table("b.csv", flow=FLOW))


@pytest.mark.parametrize("role", ["equipment_column", "run_column", "time_column"])
def test_an_absent_key_column_is_an_error(role: str) -> None:
    with pytest.raises(ContractError, match="'pump' was expected"):
        infer(table(flow=FLOW, fault=FAULT), **{role: "pump"})


def test_one_column_for_two_roles_is_an_error() -> None:
    with pytest.raises(ContractError, match="One role for each column"):
        infer(table(flow=FLOW, fault=FAULT), run_column="fault")


def test_a_file_without_sensors_is_an_error_that_hints_at_decimal_commas() -> None:
    with pytest.raises(ContractError, match=r"column of numbers.*flow: text.*not a comma"):
        infer(table(flow=["1,5"] * 4, fault=FAULT))


@pytest.mark.parametrize("tables", [[], [table(flow=[], fault=[])]])
def test_no_rows_are_an_error(tables: list[RawTable]) -> None:
    with pytest.raises(ContractError, match="data rows were expected"):
        infer(*tables)


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
    as_run, _ = infer(table(**{name: list("abcd"), "flow": FLOW, "fault": FAULT}), run_column=name, family=name)
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
    keys = (contract.equipment_column, contract.run_column, contract.time_column, contract.label.column)
    assert sorted([*contract.features, *contract.ignore, *filter(None, keys)]) == sorted(names)
    sensor = contract.sensors[flow]
    assert sensor.min is None or sensor.min <= min(numbers)
    assert sensor.max is None or sensor.max >= max(numbers)


def test_a_messy_file_fits_the_contract_drafted_from_it(tmp_path: Path) -> None:
    path = tmp_path / "export.csv"
    rows = [f"2026-01-01 00:{minute:02d}:00;p1;{20 + minute};{minute / 3:.3f};{minute % 2};x" for minute in range(40)]
    rows[5] = "2026-01-01 00:05:00;p1;sensor off;;0;x"
    path.write_text("Timestamp;Machine;Temp_C;flow: in;Fault;comment\n" + "\n".join(rows), encoding="utf-8-sig")
    raw = read_csv(path)
    contract, _ = infer(raw, label="Fault")
    checked = check_table(raw, contract, labelled=True)
    assert not checked.refused
    assert (len(checked.accepted), len(checked.rejected)) == (39, 1)


# Real files

PAIRS = {
    "hydraulic": ("cooler100.csv", "cooler3.csv", "seq", {"fault_type", "fault_pump", "fault_accu"}, 50),
    "ai4i2020": ("typeL.csv", "typeH.csv", "seq", {"fault_type"}, 5),
    "cmapss": ("FD002.csv.gz", "FD004.csv.gz", "seq", {"fault_type"}, 24),
    "skab": ("valve1.csv.gz", "valve2.csv", "timestamp", {"fault_type"}, 8),
}


@pytest.mark.parametrize("name", PAIRS)
def test_a_contract_drafted_from_a_source_fits_its_target(name: str, real_data: Path, tmp_path: Path) -> None:
    source, target, time, leaks, sensors = PAIRS[name]
    contract, _ = infer(read_csv(real_data / name / source), family=name)
    assert set(contract.ignore) == leaks
    assert len(contract.features) == sensors
    assert (contract.equipment_column, contract.run_column, contract.time_column) == ("equipment", "run", time)
    rows = check_files(
        [str(real_data / name / target)],
        contract,
        work=tmp_path,
        quarantine=tmp_path / "quarantine",
        labelled=True,
    )
    assert not rows.refused
    assert rows.accepted == rows.read > 0

"""A drafted contract is valid, fits its own examples.

And keeps what leaks the label away from the model.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from draft_rows import FAULT, FLOW, infer, line_of, table

from faultxfer.contract.schema import Contract
from faultxfer.errors import ContractError
from faultxfer.reading.read_csv import read_csv
from faultxfer.reading.table import RawTable
from faultxfer.steps.intake import check_files

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
    rows = table(
        cycle=[1, 1, 2, 2], machine=[1, 1, 1, 1], time=[1, 2, 1, 2], flow=FLOW, batch=FAULT
    )
    contract, _ = infer(rows, label="batch", run_column="cycle", equipment_column="time")
    assert contract.label.column == "batch"
    assert contract.run_column == "cycle"
    assert contract.equipment_column == "time"
    assert contract.time_column is None


def test_a_column_named_by_the_user_wins_over_the_usual_name() -> None:
    contract, _ = infer(
        table(machine=[1] * 4, pump=["p1"] * 4, flow=FLOW, fault=FAULT), equipment_column="pump"
    )
    assert contract.equipment_column == "pump"
    assert "machine" in contract.ignore


def test_without_key_columns_the_draft_says_what_stands_in() -> None:
    contract, text = infer(table(flow=FLOW, fault=FAULT))
    assert contract.equipment_column is contract.run_column is contract.time_column is None
    assert "each file counts as one recording" in line_of(text, "run_column")


def test_a_time_that_cannot_be_read_is_not_taken_for_the_time() -> None:
    contract, _ = infer(table(time=["end of March"] * 4, flow=FLOW, fault=FAULT))
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
    "name",
    [
        "fault_pump",
        "Label2",
        "anomaly_score",
        "failure mode",
        "changepoint",
        "target",
        "machine_failure",
    ],
)
def test_columns_named_like_a_label_never_become_sensors(name: str) -> None:
    contract, text = infer(table(**{name: [5, 6, 7, 8], "flow": FLOW, "fault": FAULT}))
    assert contract.ignore == (name,)
    assert "leak the label" in text


@pytest.mark.parametrize(
    "copy",
    [
        ["0", "0.0", "1", "1.0"],
        ["1", "1", "0", "0"],
        ["ok", "ok", "nok", "nok"],
        ["No", "no", "yes", "yes"],
    ],
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
    contract, _ = infer(
        table(index=[0, 1, 2, 3], timestamp=[5, 6, 7, 8], seq=[1, 2, 3, 4], flow=FLOW, fault=FAULT)
    )
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
        table("a.csv", flow=FLOW, level=FLOW, fault=FAULT),
        table("b.csv", flow=FLOW, level=[""] * 4, fault=FAULT),
    )
    assert contract.features == ("flow",)
    assert "b.csv" in line_of(text, "level")


def test_the_notes_of_a_quarantine_file_do_not_become_sensors() -> None:
    contract, _ = infer(
        table(flow=FLOW, fault=FAULT, _file=["a.csv"] * 4, _line=[7, 8, 9, 12], _codes=["X"] * 4)
    )
    assert contract.features == ("flow",)


# Errors


def test_an_absent_label_column_is_an_error_that_lists_the_columns() -> None:
    with pytest.raises(
        ContractError, match=r"no column named 'Fault'.*columns=\['flow', 'fault'\].*a\.csv"
    ):
        infer(table(flow=FLOW, fault=FAULT), label="Fault")


def test_a_label_that_only_one_file_has_is_an_error_that_names_the_other() -> None:
    with pytest.raises(ContractError, match=r"Where: b\.csv"):
        infer(table(flow=FLOW, fault=FAULT), table("b.csv", flow=FLOW))


@pytest.mark.parametrize("role", ["equipment_column", "run_column", "time_column"])
def test_an_absent_key_column_is_an_error(role: str) -> None:
    with pytest.raises(ContractError, match="no column named 'pump'"):
        infer(table(flow=FLOW, fault=FAULT), **{role: "pump"})


def test_one_column_for_two_roles_is_an_error() -> None:
    with pytest.raises(ContractError, match="One column cannot have two roles"):
        infer(table(flow=FLOW, fault=FAULT), run_column="fault")


def test_a_file_without_sensors_is_an_error_that_hints_at_decimal_commas() -> None:
    with pytest.raises(ContractError, match=r"column of numbers.*flow: text.*one decimal mark"):
        infer(table(flow=["1,5"] * 4, fault=FAULT))


@pytest.mark.parametrize("tables", [[], [table(flow=[], fault=[])]])
def test_no_rows_are_an_error(tables: list[RawTable]) -> None:
    with pytest.raises(ContractError, match="The files have no data rows"):
        infer(*tables)


# Real files

# Digests of the contracts that 0.1.0 drafted from the sources, with every default written out.
DIGESTS = {
    "hydraulic": "e99e0df91833e9195e0859fa39b8c8e5494a05d20d9f4df6e45fff42dc0b7431",
    "ai4i2020": "cf2d725dd0523dcd88acd17d08e2e2d4418c5b02abfebe0dcee4efc2da8c7847",
    "cmapss": "fd9a93c384face6d14df576d728a65ad1c0d1778d625b4df5cc14290770c4742",
    "skab": "38604f3c988a35456ce2fe402e8addd9c3abb5374a8615b8867aa8c98d5e6e58",
}
PAIRS = {
    "hydraulic": (
        "cooler100.csv",
        "cooler3.csv",
        "seq",
        {"fault_type", "fault_pump", "fault_accu"},
        50,
    ),
    "ai4i2020": ("typeL.csv", "typeH.csv", "seq", {"fault_type"}, 5),
    "cmapss": ("FD002.csv.gz", "FD004.csv.gz", "seq", {"fault_type"}, 24),
    "skab": ("valve1.csv.gz", "valve2.csv", "timestamp", {"fault_type"}, 8),
}


def accepted(contract: Contract) -> Contract:
    """What the draft means once a person has accepted its limits, as drafts of 0.1.0 were."""
    sensors = {
        name: sensor.model_copy(update={"drafted": False})
        for name, sensor in contract.sensors.items()
    }
    return contract.model_copy(update={"sensors": sensors})


@pytest.mark.parametrize("name", PAIRS)
def test_a_contract_drafted_from_a_source_fits_its_target(
    name: str, real_data: Path, tmp_path: Path
) -> None:
    source, target, time, leaks, sensors = PAIRS[name]
    contract, _ = infer(read_csv(real_data / name / source), family=name)
    assert accepted(contract).digest() == DIGESTS[name]
    assert contract.digest() != DIGESTS[name]
    assert set(contract.ignore) == leaks
    assert len(contract.features) == sensors
    assert (contract.equipment_column, contract.run_column, contract.time_column) == (
        "equipment",
        "run",
        time,
    )
    rows = check_files(
        [str(real_data / name / target)],
        contract,
        work=tmp_path,
        quarantine=tmp_path / "quarantine",
        labelled=True,
    )
    assert not rows.refused
    assert rows.accepted == rows.read > 0

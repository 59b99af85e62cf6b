"""A fleet in which each machine lacks another sensor and one has two more."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from faultxfer.cli.simulating import simulate_plant
from faultxfer.contract.schema import load_contract
from faultxfer.simulation.pump_fleet import differing_sensors
from faultxfer.simulation.simulator import INSTRUMENTS, SOURCE_PUMPS, write_pump_fleet

SMALL = {"source_pumps": 2, "runs_per_pump": 3, "rows_per_run": 8, "target_runs": 2}
MACHINES = ("pump-1", "pump-2", "pump-9")


def test_each_lacks_another_sensor_and_one_has_two_more() -> None:
    lacking = differing_sensors((*SOURCE_PUMPS, "pump-9"), with_more="pump-3")
    own = {machine: sensors[0] for machine, sensors in lacking.items()}
    assert len(set(own.values())) == len(own)
    two_more = {sensors[1:] for machine, sensors in lacking.items() if machine != "pump-3"}
    assert len(two_more) == 1
    assert lacking["pump-3"][1:] == ()


def test_files_lack_what_the_contract_says_and_differ_in_nothing_else(tmp_path: Path) -> None:
    lacking = differing_sensors(MACHINES, with_more="pump-1")
    whole = write_pump_fleet(tmp_path / "whole", **SMALL)  # type: ignore[arg-type]
    fleet = write_pump_fleet(tmp_path / "fleet", lacking=lacking, **SMALL)  # type: ignore[arg-type]
    contract = load_contract(fleet.contract)
    for machine in MACHINES:
        assert set(contract.lacking(machine)) == set(lacking[machine])
        rows = pd.read_csv(tmp_path / "fleet" / f"{machine}.csv")
        full = pd.read_csv(tmp_path / "whole" / f"{machine}.csv")
        pd.testing.assert_frame_equal(rows, full.drop(columns=list(lacking[machine])))
    assert set(INSTRUMENTS) - set(pd.read_csv(fleet.new_rows_csv)) == set(lacking["pump-9"])
    assert load_contract(whole.contract).equipment == {}


def test_the_command_ends_with_the_training_of_such_a_fleet(tmp_path: Path) -> None:
    simulated = simulate_plant(tmp_path / "plant", "pump-9", sensors_differ=True)
    (then,) = simulated.next
    assert "--contract" in then.command
    assert then.command.startswith("faultxfer pretrain")
    contract = load_contract(tmp_path / "plant" / "pumps.yaml")
    assert set(contract.equipment) == {*SOURCE_PUMPS, "pump-9"}

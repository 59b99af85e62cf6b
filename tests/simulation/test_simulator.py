"""The simulated pumps obey the laws they are documented with.

And what is written keeps its contract.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultxfer import pipeline
from faultxfer.contract.schema import load_contract
from faultxfer.errors import ConfigError
from faultxfer.simulation import pump_physics as physics
from faultxfer.simulation import simulator
from faultxfer.simulation.pump_physics import Fault, PumpDesign
from faultxfer.simulation.simulator import (
    INSTRUMENTS,
    NEW_PLANT,
    OLD_PLANT,
    PumpFleet,
    write_pump_fleet,
)

CONTRACT = Path(__file__).resolve().parents[2] / "data_contracts" / "pumps.yaml"
SMALL = {
    "source_pumps": 2,
    "runs_per_pump": 8,
    "rows_per_run": 20,
    "target_runs": 6,
    "target_rows_per_run": 16,
}
GOOD = {"equipment": "pump-1", "seed": 1, "runs": 4, "rows_per_run": 12, "fault_share": 0.5}


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> PumpFleet:
    return write_pump_fleet(
        tmp_path_factory.mktemp("fleet"), seed=3, source_pumps=3, runs_per_pump=20, rows_per_run=40
    )


def labelled(fleet: PumpFleet) -> list[pd.DataFrame]:
    return [pd.read_csv(path) for path in (*fleet.source_csvs, fleet.target_csv)]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def sensors(kind: str, severity: float, rows: int = 60) -> dict[str, float]:
    """Settled values at design duty."""
    fault = Fault(kind, np.full(rows, severity))
    values = physics.sensor_values(PumpDesign(), physics.steady_duty(rows), fault)
    return {name: float(value[-1]) for name, value in values.items()}


# Reproducible


def test_same_seed_writes_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_pump_fleet(tmp_path / name, seed=5, **SMALL)
    assert contents(tmp_path / "a") == contents(tmp_path / "b")
    assert len(contents(tmp_path / "a")) == 5


def test_another_seed_writes_other_recordings(tmp_path: Path) -> None:
    for seed in (5, 6):
        write_pump_fleet(tmp_path / str(seed), seed=seed, **SMALL)
    one, other = contents(tmp_path / "5"), contents(tmp_path / "6")
    assert [name for name in one if one[name] == other[name]] == ["pumps.yaml"]


@given(share=st.floats(0, 1), runs=st.integers(1, 40), more=st.integers(1, 40))
def test_a_longer_plan_begins_with_the_shorter_one(share: float, runs: int, more: int) -> None:
    short, long = (
        simulator._fault_plan(np.random.default_rng(4), count, share)
        for count in (runs, runs + more)
    )
    assert long[:runs] == short
    faulty = sum(kind != "normal" for kind in long)
    assert abs(faulty - share * (runs + more)) <= 1 + 1e-6


def test_more_runs_change_no_earlier_run() -> None:
    few, many = (simulator.simulate_pump(**{**GOOD, "runs": runs}) for runs in (5, 12))
    pd.testing.assert_frame_equal(few, many.head(len(few)))


def test_more_pumps_leave_the_others_alone(tmp_path: Path) -> None:
    one = write_pump_fleet(tmp_path / "one", **{**SMALL, "source_pumps": 1})
    two = write_pump_fleet(tmp_path / "two", **SMALL)
    assert one.source_csvs[0].read_bytes() == two.source_csvs[0].read_bytes()
    assert one.target_csv.read_bytes() == two.target_csv.read_bytes()


# Physics


@given(speed=st.floats(0.3, 1.2))
def test_affinity_laws_hold_exactly_without_static_head(speed: float) -> None:
    # Plenty of suction pressure, so that no cavitation bends the curve.
    design = PumpDesign(static_head_share=0.0)

    def state(ratio: float) -> physics.Hydraulics:
        duty = dataclasses.replace(
            physics.steady_duty(1, speed_ratio=ratio), tank_bar=np.full(1, 9.0)
        )
        return physics.hydraulics(design, duty, physics.healthy(1))

    full, part = state(1.0), state(speed)
    np.testing.assert_allclose(part.flow_m3h, full.flow_m3h * speed, rtol=1e-12)
    np.testing.assert_allclose(part.head_m, full.head_m * speed**2, rtol=1e-12)
    np.testing.assert_allclose(part.power_kw, full.power_kw * speed**3, rtol=1e-12)


def test_design_duty_gives_the_rated_point() -> None:
    design = PumpDesign()
    duty = dataclasses.replace(physics.steady_duty(1), tank_bar=np.full(1, 9.0))
    state = physics.hydraulics(design, duty, physics.healthy(1))
    assert state.flow_m3h[0] == pytest.approx(design.rated_flow_m3h)
    assert state.head_m[0] == pytest.approx(design.rated_head_m)
    # 998 kg/m3 * 9.81 m/s2 * 160/3600 m3/s * 45 m / 0.76
    assert state.power_kw[0] == pytest.approx(25.764, abs=1e-3)


@pytest.mark.parametrize(
    ("kind", "up", "down"),
    [
        (
            "cavitation",
            ["vibration_drive_end_mm_s", "vibration_non_drive_end_mm_s"],
            ["suction_pressure_bar", "flow_m3h", "discharge_pressure_bar"],
        ),
        (
            "bearing_wear",
            [
                "vibration_drive_end_mm_s",
                "vibration_non_drive_end_mm_s",
                "bearing_temperature_c",
                "motor_current_a",
                "winding_temperature_c",
            ],
            [],
        ),
        (
            "seal_leak",
            ["vibration_non_drive_end_mm_s", "bearing_temperature_c"],
            ["flow_m3h", "discharge_pressure_bar"],
        ),
        (
            "impeller_wear",
            ["vibration_drive_end_mm_s", "vibration_non_drive_end_mm_s"],
            ["flow_m3h", "discharge_pressure_bar", "motor_current_a"],
        ),
    ],
)
def test_a_fault_moves_its_sensors_further_the_worse_it_is(
    kind: str, up: list[str], down: list[str]
) -> None:
    healthy, half, full = (sensors(kind, severity) for severity in (0.0, 0.5, 1.0))
    for name in up:
        assert healthy[name] < half[name] < full[name], name
    for name in down:
        assert healthy[name] > half[name] > full[name], name


def test_severity_zero_is_a_healthy_pump() -> None:
    assert all(sensors(kind, 0.0) == sensors("normal", 0.0) for kind in physics.FAULT_TYPES)


def test_speed_and_fluid_temperature_know_nothing_of_faults() -> None:
    healthy = sensors("normal", 0.0)
    for kind in physics.FAULT_TYPES:
        assert sensors(kind, 1.0)["speed_rpm"] == healthy["speed_rpm"]
        assert sensors(kind, 1.0)["fluid_temperature_c"] == healthy["fluid_temperature_c"]


def test_a_bearing_fault_shows_at_the_drive_end_first() -> None:
    before, after = sensors("normal", 0.0), sensors("bearing_wear", 1.0)
    rises = {
        name: after[name] - before[name]
        for name in ("vibration_drive_end_mm_s", "vibration_non_drive_end_mm_s")
    }
    assert rises["vibration_drive_end_mm_s"] > 2 * rises["vibration_non_drive_end_mm_s"]


@given(
    pressure=st.floats(-0.8, 2.0),
    fluid=st.floats(1, 90),
    more=st.floats(0.01, 1),
    warmer=st.floats(0.1, 9),
)
def test_npsh_available_rises_with_pressure_and_falls_with_heat(
    pressure: float, fluid: float, more: float, warmer: float
) -> None:
    here = physics.npsh_available(np.array(pressure), np.array(fluid))
    assert physics.npsh_available(np.array(pressure + more), np.array(fluid)) > here
    assert physics.npsh_available(np.array(pressure), np.array(fluid + warmer)) < here


def test_npsh_of_cold_water_at_the_sea() -> None:
    # 1.013 bar less 0.0233 bar of vapour at 20 °C is 0.990 bar, or 10.11 m.
    assert physics.npsh_available(np.array(0.0), np.array(20.0)) == pytest.approx(10.11, abs=0.01)


def test_npsh_required_rises_with_speed_and_flow() -> None:
    ratios = np.linspace(0.3, 1.2, 10)
    design = PumpDesign()
    assert (np.diff(physics.npsh_required(design, ratios, np.ones(10))) > 0).all()
    assert (np.diff(physics.npsh_required(design, np.ones(10), ratios)) > 0).all()


def test_cavitation_grows_as_the_suction_tank_empties_and_stays_between_none_and_full() -> None:
    tank = np.linspace(2.0, -0.9, 60)
    duty = dataclasses.replace(physics.steady_duty(60), tank_bar=tank)
    intensity = physics.hydraulics(PumpDesign(), duty, physics.healthy(60)).cavitation
    assert (np.diff(intensity) >= 0).all()
    assert intensity[0] == 0
    assert intensity[-1] == 1


def test_a_lag_takes_63_percent_in_its_time_constant() -> None:
    step = np.r_[0.0, np.ones(30)]
    assert physics.lagged(step, 30.0)[3] == pytest.approx(1 - np.exp(-1))


def test_a_pump_too_slow_for_its_static_head_is_refused() -> None:
    with pytest.raises(ConfigError, match="static head"):
        physics.hydraulics(
            PumpDesign(), physics.steady_duty(1, speed_ratio=0.2), physics.healthy(1)
        )


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(ConfigError, match="cavitation"):
        Fault("rust", np.zeros(3))


# Machines


def test_every_machine_has_its_own_size_and_instruments() -> None:
    one, two = (simulator.machine_of(name, seed=1) for name in ("pump-1", "pump-2"))
    assert one.design != two.design
    for name in INSTRUMENTS:
        assert one.gain[name] != two.gain[name]
        assert one.offset[name] != two.offset[name]
    assert one == simulator.machine_of("pump-1", seed=1)
    assert one != simulator.machine_of("pump-1", seed=2)


@pytest.mark.parametrize("plant", [OLD_PLANT, NEW_PLANT])
def test_instrument_errors_stay_within_two_standard_deviations(plant: simulator.Plant) -> None:
    for number in range(30):
        machine = simulator.machine_of(f"pump-{number}", seed=1, plant=plant)
        for name, kind in INSTRUMENTS.items():
            mounted = plant.vibration_gain if name.startswith("vibration") else 1.0
            assert (
                abs(machine.gain[name] / mounted - 1)
                <= 2 * plant.instrument_error * kind.gain_error + 1e-12
            )
            assert abs(machine.offset[name]) <= 2 * plant.instrument_error * kind.offset + 1e-12


def test_a_reading_is_gain_times_truth_plus_offset() -> None:
    machine = simulator.machine_of("pump-1", seed=1, plant=NEW_PLANT)
    truth = np.full(20_000, 40.0)
    for name, kind in INSTRUMENTS.items():
        seen = simulator._reading(machine, name, truth, np.random.default_rng(0))
        expected = machine.gain[name] * 40.0 + machine.offset[name]
        # The mean of the readings is known to six standard errors, and the last decimal is rounded.
        error = (
            6 * np.hypot(kind.noise * expected, kind.jitter) / np.sqrt(len(truth))
            + 10.0**-kind.decimals
        )
        assert seen.mean() == pytest.approx(expected, abs=error), name


# What is written


def test_all_rows_lie_inside_the_contract(fleet: PumpFleet) -> None:
    for table in [*labelled(fleet), pd.read_csv(fleet.new_rows_csv)]:
        for name, sensor in simulator.pump_contract().sensors.items():
            assert table[name].between(sensor.min, sensor.max).all(), name


def test_source_and_target_hold_both_classes_and_every_fault_type(fleet: PumpFleet) -> None:
    for table in labelled(fleet):
        assert set(table["fault"]) == {0, 1}
        assert set(table.loc[table["fault"] == 1, "fault_type"]) == set(physics.FAULT_TYPES)


def test_new_rows_have_no_label_and_come_later(fleet: PumpFleet) -> None:
    target, later = pd.read_csv(fleet.target_csv), pd.read_csv(fleet.new_rows_csv)
    assert not {"fault", "fault_type"} & set(later)
    assert later["timestamp"].min() > target["timestamp"].max()


def test_label_is_one_exactly_where_there_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Fault] = []
    real = simulator.sensor_values
    monkeypatch.setattr(
        simulator,
        "sensor_values",
        lambda design, duty, fault: seen.append(fault) or real(design, duty, fault),
    )
    table = simulator.simulate_pump("pump-1", seed=1, runs=20, rows_per_run=30, fault_share=0.5)
    severity = np.concatenate([fault.severity for fault in seen])
    assert table["fault"].tolist() == (severity > 0).astype(int).tolist()
    assert ((table["fault"] == 1) == (table["fault_type"] != "normal")).all()


def test_a_faulty_run_starts_healthy_and_never_recovers() -> None:
    table = simulator.simulate_pump("pump-1", seed=1, runs=20, rows_per_run=30, fault_share=0.5)
    faulty = 0
    for _, run in table.groupby("run"):
        assert run["fault"].iloc[0] == 0
        assert run["fault"].is_monotonic_increasing
        faulty += run["fault"].iloc[-1]
    assert faulty == 10


@pytest.mark.parametrize(
    "change",
    [
        {"equipment": " "},
        {"seed": -1},
        {"runs": 0},
        {"rows_per_run": 7},
        {"fault_share": 1.1},
        {"fault_share": -0.1},
        {"pause_hours": 0.0},
    ],
)
def test_arguments_outside_their_limits_are_named(change: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match=next(iter(change))):
        simulator.simulate_pump(**{**GOOD, **change})


@pytest.mark.parametrize(
    "change", [{"source_pumps": 0}, {"target_equipment": "pump-2"}, {"target_runs": 0}]
)
def test_a_fleet_that_cannot_be_is_refused_before_anything_is_written(
    change: dict[str, object], tmp_path: Path
) -> None:
    with pytest.raises(ConfigError):
        write_pump_fleet(tmp_path / "fleet", **{**SMALL, **change})
    assert not (tmp_path / "fleet").exists()


def test_the_fleet_keeps_its_own_contract(fleet: PumpFleet, tmp_path: Path) -> None:
    csv = [str(path) for path in (*fleet.source_csvs, fleet.target_csv, fleet.new_rows_csv)]
    checked = pipeline.validate(csv, fleet.contract, quarantine=tmp_path)
    assert not checked.refused
    assert checked.quarantined == checked.left_out == 0
    assert checked.accepted == checked.read == 3 * 20 * 40 + 14 * 28 + 7 * 24


def test_the_written_contract_and_the_commented_one_say_what_the_code_says(
    fleet: PumpFleet,
) -> None:
    assert load_contract(fleet.contract) == simulator.pump_contract()
    assert load_contract(CONTRACT) == simulator.pump_contract()
    assert load_contract(CONTRACT).digest() == simulator.pump_contract().digest()

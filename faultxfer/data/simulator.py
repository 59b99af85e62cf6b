"""Seeded recordings of a fleet of centrifugal pumps, with labelled faults.

Every machine has its own size, health, instruments and duty, drawn from the ranges of its plant and decided by seed
and name alone. The machines of the old plant differ among themselves; those of the new plant are larger, run slower
in a hotter hall and carry other instruments. That is the domain shift. What a fault does to a pump is the same in both
(:mod:`faultxfer.data.pump_physics`), and that is what can be transferred.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

from faultxfer.contract.schema import Contract, Label, Sensor
from faultxfer.data.pump_physics import (
    FAULT_TYPES,
    NORMAL,
    STEP_MINUTES,
    Duty,
    Fault,
    PumpDesign,
    sensor_values,
    smoothed,
)
from faultxfer.errors import ConfigError

MODEL_FAMILY = "pumps"

Range = tuple[float, float]


@dataclass(frozen=True)
class Instrument:
    """What one kind of instrument reads and how far it can be trusted.

    Attributes:
        unit: engineering unit of the column.
        low, high: physically possible values, the contract's min and max.
        decimals: decimals that the logger keeps.
        gain_error: standard deviation of the machine's gain around 1.
        offset: standard deviation of the machine's offset, in the unit.
        noise: standard deviation of one reading as a share of the reading.
        jitter: standard deviation of one reading in the unit, whatever the reading.
    """

    unit: str
    low: float
    high: float
    decimals: int
    gain_error: float
    offset: float
    noise: float
    jitter: float


INSTRUMENTS: dict[str, Instrument] = {
    "speed_rpm": Instrument("rpm", 0, 4000, 1, 0.001, 1.0, 0.0, 1.5),
    "flow_m3h": Instrument("m3/h", 0, 2000, 2, 0.02, 0.5, 0.012, 0.2),
    "suction_pressure_bar": Instrument("bar", -1, 10, 3, 0.01, 0.02, 0.0, 0.012),
    "discharge_pressure_bar": Instrument("bar", -1, 40, 3, 0.01, 0.03, 0.006, 0.01),
    "motor_current_a": Instrument("A", 0, 1000, 2, 0.015, 0.2, 0.012, 0.1),
    "vibration_drive_end_mm_s": Instrument("mm/s", 0, 50, 3, 0.06, 0.03, 0.05, 0.03),
    "vibration_non_drive_end_mm_s": Instrument("mm/s", 0, 50, 3, 0.06, 0.03, 0.05, 0.03),
    "bearing_temperature_c": Instrument("degC", -20, 150, 2, 0.005, 0.8, 0.0, 0.5),
    "winding_temperature_c": Instrument("degC", -20, 200, 2, 0.005, 0.8, 0.0, 0.7),
    "fluid_temperature_c": Instrument("degC", -20, 120, 2, 0.005, 0.5, 0.0, 0.3),
}


@dataclass(frozen=True)
class Plant:
    """Ranges from which each machine of one plant is drawn, uniformly.

    Attributes:
        flow_m3h, head_m: rated flow and head.
        static_head_share: static head of the system over rated head.
        vibration_mm_s: healthy velocity RMS at rated duty.
        speed_ratio: the machine's usual speed over rated speed.
        resistance: the machine's usual friction over design friction.
        tank_bar: usual gauge pressure of the suction tank.
        fluid_c, ambient_c: usual temperatures of liquid and hall.
        instrument_error: factor on the gain errors and offsets of :data:`INSTRUMENTS`.
        vibration_gain: factor on the vibration readings, from the way the transducers are mounted.
    """

    flow_m3h: Range
    head_m: Range
    static_head_share: Range
    vibration_mm_s: Range
    speed_ratio: Range
    resistance: Range
    tank_bar: Range
    fluid_c: Range
    ambient_c: Range
    instrument_error: float
    vibration_gain: float


OLD_PLANT = Plant(
    flow_m3h=(140, 190),
    head_m=(40, 52),
    static_head_share=(0.15, 0.25),
    vibration_mm_s=(1.1, 1.7),
    speed_ratio=(0.9, 1.0),
    resistance=(0.9, 1.3),
    tank_bar=(0.15, 0.4),
    fluid_c=(22, 32),
    ambient_c=(17, 23),
    instrument_error=1.0,
    vibration_gain=1.0,
)
NEW_PLANT = Plant(
    flow_m3h=(195, 225),
    head_m=(46, 54),
    static_head_share=(0.2, 0.3),
    vibration_mm_s=(1.5, 2.0),
    speed_ratio=(0.86, 0.92),
    resistance=(1.0, 1.4),
    tank_bar=(0.25, 0.5),
    fluid_c=(30, 36),
    ambient_c=(24, 28),
    instrument_error=1.5,
    vibration_gain=1.15,
)


@dataclass(frozen=True)
class Machine:
    """One pump with its instruments and its usual duty.

    Attributes:
        design: the pump as built.
        gain, offset: per sensor; a reading is ``gain * truth + offset`` and noise.
        speed_ratio, resistance, tank_bar, fluid_c, ambient_c: usual duty, see :class:`Plant`.
    """

    design: PumpDesign
    gain: dict[str, float]
    offset: dict[str, float]
    speed_ratio: float
    resistance: float
    tank_bar: float
    fluid_c: float
    ambient_c: float


@dataclass(frozen=True)
class PumpFleet:
    """Files of one simulated fleet.

    Attributes:
        source_csvs: one labelled CSV for each pump of the old plant.
        target_csv: the few labelled rows of the new pump.
        new_rows_csv: a later week of the new pump without labels, to be scored.
        contract: data contract of all of them.
        target_equipment: name of the new pump.
        model_family: name of the equipment family, as in the contract.
    """

    source_csvs: tuple[Path, ...]
    target_csv: Path
    new_rows_csv: Path
    contract: Path
    target_equipment: str
    model_family: str


def pump_contract() -> Contract:
    """The data contract of the pump family; ``data_contracts/pumps.yaml`` says the same with comments."""
    return Contract(
        family=MODEL_FAMILY,
        label=Label(column="fault"),
        equipment_column="equipment",
        run_column="run",
        time_column="timestamp",
        sensors={name: Sensor(unit=kind.unit, min=kind.low, max=kind.high) for name, kind in INSTRUMENTS.items()},
        ignore=("fault_type",),
    )


def machine_of(equipment: str, *, seed: int, plant: Plant = OLD_PLANT) -> Machine:
    """The pump of that name: the same for the same seed, name and plant, however many others there are."""
    rng = _rng(seed, equipment, "machine")

    def draw(limits: Range) -> float:
        return float(rng.uniform(*limits))

    design = PumpDesign(
        rated_flow_m3h=draw(plant.flow_m3h),
        rated_head_m=draw(plant.head_m),
        static_head_share=draw(plant.static_head_share),
        vibration_drive_end=draw(plant.vibration_mm_s),
        vibration_non_drive_end=0.85 * draw(plant.vibration_mm_s),
        bearing_rise_c=draw((22, 28)),
        winding_rise_c=draw((40, 50)),
        efficiency=draw((0.73, 0.79)),
    )
    gain, offset = _instrument_errors(rng, plant)
    return Machine(
        design=design,
        gain=gain,
        offset=offset,
        speed_ratio=draw(plant.speed_ratio),
        resistance=draw(plant.resistance),
        tank_bar=draw(plant.tank_bar),
        fluid_c=draw(plant.fluid_c),
        ambient_c=draw(plant.ambient_c),
    )


def simulate_pump(
    equipment: str,
    *,
    seed: int,
    runs: int,
    rows_per_run: int,
    fault_share: float,
    start: str | pd.Timestamp = "2026-01-05T06:00:00",
    pause_hours: float = 24.0,
    plant: Plant = OLD_PLANT,
) -> pd.DataFrame:
    """Recordings of one pump, a row every ten minutes.

    A faulty run starts healthy; at its onset one fault appears and grows until the run ends.

    Args:
        equipment: name of the pump; with ``seed`` it decides the machine and its recordings.
        seed: at least 0.
        runs: number of recordings.
        rows_per_run: rows of each recording, at least 8.
        fault_share: share of the runs that have a fault, between 0 and 1; fault types take turns.
        start: time of the first row.
        pause_hours: time between two recordings, above 0.
        plant: ranges that the machine is drawn from.

    Returns:
        ``runs * rows_per_run`` rows with ``timestamp``, ``equipment``, ``run``, the sensors of :data:`INSTRUMENTS`,
        ``fault`` (0 or 1) and ``fault_type``.

    Raises:
        ConfigError: an argument lies outside the limits above.
    """
    _check_arguments(equipment, seed, runs, rows_per_run, fault_share, pause_hours)
    machine = machine_of(equipment, seed=seed, plant=plant)
    first = pd.Timestamp(start)
    kinds = _fault_plan(_rng(seed, equipment, f"plan from {first}"), runs, fault_share)
    length = pd.Timedelta(minutes=STEP_MINUTES * rows_per_run)
    tables = []
    for number, kind in enumerate(kinds):
        begin = first + number * (length + pd.Timedelta(hours=pause_hours))
        table = _run(machine, kind, rows_per_run, begin, _rng(seed, equipment, f"run at {begin}"))
        table.insert(1, "equipment", equipment)
        table.insert(2, "run", f"{equipment}-{begin:%Y%m%dT%H%M}")
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def write_pump_fleet(
    folder: Path,
    *,
    seed: int = 7,
    source_pumps: int = 5,
    runs_per_pump: int = 60,
    rows_per_run: int = 70,
    target_runs: int = 14,
    target_rows_per_run: int = 28,
    target_equipment: str = "pump-9",
) -> PumpFleet:
    """Write half a year of ``source_pumps`` pumps, two weeks of a new one, its next week unlabelled, and the contract.

    The same arguments give the same bytes. The folder and its parents are made where they are missing.

    Raises:
        ConfigError: a number is too small, or the target has the name of a source pump.
    """
    sources = tuple(f"pump-{number}" for number in range(1, source_pumps + 1))
    _require(source_pumps >= 1, "At least one source pump", "source_pumps", source_pumps)
    _require(target_equipment not in sources, "A name no source pump has", "target_equipment", target_equipment)
    folder = Path(folder)
    history = {
        name: simulate_pump(
            name, seed=seed, runs=runs_per_pump, rows_per_run=rows_per_run, fault_share=0.4, pause_hours=61.0
        )
        for name in sources
    }
    target = _target_rows(target_equipment, seed, target_runs, target_rows_per_run, fault_share=0.36)
    later = pd.Timestamp(target["timestamp"].iloc[-1]).normalize() + pd.Timedelta(days=2, hours=6)
    week = _target_rows(target_equipment, seed, 7, 24, fault_share=0.3, start=later, pause_hours=20.0)
    folder.mkdir(parents=True, exist_ok=True)
    return PumpFleet(
        source_csvs=tuple(_write(table, folder / f"{name}.csv") for name, table in history.items()),
        target_csv=_write(target, folder / f"{target_equipment}.csv"),
        new_rows_csv=_write(week.drop(columns=["fault", "fault_type"]), folder / f"{target_equipment}-new-rows.csv"),
        contract=_write_contract(folder / "pumps.yaml"),
        target_equipment=target_equipment,
        model_family=MODEL_FAMILY,
    )


def _target_rows(
    equipment: str,
    seed: int,
    runs: int,
    rows: int,
    *,
    fault_share: float,
    start: str | pd.Timestamp = "2026-08-03T06:00:00",
    pause_hours: float = 24.0,
) -> pd.DataFrame:
    return simulate_pump(
        equipment,
        seed=seed,
        runs=runs,
        rows_per_run=rows,
        fault_share=fault_share,
        start=start,
        pause_hours=pause_hours,
        plant=NEW_PLANT,
    )


def _rng(seed: int, *names: str) -> np.random.Generator:
    """A generator of its own for each purpose, so that more runs or more pumps change no other one."""
    digest = hashlib.sha256("\n".join(names).encode()).digest()
    return np.random.default_rng([seed, *np.frombuffer(digest[:16], dtype="<u4").tolist()])


def _instrument_errors(rng: np.random.Generator, plant: Plant) -> tuple[dict[str, float], dict[str, float]]:
    gain, offset = {}, {}
    for name, kind in INSTRUMENTS.items():
        error, zero = np.clip(rng.standard_normal(2), -2, 2) * plant.instrument_error
        mounted = plant.vibration_gain if name.startswith("vibration") else 1.0
        gain[name] = float(mounted * (1 + kind.gain_error * error))
        offset[name] = float(kind.offset * zero)
    return gain, offset


def _fault_plan(rng: np.random.Generator, runs: int, fault_share: float) -> list[str]:
    """Fault type of each run: the types take turns in a shuffled order, spread evenly over time."""
    faulty = round(fault_share * runs)
    kinds = list(rng.permutation(FAULT_TYPES))
    plan = [NORMAL] * runs
    edges = np.linspace(0, runs, faulty + 1)
    for number in range(faulty):
        # One faulty run in each stretch of the calendar; a later stretch never reaches back.
        low, high = int(np.ceil(edges[number])), int(np.ceil(edges[number + 1]))
        plan[int(rng.integers(low, high))] = str(kinds[number % len(kinds)])
    return plan


def _run(machine: Machine, kind: str, rows: int, begin: pd.Timestamp, rng: np.random.Generator) -> pd.DataFrame:
    """One recording: duty, fault, truth, readings."""
    times = pd.date_range(begin, periods=rows, freq=pd.Timedelta(minutes=STEP_MINUTES))
    duty = _duty(machine, times, rng)
    fault, label = _fault(kind, rows, rng)
    truth = sensor_values(machine.design, duty, fault)
    readings = {name: _reading(machine, name, values, rng) for name, values in truth.items()}
    kinds = np.where(label == 1, kind, NORMAL)
    stamps = times.strftime("%Y-%m-%dT%H:%M:%S")
    return pd.DataFrame({"timestamp": stamps, **readings, "fault": label, "fault_type": kinds})


def _duty(machine: Machine, times: pd.DatetimeIndex, rng: np.random.Generator) -> Duty:
    """What the plant asks during one run: a level for the run, a slow wander, and the hour of day."""
    rows = len(times)
    hour = (times.hour + times.minute / 60).to_numpy(dtype=np.float64)
    day = np.sin(2 * np.pi * (hour - 9) / 24)  # warmest and busiest at 15 h
    return Duty(
        speed_ratio=np.clip(machine.speed_ratio + _wander(rng, rows, 0.03, 0.02) + 0.01 * day, 0.75, 1.08),
        resistance=machine.resistance * np.exp(_wander(rng, rows, 0.08, 0.08)),
        tank_bar=machine.tank_bar + _wander(rng, rows, 0.04, 0.04),
        fluid_c=machine.fluid_c + _wander(rng, rows, 2.0, 1.0),
        ambient_c=machine.ambient_c + _wander(rng, rows, 2.0, 0.5) + 2.5 * day,
        roughness=np.exp(_wander(rng, rows, 0.12, 0.12)),
    )


def _wander(rng: np.random.Generator, rows: int, between: float, within: float) -> np.ndarray:
    """(n,) level of the run plus a slow wander, with these standard deviations."""
    keep = 0.85
    # The variance of smoothed white noise is (1 - keep) / (1 + keep).
    slow = smoothed(rng.standard_normal(rows), keep) / np.sqrt((1 - keep) / (1 + keep))
    level = np.clip(rng.standard_normal(), -2, 2)
    return np.asarray(between * level + within * np.clip(slow, -3, 3))


def _fault(kind: str, rows: int, rng: np.random.Generator) -> tuple[Fault, np.ndarray]:
    """Severity that ramps from the onset to the end of the run, and the label (n,) int."""
    onset = int(rows * rng.uniform(0.2, 0.6))
    first, last = rng.uniform(0.15, 0.3), rng.uniform(0.6, 1.0)
    severity = np.zeros(rows)
    if kind != NORMAL:
        severity[onset:] = np.linspace(first, last, rows - onset)
    return Fault(kind, severity), (severity > 0).astype(np.int64)


def _reading(machine: Machine, name: str, truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(n,) what the logger stores: gain, offset, noise, rounding; no instrument reads below its zero."""
    kind = INSTRUMENTS[name]
    seen = machine.gain[name] * truth * (1 + kind.noise * rng.standard_normal(len(truth)))
    seen = seen + machine.offset[name] + kind.jitter * rng.standard_normal(len(truth))
    return np.round(np.maximum(seen, kind.low), kind.decimals)


def _write(table: pd.DataFrame, path: Path) -> Path:
    path.write_bytes(table.to_csv(index=False, lineterminator="\n").encode())
    return path


def _write_contract(path: Path) -> Path:
    header = (
        "# Data contract of the simulated centrifugal pumps.\n"
        "# min and max are physical limits of the instruments: a row outside them is set aside, not corrected.\n"
    )
    content = yaml.safe_dump(pump_contract().model_dump(mode="json"), sort_keys=False)
    path.write_bytes((header + content).encode())
    return path


def _check_arguments(
    equipment: str, seed: int, runs: int, rows_per_run: int, fault_share: float, pause_hours: float
) -> None:
    _require(bool(equipment.strip()), "A name", "equipment", equipment)
    _require(seed >= 0, "A seed of at least 0", "seed", seed)
    _require(runs >= 1, "At least one run", "runs", runs)
    _require(rows_per_run >= 8, "At least 8 rows in a run", "rows_per_run", rows_per_run)
    _require(0 <= fault_share <= 1, "A share between 0 and 1", "fault_share", fault_share)
    _require(pause_hours > 0, "A pause above 0 hours between runs", "pause_hours", pause_hours)


def _require(met: bool, what: str, name: str, value: object) -> None:
    if not met:
        raise ConfigError(f"{what} was expected", received={name: value}, remedy=f"Change {name}")

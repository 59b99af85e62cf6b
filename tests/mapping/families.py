"""Five made-up equipment families whose new machine has other tags, units, scales and order.

They were written before the mapper that is judged by them, and they stay as they are: a test
compares the digest of this file. Every machine is a small physical model: a few slow drivers (load,
weather, a valve), sensors that follow them, noise, and instruments that are a little off. Old and
new machine differ in size, duty and weather. ``alike`` are sensors that were made exchangeable:
the same law, the same noise, instruments off by as much, and names that do not say which is which.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

# Rows of the old and of the new machine; rows of one recording.
OLD_ROWS, NEW_ROWS, RUN_ROWS = 720, 360, 60
_DIGITS = 5

Columns = dict[str, np.ndarray]


@dataclass(frozen=True)
class Machine:
    """What makes one machine of a family differ from the next.

    Attributes:
        rng: everything that is drawn.
        rows: how many.
        size: of the machine, 1 for the family's usual one.
        weather: degrees above the family's usual weather.
        duty: usual share of the full load.
    """

    rng: np.random.Generator
    rows: int
    size: float
    weather: float
    duty: float

    def slow(self, around: float, swing: float, memory: float = 0.97) -> np.ndarray:
        """(n,) an autoregression of order one."""
        steps = self.rng.normal(0.0, swing * np.sqrt(1 - memory**2), self.rows)
        out, now = np.empty(self.rows), self.rng.normal(0.0, swing)
        for row, step in enumerate(steps):
            now = memory * now + step
            out[row] = now
        return around + out

    def load(self) -> np.ndarray:
        """(n,) share of the full load."""
        return np.clip(self.slow(self.duty, 0.13), 0.25, 1.08)

    def air(self, usual: float) -> np.ndarray:
        """(n,) temperature of the surroundings in degC."""
        return self.slow(usual + self.weather, 3.5, 0.99)

    def read(self, true: np.ndarray, noise: float, off: float = 0.0) -> np.ndarray:
        """(n,) what an instrument shows: its own offset, and noise in each row."""
        own = self.rng.normal(0.0, off) if off else 0.0
        return true + own + self.rng.normal(0.0, noise, self.rows)

    def lagged(self, values: np.ndarray, share: float) -> np.ndarray:
        """(n,) the values as something heavy follows them."""
        out, now = np.empty(self.rows), values[0]
        for row, value in enumerate(values):
            now += share * (value - now)
            out[row] = now
        return out

    def faults(self) -> np.ndarray:
        """(n,) 0 or 1: the second half of every third recording."""
        place = np.arange(self.rows)
        every_third = (place // RUN_ROWS) % 3 == 2
        return (every_third & (place % RUN_ROWS >= RUN_ROWS // 2)).astype(int)


@dataclass(frozen=True)
class Written:
    """How the new machine writes one column.

    Attributes:
        tag: its name.
        unit: the engineering unit of the readings, after ``scale``.
        convert: from the contract's unit to ``unit``.
        stored: numbers are stored as readings times this.
        digits: decimal places in the file.
    """

    tag: str
    unit: str
    convert: Callable[[np.ndarray], np.ndarray] = np.positive
    stored: float = 1.0
    digits: int = 3


@dataclass(frozen=True)
class Family:
    """A family, its old machine, and how its new one writes.

    Attributes:
        name: of the family.
        model: from a machine and its fault rows (n,) to sensors in the contract's units.
        units: by sensor of the contract, its unit.
        written: by sensor, how the new machine writes it; sensors left out are missing there.
        new: by tag that only the new machine has, from the machine to its readings.
        alike: groups of sensors that nobody could tell apart.
        machine: name of the new machine.
        units_row: whether the new file states units in a row below the header.
        descriptions: by tag, words in a row below the header.
        decimal: the new file's decimal mark.
        seed: what old and new machine are drawn from.
    """

    name: str
    model: Callable[[Machine, np.ndarray], Columns]
    units: dict[str, str]
    written: dict[str, Written]
    new: dict[str, Callable[[Machine], np.ndarray]] = field(default_factory=dict)
    alike: tuple[frozenset[str], ...] = ()
    machine: str = "new-1"
    units_row: bool = False
    descriptions: dict[str, str] = field(default_factory=dict)
    decimal: str = "."
    seed: int = 0

    @property
    def right(self) -> dict[str, str | None]:
        """By sensor of the contract, its tag on the new machine; None where it has none."""
        return {name: self._tag(name) for name in self.units}

    def _tag(self, name: str) -> str | None:
        return self.written[name].tag if name in self.written else None

    def contract(self) -> str:
        """The contract of the family, as a file holds it."""
        sensors = [f'  "{name}": {{unit: "{unit}"}}' for name, unit in self.units.items()]
        head = [
            "version: 1",
            f"family: {self.name}",
            "label: {column: fault}",
            "run_column: run",
            "time_column: time",
            "sensors:",
        ]
        return "\n".join([*head, *sensors]) + "\n"

    def old(self) -> pd.DataFrame:
        """Rows of the old machine, under the contract's names and in its units."""
        rng = np.random.default_rng((self.seed, 1))
        machine = Machine(rng, OLD_ROWS, size=1.0, weather=0.0, duty=0.72)
        faults = machine.faults()
        frame = pd.DataFrame(self.model(machine, faults)).round(_DIGITS)
        return _keys(frame, faults)

    def newer(self) -> pd.DataFrame:
        """Rows of the new machine under its own tags, in its own order."""
        rng = np.random.default_rng((self.seed, 2))
        size, weather = rng.uniform(0.82, 1.22), rng.uniform(-4.0, 4.0)
        machine = Machine(rng, NEW_ROWS, size, weather, duty=rng.uniform(0.6, 0.78))
        faults = machine.faults()
        true = self.model(machine, faults)
        columns = {}
        for name, how in self.written.items():
            columns[how.tag] = np.round(how.convert(true[name]) * how.stored, how.digits)
        for tag, made in self.new.items():
            columns[tag] = np.round(made(machine), 2)
        order = rng.permutation(list(columns))
        return _keys(pd.DataFrame({tag: columns[tag] for tag in order}), faults)

    def write(self, folder: Path) -> tuple[Path, Path, Path]:
        """Contract, old file and new file in the folder."""
        folder.mkdir(parents=True, exist_ok=True)
        contract, old, new = (folder / name for name in ("family.yaml", "old.csv", "new.csv"))
        contract.write_text(self.contract(), encoding="utf-8")
        self.old().to_csv(old, index=False)
        new.write_text(self._text(), encoding="utf-8")
        return contract, old, new

    def _text(self) -> str:
        frame = self.newer()
        mark = ";" if self.decimal == "," else ","
        rows = frame.to_csv(index=False, sep=mark, decimal=self.decimal).splitlines()
        below = []
        if self.descriptions:
            below.append([self.descriptions.get(tag, tag) for tag in frame])
        if self.units_row:
            stated = {how.tag: how.unit for how in self.written.values()}
            below.append([stated.get(tag, "") for tag in frame])
        return "\n".join([rows[0], *(_line(cells, mark) for cells in below), *rows[1:]]) + "\n"


def _line(cells: list[str], mark: str) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=mark, lineterminator="").writerow(cells)
    return out.getvalue()


def _keys(sensors: pd.DataFrame, faults: np.ndarray) -> pd.DataFrame:
    """The sensors between time and run on the left and the label on the right."""
    place = np.arange(len(sensors))
    start = pd.Timestamp("2026-02-01 06:00:00")
    times = (start + pd.to_timedelta(place * 10, unit="min")).strftime("%Y-%m-%d %H:%M:%S")
    keys = {"time": times, "run": [f"r{one // RUN_ROWS + 1:02d}" for one in place]}
    return pd.concat([pd.DataFrame(keys), sensors, pd.DataFrame({"fault": faults})], axis=1)


def _degf(celsius: np.ndarray) -> np.ndarray:
    return celsius * 1.8 + 32.0


def _times(factor: float) -> Callable[[np.ndarray], np.ndarray]:
    return lambda values: values * factor


# 1. A boiler feed pump: instrument tags with a prefix, American units, nothing stated.


def _feed_pump(m: Machine, fault: np.ndarray) -> Columns:
    load, air = m.load(), m.air(24.0)
    speed = 1480 + 1420 * load
    flow = 210 * m.size * load * (1 - 0.12 * fault)
    head = 74 * (speed / 2900) ** 2 * m.size - 9.0 * load**2
    level = np.clip(m.slow(62, 9), 5, 95)
    feed = m.slow(104, 4.0) + 6 * load
    suction = 2.1 + 0.018 * level + m.read(0 * load, 0.02)
    power = flow * head / 2900
    warm = m.lagged(air + 19 + 21 * load + 7 * fault, 0.15)
    rough = 1.5 + 1.1 * (1 - load) ** 2 + 1.3 * fault
    return {
        "suction_pressure": m.read(suction, 0.03, 0.05),
        "discharge_pressure": m.read(suction + head, 0.5, 0.6),
        "flow": m.read(flow, 2.5, 1.0),
        "speed": m.read(speed, 4.0),
        "motor_current": m.read(34 + 11.5 * power, 1.4, 1.0),
        "bearing_temperature_de": m.read(warm, 0.5, 0.5),
        "bearing_temperature_nde": m.read(warm, 0.5, 0.5),
        "vibration_de": m.read(1.9 * rough, 0.12, 0.1),
        "vibration_nde": m.read(0.75 * rough + 0.4, 0.16, 0.1),
        "tank_level": m.read(level, 0.6),
        "feedwater_temperature": m.read(feed, 0.4, 0.5),
    }


_FEED_PUMP = Family(
    "feed-pumps",
    _feed_pump,
    {
        "suction_pressure": "bar",
        "discharge_pressure": "bar",
        "flow": "m3/h",
        "speed": "rpm",
        "motor_current": "A",
        "bearing_temperature_de": "degC",
        "bearing_temperature_nde": "degC",
        "vibration_de": "mm/s",
        "vibration_nde": "mm/s",
        "tank_level": "%",
        "feedwater_temperature": "degC",
    },
    {
        "suction_pressure": Written("P9.PT-101.PV", "psi", _times(14.503774)),
        "discharge_pressure": Written("P9.PT-102.PV", "psi", _times(14.503774), digits=1),
        "flow": Written("P9.FT-101.PV", "gpm", _times(4.402868), digits=1),
        "speed": Written("P9.ST-101.PV", "rpm", digits=0),
        "motor_current": Written("P9.IT-101.PV", "A", digits=2),
        "bearing_temperature_de": Written("P9.TT-103A.PV", "degF", _degf, digits=1),
        "bearing_temperature_nde": Written("P9.TT-103B.PV", "degF", _degf, digits=1),
        "vibration_de": Written("P9.VT-104A.PV", "in/s", _times(1 / 25.4), digits=4),
        "vibration_nde": Written("P9.VT-104B.PV", "in/s", _times(1 / 25.4), digits=4),
        "tank_level": Written("P9.LT-100.PV", "%", digits=1),
        "feedwater_temperature": Written("P9.TT-100.PV", "degF", _degf, digits=1),
    },
    alike=(frozenset({"bearing_temperature_de", "bearing_temperature_nde"}),),
    machine="P9",
    seed=11,
)


# 2. A screw compressor: German tags, decimal commas, units in a row; one sensor missing, one new.


def _compressor(m: Machine, fault: np.ndarray) -> Columns:
    load, air = m.load(), m.air(27.0)
    speed = 1200 + 2300 * load
    net = m.slow(7.6, 0.35)
    suction = 985 - 24 * load + m.slow(0, 5)
    power = 118 * m.size * load * (net / 7.6) ** 0.6
    oil = m.lagged(air + 26 + 18 * load + 5 * fault, 0.2)
    out = oil + 14 + 6 * load + 9 * fault
    windings = m.lagged(air + 28 + 44 * load**2, 0.1)
    return {
        "p_in": m.read(suction, 1.5, 2.0),
        "p_out": m.read(net, 0.04, 0.05),
        "t_in": m.read(air + 2.0, 0.4, 0.4),
        "t_out": m.read(out, 0.6, 0.6),
        "oil_temp": m.read(oil, 0.4, 0.5),
        "oil_press": m.read(net - 1.1 - 0.5 * fault, 0.05, 0.05),
        "speed": m.read(speed, 5.0),
        "motor_current": m.read(22 + 1.62 * power, 2.0, 1.0),
        "motor_power": m.read(power, 1.0, 0.5),
        "vib_motor": m.read(1.3 + 0.9 * load, 0.1, 0.1),
        "vib_airend": m.read(3.6 + 1.6 * load + 2.2 * fault, 0.25, 0.2),
        "winding_temp_1": m.read(windings, 0.8, 0.7),
        "winding_temp_2": m.read(windings, 0.8, 0.7),
        "winding_temp_3": m.read(windings, 0.8, 0.7),
    }


_COMPRESSOR = Family(
    "compressors",
    _compressor,
    {
        "p_in": "mbar",
        "p_out": "bar",
        "t_in": "degC",
        "t_out": "degC",
        "oil_temp": "degC",
        "oil_press": "bar",
        "speed": "rpm",
        "motor_current": "A",
        "motor_power": "kW",
        "vib_motor": "mm/s",
        "vib_airend": "mm/s",
        "winding_temp_1": "degC",
        "winding_temp_2": "degC",
        "winding_temp_3": "degC",
    },
    {
        "p_in": Written("K2_Ansaugdruck", "mbar", digits=1),
        "p_out": Written("K2_Enddruck", "kPa", _times(100.0), digits=1),
        "t_in": Written("K2_Ansaugtemperatur", "°C", digits=1),
        "t_out": Written("K2_Verdichtungsendtemperatur", "°C", digits=1),
        "oil_temp": Written("K2_Öltemperatur", "°C", digits=1),
        "speed": Written("K2_Drehzahl", "1/min", digits=0),
        "motor_current": Written("K2_Motorstrom", "A", digits=1),
        "motor_power": Written("K2_Leistungsaufnahme", "kW", digits=1),
        "vib_motor": Written("K2_Schwingung_Antrieb", "mm/s", digits=2),
        "vib_airend": Written("K2_Schwingung_Stufe", "mm/s", digits=2),
        "winding_temp_1": Written("K2_Wicklungstemperatur_U", "°C", digits=1),
        "winding_temp_2": Written("K2_Wicklungstemperatur_V", "°C", digits=1),
        "winding_temp_3": Written("K2_Wicklungstemperatur_W", "°C", digits=1),
    },
    new={"K2_Taupunkt": lambda m: m.slow(4.0, 1.2)},
    alike=(frozenset({"winding_temp_1", "winding_temp_2", "winding_temp_3"}),),
    machine="K2",
    units_row=True,
    decimal=",",
    seed=22,
)


# 3. A chiller: Spanish tags with units in their names, degF and gpm.


def _chiller(m: Machine, fault: np.ndarray) -> Columns:
    load, air = m.load(), m.air(26.0)
    supply = m.slow(6.8, 0.3) + 0.4 * fault
    water = 38 * m.size * (0.7 + 0.3 * load)
    back = supply + 172 * load * m.size / (4.19 * water) * 4.19
    tower = m.lagged(0.6 * air + 11 + 3 * load, 0.2)
    tower_back = tower + 5.1 * load * (1 + 0.1 * fault)
    evaporating = 255 + 12 * (supply - 6.8) - 22 * load - 16 * fault
    condensing = 640 + 21 * (tower_back - 30) + 45 * fault
    lift = (condensing - evaporating) / 385
    current = 46 * m.size * load * lift
    return {
        "chw_supply_temp": m.read(supply, 0.06, 0.08),
        "chw_return_temp": m.read(back, 0.08, 0.08),
        "cw_supply_temp": m.read(tower, 0.15, 0.1),
        "cw_return_temp": m.read(tower_back, 0.15, 0.1),
        "evaporator_pressure": m.read(evaporating, 1.5, 2.0),
        "condenser_pressure": m.read(condensing, 4.0, 3.0),
        "chw_flow": m.read(water, 0.25, 0.2),
        "compressor_1_current": m.read(current, 1.1, 0.8),
        "compressor_2_current": m.read(current, 1.1, 0.8),
        "oil_pressure_difference": m.read(172 + 20 * load - 14 * fault, 2.0, 2.0),
        "capacity": m.read(100 * np.clip(load, 0, 1), 0.8),
        "outdoor_temp": m.read(air, 0.3, 0.3),
    }


_CHILLER = Family(
    "chillers",
    _chiller,
    {
        "chw_supply_temp": "degC",
        "chw_return_temp": "degC",
        "cw_supply_temp": "degC",
        "cw_return_temp": "degC",
        "evaporator_pressure": "kPa",
        "condenser_pressure": "kPa",
        "chw_flow": "l/s",
        "compressor_1_current": "A",
        "compressor_2_current": "A",
        "oil_pressure_difference": "kPa",
        "capacity": "%",
        "outdoor_temp": "degC",
    },
    {
        "chw_supply_temp": Written("Temp. agua helada salida (°F)", "°F", _degf, digits=2),
        "chw_return_temp": Written("Temp. agua helada retorno (°F)", "°F", _degf, digits=2),
        "cw_supply_temp": Written("Temp. agua torre entrada (°F)", "°F", _degf, digits=2),
        "cw_return_temp": Written("Temp. agua torre retorno (°F)", "°F", _degf, digits=2),
        "evaporator_pressure": Written("Presión evaporador (psi)", "psi", _times(0.14503774)),
        "condenser_pressure": Written("Presión condensador (psi)", "psi", _times(0.14503774)),
        "chw_flow": Written("Caudal agua helada (gpm)", "gpm", _times(15.850323), digits=1),
        "compressor_1_current": Written("Corriente compresor norte (A)", "A", digits=1),
        "compressor_2_current": Written("Corriente compresor sur (A)", "A", digits=1),
        "oil_pressure_difference": Written(
            "Presión dif. aceite (psi)", "psi", _times(0.14503774), digits=2
        ),
        "capacity": Written("Capacidad (%)", "%", digits=1),
        "outdoor_temp": Written("Temp. exterior (°F)", "°F", _degf, digits=1),
    },
    alike=(frozenset({"compressor_1_current", "compressor_2_current"}),),
    machine="enfriadora-2",
    seed=33,
)


# 4. A wind turbine: French tags behind a path, other units; two sensors missing, two new.


def _turbine(m: Machine, fault: np.ndarray) -> Columns:
    wind, air = np.clip(m.slow(4.0 + 6.5 * m.duty, 2.4, 0.95), 2.5, 22), m.air(11.0)
    share = np.clip((wind - 2.5) / 9.5, 0.03, 1.0)
    rotor = 7.5 + 8.2 * np.sqrt(share)
    power = 2050 * m.size * share**2.2
    pitch = np.where(wind > 12, 2.1 * (wind - 12), 0.0) + 1.0
    pitch = m.lagged(pitch + 4 * (1 - share) ** 2, 0.6)
    nacelle = m.lagged(air + 8 + 5 * share, 0.1)
    oil = m.lagged(nacelle + 21 + 15 * share + 6 * fault, 0.15)
    bearing = oil + 4 + 7 * share + 8 * fault
    return {
        "wind_speed": m.read(wind, 0.25, 0.1),
        "rotor_speed": m.read(rotor, 0.08),
        "generator_speed": m.read(rotor * 101.0, 6.0),
        "active_power": m.read(power, 12.0),
        "pitch_1": m.read(pitch, 0.1, 0.08),
        "pitch_2": m.read(pitch, 0.1, 0.08),
        "pitch_3": m.read(pitch, 0.1, 0.08),
        "gearbox_oil_temp": m.read(oil, 0.4, 0.4),
        "gearbox_bearing_temp": m.read(bearing, 0.5, 0.5),
        "generator_winding_temp": m.read(m.lagged(nacelle + 24 + 48 * share**2, 0.12), 0.8, 0.8),
        "nacelle_temp": m.read(nacelle, 0.3, 0.3),
        "ambient_temp": m.read(air, 0.3, 0.3),
        "hydraulic_pressure": m.read(m.slow(168, 6), 1.0, 1.0),
        "grid_voltage": m.read(m.slow(690, 5), 0.8, 1.0),
        "yaw_error": m.read(m.slow(0, 5, 0.9), 0.8, 0.5),
    }


_TURBINE = Family(
    "turbines",
    _turbine,
    {
        "wind_speed": "m/s",
        "rotor_speed": "rpm",
        "generator_speed": "rpm",
        "active_power": "kW",
        "pitch_1": "deg",
        "pitch_2": "deg",
        "pitch_3": "deg",
        "gearbox_oil_temp": "degC",
        "gearbox_bearing_temp": "degC",
        "generator_winding_temp": "degC",
        "nacelle_temp": "degC",
        "ambient_temp": "degC",
        "hydraulic_pressure": "bar",
        "grid_voltage": "V",
        "yaw_error": "deg",
    },
    {
        "wind_speed": Written("EOL07/vitesse_vent", "km/h", _times(3.6), digits=2),
        "rotor_speed": Written("EOL07/vitesse_rotor", "rpm", digits=2),
        "generator_speed": Written("EOL07/vitesse_generatrice", "rpm", digits=0),
        "active_power": Written("EOL07/puissance_active", "MW", _times(0.001), digits=4),
        "pitch_1": Written("EOL07/angle_pale_rouge", "deg", digits=2),
        "pitch_2": Written("EOL07/angle_pale_verte", "deg", digits=2),
        "pitch_3": Written("EOL07/angle_pale_bleue", "deg", digits=2),
        "gearbox_oil_temp": Written("EOL07/temp_huile_multiplicateur", "degC", digits=1),
        "gearbox_bearing_temp": Written("EOL07/temp_palier_multiplicateur", "degC", digits=1),
        "generator_winding_temp": Written("EOL07/temp_bobinage_generatrice", "degC", digits=1),
        "nacelle_temp": Written("EOL07/temp_nacelle", "degC", digits=1),
        "ambient_temp": Written("EOL07/temp_exterieure", "degC", digits=1),
        "grid_voltage": Written("EOL07/tension_reseau", "kV", _times(0.001), digits=4),
    },
    new={
        "EOL07/humidite_air": lambda m: np.clip(m.slow(71, 10), 5, 100),
        "EOL07/niveau_graisse": lambda m: np.clip(m.slow(58, 3, 0.999), 0, 100),
    },
    alike=(frozenset({"pitch_1", "pitch_2", "pitch_3"}),),
    machine="EOL07",
    seed=44,
)


# 5. An exhaust fan behind a logger: codes that tell nothing, registers in tenths and hundredths;
# half of the codes are described in a row below the header.


def _fan(m: Machine, fault: np.ndarray) -> Columns:
    load, air = m.load(), m.air(22.0)
    damper = np.clip(m.slow(63, 13, 0.96), 8, 100)
    speed = 520 + 640 * load
    flow = 31 * m.size * load * (0.35 + 0.65 * damper / 100)
    suction = -240 - 1150 * (flow / 31) ** 2 * (1.4 - damper / 120)
    rise = 2600 * (speed / 1160) ** 2 - 700 * (flow / 31) ** 2
    gas = m.slow(148, 9) + 12 * load
    power = flow * rise / 850
    motor = m.lagged(air + 22 + 0.42 * power, 0.1)
    bearing = m.lagged(air + 0.09 * (gas - air) + 15 + 15 * load + 8 * fault, 0.15)
    rough = 1.1 + 2.4 * (load - 0.75) ** 2 + 0.9 * fault
    return {
        "inlet_pressure": m.read(suction, 12.0, 8.0),
        "outlet_pressure": m.read(suction + rise, 15.0, 8.0),
        "gas_flow": m.read(flow, 0.3, 0.2),
        "damper_position": m.read(damper, 0.4),
        "speed": m.read(speed, 2.0),
        "motor_current": m.read(31 + 1.35 * power, 1.2, 0.8),
        "motor_temperature": m.read(motor, 0.5, 0.5),
        "bearing_1_temperature": m.read(bearing, 0.4, 0.4),
        "bearing_2_temperature": m.read(bearing, 0.4, 0.4),
        "vibration_fan": m.read(2.6 * rough + 0.012 * (100 - damper), 0.12, 0.1),
        "vibration_motor": m.read(0.7 * rough + 0.5, 0.07, 0.05),
        "gas_temperature": m.read(gas, 0.8, 0.8),
    }


_FAN = Family(
    "fans",
    _fan,
    {
        "inlet_pressure": "Pa",
        "outlet_pressure": "Pa",
        "gas_flow": "m3/s",
        "damper_position": "%",
        "speed": "rpm",
        "motor_current": "A",
        "motor_temperature": "degC",
        "bearing_1_temperature": "degC",
        "bearing_2_temperature": "degC",
        "vibration_fan": "mm/s",
        "vibration_motor": "mm/s",
        "gas_temperature": "degC",
    },
    {
        "inlet_pressure": Written("AI_0047", "Pa", digits=0),
        "outlet_pressure": Written("AI_0041", "Pa", digits=0),
        "gas_flow": Written("AI_0055", "m3/h", _times(3600.0), digits=0),
        "damper_position": Written("AI_0062", "%", stored=10.0, digits=0),
        "speed": Written("AI_0043", "rpm", digits=0),
        "motor_current": Written("AI_0058", "A", stored=10.0, digits=0),
        "motor_temperature": Written("AI_0044", "degC", stored=10.0, digits=0),
        "bearing_1_temperature": Written("AI_0060", "degC", stored=10.0, digits=0),
        "bearing_2_temperature": Written("AI_0049", "degC", stored=10.0, digits=0),
        "vibration_fan": Written("AI_0052", "mm/s", stored=100.0, digits=0),
        "vibration_motor": Written("AI_0040", "mm/s", stored=100.0, digits=0),
        "gas_temperature": Written("AI_0061", "degC", stored=10.0, digits=0),
    },
    alike=(frozenset({"bearing_1_temperature", "bearing_2_temperature"}),),
    machine="fan-7",
    descriptions={
        "time": "Time",
        "run": "Recording",
        "fault": "Label",
        "AI_0047": "Suction side pressure",
        "AI_0041": "Discharge pressure",
        "AI_0055": "Volume flow",
        "AI_0058": "Motor amps",
        "AI_0060": "Bearing temp. west",
        "AI_0049": "Bearing temp. east",
        "AI_0061": "Flue gas temp.",
    },
    seed=55,
)


FAMILIES = {one.name: one for one in (_FEED_PUMP, _COMPRESSOR, _CHILLER, _TURBINE, _FAN)}

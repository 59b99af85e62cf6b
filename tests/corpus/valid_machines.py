"""Valid files of machines with their own tags, units and scales.

The contract alone makes them the clean table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from cases import Valid, valid
from grid import GERMAN, PIPE, TAB, UTF16, Grid, Spelling, written
from packed import gzipped, parquet
from plants import CHILLERS, COMPRESSORS, CONVEYORS, FANS, PUMPS, Changes, Plant, scaled

_PSI = 1e5 / 6894.757293168361
_INCH = 0.0254
_GALLON = 231 * _INCH**3
_POUND_FORCE_FOOT = 0.45359237 * 9.80665 * 0.3048


@dataclass(frozen=True)
class _Own:
    """What one machine does its own way: from the clean value to the one in its files."""

    tags: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, tuple[str, float, float]] = field(default_factory=dict)
    scales: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def contract(self, machine: str) -> Changes:
        """The machine's entry in the contract."""
        own = {
            "aliases": {tag: name for name, tag in self.tags.items()},
            "units": {name: unit for name, (unit, _, _) in self.units.items()},
            "scale": {
                name: {"factor": factor, "offset": offset}
                for name, (factor, offset) in self.scales.items()
            },
        }
        return {"equipment": {machine: {part: value for part, value in own.items() if value}}}

    def file(self, grid: Grid, lines: range | None = None) -> Grid:
        """The clean table as the machine's logger would store it."""
        for name, (_, factor, offset) in self.units.items():
            grid = grid.change(name, scaled(factor, offset), lines)
        for name, (factor, offset) in self.scales.items():
            grid = grid.change(
                name, lambda cell, f=factor, o=offset: repr((float(cell) - o) / f), lines
            )
        return grid.rename(self.tags)


def cases() -> Iterator[Valid]:
    """All of them."""
    yield from _tags()
    yield from _units_of_pumps()
    yield from _units_of_others()
    yield from _scales()
    yield from _all_at_once()
    yield from _mixed_files()
    yield from _numbers_of_units()


def _case(
    name: str,
    story: str,
    plant: Plant,
    own: _Own,
    machine: str,
    spelling: Spelling,
    grid: Grid | None = None,
) -> Valid:
    clean = grid or plant.grid
    return valid(
        name,
        story,
        plant,
        own.file(clean),
        truth=clean,
        spelling=spelling,
        contract=own.contract(machine),
    )


_PUMP = PUMPS.grid.take(range(32, 62))


def _tags() -> Iterator[Valid]:
    for name, plant, machine, tags, spelling in (
        ("one", PUMPS, "pump-2", {"discharge_pressure": "PT-101"}, Spelling()),
        (
            "all",
            PUMPS,
            "pump-2",
            dict(zip(PUMPS.sensors, ("ST1", "FT1", "PT1", "IT1", "TT1"), strict=True)),
            TAB,
        ),
        (
            "keys",
            PUMPS,
            "pump-2",
            {"timestamp": "Time Stamp", "run": "Batch No.", "fault": "ALM"},
            PIPE,
        ),
        (
            "umlauts",
            PUMPS,
            "pump-2",
            {"discharge_pressure": "Förderdruck", "speed_rpm": "Drehzahl"},
            Spelling(";", ",", encoding="cp1252"),
        ),
        ("with-comma", PUMPS, "pump-2", {"flow_m3h": "Flow, total"}, Spelling()),
        ("german", COMPRESSORS, "K-07", {"Öldruck": "P_OEL", "Zeit": "TIME"}, GERMAN),
        ("crossed", COMPRESSORS, "K-07", {"Drehzahl": "N1", "Störung": "STOE"}, UTF16),
        ("family", FANS, "fans", {"vibration_x": "VX [mm/s]", "state": "Zustand"}, Spelling()),
        (
            "laboratory",
            CONVEYORS,
            "conveyors",
            {"belt_speed": "v", "torque": "M", "load": "m"},
            GERMAN,
        ),
        ("dots", FANS, "fans", {"current": "PLC1.DB4.REAL12", "elapsed": "t/s"}, PIPE),
    ):
        grid = _PUMP if plant is PUMPS else plant.grid
        yield _case(
            f"tags-{name}",
            "the machine has its own tags",
            plant,
            _Own(tags),
            machine,
            spelling,
            grid,
        )


def _units_of_pumps() -> Iterator[Valid]:
    for name, sensor, unit, spelling in (
        ("psi", "discharge_pressure", ("psi", _PSI, 0.0), Spelling()),
        ("kilopascal", "discharge_pressure", ("kPa", 100.0, 0.0), GERMAN),
        ("megapascal", "discharge_pressure", ("MPa", 0.1, 0.0), TAB),
        ("millibar", "discharge_pressure", ("mbar", 1000.0, 0.0), PIPE),
        ("fahrenheit", "bearing_temperature", ("degF", 1.8, 32.0), Spelling()),
        ("fahrenheit-sign", "bearing_temperature", ("°F", 1.8, 32.0), UTF16),
        ("kelvin", "bearing_temperature", ("K", 1.0, 273.15), TAB),
        ("celsius-sign", "bearing_temperature", ("°C", 1.0, 0.0), GERMAN),
        ("hertz", "speed_rpm", ("Hz", 1 / 60, 0.0), Spelling(";")),
        ("liters-per-second", "flow_m3h", ("l/s", 1 / 3.6, 0.0), Spelling()),
        ("cubic-meters-per-second", "flow_m3h", ("m3/s", 1 / 3600, 0.0), PIPE),
        ("gallons-per-minute", "flow_m3h", ("gpm", 1 / (60 * _GALLON), 0.0), TAB),
        ("milliampere", "motor_current", ("mA", 1000.0, 0.0), UTF16),
    ):
        own = _Own(units={sensor: unit})
        yield _case(
            f"units-{name}", "the machine has its own units", PUMPS, own, "pump-2", spelling, _PUMP
        )


def _units_of_others() -> Iterator[Valid]:
    for name, plant, machine, sensor, unit, spelling in (
        ("share", COMPRESSORS, "K-07", "Füllstand", ("dimensionless", 0.01, 0.0), GERMAN),
        ("inches", FANS, "fans", "vibration_x", ("inch/s", 1 / 25.4, 0.0), Spelling()),
        ("kilogram", CONVEYORS, "conveyors", "load", ("kg", 1000.0, 0.0), TAB),
        (
            "foot-pounds",
            CONVEYORS,
            "conveyors",
            "torque",
            ("ft*lbf", 1 / _POUND_FORCE_FOOT, 0.0),
            PIPE,
        ),
        (
            "feet-per-minute",
            CONVEYORS,
            "conveyors",
            "belt_speed",
            ("ft/min", 60 / 0.3048, 0.0),
            Spelling(),
        ),
        (
            "german-psi",
            COMPRESSORS,
            "K-07",
            "Öldruck",
            ("psi", _PSI, 0.0),
            Spelling(";", ",", encoding="cp1252"),
        ),
    ):
        yield _case(
            f"units-{name}",
            "the machine has its own units",
            plant,
            _Own(units={sensor: unit}),
            machine,
            spelling,
        )


def _scales() -> Iterator[Valid]:
    for name, plant, machine, scales, spelling in (
        ("tenths", PUMPS, "pump-2", {"speed_rpm": (0.1, 0.0)}, Spelling()),
        ("counts", PUMPS, "pump-2", {"discharge_pressure": (40 / 27648, 0.0)}, TAB),
        ("current-loop", COMPRESSORS, "K-07", {"Füllstand": (6.25, -25.0)}, GERMAN),
        ("turned-sign", PUMPS, "pump-2", {"flow_m3h": (-1.0, 0.0)}, PIPE),
        ("offset", CONVEYORS, "conveyors", {"load": (1.0, -3.5)}, Spelling()),
        ("transformer", FANS, "fans", {"current": (20.0, 0.0)}, UTF16),
    ):
        grid = _PUMP if plant is PUMPS else plant.grid
        yield _case(
            f"scale-{name}",
            "the logger stores another number",
            plant,
            _Own(scales=scales),
            machine,
            spelling,
            grid,
        )
    # The scale works in the machine's own unit, the unit comes after it.
    own = _Own(
        units={"discharge_pressure": ("psi", _PSI, 0.0)},
        scales={"discharge_pressure": (0.25, -14.7)},
    )
    yield _case(
        "scale-then-unit",
        "raw counts of a psi transmitter",
        PUMPS,
        own,
        "pump-2",
        Spelling(),
        _PUMP,
    )


_FOREIGN = _Own(
    tags={
        "discharge_pressure": "PT-101", "bearing_temperature": "TT-7", "flow_m3h": "FT-3", "timestamp": "TIME",
        "fault": "TRIP",
    },
    units={"discharge_pressure": ("psi", _PSI, 0.0), "bearing_temperature": ("degF", 1.8, 32.0)},
    scales={"flow_m3h": (0.01, 0.0)},
)  # fmt: skip


def _all_at_once() -> Iterator[Valid]:
    contract = _FOREIGN.contract("pump-2")
    foreign = _FOREIGN.file(_PUMP)
    turned = foreign.select(list(reversed(foreign.header)))
    for name, spelling in (
        ("comma", Spelling()),
        ("german", GERMAN),
        ("utf16", UTF16),
        ("quoted", Spelling("|", ",", quotes="all")),
    ):
        yield valid(
            f"foreign-{name}",
            "other tags, psi, degrees Fahrenheit, counts, shuffled columns",
            PUMPS,
            turned,
            truth=_PUMP,
            spelling=spelling,
            contract=contract,
        )
    yield valid(
        "foreign-packed",
        "the same, packed",
        PUMPS,
        gzipped(written(turned)),
        truth=_PUMP,
        ending=".csv.gz",
        contract=contract,
    )
    yield valid(
        "foreign-parquet",
        "the same as Parquet",
        PUMPS,
        parquet(turned),
        truth=_PUMP,
        ending=".parquet",
        contract=contract,
    )
    clean = PUMPS.grid.take(range(2, 32))
    yield valid(
        "foreign-beside-clean",
        "the known pump and the new one",
        PUMPS,
        turned,
        beside=(clean,),
        contract=contract,
    )
    yield valid(
        "foreign-not-concerned",
        "the file of a machine without an entry",
        PUMPS,
        clean,
        truth=clean,
        contract=contract,
        spelling=TAB,
    )


def _mixed_files() -> Iterator[Valid]:
    """Several machines in one file.

    The units and scales of one leave the rows of others as they are.
    """
    psi = _Own(units={"discharge_pressure": ("psi", _PSI, 0.0)})
    yield valid(
        "mixed-psi",
        "pump-2 logs psi into the same column",
        PUMPS,
        psi.file(PUMPS.grid, range(32, 62)),
        contract=psi.contract("pump-2"),
    )
    for number, name, own in (
        (1, "fahrenheit", _Own(units={"supply_temperature": ("degF", 1.8, 32.0)})),
        (2, "watt", _Own(units={"power": ("W", 1000.0, 0.0)})),
        (3, "counts", _Own(scales={"refrigerant_pressure": (0.5, -100.0)})),
    ):
        grid = own.file(CHILLERS.grid, range(1 + number, 47, 3))
        yield valid(
            f"mixed-{name}",
            f"CH-{number} differs between rows of others",
            CHILLERS,
            grid,
            spelling=PIPE,
            contract=own.contract(f"CH-{number}"),
        )


def _numbers_of_units() -> Iterator[Valid]:
    """Limits hold in the contract's unit: 90 psi is above 40 bar by number only."""
    own = _Own(units={"discharge_pressure": ("kPa", 100.0, 0.0)})
    limits = {
        **own.contract("pump-2"),
        "sensors": {"discharge_pressure": {"max_rate": 0.05, "max": 8}},
    }
    yield valid(
        "units-before-limits",
        "range and rate are meant in bar",
        PUMPS,
        own.file(_PUMP),
        truth=_PUMP,
        contract=limits,
    )
    temperature = _Own(units={"Gastemperatur": ("degF", 1.8, 32.0)})
    hot = {**temperature.contract("K-07"), "sensors": {"Gastemperatur": {"max": 120}}}
    yield valid(
        "units-before-range",
        "250 degrees Fahrenheit are below 120 Celsius",
        COMPRESSORS,
        temperature.file(COMPRESSORS.grid),
        contract=hot,
        spelling=GERMAN,
    )

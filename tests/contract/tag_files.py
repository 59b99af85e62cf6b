"""Files of one tag each, in the shapes that historians write."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from faultxfer.contract.schema import Contract, parse_contract

MOMENTS = 60
FIRST = datetime(2026, 3, 17, 6, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Export:
    """What the exports of two plants differ in.

    Attributes:
        path: of a file; ``{m}`` is the machine and ``{t}`` the tag.
        header: column names, with the same in braces.
        cells: the cells of a row below them: ``{time}``, ``{value}``, ``{m}``, ``{t}``.
        shape: what the contract says.
        machines: their names.
        tags: by name, the middle of the readings.
        separator, decimal, time: how they are written.
        label: the tag of the label.
    """

    path: str
    header: tuple[str, ...]
    cells: tuple[str, ...]
    shape: dict[str, str]
    machines: tuple[str, ...] = ("P101", "P102")
    tags: dict[str, float] = field(default_factory=lambda: {"flow": 150.0, "pressure": 6.0})
    separator: str = ","
    decimal: str = "."
    time: str = "%Y-%m-%d %H:%M:%S"
    label: str = "fault"

    def write(self, folder: Path, *, offset: int = 0, label: bool = True) -> Path:
        """All files; each tag is read ``offset`` seconds later than the one before."""
        for place, machine in enumerate(self.machines):
            for number, (tag, middle) in enumerate(self.tags.items()):
                draw = np.random.default_rng([place, number])
                values = middle + middle / 40 * draw.normal(size=MOMENTS)
                cells = [f"{value:.4f}".replace(".", self.decimal) for value in values]
                self.one(folder, machine, tag, cells, offset * (number + 1))
            if label:
                self.one(folder, machine, self.label, self.labels())
        return folder

    def labels(self) -> list[str]:
        return [str(int(moment % 20 > 12)) for moment in range(MOMENTS)]

    def one(self, folder: Path, machine: str, tag: str, values: list[str], offset: int = 0) -> Path:
        """One file; a reading a minute."""
        told = {"m": machine, "t": tag}
        lines = [self.separator.join(self.header).format(**told)]
        for moment, value in enumerate(values):
            time = FIRST + timedelta(seconds=60 * moment + offset)
            row = [cell.format(**told, time=time.strftime(self.time), value=value)
                   for cell in self.cells]  # fmt: skip
            lines.append(self.separator.join(row))
        path = folder / self.path.format(**told)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path

    def contract(self, **more: Any) -> Contract:
        fields: dict[str, Any] = {
            "family": "pumps",
            "label": {"column": self.label},
            "time_column": self.shape["time"],
            "equipment_column": "machine",
            "sensors": {name: {"max_missing": 1.0} for name in self.tags},
            "tag_files": self.shape,
        }
        return parse_contract({**fields, **more}, where="test")


BY_FILE = Export(
    "{m}_{t}.csv",
    ("Timestamp", "Value", "Quality"),
    ("{time}", "{value}", "Good"),
    {"time": "Timestamp", "value": "Value", "quality": "Quality", "file": "{machine}_{tag}"},
)
BY_FOLDER = Export(
    "{m}/{t}.csv",
    ("Zeit", "Messwert"),
    ("{time}", "{value}"),
    {"time": "Zeit", "value": "Messwert", "file": "{machine}/{tag}"},
    machines=("Nord", "Süd", "West"),
    tags={"Druck": 6100.0, "Drehzahl": 1480.0, "Öl Temp": 61.0},
    separator=";",
    decimal=",",
    time="%d.%m.%Y %H:%M:%S",
    label="Störung",
)
BY_HEADER = Export(
    "exp-{m}-{t}.csv",
    ("{m}.{t}", "ts"),
    ("{value}", "{time}"),
    {"time": "ts", "name": "{machine}.{tag}"},
    machines=("7", "12"),
    tags={"n": 0.02, "T": 341.0},
    separator="\t",
    time="%Y-%m-%dT%H:%M:%SZ",
)
BY_COLUMN = Export(
    "{t} of {m}.csv",
    ("TagName", "When", "machine", "Reading", "Unit"),
    ("{t}", "{time}", "{m}", "{value}", "x"),
    {"time": "When", "value": "Reading", "tag": "TagName"},
    machines=("fan_1", "fan_2"),
    separator="|",
    time="%m/%d/%Y %I:%M:%S %p",
    label="alarm",
)
EXPORTS = {"file": BY_FILE, "folder": BY_FOLDER, "header": BY_HEADER, "column": BY_COLUMN}

Change = Callable[[list[str]], list[str]]


def files_in(folder: Path) -> list[str]:
    """All files of the folder and of those in it."""
    return sorted(str(path) for path in folder.rglob("*.csv"))


def changed(path: Path, line: int, cell: str, old: str) -> None:
    """Put a cell on a line of a file in place of another."""
    lines = path.read_text(encoding="utf-8").split("\n")
    assert old in lines[line - 1]
    lines[line - 1] = lines[line - 1].replace(old, cell)
    path.write_text("\n".join(lines), encoding="utf-8")

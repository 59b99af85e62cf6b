"""Files to try commands on, where a plant's own are not at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultxfer.following import Next, typed


@dataclass(frozen=True)
class Simulated:
    """What was written.

    Attributes:
        folder: where.
        history: labelled files of the machines with history.
        target: labelled file of the new machine.
        unlabelled: its next week, without labels.
        equipment: name of the new machine.
    """

    folder: Path
    history: tuple[Path, ...]
    target: Path
    unlabelled: Path
    equipment: str

    @property
    def next(self) -> tuple[Next, ...]:
        """The first command of the main path."""
        files = (str(path) for path in self.history)
        command = typed("contract", "infer", *files, "--out", "pumps.yaml", "--label", "fault")
        return (Next("Draft a contract, then read what it says of each column", command),)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "folder": str(self.folder),
            "history": [str(path) for path in self.history],
            "target": str(self.target),
            "unlabelled": str(self.unlabelled),
            "equipment": self.equipment,
            "next": [one.as_dict() for one in self.next],
        }


def simulate_plant(folder: Path, equipment: str) -> Simulated:
    """Write the files of a simulated pump fleet, as a plant might export them.

    Args:
        folder: where; made if it is missing.
        equipment: name of the new machine; another name is another machine.

    Raises:
        ConfigError: the folder cannot be written, or a machine with history has that name.
    """
    from faultxfer.outputs import writing
    from faultxfer.simulation.simulator import write_pump_fleet

    with writing("folder", folder):
        fleet = write_pump_fleet(folder, target_equipment=equipment)
    return Simulated(
        folder, fleet.source_csvs, fleet.target_csv, fleet.new_rows_csv, fleet.target_equipment
    )

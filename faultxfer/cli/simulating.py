"""Files to try commands on, where a plant's own are not at hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultxfer.following import Next, typed

# Of the model in the command to type, as everywhere in the docs.
MODEL_FAMILY = "pumps"


@dataclass(frozen=True)
class Simulated:
    """What was written.

    Attributes:
        folder: where.
        history: labelled files of the machines with history.
        target: labelled file of the new machine.
        unlabelled: its next week, without labels.
        equipment: name of the new machine.
        contract: where it says which machine lacks which sensor; None where all have all.
    """

    folder: Path
    history: tuple[Path, ...]
    target: Path
    unlabelled: Path
    equipment: str
    contract: Path | None = None

    @property
    def next(self) -> tuple[Next, ...]:
        """The first command of the main path."""
        files = tuple(str(path) for path in self.history)
        if self.contract is not None:
            model = ("--contract", str(self.contract), "--model", MODEL_FAMILY)
            train = typed("pretrain", *files, *model)
            return (Next("Train a source model on machines that differ", train),)
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
            "contract": str(self.contract) if self.contract else None,
            "next": [one.as_dict() for one in self.next],
        }


def simulate_plant(folder: Path, equipment: str, *, sensors_differ: bool = False) -> Simulated:
    """Write the files of a simulated pump fleet, as a plant might export them.

    Args:
        folder: where; made if it is missing.
        equipment: name of the new machine; another name is another machine.
        sensors_differ: whether each machine lacks another sensor, and the first has two more.

    Raises:
        ConfigError: the folder cannot be written, or a machine with history has that name.
    """
    from faultxfer.outputs import writing
    from faultxfer.simulation.pump_fleet import differing_sensors
    from faultxfer.simulation.simulator import SOURCE_PUMPS, write_pump_fleet

    machines = (*SOURCE_PUMPS, equipment)
    lacking = differing_sensors(machines, with_more=machines[0]) if sensors_differ else None
    with writing("folder", folder):
        fleet = write_pump_fleet(folder, target_equipment=equipment, lacking=lacking)
    return Simulated(
        folder,
        fleet.source_csvs,
        fleet.target_csv,
        fleet.new_rows_csv,
        fleet.target_equipment,
        fleet.contract if sensors_differ else None,
    )

"""Which machines of a source fleet lack which sensors, and how much of each was filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from faultxfer.contract.lacking import lacking_rows
from faultxfer.contract.schema import Contract
from faultxfer.data.dataset import Dataset
from faultxfer.wording import listed, percent

# How many sensors and machines a sentence names.
_SHOWN = 5


@dataclass(frozen=True)
class FleetSensors:
    """Where the machines of a source fleet differ; empty where all have all sensors.

    Attributes:
        lacking: by machine, the sensors that it lacks.
        filled: by sensor that some machine lacks, the share of all rows in which it was filled in
            for that.
        unmeasured: sensors of the contract that no machine has.
    """

    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    filled: Mapping[str, float] = field(default_factory=dict)
    unmeasured: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.lacking or self.unmeasured)

    @property
    def sentences(self) -> tuple[str, ...]:
        """For people; none where all machines have all sensors."""
        said = []
        if self.filled:
            shares = [f"{name} ({percent(share)})" for name, share in self.filled.items()]
            said.append(
                "Not every machine has every sensor. Share of rows in which a sensor was filled in "
                f"by draws from what the others let expect: {listed(shares, most=_SHOWN)}."
            )
        if self.unmeasured:
            names = listed(list(self.unmeasured), most=_SHOWN)
            said.append(f"No machine has {names}: the model does not know the sensor.")
        return tuple(said)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "lacking": {machine: list(names) for machine, names in self.lacking.items()},
            "filled": dict(self.filled),
            "unmeasured": list(self.unmeasured),
        }


def fleet_sensors(
    data: Dataset, contract: Contract, unmeasured: tuple[str, ...] = ()
) -> FleetSensors:
    """What the machines of these rows lack.

    Args:
        data: all rows.
        contract: says which machine lacks which sensor.
        unmeasured: sensors that were taken out of it, as no machine has them.
    """
    rows = lacking_rows(data.equipment, contract)
    machines = sorted(set(map(str, np.unique(data.equipment.astype(str)))))
    lacking = {name: contract.lacking(name) for name in machines if contract.lacking(name)}
    filled = {name: float(rows[name].mean()) for name in contract.features if name in rows}
    return FleetSensors(lacking, filled, unmeasured)

"""What a contract says of a machine's columns, compared with what would be proposed."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from faultxfer.contract.machines import to_contract
from faultxfer.contract.schema import Contract, Equipment
from faultxfer.mapping.matching import Known
from faultxfer.mapping.proposing import Proposal, Proposals, written_as
from faultxfer.mapping.quantities import zero
from faultxfer.mapping.ranges import distance
from faultxfer.mapping.statistics import SensorStatistics

Kind = Literal["absent", "other", "scale", "implausible", "left out", "settle"]
_STANDS = "Unit or scale unsure: the contract says another one already"
# A way to write that fits by so much better is asked about, as a log-likelihood.
_BETTER = 1.0


@dataclass(frozen=True)
class Question:
    """One point in which contract and file do not seem to agree.

    Attributes:
        kind: ``absent``: the contract's tag is not in the file. ``other``: another column fits
            better. ``scale``: another unit or scale does. ``implausible``: no column fits.
            ``left out``: the contract has no column of the sensor, and the file seems to.
            ``settle``: nothing shows which of several columns it is.
        sensor: of the contract.
        present: the column that the contract means; None where it means none.
        proposed: the column that is proposed; None for none.
        text: the same in a sentence.
    """

    kind: Kind
    sensor: str
    present: str | None
    proposed: str | None
    text: str

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        return {
            "kind": self.kind,
            "sensor": self.sensor,
            "present": self.present,
            "proposed": self.proposed,
            "text": self.text,
        }


@dataclass(frozen=True)
class Present:
    """What a contract says of a machine's columns.

    Attributes:
        tags: by sensor, the column that it means; sensors without one are left out.
        absent: by sensor, a tag of the machine's entry that the file does not have.
        listed: whether the contract has an entry of the machine.
        lacks: sensors that it says the machine does not have.
    """

    tags: Mapping[str, str]
    absent: Mapping[str, str]
    listed: bool
    lacks: frozenset[str]


def present_mapping(contract: Contract, machine: str, names: tuple[str, ...]) -> Present:
    """The columns of a file that the contract's sensors are on this machine."""
    own = contract.equipment.get(machine, Equipment())
    aliases = {name: tag for tag, name in own.aliases.items() if name in contract.sensors}
    tags, absent = {}, {}
    for sensor in contract.sensors:
        alias = aliases.get(sensor)
        if alias is not None and alias not in names:
            absent[sensor] = alias
        elif alias is not None:
            tags[sensor] = alias
        elif sensor in names and sensor not in own.lacks:
            tags[sensor] = sensor
    return Present(tags, absent, machine in contract.equipment, frozenset(own.lacks))


def questions_of(
    contract: Contract,
    machine: str,
    present: Present,
    proposals: Proposals,
    source_rows: SensorStatistics | None,
    target: tuple[Known, SensorStatistics],
) -> list[Question]:
    """Everything in which what the contract says does not seem to be what the file shows."""
    found = []
    for proposal in proposals.sensors:
        question = _of_sensor(proposal, present)
        if question is None and proposal.sensor in present.tags and source_rows is not None:
            question = _of_scale(contract, machine, proposal, source_rows, target)
        if question is not None:
            found.append(question)
    return found


def doubting_what_stands(contract: Contract, machine: str, proposals: Proposals) -> Proposals:
    """A unit or scale that somebody wrote down already is not replaced by a line that seems sure.

    Readings of a machine of another size may fit better in a wrong unit.
    """
    own = contract.equipment.get(machine, Equipment())
    written = {*own.units, *own.scale}
    seen = []
    for one in proposals.sensors:
        doubted = _contradicts(one, own, written, contract)
        seen.append(dataclasses.replace(one, doubt=_STANDS) if doubted else one)
    return dataclasses.replace(proposals, sensors=tuple(seen))


def _contradicts(one: Proposal, own: Equipment, written: set[str], contract: Contract) -> bool:
    if one.sensor not in written or not one.sure:
        return False
    says = to_contract(own, one.sensor, contract)
    return not np.allclose(says, one.to_contract, rtol=0.02, atol=1e-9)


def _of_sensor(proposal: Proposal, present: Present) -> Question | None:
    """Whether it is the column that the contract means."""
    sensor, tag = proposal.sensor, proposal.tag
    if sensor in present.absent:
        named = present.absent[sensor]
        text = f"The contract names {named!r} for {sensor!r}, which the file does not have"
        return Question("absent", sensor, named, tag, text + _instead(tag))
    means = present.tags.get(sensor)
    if means is None:
        return _of_unmapped(proposal, present)
    if means == tag and proposal.alike is None:
        return None
    if proposal.alike is not None and means in (*proposal.alike.tags, tag):
        others = ", ".join(repr(one) for one in proposal.alike.tags if one != means)
        text = f"Nothing shows whether {sensor!r} is {means!r}, as the contract says, or {others}"
        return Question("settle", sensor, means, tag, text)
    if tag is None:
        text = f"{means!r} does not look like {sensor!r}, and no other column does"
        return Question("implausible", sensor, means, None, text)
    text = f"The contract takes {means!r} for {sensor!r}, and {tag!r} looks more like it"
    return Question("other", sensor, means, tag, text)


def _of_unmapped(proposal: Proposal, present: Present) -> Question | None:
    """A sensor of which a machine that is listed has no column."""
    if not present.listed or proposal.tag is None:
        return None
    sensor = proposal.sensor
    says = "says that the machine lacks" if sensor in present.lacks else "has no column for"
    text = f"The contract {says} {sensor!r}, and {proposal.tag!r} looks like it"
    return Question("left out", sensor, None, proposal.tag, text)


def _instead(tag: str | None) -> str:
    return f"; {tag!r} looks like it" if tag else ""


def _of_scale(
    contract: Contract,
    machine: str,
    proposal: Proposal,
    source_rows: SensorStatistics,
    target: tuple[Known, SensorStatistics],
) -> Question | None:
    """Whether readings fit much better in another unit or scale than in the contract's."""
    known, rows = target
    own = contract.equipment.get(machine, Equipment())
    sensor, tag = proposal.sensor, str(proposal.tag)
    unit = contract.sensors[sensor].unit
    says = to_contract(own, sensor, contract)
    proposed = proposal.to_contract
    if np.allclose(says, proposed, rtol=0.02, atol=1e-9):
        return None
    quantiles = source_rows.quantiles[source_rows.names.index(sensor)]
    numbers = rows.quantiles[known.names.index(tag)]
    both = np.array([numbers * factor + offset for factor, offset in (says, proposed)])
    cost = distance(quantiles, both, zero(unit))
    if cost[0] - cost[1] - proposal.writing.cost < _BETTER:
        return None
    as_proposed = written_as(proposal.writing)
    text = (
        f"Readings of {tag!r} do not fit {sensor!r} as the contract takes them, but {as_proposed}"
    )
    return Question("scale", sensor, tag, tag, text)

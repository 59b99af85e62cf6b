"""Which cells stand for a sensor that a machine does not have: nothing is missing there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import yaml

from faultxfer.contract.machines import machines_of
from faultxfer.contract.schema import Contract
from faultxfer.reading.table import RawTable


def lacked_by_all(
    tables: Iterable[RawTable], contract: Contract, equipment: str | None = None
) -> frozenset[str]:
    """Sensors that no machine of some files has, by the contract.

    Args:
        tables: the files as read.
        contract: says which machine lacks which.
        equipment: the machine whose rows are wanted; all where it is None.
    """
    if not any(own.lacks for own in contract.equipment.values()):
        return frozenset()
    lacked: list[set[str]] = []
    for table in tables:
        named = table.with_tags(_tags_of_the_column(table, contract))
        lacked += [set(contract.lacking(name)) for name in machines_of(named, contract, equipment)]
    return frozenset(set.intersection(*lacked)) if lacked else frozenset()


def _tags_of_the_column(table: RawTable, contract: Contract) -> dict[str, str]:
    """The file's tag for the column of machines, where it has one."""
    column = contract.equipment_column
    if column is None or column in table.names:
        return dict(table.tags)
    for own in contract.equipment.values():
        for tag, name in own.aliases.items():
            if name == column and tag in table.names:
                return {**table.tags, column: tag}
    return dict(table.tags)


def lacking_rows(
    machines: Sequence[str] | np.ndarray, contract: Contract
) -> Mapping[str, np.ndarray]:
    """By sensor that some machine lacks, (n,) bool: rows of such machines.

    Args:
        machines: (n,) the machine of each row.
        contract: says which machine lacks which.
    """
    names = np.asarray(machines, dtype=object)
    found: dict[str, np.ndarray] = {}
    for machine in contract.equipment:
        lacked = contract.lacking(machine)
        mine = names == machine if lacked else None
        if mine is None or not mine.any():
            continue
        for sensor in lacked:
            found[sensor] = found.get(sensor, np.zeros(len(names), dtype=bool)) | mine
    return found


def lacking_cells(machines: np.ndarray, contract: Contract) -> np.ndarray | None:
    """(n, d) bool: cells of sensors that the row's machine lacks; None where there are none.

    Args:
        machines: (n,) the machine of each row.
        contract: says which machine lacks which; its d sensors are the columns.
    """
    rows = lacking_rows(machines, contract)
    if not rows:
        return None
    none = np.zeros(len(machines), dtype=bool)
    return np.column_stack([rows.get(name, none) for name in contract.features])


def without_at_scoring(absent: tuple[str, ...]) -> str:
    """What to do where a version cannot do without these sensors; empty where none is meant."""
    if not absent:
        return ""
    return (
        f". The version that scores does not go on without {', '.join(absent)}: where no such "
        "reading comes any more, transfer again with `--without`"
    )


def in_yaml(names: tuple[str, ...]) -> str:
    """Names as a list in a contract; those that YAML would read as something else are quoted.

    >>> in_yaml(("flow", "leak, DE: seal"))
    "[flow, 'leak, DE: seal']"
    """
    text = yaml.safe_dump([*names], default_flow_style=True, allow_unicode=True, width=float("inf"))
    return str(text).strip()

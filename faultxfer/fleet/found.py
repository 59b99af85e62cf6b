"""The machines whose rows lie in files that a pattern names, as the watch folder finds them."""

from __future__ import annotations

from pathlib import Path

from faultxfer.contract.schema import load_contract
from faultxfer.errors import ConfigError, FaultxferError
from faultxfer.fleet.manifest import Listed
from faultxfer.landing.contents import parts_of, require_watchable
from faultxfer.reading.read_csv import find_files


def found_machines(names: tuple[str, ...], contract: Path | None) -> list[Listed]:
    """Each machine with its files, by name; a file that shows none is a machine with a problem.

    The contract's column of machines names them, else the folder in which a file lies.

    Raises:
        ConfigError: no contract is named, or it is for files of one tag each.
        DataError: there are no such files.
    """
    if contract is None:
        raise ConfigError(
            "A pattern of files needs a contract, by which the machines are found",
            received={"manifest": list(names), "contract": None},
            remedy="Name it with --contract; where this was meant to be a manifest, it is one CSV "
            "or YAML file",
        )
    agreed = load_contract(contract)
    require_watchable(agreed)
    machines: dict[str, list[str]] = {}
    unknown: list[Listed] = []
    for path in find_files(list(names)):
        try:
            parts = parts_of(path, _folder_of(path), agreed)
        except FaultxferError as error:
            unknown.append(Listed(path.name, 0, (str(path),), problem=error))
            continue
        for part in parts:
            machines.setdefault(part.machine, []).append(str(path))
    known = [Listed(name, 0, tuple(files)) for name, files in sorted(machines.items())]
    return [*known, *unknown]


def _folder_of(path: Path) -> str | None:
    return path.parent.name or None

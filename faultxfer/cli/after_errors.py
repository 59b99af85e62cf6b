"""What to type after an error, by what went wrong and in which command."""

from __future__ import annotations

import glob
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from faultxfer.errors import (
    BundleError,
    ConfigError,
    ContractError,
    DataError,
    DiskFullError,
    FaultxferError,
    FilesAbsentError,
    RegistryError,
    StrategyError,
    UnreadableError,
)
from faultxfer.following import Next, going_on_without, options, typed, typed_files

_WHOLE = re.compile(
    "`(faultxfer (?:demo|registry (?:doctor|verify|relocate|list)(?: --dry-run)?))`"
)
_STRATEGY = re.compile(r"`--strategy (\w+)`")
_SEE_REGISTRY = Next("See what is registered", typed("registry", "list"))
_CHECK_REGISTRY = Next(
    "See what is wrong with the registry", typed("registry", "doctor", "--dry-run")
)


def next_after(
    error: BaseException,
    command: tuple[str, ...],
    given: Mapping[str, Any],
    as_typed: tuple[str, ...] = (),
) -> Next | None:
    """The command that shows more of what went wrong.

    None where it showed the same error again, or where nothing more is to be seen.

    Args:
        error: what ended it.
        command: its words, without that of the program.
        given: its parameters.
        as_typed: the command with its arguments and options, as somebody typed it.
    """
    if named := _named_by(error):
        return Next("As the sentence says", named)
    absent = getattr(error, "absent", ())
    if way_on := getattr(error, "way_on", ""):
        return Next(
            f"Make a version that does without {', '.join(absent)}, then score again", way_on
        )
    if absent and as_typed and "without" in given:
        return going_on_without(as_typed, absent)
    if isinstance(error, StrategyError) and (other := _other_strategy(error, as_typed)):
        return other
    if above := getattr(error, "received", {}).get("registry above"):
        folder = str(Path(str(above)).parent)
        return Next("Go to where the registry is, and type it again", shlex.join(["cd", folder]))
    if isinstance(error, (UnreadableError, FilesAbsentError, BundleError)):
        return None if "doctor" in command else _CHECK_REGISTRY
    if isinstance(error, RegistryError):
        return None if command[-1:] == ("list",) else _SEE_REGISTRY
    if isinstance(error, DiskFullError):
        return Next("See where room is left", "df -h")
    if isinstance(error, ContractError) and error.where == str(given.get("contract")):
        return Next("See what a contract may say", typed("contract", "schema"))
    if isinstance(error, (DataError, ContractError, StrategyError)):
        return _look_at_files(command, given) or _help(command)
    if isinstance(error, ConfigError):
        return _help(command)
    if not isinstance(error, FaultxferError) and command and "registry" not in command:
        return _CHECK_REGISTRY
    return None


def _named_by(error: BaseException) -> str:
    """The command that the error itself names, where it needs no arguments; else empty."""
    found = _WHOLE.search(getattr(error, "remedy", None) or "")
    return found.group(1) if found else ""


def _other_strategy(error: StrategyError, as_typed: tuple[str, ...]) -> Next | None:
    """The same command with the strategy that the error proposes, where none was asked for."""
    found = _STRATEGY.search(error.remedy or "")
    if not found or not as_typed or "--strategy" in as_typed:
        return None
    why = f"Go on with the strategy {found.group(1)}, which does not need it"
    return Next(why, typed(*as_typed, "--strategy", found.group(1)))


def _look_at_files(command: tuple[str, ...], given: Mapping[str, Any]) -> Next | None:
    """The check of the files against the contract, where both were given."""
    files, contract = given.get("files"), given.get("contract")
    if command == ("validate",) or not files or contract is None:
        return None
    for named in (*files, str(contract)):
        if not glob.glob(str(named)):  # noqa: PTH207  # a pattern may be absolute
            folder = str(Path(named).parent)
            return Next("See which files are there", shlex.join(["ls", folder]))
    machine = ["--equipment", given["equipment"]] if given.get("equipment") else []
    machine += options("--without", given.get("without") or ())
    check = typed("validate", *typed_files(files), "--contract", str(contract), *machine)
    return Next("See how the files are read and what is wrong with them", check)


def _help(command: tuple[str, ...]) -> Next | None:
    if not command:
        return None
    return Next("See what can be asked for", typed(*command, "--help"))

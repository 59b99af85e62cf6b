"""What a form may leave out or say in another way, and the request that comes of it.

A deployment's form shows few fields. The rest are in one folded group, ``more``; rules of the gate
and options may be files; and machine, files and place of the scores may be left to what is known.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from faultxfer.config import GateOptions, load_options, read_options
from faultxfer.contract.schema import load_contract
from faultxfer.errors import ConfigError

MORE, USUAL_FILES = "more", "usual_files"
OPTIONS_FILE, GATE_FILE = "options_file", "gate_file"
# Machines are looked for in the first bytes of a file: a form must not wait for a year of rows.
_LOOKED_AT = 4_000_000
_SEPARATORS = ",;\t|"


class Added(NamedTuple):
    """A parameter of a flow that is no field of its request."""

    annotation: Any
    field: FieldInfo


def _added(annotation: Any, title: str, description: str) -> Added:
    return Added(annotation, FieldInfo(default=None, title=title, description=description))


_ADDED = {
    USUAL_FILES: _added(
        list[str] | None,
        "Usual files",
        "Files, folders or patterns that are taken where none are chosen.",
    ),
    OPTIONS_FILE: _added(
        Path | None, "Options file", "YAML file with the options; what is set here goes before it."
    ),
    GATE_FILE: _added(Path | None, "Gate file", "YAML file with the rules of the gate."),
    MORE: _added(
        dict[str, Any] | None,
        "Everything else",
        "Leave it as it is: the deployment's own settings are used. Or open it to change them.",
    ),
}


def added(kind: type[BaseModel]) -> dict[str, Added]:
    """Parameters that a flow has beside the fields of its request, by name."""
    fits = {
        USUAL_FILES: "files" in kind.model_fields,
        OPTIONS_FILE: "options" in kind.model_fields,
        GATE_FILE: _has_gate(kind),
        MORE: True,
    }
    return {name: _ADDED[name] for name, there in fits.items() if there}


# What is known, as the form says it.
LEFT_OUT = {
    "files": "All that the deployment has if none is chosen.",
    "equipment": "The one whose rows the files hold if left out.",
    "out": "A new file in scores/ if left out.",
}


def may_be_left_out(kind: type[BaseModel]) -> set[str]:
    """Fields that the request needs, and a form may leave to what is known."""
    known = {"files", "out"}
    if "contract" in kind.model_fields:
        known.add("equipment")
    fields = kind.model_fields
    return {name for name in known & set(fields) if fields[name].is_required()}


def settled(kind: type[BaseModel], values: dict[str, Any]) -> dict[str, Any]:
    """Values of the request's fields, of what a form was given.

    Args:
        kind: the request.
        values: by parameter of the flow; None and empty stand for what is known without them.

    Raises:
        ConfigError: a file that is named cannot be read, or more than one machine is meant.
    """
    given = {name: value for name, value in values.items() if not _is_nothing(value)}
    changed = given.pop(MORE, {})
    given |= {name: value for name, value in changed.items() if not _is_nothing(value)}
    if usual := given.pop(USUAL_FILES, None):
        given.setdefault("files", usual)
    _read_files(kind, given)
    if "equipment" in may_be_left_out(kind) and "equipment" not in given:
        given |= _only_machine(given)
    if "out" in may_be_left_out(kind) and "out" not in given:
        given["out"] = _scores(given)
    return given


def machines_in(files: list[Path], column: str) -> list[str]:
    """Machines that the first rows of plain CSV files name, each once.

    Args:
        files: those that are no plain CSV say nothing.
        column: whose cells name the machine of a row.
    """
    found: dict[str, None] = {}
    for file in files:
        found |= dict.fromkeys(_cells(file, column))
    return sorted(found)


def _is_nothing(value: Any) -> bool:
    return value is None or value in ("", [], (), {})


def _has_gate(kind: type[BaseModel]) -> bool:
    field = kind.model_fields.get("options")
    options: Any = field.annotation if field else None
    return options is not None and "gate" in options.model_fields


def _read_files(kind: type[BaseModel], given: dict[str, Any]) -> None:
    """Put options and rules of files in the place of their names."""
    options_file, gate_file = given.pop(OPTIONS_FILE, None), given.pop(GATE_FILE, None)
    if options_file is None and gate_file is None:
        return
    options: Any = kind.model_fields["options"].annotation
    set_here = given.get("options", {})
    if isinstance(set_here, BaseModel):
        set_here = {name: getattr(set_here, name) for name in set_here.model_fields_set}
    if gate_file is not None:
        set_here = {"gate": load_options(GateOptions, gate_file), **set_here}
    given["options"] = read_options(options, options_file, **set_here)


def _only_machine(given: dict[str, Any]) -> dict[str, str]:
    """The one machine whose rows the files hold, where that is plain."""
    contract = load_contract(given["contract"]) if "contract" in given else None
    if contract is None or contract.equipment_column is None:
        return {}
    files = [Path(file) for name in given.get("files", ()) for file in _below(Path(name))]
    found = machines_in(files, contract.equipment_column)
    if len(found) > 1:
        raise ConfigError(
            "The files hold rows of more than one machine, and none is named",
            received={"machines": found},
            remedy="Choose a machine",
        )
    return {"equipment": found[0]} if found else {}


def _below(path: Path) -> list[Path]:
    return sorted(path.iterdir()) if path.is_dir() else [path]


def _cells(file: Path, column: str) -> Iterator[str]:
    """Cells of one column, of the first part of a plain CSV file."""
    try:
        with file.open("rb") as opened:
            text = opened.read(_LOOKED_AT).decode("utf-8-sig", errors="strict")
    except (OSError, UnicodeDecodeError):
        return
    lines = text.splitlines()
    for separator in _SEPARATORS:
        header = next(csv.reader(lines[:1], delimiter=separator), [])
        if column in header:
            place = header.index(column)
            rows = csv.reader(lines[1:-1] or lines[1:], delimiter=separator)
            yield from (row[place] for row in rows if len(row) > place and row[place])
            return


def _scores(given: dict[str, Any]) -> Path:
    """A file of its own for each run: what was scored last week is not lost."""
    about = given.get("equipment") or given.get("model", "")
    return Path("scores") / f"{about}-{datetime.now(UTC):%Y%m%d-%H%M%S}.csv"

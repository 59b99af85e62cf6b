"""Which machines there are, and their files: a table, a YAML file, or a pattern of files.

A manifest is taken whole or refused whole, before anything runs, with every problem and its line.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from faultxfer.errors import ConfigError, FaultxferError
from faultxfer.plain_yaml import parse_yaml
from faultxfer.reading.read_csv import find_files
from faultxfer.registry.names import check_name
from faultxfer.spelling import did_you_mean, told

# Fields of a machine, and what else they may be called.
FIELDS = ("equipment", "csv", "contract", "events", "model", "without", "version", "out", "note")
_ALSO = {"files": "csv", "machine": "equipment"}
_SEVERAL = ("csv", "without")
_YAML, _TABLE = (".yaml", ".yml"), (".csv", ".tsv", ".txt")
_PATTERN = re.compile(r"[*?\[]")
# What parts several files in a cell: neither stands in the name of a file of a historian.
_BETWEEN = re.compile(r"[;|]")


@dataclass(frozen=True)
class Listed:
    """A machine as a manifest has it.

    Attributes:
        name: of the machine.
        line: of the manifest; 0 where a pattern found it.
        files: files, folders or patterns.
        fields: what else is said of it, by the names of :data:`FIELDS`.
        note: a word about it for the page.
        problem: why nothing can be done with a file that a pattern found.
    """

    name: str
    line: int
    files: tuple[str, ...]
    fields: dict[str, Any] = field(default_factory=dict)
    note: str = ""
    problem: FaultxferError | None = None


class Problems:
    """Everything that is wrong with a manifest."""

    def __init__(self, where: str) -> None:
        self.where = where
        self.found: list[tuple[int, str]] = []

    def add(self, line: int, problem: str) -> None:
        """Note one; line 0 is the whole manifest."""
        self.found.append((line, f"line {line}: {problem}" if line else problem))

    def raise_any(self) -> None:
        """Refuse the manifest where something is wrong with it.

        Raises:
            ConfigError: with every problem, in the order of the lines.
        """
        if self.found:
            raise ConfigError(
                "The manifest cannot be used, and nothing was run",
                received={"problems": [problem for _, problem in sorted(self.found)]},
                where=self.where,
                remedy="Mend these lines; docs/fleets.md shows what a manifest looks like",
            )


def is_pattern(names: tuple[str, ...]) -> bool:
    """Whether sensor files are named in place of a manifest.

    >>> is_pattern(("fleet.csv",)), is_pattern(("landing/*.csv",)), is_pattern(("a.csv", "b.csv"))
    (False, True, True)
    """
    return len(names) > 1 or bool(_PATTERN.search(names[0])) or Path(names[0]).is_dir()


def read_manifest(name: str) -> tuple[list[Listed], Problems]:
    """The machines of a table or a YAML file, and what is wrong with them.

    Raises:
        ConfigError: the file cannot be read, or is neither.
    """
    problems, path = Problems(name), Path(name)
    text = _text(path)
    if path.name.lower().endswith(_YAML):
        listed = list(_of_yaml(text, problems))
    elif path.name.lower().endswith(_TABLE):
        listed = list(_of_table(text, problems))
    else:
        raise ConfigError(
            "The name of the manifest does not show what it is",
            received={"manifest": name},
            remedy=f"Call it {', '.join((*_YAML, *_TABLE))}, or quote a pattern of sensor files",
        )
    if not listed and not problems.found:
        problems.add(0, "it names no machine")
    _note_repeated(listed, problems)
    _note_missing(listed, problems)
    return listed, problems


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(
            "The manifest cannot be read",
            received={"manifest": str(path), "problem": " ".join(str(error).split())[:200]},
            remedy="Check the path; it is a CSV or YAML file in UTF-8, or a quoted pattern",
        ) from error


def _of_table(text: str, problems: Problems) -> Iterator[Listed]:
    head = next(iter(text.splitlines()), "")
    separator = max("\t;,", key=head.count)
    rows = csv.reader(io.StringIO(text), delimiter=separator, strict=True)
    try:
        columns = [_ALSO.get(name.strip(), name.strip()) for name in next(rows, [])]
        if not _are_columns(columns, problems):
            return
        for cells in rows:
            if any(cell.strip() for cell in cells):
                yield from _of_row(columns, cells, rows.line_num, problems)
    except csv.Error as error:
        problems.add(rows.line_num, f"it is no table ({error})")


def _are_columns(columns: list[str], problems: Problems) -> bool:
    for name in columns:
        if name not in FIELDS:
            asked = did_you_mean(name, FIELDS)
            problems.add(
                1, told(f"column {name!r} is unknown; known are {', '.join(FIELDS)}", asked)
            )
        elif columns.count(name) > 1:
            problems.add(1, f"column {name!r} stands twice")
    for name in ("equipment", "csv"):
        if name not in columns:
            problems.add(1, f"there is no column {name!r}")
    return not problems.found


def _of_row(
    columns: list[str], cells: list[str], line: int, problems: Problems
) -> Iterator[Listed]:
    if len(cells) != len(columns):
        problems.add(line, f"{len(cells)} cells in place of {len(columns)}")
        return
    given = {name: cell.strip() for name, cell in zip(columns, cells, strict=True) if cell.strip()}
    for name in _SEVERAL:
        if name in given:
            found = _BETWEEN.split(str(given[name]))
            given[name] = [one.strip() for one in found if one.strip()]  # type: ignore[assignment]
    yield from _machine(given.pop("equipment", ""), given, line, problems)


def _of_yaml(text: str, problems: Problems) -> Iterator[Listed]:
    try:
        content, root = parse_yaml(text), yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        said = getattr(error, "problem", None) or str(error)
        problems.add(mark.line + 1 if mark else 0, f"it is no YAML ({' '.join(said.split())})")
        return
    if not isinstance(content, dict) or not isinstance(content.get("machines"), dict):
        problems.add(0, "it needs `machines`, by name, and may have `defaults`")
        return
    for name in content.keys() - {"defaults", "machines"}:
        asked = did_you_mean(str(name), ("defaults", "machines"))
        problems.add(_lines(root)[str(name)], told(f"{name!r} is unknown", asked))
    defaults = content.get("defaults") or {}
    if not isinstance(defaults, dict):
        problems.add(_lines(root)["defaults"], "`defaults` are no fields")
        return
    lines = _lines(_lines_of(root, "machines"))
    for name, given in content["machines"].items():
        fields = given if isinstance(given, dict) else {"csv": given}
        yield from _machine(str(name), {**defaults, **fields}, lines[str(name)], problems)


def _lines_of(root: Any, key: str) -> Any:
    return next(value for name, value in root.value if name.value == key)


def _lines(node: Any) -> dict[str, int]:
    """By key of a mapping, the line on which it stands."""
    return {str(name.value): name.start_mark.line + 1 for name, _ in node.value}


def _machine(name: str, given: dict[str, Any], line: int, problems: Problems) -> Iterator[Listed]:
    """A machine, where its fields have the form that they need."""
    fields = {_ALSO.get(key, key): value for key, value in given.items()}
    for key in fields.keys() - {*FIELDS[1:]}:
        asked = did_you_mean(str(key), FIELDS)
        problems.add(line, told(f"{key!r} is unknown; known are {', '.join(FIELDS[1:])}", asked))
    for key in _SEVERAL:
        value = fields.get(key)
        fields[key] = [value] if isinstance(value, str) else value or []
        if not all(isinstance(one, str) for one in fields[key]):
            problems.add(line, f"{key!r} is no list of names")
            return
    try:
        check_name("equipment", name)
    except ConfigError as error:
        problems.add(
            line, f"{error.expected.lower()} ({name!r})" if name else "no machine is named"
        )
        return
    files, note = tuple(fields.pop("csv")), str(fields.pop("note", "") or "")
    known = {key: value for key, value in fields.items() if key in FIELDS and value}
    yield Listed(name, line, files, known, note)


def _note_repeated(listed: Iterable[Listed], problems: Problems) -> None:
    first: dict[str, int] = {}
    for one in listed:
        if one.name in first:
            problems.add(one.line, f"machine {one.name!r} stands on line {first[one.name]} already")
        first.setdefault(one.name, one.line)


def _note_missing(listed: Iterable[Listed], problems: Problems) -> None:
    for one in listed:
        if not one.files:
            problems.add(one.line, f"no file of {one.name!r} is named")
        for name in one.files:
            try:
                find_files([name])
            except FaultxferError as error:
                problems.add(one.line, f"{error.expected[0].lower()}{error.expected[1:]}: {name}")

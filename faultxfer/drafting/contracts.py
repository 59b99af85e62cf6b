"""Draft a contract from example files, compare two, and write the schema for editors."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from faultxfer.contract.diff import diff_contracts
from faultxfer.contract.fault_log import LEFT_OUT
from faultxfer.contract.schema import LabelClass, load_contract, parse_contract, schema_text
from faultxfer.drafting.draft import EQUIPMENT, RUN, TIME, Draft, write_draft
from faultxfer.drafting.infer import draft_of
from faultxfer.drafting.label_asked import label_asked
from faultxfer.drafting.log_beside import FAULT, find_log, labelled_examples
from faultxfer.drafting.roles import roles_of, shape_of
from faultxfer.drafting.shapes import Shaped, for_tag_files, shaped
from faultxfer.errors import ConfigError, DataError
from faultxfer.outputs import writing
from faultxfer.reading.csv_options import Csv
from faultxfer.reading.read_csv import find_files, names_of, read_csv
from faultxfer.reading.table import RawTable

# How errors name pins for people who have a contract.
_PINS = re.compile(r"`(?:label\.log\.)?csv: (\{.*?\})`")


def draft_contract(
    files: list[str],
    out: Path,
    *,
    label: str | None,
    force: bool = False,
    equipment_column: str | None = None,
    run_column: str | None = None,
    time_column: str | None = None,
    columns: str | None = None,
    spellings: dict[LabelClass, list[str] | None] | None = None,
    events: Path | None = None,
    **csv_options: object,
) -> dict[str, Any]:
    """Write a first contract and say what is in it.

    Args:
        files: example files, folders and patterns.
        out: the contract to write.
        label: the label column; None asks which it is, with those that look like one.
        force: overwrite ``out``.
        equipment_column: names the machine.
        run_column: names one recording.
        time_column: timestamp or sequence number.
        columns: names of all columns, separated by commas, for files without a header row.
        spellings: by class of the label, its spellings; one entry may hold several, with commas
            between them.
        events: log of faults that labels the rows; without it, a file among the examples that
            looks like one.
        csv_options: by field of ``csv``, how the files are written; None where it is detected.
            The draft pins them too.

    Raises:
        ConfigError: ``out`` exists already, or cannot be written; ``columns`` or ``csv_options``
            cannot be used.
        DataError, ContractError: the files cannot be read, or hold nothing a contract could be
            made of.
    """
    with writing("out", out):
        exists = out.exists()
    if exists and not force:
        raise ConfigError(
            "The contract file exists already",
            received={"out": str(out)},
            remedy="Choose another name, or overwrite it with --force",
        )
    options = _checked_options(columns, csv_options)
    given = _given(spellings or {})
    try:
        paths = find_files(files)
        names = zip(paths, names_of(paths), strict=True)
        read = [replace(_read(path, options), file=name) for path, name in names]
        log = find_log(paths, read, events)
        examined = [(path, table) for path, table in zip(paths, read, strict=True) if path != log]
        paths, read = [path for path, _ in examined], [table for _, table in examined]
        if label is None and log is None:
            raise label_asked(read)
        label = label or FAULT
        examples = shaped(
            paths,
            read,
            options,
            label=label,
            equipment_column=equipment_column,
            run_column=run_column,
            time_column=time_column,
        )
        named = {
            EQUIPMENT: examples.equipment_column,
            RUN: run_column,
            TIME: examples.time_column,
        }
        draft = _drafted(examples, log, label, out.stem, named, options, given)
    except DataError as error:
        raise _advised(error, options) from error
    if examples.tag_files is not None:
        draft = for_tag_files(draft)
    text = write_draft(draft) + examples.section()
    contract = parse_contract(yaml.safe_load(text), where=str(out))
    _write(text, out)
    return {
        "out": str(out),
        "sensors": list(contract.features),
        "ignored": list(contract.ignore),
        "questions": draft.questions,
        "label": draft.spellings.as_listed(),
        "files": [*map(str, paths)] if log else files,
        "events": str(log) if log else None,
        "columns": [*shape_of(examples.sentence()), *examples.roles(), *roles_of(draft)],
    }


def _drafted(
    examples: Shaped,
    log: Path | None,
    label: str,
    family: str,
    named: dict[str, str | None],
    options: Csv,
    given: dict[LabelClass, tuple[str, ...]],
) -> Draft:
    """The draft of examples that are labelled by a column, or by a log."""
    tables, found = labelled_examples(examples.tables, log, label, family, named, options)
    if found is not None:
        given = given | {"exclude": (*given.get("exclude", ()), LEFT_OUT)}
    draft = draft_of(
        tables,
        label=label,
        family=family,
        named=named,
        csv_options=examples.options,
        given=given,
    )
    # The log's own word is none that a file or a contract has.
    own = tuple(text for text in draft.spellings.exclude if text != LEFT_OUT)
    return replace(
        draft,
        why=draft.why | examples.why,
        log=found,
        spellings=replace(draft.spellings, exclude=own),
    )


def _given(spellings: dict[LabelClass, list[str] | None]) -> dict[LabelClass, tuple[str, ...]]:
    """Spellings of the command line, by class, each once."""
    given: dict[LabelClass, tuple[str, ...]] = {}
    for name, texts in spellings.items():
        every = [spelling for text in texts or () for spelling in _names(text, name)]
        if every:
            given[name] = tuple(dict.fromkeys(every))
    return given


def _write(text: str, out: Path) -> None:
    with writing("out", out):
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(text, encoding="utf-8")


def _read(path: Path, options: Csv) -> RawTable:
    """An example file under its own header, or under the names given.

    Raises:
        DataError: as :func:`read_csv`; or the file has another number of columns, or a header of
            its own.
    """
    table = read_csv(path, options)
    header = list(options.columns)
    if header and len(table) and [cell.strip() for cell in table.frame.iloc[0]] == header:
        raise DataError(
            "The file has a header row: its first row holds the very names given",
            received={"first row": header},
            where=path.name,
            remedy="Leave --columns out",
        )
    return table


def compare_contracts(old: Path, new: Path) -> dict[str, Any]:
    """What changed from one contract file to the other, and whether old models remain valid.

    Raises:
        ContractError: a file cannot be read or does not follow the schema.
    """
    diff = diff_contracts(load_contract(old), load_contract(new))
    return {"old": str(old), "new": str(new)} | diff.as_dict()


def write_schema(out: Path) -> dict[str, Any]:
    """Write the JSON Schema of contracts; an older one is replaced.

    Raises:
        ConfigError: ``out`` is no ``.json`` file, so it may be a contract, or cannot be written.
    """
    if out.suffix != ".json":
        raise ConfigError(
            "The file name does not end in .json",
            received={"out": str(out)},
            remedy="Name it, for example, contract.schema.json",
        )
    _write(schema_text(), out)
    return {"out": str(out)}


# Options that say how the files are written, before there is a contract


def _checked_options(columns: str | None, given: dict[str, object]) -> Csv:
    """The options of the command line as fields of ``csv``; those that are None are not given.

    Raises:
        ConfigError: one of them cannot be used.
    """
    fields = {name: value for name, value in given.items() if value is not None}
    if fields.get("separator") in (r"\t", "tab"):
        fields["separator"] = "\t"
    if columns is not None:
        fields |= {"header": False, "columns": _names(columns)}
    try:
        return Csv.model_validate(fields)
    except ValidationError as error:
        problems: dict[str, object] = {}
        for item in error.errors():
            field = str(item["loc"][0]) if item["loc"] else "csv"
            problems[_option(field)] = item["msg"]
        raise ConfigError(
            "No file can be written as these options say",
            received=problems,
            remedy="See the table of `csv` in `docs/data-contracts.md`",
        ) from error


def _names(columns: str, option: str = "columns") -> tuple[str, ...]:
    """Column names, or other names, from ``a,b,c``; a name with a comma stands in quotes.

    >>> _names('time, "flow, m3/h", fault')
    ('time', 'flow, m3/h', 'fault')
    """
    line = columns.replace("\n", " ").strip()
    names: list[str] = []
    for cells in csv.reader([line] if line else [], skipinitialspace=True):
        names = [cell.strip() for cell in cells]
    if not names or not all(names) or len(set(names)) < len(names):
        raise ConfigError(
            "Different names are needed for all columns, in the order of the file"
            if option == "columns"
            else f"`--{option}` needs different spellings of the label",
            received={option: columns},
            remedy="Write them with commas between them: --columns time,flow,pressure,fault"
            if option == "columns"
            else f"Write them with commas between them: --{option} A,B",
        )
    return tuple(names)


def _advised(error: DataError, options: Csv) -> DataError:
    """The same error for someone without a contract: it names options in place of pins."""
    cells = error.received.get("first row")
    if error.code == "FILE-NO-HEADER" and isinstance(cells, list):
        remedy = (
            "Name all columns in their order: --columns a,b,c "
            f"(the first row has {len(cells)} filled cells)"
        )
    elif error.code == "FILE-SHAPE" and options.columns:
        remedy = "Name every column of the file with --columns, in the order of the file"
    else:
        remedy = _with_options(error.remedy or "")
    return DataError(
        error.expected,
        received=error.received,
        where=error.where,
        remedy=remedy or None,
        code=error.code,
        line=error.line,
        column=error.column,
    )


def _with_options(remedy: str) -> str:
    """Pins of a contract as options of the command line.

    >>> _with_options('Pin it in the contract: `csv: {decimal: ","}`')
    'Pin it: `--decimal ","`'
    """
    if not _PINS.search(remedy):
        return remedy
    advice = _PINS.sub(lambda found: _options(yaml.safe_load(found.group(1))), remedy)
    return advice.replace(" in the contract", "")


def _options(pins: dict[str, object]) -> str:
    spelt = [_spelt(name, value) for name, value in pins.items() if name != "header"]
    return f"`{' '.join(spelt)}`"


def _spelt(name: str, value: object) -> str:
    """An option and its value as they are typed."""
    if name == "day_first":
        return "--day-first" if value else "--month-first"
    if isinstance(value, list):
        return f"{_option(name)} {','.join(map(str, value))}"
    shown = r"\t" if value == "\t" else str(value)
    plain = re.fullmatch(r"[\w-]+", shown)
    return f"{_option(name)} {shown}" if plain else f'{_option(name)} "{shown}"'


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"

"""Commands of data contracts: draft, accept, compare, describe."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from faultxfer.cli.command import Files, command

contract_app = typer.Typer(
    no_args_is_help=True, help="Write, map, accept and compare data contracts."
)

_LABEL = "What the spellings of the label mean, where their names do not tell; again for more"
_CSV = "How the files are written, where they do not tell; the draft pins it"


def _pin(metavar: str | None, help_text: str, *names: str) -> Any:
    """An option that says how the files are written, where that cannot be told."""
    return typer.Option(*names, metavar=metavar, help=help_text, rich_help_panel=_CSV)


def _spellings(help_text: str) -> Any:
    """An option that says what spellings of the label mean; it may be given again."""
    return typer.Option(metavar="A,B,C", help=help_text, rich_help_panel=_LABEL)


@command(contract_app, "infer", shows="drafted_contract")
def contract_infer(
    files: Files,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The contract to write.")],
    label: Annotated[
        str | None,
        typer.Option(
            metavar="COL", help="The label column; without it you are shown what may be one."
        ),
    ] = None,
    events: Annotated[
        Path | None,
        typer.Option(
            metavar="LOG",
            help="Log of faults, a line for each interval, where no column is the label.",
        ),
    ] = None,
    equipment_column: Annotated[
        str | None, typer.Option(metavar="COL", help="Names the machine.")
    ] = None,
    run_column: Annotated[
        str | None, typer.Option(metavar="COL", help="Names one recording.")
    ] = None,
    time_column: Annotated[
        str | None, typer.Option(metavar="COL", help="Timestamp or sequence number.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(metavar="A,B,C", help="Names of all columns, for files without a header row."),
    ] = None,
    normal: Annotated[list[str] | None, _spellings("Spellings of a normal row.")] = None,
    fault: Annotated[list[str] | None, _spellings("Spellings of a faulty row.")] = None,
    unknown: Annotated[
        list[str] | None, _spellings("Spellings of a row that nobody labelled.")
    ] = None,
    exclude: Annotated[
        list[str] | None, _spellings("Spellings of a row that is never learnt from.")
    ] = None,
    separator: Annotated[str | None, _pin("C", "Character between columns.")] = None,
    decimal: Annotated[str | None, _pin("C", "Decimal mark.")] = None,
    thousands: Annotated[str | None, _pin("C", "Mark between thousands.")] = None,
    encoding: Annotated[str | None, _pin("NAME", "Text encoding, such as cp1250.")] = None,
    time_format: Annotated[
        str | None, _pin("FORMAT", "How times are written, such as %y-%m-%d.")
    ] = None,
    day_first: Annotated[
        bool | None, _pin(None, "What 03/04/2026 begins with.", "--day-first/--month-first")
    ] = None,
    timezone: Annotated[
        str | None, _pin("ZONE", "Zone of times that name none, such as Europe/Berlin.")
    ] = None,
    skip: Annotated[int | None, _pin("N", "Lines above the header row.")] = None,
    units_row: Annotated[
        int | None, _pin("N", "Which row below the header row holds units.")
    ] = None,
    rows_below: Annotated[
        int | None, _pin("N", "Rows between the header row and the first readings.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> Any:
    """Draft a contract from example files, to be read and edited by a person."""
    from faultxfer.drafting.contracts import draft_contract

    return draft_contract(
        files,
        out,
        label=label,
        events=events,
        force=force,
        columns=columns,
        equipment_column=equipment_column,
        run_column=run_column,
        time_column=time_column,
        spellings={"normal": normal, "fault": fault, "unknown": unknown, "exclude": exclude},
        separator=separator,
        decimal=decimal,
        thousands=thousands,
        encoding=encoding,
        time_format=time_format,
        day_first=day_first,
        timezone=timezone,
        skip=skip,
        units_row=units_row,
        rows_below=rows_below,
    )


@command(contract_app, "map", shows="mapped_sensors")
def contract_map(
    files: Files,
    contract: Annotated[
        Path, typer.Option("--contract", metavar="FILE", help="The data contract, as YAML.")
    ],
    equipment: Annotated[
        str, typer.Option("--equipment", metavar="EQ", help="Name of the new machine.")
    ],
    model: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Compare with what this source model keeps."),
    ] = None,
    like: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CSV", help="Compare with files that the contract fits; again for more."
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the draft here, not to stdout.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> Any:
    """Propose a machine's tags, units and scales for a person to read; nothing is applied."""
    from faultxfer.steps.mapping import map_sensors

    return map_sensors(files, contract, equipment, model=model, like=like, out=out, force=force)


@command(contract_app, "accept", shows="limits_accepted")
def contract_accept(
    contract: Annotated[Path, typer.Argument(metavar="FILE", help="The contract.")],
    sensors: Annotated[
        list[str] | None,
        typer.Argument(metavar="[SENSOR]...", help="Whose limits; all that are drafted if none."),
    ] = None,
) -> Any:
    """Accept drafted limits: readings outside them are warned of or set aside from now on."""
    from faultxfer.drafting.accept import accept_limits

    return accept_limits(contract, sensors or [])


@command(contract_app, "diff", shows="contract_changes")
def contract_diff(
    old: Annotated[
        Path, typer.Argument(metavar="A", help="The contract that the models were trained with.")
    ],
    new: Annotated[Path, typer.Argument(metavar="B", help="The contract that is to replace it.")],
) -> Any:
    """Say what changed from contract A to B, and whether models trained under A remain valid."""
    from faultxfer.drafting.contracts import compare_contracts

    return compare_contracts(old, new)


@command(contract_app, "schema", shows="contract_schema")
def contract_schema(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it here instead of to stdout.")
    ] = None,
) -> Any:
    """Give the JSON Schema of contracts, by which an editor completes and checks them."""
    from faultxfer.contract.schema import json_schema
    from faultxfer.drafting.contracts import write_schema

    return write_schema(out) if out else json_schema()

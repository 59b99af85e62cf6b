"""Many machines from one command: `faultxfer fleet transfer`, `score` and `validate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from faultxfer.cli.command import asked, command
from faultxfer.cli.session import BAD_INPUT, DONE, INTERNAL, REFUSED
from faultxfer.config import GateOptions, TransferOptions, load_options, read_options
from faultxfer.outputs import FLEET
from faultxfer.requests import FleetRequest

fleet_app = typer.Typer(
    help="Transfer, score or validate many machines, each by itself.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 all done, 10 the gate did not promote one of them, 2 one failed by its "
    "files or its request, 1 one failed for another reason; the page says which.",
)

Manifest = Annotated[
    list[str],
    typer.Argument(
        metavar="MANIFEST",
        help="CSV (columns equipment, csv, …) or YAML file, or a quoted pattern of sensor files.",
    ),
]
Contract = Annotated[Path | None, asked(FleetRequest, "contract", "--contract", metavar="FILE")]
Events = Annotated[Path | None, asked(FleetRequest, "events", "--events", metavar="LOG")]
Model = Annotated[str | None, asked(FleetRequest, "model", "--model", metavar="NAME")]
Out = Annotated[Path, asked(FleetRequest, "out", "--out", metavar="DIR")]
Again = Annotated[bool, asked(FleetRequest, "again", "--again")]
Count = Annotated[int | None, asked(FleetRequest, "workers", "--workers", metavar="N")]
Memory = Annotated[
    float | None,
    asked(FleetRequest, "memory_per_worker", "--memory-per-worker", metavar="GB"),
]
Dask = Annotated[str | None, asked(FleetRequest, "dask", "--dask", metavar="ADDRESS")]
Prefect = Annotated[
    bool | None,
    typer.Option(
        "--prefect/--no-prefect",
        help="Whether it is a flow run on a Prefect server; yes if PREFECT_API_URL names one.",
    ),
]


def exit_code(result: Any) -> int:
    """What the worst machine came to: a failure that nobody foresaw, a bad file, a refusal.

    Args:
        result: of the fleet.
    """
    if any(one.internal for one in result.machines):
        return INTERNAL
    return {"failed": BAD_INPUT, "refused": REFUSED, "done": DONE}[result.outcome]


def _run(task: str, prefect: bool | None, **given: Any) -> Any:
    from faultxfer.cli.pipelines import run_fleet_command

    return run_fleet_command(prefect, task=task, **given)


@command(fleet_app, shows="fleet", registry=True, exit_code=exit_code, spinner=False)
def transfer(
    manifest: Manifest,
    contract: Contract = None,
    events: Events = None,
    model: Model = None,
    out: Out = FLEET,
    config: Annotated[
        Path | None, typer.Option("--config", metavar="FILE", help="Options as YAML.")
    ] = None,
    gate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Gate thresholds as YAML.")
    ] = None,
    policy: Annotated[str | None, asked(FleetRequest, "policy", metavar="managed|manual")] = None,
    dry_run: Annotated[bool, asked(FleetRequest, "dry_run", "--dry-run")] = False,
    again: Again = False,
    workers: Count = None,
    memory_per_worker: Memory = None,
    dask: Dask = None,
    prefect: Prefect = None,
) -> Any:
    """Move the source model to each machine, behind the same gate as one transfer."""
    rules = load_options(GateOptions, gate) if gate else None
    return _run(
        "transfer",
        prefect,
        manifest=manifest,
        contract=contract,
        events=events,
        model=model,
        out=out,
        options=read_options(TransferOptions, config, gate=rules),
        policy=policy,
        dry_run=dry_run,
        again=again,
        workers=workers,
        memory_per_worker=memory_per_worker,
        dask=dask,
    )


@command(fleet_app, shows="fleet", registry=True, exit_code=exit_code, spinner=False)
def score(
    manifest: Manifest,
    model: Model = None,
    contract: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="By which a pattern's files show their machines."),
    ] = None,
    out: Out = FLEET,
    again: Again = False,
    workers: Count = None,
    memory_per_worker: Memory = None,
    dask: Dask = None,
    prefect: Prefect = None,
) -> Any:
    """Score each machine's new rows with its champion."""
    return _run(
        "score",
        prefect,
        manifest=manifest,
        contract=contract,
        model=model,
        out=out,
        again=again,
        workers=workers,
        memory_per_worker=memory_per_worker,
        dask=dask,
    )


@command(fleet_app, shows="fleet", exit_code=exit_code, spinner=False)
def validate(
    manifest: Manifest,
    contract: Contract = None,
    events: Events = None,
    out: Out = FLEET,
    again: Again = False,
    workers: Count = None,
    memory_per_worker: Memory = None,
    dask: Dask = None,
    prefect: Prefect = None,
) -> Any:
    """Check each machine's files against its contract; bad rows are set aside."""
    return _run(
        "validate",
        prefect,
        manifest=manifest,
        contract=contract,
        events=events,
        out=out,
        again=again,
        workers=workers,
        memory_per_worker=memory_per_worker,
        dask=dask,
    )

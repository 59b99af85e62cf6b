"""Commands and their options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from faultxfer.cli.command import Json, asked, command
from faultxfer.cli.pipelines import run_pipeline
from faultxfer.cli.registry import registry_app
from faultxfer.cli.session import BAD_INPUT, DONE, REFUSED, fail, run_command
from faultxfer.config import (
    CurveOptions,
    GateOptions,
    PretrainOptions,
    TransferOptions,
    load_options,
    read_options,
)
from faultxfer.errors import ConfigError
from faultxfer.outputs import LEARNING_CURVE, QUARANTINE
from faultxfer.requests import (
    CurveRequest,
    PretrainRequest,
    ScoreRequest,
    TransferRequest,
    ValidateRequest,
)

app = typer.Typer(
    name="faultxfer",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
    help="Move a fault detector from equipment with years of labelled history to equipment that "
    "has almost none.",
    epilog="Exit codes: 0 done, 10 the gate refused, 2 bad input or usage, 3 could not be "
    "checked, 1 internal error, "
    "130, 143 or 129 stopped by Ctrl-C, SIGTERM or SIGHUP.",
)
contract_app = typer.Typer(no_args_is_help=True, help="Write and compare data contracts.")

_START, _MAIN, _LOOK = "Start here", "The main path", "Look"
_CSV = "How the files are written, where they do not tell; the draft pins it"

Files = Annotated[
    list[str], typer.Argument(metavar="CSV...", help="CSV files or quoted patterns; .csv.gz too.")
]
ContractFile = Annotated[Path, asked(ValidateRequest, "contract", "--contract", metavar="FILE")]
Model = Annotated[str, asked(TransferRequest, "model", "--model", metavar="NAME")]
Equipment = Annotated[str, asked(TransferRequest, "equipment", "--equipment", metavar="EQ")]
Prefect = Annotated[
    bool | None,
    typer.Option(
        "--prefect/--no-prefect",
        help="Whether the steps are a flow run on a Prefect server; yes if PREFECT_API_URL names "
        "one.",
    ),
]
Quarantine = Annotated[Path, asked(ValidateRequest, "quarantine", metavar="DIR")]
DataDocs = Annotated[Path | None, asked(ValidateRequest, "data_docs", metavar="FOLDER")]
Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Options as YAML.")]
Seed = Annotated[int | None, asked(TransferOptions, "seed")]


def _transfer_code(result: Any) -> int:
    if result.outcome == "unchanged":
        return DONE if result.before == "promoted" else REFUSED
    return DONE if result.decision.promoted or result.outcome == "promoted" else REFUSED


@command(
    app,
    shows="demo",
    panel=_START,
    exit_code=lambda result: _transfer_code(result.transferred),
)
def demo(
    folder: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the simulated CSVs go.")
    ] = Path("faultxfer-demo"),
    prefect: Prefect = None,
) -> Any:
    """See the main job on a simulated pump fleet: pretrain, transfer, score."""
    from faultxfer.cli.demo import run_demo

    return run_demo(folder, prefect=prefect)


def _pin(metavar: str | None, help_text: str, *names: str) -> Any:
    """An option that says how the files are written, where that cannot be told."""
    return typer.Option(*names, metavar=metavar, help=help_text, rich_help_panel=_CSV)


@command(contract_app, "infer", shows="drafted_contract")
def contract_infer(
    files: Files,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The contract to write.")],
    label: Annotated[str, typer.Option(metavar="COL", help="The label column.")],
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
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file.")] = False,
) -> Any:
    """Draft a contract from example files, to be read and edited by a person."""
    from faultxfer.drafting.contracts import draft_contract

    return draft_contract(
        files,
        out,
        label=label,
        force=force,
        columns=columns,
        equipment_column=equipment_column,
        run_column=run_column,
        time_column=time_column,
        separator=separator,
        decimal=decimal,
        thousands=thousands,
        encoding=encoding,
        time_format=time_format,
        day_first=day_first,
    )


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


@command(
    app,
    shows="checked_rows",
    panel=_MAIN,
    exit_code=lambda result: BAD_INPUT if result.refused else DONE,
)
def validate(
    files: Files,
    contract: ContractFile,
    equipment: Annotated[str | None, asked(ValidateRequest, "equipment", metavar="EQ")] = None,
    quarantine: Quarantine = QUARANTINE,
    data_docs: DataDocs = None,
    prefect: Prefect = None,
) -> Any:
    """Check files against a contract: findings, and a file of the rows set aside."""
    return run_pipeline(
        "validate",
        prefect,
        files=files,
        contract=contract,
        equipment=equipment,
        quarantine=quarantine,
        data_docs=data_docs,
    )


@command(app, shows="pretrained", panel=_MAIN)
def pretrain(
    files: Files,
    contract: ContractFile,
    model: Annotated[str, asked(PretrainRequest, "model", "--model", metavar="NAME")],
    config: Config = None,
    seed: Seed = None,
    quarantine: Quarantine = QUARANTINE,
    data_docs: DataDocs = None,
    prefect: Prefect = None,
) -> Any:
    """Train and register the source model on equipment with history."""
    return run_pipeline(
        "pretrain",
        prefect,
        files=files,
        contract=contract,
        model=model,
        options=read_options(PretrainOptions, config, seed=seed),
        quarantine=quarantine,
        data_docs=data_docs,
    )


def _only_strategy(strategy: str | None, *, single_network: bool) -> str | None:
    """The strategy asked for by name, or by ``--single-network``.

    Raises:
        ConfigError: both ask for another one.
    """
    if not single_network:
        return strategy
    if strategy not in (None, "single_network"):
        raise ConfigError(
            "Two strategies are asked for, and one can be used",
            received={"--strategy": strategy, "--single-network": True},
            remedy="Leave one of them out",
        )
    return "single_network"


@command(app, shows="transferred", panel=_MAIN, exit_code=_transfer_code)
def transfer(
    files: Files,
    contract: ContractFile,
    model: Model,
    equipment: Equipment,
    strategy: Annotated[
        str | None,
        typer.Option(help="`stack` (default), or one way alone; docs/strategies.md lists them."),
    ] = None,
    single_network: Annotated[
        bool,
        typer.Option(
            "--single-network", help="Ship one Keras network: `--strategy single_network`."
        ),
    ] = False,
    trainable_layers: Annotated[int | None, asked(TransferOptions, "trainable_layers")] = None,
    input_map: Annotated[str | None, asked(TransferOptions, "input_map")] = None,
    scaler: Annotated[str | None, typer.Option(hidden=True)] = None,
    false_alarm_rate: Annotated[float | None, asked(TransferOptions, "false_alarm_rate")] = None,
    alarm_rate: Annotated[float | None, typer.Option(hidden=True)] = None,
    alarm_confidence: Annotated[float | None, asked(TransferOptions, "alarm_confidence")] = None,
    fault_share: Annotated[float | None, asked(TransferOptions, "fault_share")] = None,
    seed: Seed = None,
    config: Config = None,
    gate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Gate thresholds as YAML.")
    ] = None,
    dry_run: Annotated[bool, asked(TransferRequest, "dry_run", "--dry-run")] = False,
    force: Annotated[bool, asked(TransferRequest, "force", "--force")] = False,
    override_gate: Annotated[
        str | None, asked(TransferRequest, "override_gate", metavar="REASON")
    ] = None,
    report: Annotated[
        Path | None, asked(TransferRequest, "report_folder", "--report", metavar="DIR")
    ] = None,
    quarantine: Quarantine = QUARANTINE,
    data_docs: DataDocs = None,
    prefect: Prefect = None,
) -> Any:
    """Adapt the source model to a machine, judge it, and register it if the gate lets it pass."""
    options = read_options(
        TransferOptions,
        config,
        strategy=_only_strategy(strategy, single_network=single_network),
        trainable_layers=trainable_layers,
        scaler=scaler,
        input_map=input_map,
        alarm_rate=alarm_rate,
        false_alarm_rate=false_alarm_rate,
        alarm_confidence=alarm_confidence,
        fault_share=fault_share,
        seed=seed,
        gate=load_options(GateOptions, gate) if gate else None,
    )
    return run_pipeline(
        "transfer",
        prefect,
        files=files,
        contract=contract,
        model=model,
        equipment=equipment,
        options=options,
        dry_run=dry_run,
        override_gate=override_gate,
        force=force,
        quarantine=quarantine,
        data_docs=data_docs,
        report_folder=report,
    )


@command(app, shows="scored", panel=_MAIN)
def score(
    files: Files,
    model: Model,
    equipment: Annotated[str, asked(ScoreRequest, "equipment", metavar="EQ")],
    out: Annotated[Path, asked(ScoreRequest, "out", metavar="FILE")],
    version: Annotated[int | None, asked(ScoreRequest, "version", metavar="N")] = None,
    quarantine: Quarantine = QUARANTINE,
    data_docs: DataDocs = None,
    prefect: Prefect = None,
) -> Any:
    """Score new rows with a machine's champion, or the version asked for."""
    return run_pipeline(
        "score",
        prefect,
        files=files,
        model=model,
        equipment=equipment,
        out=out,
        version=version,
        quarantine=quarantine,
        data_docs=data_docs,
    )


@command(app, "learning-curve", shows="learned", panel=_MAIN)
def learning_curve(
    files: Files,
    contract: ContractFile,
    model: Model,
    equipment: Equipment,
    out: Annotated[Path, asked(CurveRequest, "out", metavar="DIR")] = LEARNING_CURVE,
    more: Annotated[int | None, asked(CurveOptions, "more", metavar="N")] = None,
    config: Config = None,
    seed: Seed = None,
    quarantine: Quarantine = QUARANTINE,
    data_docs: DataDocs = None,
    prefect: Prefect = None,
) -> Any:
    """Would more labels help? Transfer against scratch over label counts; registers nothing."""
    return run_pipeline(
        "learning_curve",
        prefect,
        files=files,
        contract=contract,
        model=model,
        equipment=equipment,
        options=read_options(CurveOptions, config, more=more, seed=seed),
        out=out,
        quarantine=quarantine,
        data_docs=data_docs,
    )


@app.command(rich_help_panel=_LOOK)
def ui(
    mlflow_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of MLflow; 0 takes a free one.")
    ] = 5000,
    prefect_port: Annotated[
        int, typer.Option(min=0, max=65535, help="Port of Prefect; 0 takes a free one.")
    ] = 4200,
    json_output: Json = False,
) -> None:
    """Start MLflow's and Prefect's pages on this machine's data; Ctrl-C stops both."""
    from faultxfer.cli.ui import serve

    run_command(
        lambda: serve(mlflow_port, prefect_port, json_output=json_output),
        json_output=json_output,
        render=None,  # the addresses are printed while the servers run
    )


app.add_typer(contract_app, name="contract", rich_help_panel=_START)
app.add_typer(registry_app, name="registry", rich_help_panel=_LOOK)


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the ``faultxfer`` command."""
    arguments = sys.argv[1:] if arguments is None else arguments
    try:
        code = app(arguments, standalone_mode=False, prog_name="faultxfer")
    except TyperException as error:  # every usage error
        code = _usage_error(error, arguments)
    except typer.Abort:
        code = 130
    except typer.Exit as leave:
        code = leave.exit_code
    sys.exit(code or DONE)


def _usage_error(error: Any, arguments: list[str]) -> int:
    if "--json" not in arguments:
        error.show()
        return BAD_INPUT
    try:
        fail(
            {"type": "UsageError", "message": error.format_message()},
            "",
            BAD_INPUT,
            json_output=True,
        )
    except typer.Exit:
        return BAD_INPUT

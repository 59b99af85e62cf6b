"""Commands and their options."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from faultxfer.cli.registry import registry_app
from faultxfer.cli.session import BAD_INPUT, DONE, REFUSED, fail, run_command

app = typer.Typer(
    name="faultxfer",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode="rich",
    help="Move a fault detector from equipment with years of labelled history to equipment that has almost none.",
    epilog="Exit codes: 0 done, 10 the gate refused, 2 bad input or usage, 3 could not be checked, 1 internal error, "
    "130, 143 or 129 stopped by Ctrl-C, SIGTERM or SIGHUP.",
)
contract_app = typer.Typer(no_args_is_help=True, help="Write and compare data contracts.")

_START, _MAIN, _LOOK = "Start here", "The main path", "Look"
_CSV = "How the files are written, where they do not tell; the draft pins it"

Csv = Annotated[
    list[str], typer.Argument(metavar="CSV...", help="CSV files or quoted patterns; .csv.gz too.")
]
ContractFile = Annotated[
    Path, typer.Option("--contract", metavar="FILE", help="The data contract (YAML).")
]
Model = Annotated[str, typer.Option("--model", metavar="NAME", help="The source model's name.")]
Equipment = Annotated[str, typer.Option("--equipment", metavar="EQ", help="The machine.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Plain = Annotated[
    bool, typer.Option("--no-prefect", help="Run the same steps without a Prefect flow run.")
]
Quarantine = Annotated[Path, typer.Option(metavar="DIR", help="Where rows set aside are kept.")]
DataDocs = Annotated[
    Path | None, typer.Option(metavar="FOLDER", help="Put Great Expectations' Data Docs there.")
]
Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Options as YAML.")]
Seed = Annotated[int | None, typer.Option(help="Same data and seed, same weights.")]


@app.command(rich_help_panel=_START)
def demo(
    folder: Annotated[
        Path, typer.Option(metavar="DIR", help="Where the simulated CSVs go.")
    ] = Path("faultxfer-demo"),
    json_output: Json = False,
    plain: Plain = False,
) -> None:
    """See the main job on a simulated pump fleet: pretrain, transfer, score."""
    from faultxfer.cli.demo import render_demo, run_demo

    run_command(
        lambda: run_demo(folder, plain=plain),
        json_output=json_output,
        render=render_demo,
        as_data=lambda result: result.as_dict(),
        exit_code=lambda result: _transfer_code(result.transferred),
    )


def _pin(metavar: str | None, help_text: str, *names: str) -> Any:
    """An option that says how the files are written, where that cannot be told."""
    return typer.Option(*names, metavar=metavar, help=help_text, rich_help_panel=_CSV)


@contract_app.command("infer")
def contract_infer(
    csv: Csv,
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
    json_output: Json = False,
) -> None:
    """Draft a contract from example files, to be read and edited by a person."""
    keys = {
        "equipment_column": equipment_column,
        "run_column": run_column,
        "time_column": time_column,
    }
    pins: dict[str, Any] = {
        "separator": separator,
        "decimal": decimal,
        "thousands": thousands,
        "encoding": encoding,
    }
    pins |= {"time_format": time_format, "day_first": day_first}

    def work() -> dict[str, Any]:
        from faultxfer.drafting.contracts import draft_contract

        return draft_contract(csv, out, label=label, force=force, columns=columns, **keys, **pins)

    def render(result: dict[str, Any]) -> None:
        from faultxfer.cli.session import stdout

        stdout().print(
            f"Contract with {len(result['sensors'])} sensors written: {result['out']}\n"
            "Read it before you use it: set units, physical limits and what is not a sensor.",
            soft_wrap=True,
        )

    run_command(work, json_output=json_output, render=render, as_data=lambda result: result)


@contract_app.command("diff")
def contract_diff(
    old: Annotated[
        Path, typer.Argument(metavar="A", help="The contract that the models were trained with.")
    ],
    new: Annotated[Path, typer.Argument(metavar="B", help="The contract that is to replace it.")],
    json_output: Json = False,
) -> None:
    """Say what changed from contract A to B, and whether models trained under A remain valid."""

    def work() -> dict[str, Any]:
        from faultxfer.drafting.contracts import compare_contracts

        return compare_contracts(old, new)

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("contract_changes", result),
        as_data=lambda result: result,
    )


@contract_app.command("schema")
def contract_schema(
    out: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it here instead of to stdout.")
    ] = None,
    json_output: Json = False,
) -> None:
    """Give the JSON Schema of contracts, by which an editor completes and checks them."""

    def work() -> dict[str, Any]:
        from faultxfer.contract.schema import json_schema
        from faultxfer.drafting.contracts import write_schema

        return write_schema(out) if out else json_schema()

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("contract_schema", result),
        as_data=lambda result: result,
    )


@app.command(rich_help_panel=_MAIN)
def validate(
    csv: Csv,
    contract: ContractFile,
    equipment: Annotated[
        str | None,
        typer.Option(
            metavar="EQ", help="Check this machine's rows alone, by its own tags and units."
        ),
    ] = None,
    quarantine: Quarantine = Path("quarantine"),
    data_docs: DataDocs = None,
    json_output: Json = False,
    plain: Plain = False,
) -> None:
    """Check files against a contract: findings, and a file of the rows set aside."""

    def work() -> Any:
        from faultxfer.steps.preflight import check_validate_request

        check_validate_request(csv, contract)
        where = {
            "contract": str(contract),
            "quarantine": str(quarantine),
            "data_docs": _text(data_docs),
        }
        return _run("validate", plain, csv=csv, equipment=equipment, **where)

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("checked_rows", result),
        as_data=lambda result: result.as_dict(),
        exit_code=lambda result: BAD_INPUT if result.refused else DONE,
    )


@app.command(rich_help_panel=_MAIN)
def pretrain(
    csv: Csv,
    contract: ContractFile,
    model: Model,
    config: Config = None,
    seed: Seed = None,
    quarantine: Quarantine = Path("quarantine"),
    data_docs: DataDocs = None,
    json_output: Json = False,
    plain: Plain = False,
) -> None:
    """Train and register the source model on equipment with history."""

    def work() -> Any:
        from faultxfer.config import PretrainOptions, read_options
        from faultxfer.steps.preflight import check_pretrain_request

        options = read_options(PretrainOptions, config, seed=seed)
        check_pretrain_request(csv, contract, model)
        where = {
            "contract": str(contract),
            "quarantine": str(quarantine),
            "data_docs": _text(data_docs),
        }
        return _run("pretrain", plain, csv=csv, model=model, options=options, **where)

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("pretrained", result),
        as_data=lambda result: result.as_dict(),
    )


def _only_strategy(strategy: str | None, *, single_network: bool) -> str | None:
    """The strategy asked for by name, or by ``--single-network``.

    Raises:
        ConfigError: both ask for another one.
    """
    if not single_network:
        return strategy
    if strategy not in (None, "single_network"):
        from faultxfer.errors import ConfigError

        raise ConfigError(
            "One strategy was expected",
            received={"--strategy": strategy, "--single-network": True},
            remedy="Leave one of them out",
        )
    return "single_network"


@app.command(rich_help_panel=_MAIN)
def transfer(
    csv: Csv,
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
    trainable_layers: Annotated[
        int | None, typer.Option(help="Last layers to train, in the strategies that fine-tune.")
    ] = None,
    scaler: Annotated[
        str | None,
        typer.Option(
            help="`source`, `target`, `normal`, `offset` or `blend`, in strategies other than the stack."
        ),
    ] = None,
    alarm_rate: Annotated[
        float | None, typer.Option(help="False-alarm rate that the threshold aims at.")
    ] = None,
    alarm_confidence: Annotated[
        float | None, typer.Option(help="Promise that rate for new runs, such as 0.95, or refuse.")
    ] = None,
    fault_share: Annotated[
        float | None, typer.Option(help="Share of faults in use, if not that of the rows.")
    ] = None,
    seed: Seed = None,
    config: Config = None,
    gate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Gate thresholds as YAML.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Stop before the registry.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Do again what the same request led to before.")
    ] = False,
    override_gate: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Promote in spite of a refusal; the reason is kept."),
    ] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also put the pictures there.")
    ] = None,
    quarantine: Quarantine = Path("quarantine"),
    data_docs: DataDocs = None,
    json_output: Json = False,
    plain: Plain = False,
) -> None:
    """The main job: adapt the source model to a machine, judge it, and register it if the gate lets it pass."""

    def work() -> Any:
        from faultxfer.config import GateOptions, TransferOptions, load_options, read_options
        from faultxfer.steps.preflight import check_transfer_request

        chosen = _only_strategy(strategy, single_network=single_network)
        given: dict[str, Any] = {
            "strategy": chosen,
            "trainable_layers": trainable_layers,
            "scaler": scaler,
        }
        given |= {
            "alarm_rate": alarm_rate,
            "alarm_confidence": alarm_confidence,
            "fault_share": fault_share,
        }
        given["seed"] = seed
        bounds = load_options(GateOptions, gate) if gate else None
        options = read_options(TransferOptions, config, **given, gate=bounds)
        check_transfer_request(
            csv, contract, model, equipment, override_gate, options.gate.family, dry_run=dry_run
        )
        return _run(
            "transfer",
            plain,
            csv=csv,
            contract=str(contract),
            model=model,
            equipment=equipment,
            options=options,
            dry_run=dry_run,
            override_gate=override_gate,
            force=force,
            report_folder=str(report) if report else None,
            quarantine=str(quarantine),
            data_docs=_text(data_docs),
        )

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("transferred", result),
        as_data=lambda result: result.as_dict(),
        exit_code=_transfer_code,
    )


@app.command(rich_help_panel=_MAIN)
def score(
    csv: Csv,
    model: Model,
    equipment: Equipment,
    out: Annotated[Path, typer.Option(metavar="FILE", help="CSV to write.")],
    version: Annotated[
        int | None, typer.Option(metavar="N", help="Version; the champion if left out.")
    ] = None,
    quarantine: Quarantine = Path("quarantine"),
    data_docs: DataDocs = None,
    json_output: Json = False,
    plain: Plain = False,
) -> None:
    """Score new rows with a machine's champion, or the version asked for."""

    def work() -> Any:
        from faultxfer.steps.preflight import check_score_request

        check_score_request(csv, model, equipment, out)
        what = {"model": model, "equipment": equipment, "version": version}
        where = {"out": str(out), "quarantine": str(quarantine), "data_docs": _text(data_docs)}
        return _run("score", plain, csv=csv, **what, **where)

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("scored", result),
        as_data=lambda result: result.as_dict(),
    )


@app.command("learning-curve", rich_help_panel=_MAIN)
def learning_curve(
    csv: Csv,
    contract: ContractFile,
    model: Model,
    equipment: Equipment,
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Where figures, answers and picture go.")
    ] = Path("learning-curve"),
    more: Annotated[
        int | None, typer.Option(metavar="N", help="Further labelled rows to ask about.")
    ] = None,
    config: Config = None,
    seed: Seed = None,
    quarantine: Quarantine = Path("quarantine"),
    data_docs: DataDocs = None,
    json_output: Json = False,
    plain: Plain = False,
) -> None:
    """Would more labels help? Transfer against scratch over label counts; registers nothing."""

    def work() -> Any:
        from faultxfer.config import CurveOptions, read_options
        from faultxfer.steps.preflight import check_learning_request

        options = read_options(CurveOptions, config, more=more, seed=seed)
        check_learning_request(csv, contract, model, equipment, out)
        what = {
            "contract": str(contract),
            "model": model,
            "equipment": equipment,
            "options": options,
        }
        where = {"out": str(out), "quarantine": str(quarantine), "data_docs": _text(data_docs)}
        return _run("learning_curve", plain, csv=csv, **what, **where)

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("learned", result),
        as_data=lambda result: result.as_dict(),
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


def _run(name: str, plain: bool, **arguments: Any) -> Any:
    from faultxfer.cli.flow_runs import run_pipeline

    return run_pipeline(name, plain=plain, **arguments)


def _text(path: Path | None) -> str | None:
    return str(path) if path else None


def _render(name: str, result: Any) -> None:
    from faultxfer.cli import render

    getattr(render, name)(result)


def _transfer_code(result: Any) -> int:
    if result.outcome == "unchanged":
        return DONE if result.before == "promoted" else REFUSED
    return DONE if result.decision.promoted or result.outcome == "promoted" else REFUSED

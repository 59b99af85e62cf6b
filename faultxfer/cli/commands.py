"""Commands of the main path and their options."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from faultxfer.cli.after_errors import next_after
from faultxfer.cli.command import Files, Json, asked, command
from faultxfer.cli.contracts import contract_app
from faultxfer.cli.deploying import deployments_app
from faultxfer.cli.fleet import fleet_app
from faultxfer.cli.pipelines import run_pipeline
from faultxfer.cli.registry import registry_app
from faultxfer.cli.session import BAD_INPUT, DONE, REFUSED, answering, run_command
from faultxfer.config import (
    CurveOptions,
    GateOptions,
    PretrainOptions,
    StrategyName,
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
    WatchRequest,
)

commands = typer.Typer(rich_markup_mode="rich")

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
Events = Annotated[Path | None, asked(ValidateRequest, "events", "--events", metavar="LOG")]
Without = Annotated[
    list[str] | None, asked(ValidateRequest, "without", "--without", metavar="SENSOR")
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
    commands,
    shows="demo",
    registry=True,
    details=True,
    banner=lambda result: result.scored.banner if result.scored else "",
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


@command(commands, shows="simulated")
def simulate(
    folder: Annotated[Path, typer.Option(metavar="DIR", help="Where the files go.")] = Path(
        "plant"
    ),
    equipment: Annotated[
        str, typer.Option(metavar="EQ", help="Name of the new machine; each is another one.")
    ] = "pump-9",
    sensors_differ: Annotated[
        bool,
        typer.Option(
            "--sensors-differ",
            help="Each machine lacks another sensor and the first has two more; pumps.yaml there "
            "says which.",
        ),
    ] = False,
) -> Any:
    """Write the files of a simulated pump fleet, to try the commands on."""
    from faultxfer.cli.simulating import simulate_plant

    return simulate_plant(folder, equipment, sensors_differ=sensors_differ)


@command(
    commands,
    shows="validated",
    exit_code=lambda result: BAD_INPUT if result.refused else DONE,
)
def validate(
    files: Files,
    contract: ContractFile,
    equipment: Annotated[str | None, asked(ValidateRequest, "equipment", metavar="EQ")] = None,
    events: Events = None,
    without: Without = None,
    quarantine: Quarantine = QUARANTINE,
    data_docs: DataDocs = None,
    details: Annotated[
        bool, typer.Option("--details", help="A line for each finding, not for each code.")
    ] = False,
    prefect: Prefect = None,
) -> Any:
    """Check files against a contract: findings, and a file of the rows set aside."""
    from faultxfer.cli.validating import Validated

    rows = run_pipeline(
        "validate",
        prefect,
        files=files,
        contract=contract,
        events=events,
        equipment=equipment,
        without=without,
        quarantine=quarantine,
        data_docs=data_docs,
    )
    sensors = tuple(without or ())
    return Validated(rows, tuple(files), contract, equipment, details, sensors, events)


@command(commands, shows="pretrained", registry=True, details=True)
def pretrain(
    files: Files,
    contract: ContractFile,
    model: Annotated[str, asked(PretrainRequest, "model", "--model", metavar="NAME")],
    events: Events = None,
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
        events=events,
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


@command(commands, shows="transferred", registry=True, details=True, exit_code=_transfer_code)
def transfer(
    files: Files,
    contract: ContractFile,
    model: Model,
    equipment: Equipment,
    strategy: Annotated[
        str | None,
        typer.Option(
            help="`stack` (default), or one way alone; docs/strategies.md lists them.",
            autocompletion=lambda: list(get_args(StrategyName)),
        ),
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
    false_alarms_per_day: Annotated[
        float | None, asked(TransferOptions, "false_alarms_per_day")
    ] = None,
    fault_share: Annotated[float | None, asked(TransferOptions, "fault_share")] = None,
    seed: Seed = None,
    events: Events = None,
    config: Config = None,
    gate: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Gate thresholds as YAML.")
    ] = None,
    dry_run: Annotated[bool, asked(TransferRequest, "dry_run", "--dry-run")] = False,
    force: Annotated[bool, asked(TransferRequest, "force", "--force")] = False,
    without: Without = None,
    policy: Annotated[
        str | None, asked(TransferRequest, "policy", metavar="managed|manual")
    ] = None,
    override_gate: Annotated[
        str | None, asked(TransferRequest, "override_gate", metavar="REASON")
    ] = None,
    report: Annotated[
        Path | None, asked(TransferRequest, "report_folder", "--report", metavar="DIR")
    ] = None,
    healthy: Annotated[
        str | None, asked(TransferRequest, "healthy", metavar="RANGE|column:NAME|all")
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
        false_alarms_per_day=false_alarms_per_day,
        fault_share=fault_share,
        seed=seed,
        gate=load_options(GateOptions, gate) if gate else None,
    )
    return run_pipeline(
        "transfer",
        prefect,
        files=files,
        contract=contract,
        events=events,
        model=model,
        equipment=equipment,
        options=options,
        dry_run=dry_run,
        override_gate=override_gate,
        policy=policy,
        force=force,
        without=without,
        quarantine=quarantine,
        data_docs=data_docs,
        report_folder=report,
        healthy=healthy,
    )


@command(commands, shows="scored", registry=True, details=True, banner=lambda result: result.banner)
def score(
    files: Files,
    model: Model,
    out: Annotated[Path, asked(ScoreRequest, "out", metavar="FILE")],
    equipment: Annotated[str | None, asked(ScoreRequest, "equipment", metavar="EQ")] = None,
    version: Annotated[int | None, asked(ScoreRequest, "version", metavar="N")] = None,
    without: Annotated[
        list[str] | None, asked(ScoreRequest, "without", "--without", metavar="SENSOR")
    ] = None,
    quarantine: Quarantine = QUARANTINE,
    data_docs: DataDocs = None,
    state: Annotated[Path | None, asked(ScoreRequest, "state", metavar="FILE")] = None,
    prefect: Prefect = None,
) -> Any:
    """Score new rows with a machine's champion, the version asked for, or the source model."""
    return run_pipeline(
        "score",
        prefect,
        files=files,
        model=model,
        equipment=equipment,
        out=out,
        version=version,
        without=without,
        quarantine=quarantine,
        data_docs=data_docs,
        state=state,
    )


@command(commands, "learning-curve", shows="learned", registry=True, details=True)
def learning_curve(
    files: Files,
    contract: ContractFile,
    model: Model,
    equipment: Equipment,
    out: Annotated[Path, asked(CurveRequest, "out", metavar="DIR")] = LEARNING_CURVE,
    more: Annotated[int | None, asked(CurveOptions, "more", metavar="N")] = None,
    events: Events = None,
    without: Without = None,
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
        events=events,
        model=model,
        equipment=equipment,
        options=read_options(CurveOptions, config, more=more, seed=seed),
        out=out,
        without=without,
        quarantine=quarantine,
        data_docs=data_docs,
    )


MlflowPort = Annotated[
    int, typer.Option(min=0, max=65535, help="Port of MLflow; 0 takes a free one.")
]
PrefectPort = Annotated[
    int, typer.Option(min=0, max=65535, help="Port of Prefect; 0 takes a free one.")
]


@commands.command()
def watch(
    landing: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="Folder in which files arrive; `landing` of the family if left out.",
        ),
    ] = None,
    family: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Which family; may be left out where there is one."),
    ] = None,
    deployments: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settings of the families; deployments.yaml, or a family for each contract in "
            "data_contracts/, if left out.",
        ),
    ] = None,
    contract: Annotated[Path | None, asked(WatchRequest, "contract", metavar="FILE")] = None,
    model: Annotated[str | None, asked(WatchRequest, "model", metavar="NAME")] = None,
    transfer_labelled: Annotated[bool | None, asked(WatchRequest, "transfer_labelled")] = None,
    once: Annotated[bool, typer.Option("--once", help="Look once, and end.")] = False,
    every: Annotated[float | None, asked(WatchRequest, "every", metavar="SECONDS")] = None,
    settle: Annotated[float | None, asked(WatchRequest, "settle", metavar="SECONDS")] = None,
    prefect: Prefect = None,
    json_output: Json = False,
) -> None:
    """Score each file that arrives in a folder with its machine's version, once."""
    from faultxfer.cli.watching import Watch

    answering.set("watch")
    asks = Watch(once=once, prefect=prefect, json_output=json_output)
    run_command(
        lambda: asks.run(
            deployments,
            family,
            landing=landing,
            contract=contract,
            model=model,
            transfer_labelled=transfer_labelled,
            every=every,
            settle=settle,
        ),
        json_output=json_output,
        render=None,  # what came of each file is printed as soon as it is known
        exit_code=lambda result: BAD_INPUT if result.bad else DONE,
        spinner=False,
        after_error=lambda error: next_after(error, ("watch",), {}),
    )


@commands.command()
def up(
    deployments: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Settings of the deployments; deployments.yaml, or a family for each contract in "
            "data_contracts/, if left out.",
        ),
    ] = None,
    landing: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder in which new files arrive.")
    ] = None,
    mlflow_port: MlflowPort = 5000,
    prefect_port: PrefectPort = 4200,
    json_output: Json = False,
) -> None:
    """Start MLflow's and Prefect's pages and serve the deployments; Ctrl-C stops everything."""
    from faultxfer.cli.up import Asked, serve

    answering.set("up")
    asked_for = Asked(mlflow_port, prefect_port, deployments, landing)
    run_command(
        lambda: serve(asked_for, json_output=json_output),
        json_output=json_output,
        render=None,  # the addresses are printed while the servers run
    )


@commands.command(hidden=True)
def ui(
    mlflow_port: MlflowPort = 5000,
    prefect_port: PrefectPort = 4200,
    json_output: Json = False,
) -> None:
    """`faultxfer up`, as releases to 0.2.0 called it."""
    up(mlflow_port=mlflow_port, prefect_port=prefect_port, json_output=json_output)


commands.add_typer(contract_app, name="contract")
commands.add_typer(deployments_app, name="deployments")
commands.add_typer(fleet_app, name="fleet")
commands.add_typer(registry_app, name="registry")

"""What each command is asked: one frozen model per command, from which all entrances start.

The command line takes its help texts from here, Prefect its form, and Python callers give either a
request or its fields by name. A request checks *form* alone: types, names, bounds, and what
excludes what. Whether the files are there and the registry can be reached is looked up by the first
step, where the work runs (:mod:`faultxfer.steps.opening`).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from faultxfer.config import (
    CurveOptions,
    FormerNames,
    GateOptions,
    Policy,
    PretrainOptions,
    TransferOptions,
)
from faultxfer.contract.healthy import Healthy
from faultxfer.errors import ConfigError
from faultxfer.model_problems import questions
from faultxfer.outputs import FLEET, LEARNING_CURVE, QUARANTINE
from faultxfer.registry import names
from faultxfer.spelling import told

# In place of the address of a Dask scheduler: a cluster on this machine, for this command.
LOCAL_CLUSTER = "local"


def _as_text(files: Any) -> Any:
    """Paths as text: a pattern such as ``week-*.csv`` is no path until it is looked up.

    One path is a list of one.
    """
    if isinstance(files, str | Path):
        files = [files]
    if isinstance(files, list | tuple):
        return tuple(str(file) if isinstance(file, Path) else file for file in files)
    return files


Files = Annotated[tuple[str, ...], BeforeValidator(_as_text)]


def _files(what: str) -> Any:
    return Field(
        min_length=1,
        title="Sensor files",
        description=f"{what}: CSV or Parquet files, folders, or patterns such as data/*.csv.",
    )


def _contract(which: str) -> Any:
    return Field(
        title="Data contract",
        description=f"YAML file that says what the files must look like{which}.",
    )


def _without() -> Any:
    return Field(
        default=(),
        title="Sensors to go on without",
        description="Sensor that the machine does not have, or not any more; may be given several "
        "times. As `lacks` in the contract, for this run.",
    )


def _events() -> Any:
    return Field(
        default=None,
        title="Log of faults",
        description="CSV with a line for each interval of a fault, which labels the rows by the "
        "contract's `label.log`.",
    )


def _quarantine() -> Any:
    return Field(
        default=QUARANTINE,
        title="Folder for rows set aside",
        description="Rows that break the contract are kept there, each with its reason.",
    )


def _data_docs() -> Any:
    return Field(
        default=None,
        title="Folder for Data Docs",
        description="Great Expectations' pages about the check go there; to no folder of yours "
        "if left out.",
    )


class _Request(FormerNames):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    former_names: ClassVar[dict[str, str]] = {"csv": "files"}


class ValidateRequest(_Request):
    """Check files against a data contract and set bad rows aside."""

    files: Files = _files("Files to check")
    contract: Path = _contract("")
    equipment: str | None = Field(
        default=None,
        title="Machine",
        description="Check this machine's rows alone, by its own tags and units; all rows if "
        "left out.",
    )
    without: tuple[str, ...] = _without()
    quarantine: Path = _quarantine()
    data_docs: Path | None = _data_docs()
    events: Path | None = _events()


class PretrainRequest(_Request):
    """Train the source model on equipment with years of labelled history, and register it."""

    files: Files = _files("Labelled files of the machines with history")
    contract: Path = _contract("")
    model: str = Field(
        title="Source model", description="Name under which the model is registered, such as pumps."
    )
    options: PretrainOptions = Field(
        default=PretrainOptions(),
        title="Options of the training",
        description="How to train; the defaults are meant to be kept.",
    )
    quarantine: Path = _quarantine()
    data_docs: Path | None = _data_docs()
    events: Path | None = _events()

    @field_validator("model")
    @classmethod
    def _can_be_registered(cls, model: str) -> str:
        names.registered_name(model)
        return model


class _MachineRequest(_Request):
    """About one machine and the source model that its detector comes from."""

    @model_validator(mode="after")
    def _can_be_a_registered_name(self) -> _MachineRequest:
        names.registered_name(self.model, self.equipment)  # type: ignore[attr-defined]
        return self


_SOURCE = Field(
    title="Source model", description="Name of the registered source model, such as pumps."
)
_MACHINE = Field(title="Machine", description="The new machine; only its rows are used.")


class TransferRequest(_MachineRequest):
    """Move the source model to a machine with little labelled history."""

    files: Files = _files("Labelled files of the new machine")
    contract: Path = _contract(": the one that the source model was trained with")
    model: str = _SOURCE
    equipment: str = _MACHINE
    options: TransferOptions = Field(
        default=TransferOptions(),
        title="Options of the transfer",
        description="How to transfer, and the thresholds of the gate; the defaults are meant to "
        "be kept.",
    )
    dry_run: bool = Field(
        default=False,
        title="Dry run",
        description="Train and judge, but write nothing to the registry.",
    )
    override_gate: str | None = Field(
        default=None,
        title="Reason to override the gate",
        description="Promote even if the gate refuses, for this reason; it stays with the version. "
        "It approves nothing that waits.",
    )
    policy: Policy | None = Field(
        default=None,
        title="Who promotes",
        description="`managed`: the gate; `manual`: every promotion waits for a person. As the "
        "rules of the gate say if left out.",
    )
    self_approval: bool = Field(
        default=False,
        title="Let the starter approve",
        description="Whether who started this may approve what comes of it; the journal shows it.",
    )
    approval_days: float | None = Field(
        default=None,
        gt=0,
        le=3650,
        title="Days to approve",
        description="Days after which a version waits for approval no more; as the rules of the "
        "gate say if left out.",
    )
    force: bool = Field(
        default=False,
        title="Do it again",
        description="Train again even if the same files, options and source were transferred "
        "before.",
    )
    without: tuple[str, ...] = _without()
    quarantine: Path = _quarantine()
    data_docs: Path | None = _data_docs()
    report_folder: Path | None = Field(
        default=None,
        title="Folder for the report",
        description="The report and its pictures are copied there too; they are kept with the run "
        "in any case.",
    )
    events: Path | None = _events()
    healthy: str | None = Field(
        default=None,
        title="Rows that you vouch for",
        description="Rows without a label that were healthy, by your word, which the journal "
        "keeps: `2026-03-01/2026-03-15` in the time column, `100/400` where it counts, "
        "`column:NAME` that says yes or no, or `all`.",
    )

    @property
    def rules(self) -> GateOptions:
        """The gate's rules, with who approves by these rules or by this request."""
        gate = self.options.gate
        asked = {
            "policy": self.policy or gate.policy,
            "self_approval": self.self_approval or gate.self_approval,
            "approval_days": self.approval_days or gate.approval_days,
        }
        return gate.model_copy(update=asked)

    @model_validator(mode="after")
    def _is_no_way_around_a_person(self) -> TransferRequest:
        if self.policy == "managed" and self.options.gate.policy == "manual":
            raise ConfigError(
                "The rules of the gate want a person to approve every promotion, and this asks "
                "that the gate decides",
                received={"policy": self.policy},
                remedy="Leave `policy` out, or change the gate file",
            )
        return self

    @field_validator("healthy")
    @classmethod
    def _healthy_can_be_read(cls, healthy: str | None) -> str | None:
        if healthy is not None:
            Healthy.parsed(healthy)
        return healthy

    @field_validator("override_gate")
    @classmethod
    def _override_has_a_reason(cls, reason: str | None) -> str | None:
        if reason is not None and not reason.strip():
            raise ConfigError(
                "Overriding the gate needs a reason",
                received={"override_gate": reason},
                remedy="Say why in a few words: it stays with the version",
            )
        return reason


class ScoreRequest(_Request):
    """Score new rows of a machine with its champion, or with the version asked for.

    Without a machine, the source model itself scores them.
    """

    files: Files = _files("Files of the machine, labelled or not")
    model: str = Field(
        title="Source model", description="Source model that the machine's detector comes from."
    )
    equipment: str | None = Field(
        default=None,
        title="Machine",
        description="The machine whose rows are scored; all rows, with the source model itself, "
        "if left out.",
    )
    out: Path = Field(
        title="File for the scores",
        description="File to write: Parquet where it ends in `.parquet`, CSV else.",
    )
    version: int | None = Field(
        default=None,
        ge=1,
        title="Version",
        description="Version of the detector; if left out the champion, or the provisional "
        "version of a machine without champion.",
    )
    without: tuple[str, ...] = Field(
        default=(),
        title="Sensors to go on without",
        description="Sensor of the detector whose readings count as missing in every row; may be "
        "given several times.",
    )
    quarantine: Path = _quarantine()
    data_docs: Path | None = _data_docs()
    state: Path | None = Field(
        default=None,
        title="State between files",
        description="File in which a score leaves the last rows of each recording, for the next "
        "file to go on from; it is made where there is none.",
    )

    @model_validator(mode="after")
    def _can_be_asked_for(self) -> ScoreRequest:
        names.check_asked(self.model, self.equipment)
        return self


class CurveRequest(_MachineRequest):
    """Measure what labelled rows of a machine bring, with the source and without it."""

    files: Files = _files("Labelled files of the machine")
    contract: Path = _contract(": the one that the source model was trained with")
    model: str = _SOURCE
    equipment: str = _MACHINE
    options: CurveOptions = Field(
        default=CurveOptions(),
        title="Options of the curve",
        description="Which counts of labelled rows to try, and how often.",
    )
    out: Path = Field(
        default=LEARNING_CURVE,
        title="Folder for the results",
        description="Table (JSON), answers (Markdown) and picture (PNG) go there.",
    )
    without: tuple[str, ...] = _without()
    quarantine: Path = _quarantine()
    data_docs: Path | None = _data_docs()
    events: Path | None = _events()


class WatchRequest(_Request):
    """Score each file that arrives in a folder with its machine's version, once."""

    former_names: ClassVar[dict[str, str]] = {}

    landing: Path = Field(title="Watched folder", description="Folder in which files arrive.")
    contract: Path = _contract(" of the family")
    model: str = _SOURCE
    transfer_labelled: bool = Field(
        default=False,
        title="Transfer what is labelled",
        description="Whether labelled files start a transfer of their machine, with all its "
        "labelled files in the folder.",
    )
    options: TransferOptions = Field(
        default=TransferOptions(),
        title="Options of such a transfer",
        description="How to transfer, and the thresholds of the gate.",
    )
    policy: Policy | None = Field(
        default=None,
        title="Who promotes",
        description="`managed`: the gate; `manual`: every promotion waits for a person.",
    )
    self_approval: bool = Field(
        default=False,
        title="Let the starter approve",
        description="Whether who started the watch may approve what comes of it.",
    )
    approval_days: float | None = Field(
        default=None,
        gt=0,
        le=3650,
        title="Days to approve",
        description="Days after which a version waits for approval no more.",
    )
    minutes: float = Field(
        default=0.0,
        ge=0,
        title="Minutes to watch",
        description="How long to go on; 0 looks once.",
    )
    every: float = Field(
        default=10.0,
        gt=0,
        le=86_400,
        title="Seconds between two looks",
        description="How often to look whether a file has arrived.",
    )
    settle: float = Field(
        default=5.0,
        ge=0,
        le=86_400,
        title="Seconds until a file is finished",
        description="A file that nobody has changed for this long is taken to be whole.",
    )

    @field_validator("model")
    @classmethod
    def _is_a_name(cls, model: str) -> str:
        names.registered_name(model)
        return model


FleetTask = Literal["transfer", "score", "validate"]


class FleetRequest(_Request):
    """Transfer, score or validate many machines, each by itself, as a manifest names them."""

    former_names: ClassVar[dict[str, str]] = {}

    task: FleetTask = Field(
        title="What to do", description="`transfer`, `score` or `validate` each machine."
    )
    manifest: Files = Field(
        min_length=1,
        title="Manifest",
        description="CSV or YAML file with a line for each machine, or a pattern of sensor files "
        "such as landing/*.csv.",
    )
    contract: Path | None = Field(
        default=None,
        title="Data contract",
        description="YAML file that says what the files must look like, of machines for which the "
        "manifest names no other.",
    )
    model: str | None = Field(
        default=None,
        title="Source model",
        description="Name of the registered source model, of machines for which the manifest "
        "names no other.",
    )
    out: Path = Field(
        default=FLEET,
        title="Folder for the results",
        description="Page, scores, rows set aside and the ledger of what was done go there.",
    )
    options: TransferOptions = Field(
        default=TransferOptions(),
        title="Options of the transfers",
        description="How to transfer, and the thresholds of the gate.",
    )
    policy: Policy | None = Field(
        default=None,
        title="Who promotes",
        description="`managed`: the gate; `manual`: every promotion waits for a person.",
    )
    dry_run: bool = Field(
        default=False,
        title="Dry run",
        description="Train and judge, but write nothing to the registry.",
    )
    again: bool = Field(
        default=False,
        title="Start over",
        description="Do everything again, whatever the ledger says of it.",
    )
    workers: int | None = Field(
        default=None,
        ge=1,
        le=4096,
        title="Workers",
        description="Processes that work at the same time, one thread each; as many as there are "
        "processors if left out, or as the Dask scheduler has.",
    )
    memory_per_worker: float = Field(
        default=1.5,
        gt=0,
        le=4096,
        title="Memory of a worker, GB",
        description="A worker that takes more is ended, and its machine fails; there are fewer "
        "workers where there is less memory.",
    )
    dask: str | None = Field(
        default=None,
        title="Dask",
        description="Address of a Dask scheduler such as tcp://10.0.0.5:8786, or `local` for a "
        "cluster on this machine; this command's own workers if left out.",
    )
    events: Path | None = Field(
        default=None,
        title="Log of faults",
        description="CSV with a line for each interval of a fault of any of the machines, for "
        "which the manifest names no other.",
    )

    @field_validator("dask")
    @classmethod
    def _is_an_address(cls, dask: str | None) -> str | None:
        if dask is None or dask == LOCAL_CLUSTER or re.fullmatch(r"(tcp|tls|ws|wss)://.+", dask):
            return dask
        raise ConfigError(
            "This is no address of a Dask scheduler",
            received={"dask": dask},
            remedy="Give one such as tcp://10.0.0.5:8786, or `local` for a cluster on this machine",
        )


Request = TypeVar("Request", bound=_Request)


def make_request(kind: type[Request], *given: Any, **named: Any) -> Request:
    """A request of type ``kind``.

    Args:
        kind: the model.
        *given: the request itself, or values in the order of its fields.
        **named: values by name; None stands for the default.

    Raises:
        ConfigError: a value has not the form that is needed; names each, and what is possible.

    >>> make_request(ScoreRequest, ["new.csv"], "pumps", "pump-9", "scores.csv").out.name
    'scores.csv'
    """
    if len(given) == 1 and isinstance(given[0], kind) and not named:
        return given[0]
    if len(given) > len(kind.model_fields):
        raise TypeError(f"{kind.__name__} has {len(kind.model_fields)} fields, not {len(given)}")
    values = {**dict(zip(kind.model_fields, given, strict=False)), **named}
    try:
        return kind.model_validate({k: value for k, value in values.items() if value is not None})
    except ValidationError as error:
        asked = zip(error.errors(), questions(error, kind), strict=True)
        problems: dict[str, object] = {
            ".".join(map(str, problem["loc"])): told(problem["msg"], question)
            for problem, question in [*asked][:5]
        }
        raise ConfigError(
            "The request has fields that are missing, unknown or of the wrong form",
            received=problems,
            remedy=f"Its fields are {', '.join(kind.model_fields)}",
        ) from error

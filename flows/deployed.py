"""The deployments of each family: what ``faultxfer up`` serves and ``prefect.yaml`` lists.

To deploy a further flow: a line in ``PLANS``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from faultxfer import requests
from faultxfer.config import GateOptions, PretrainOptions, TransferOptions, load_options
from faultxfer.deployments import Deployments, Family, Schedule
from flows import upkeep
from flows.choices import Choices
from flows.forms import GATE_FILE, LEFT_OUT, MORE, OPTIONS_FILE, USUAL_FILES, added
from flows.schemas import Schema, choose_many, choose_one, form

# Only of a family with a folder to watch.
WATCH = "watch-folder"


@dataclass(frozen=True)
class Plan:
    """One kind of deployment.

    Attributes:
        entrypoint: module and name of the flow.
        request: whose fields are the form.
        short: fields that are not folded.
        does: what it does, for people.
        alone: whether only one of its runs may be under way: two would do the same work twice.
        folds: whether the other fields are shown, folded.
    """

    entrypoint: str
    request: type[BaseModel]
    short: tuple[str, ...]
    does: str
    alone: bool = False
    folds: bool = True


PLANS: dict[str, Plan] = {
    "pretrain": Plan(
        "flows.pipeline.pretrain",
        requests.PretrainRequest,
        ("files",),
        "Train the source model on equipment with history, and register it.",
        alone=True,
    ),
    "transfer": Plan(
        "flows.pipeline.transfer",
        requests.TransferRequest,
        ("files", "equipment", "dry_run"),
        "Move the source model to a machine; champion only if the gate lets it pass, and a person "
        "where the rules want one.",
    ),
    "approve": Plan(
        "flows.upkeep.approve",
        upkeep.ApproveRequest,
        ("waiting", "decision", "reason", "name"),
        "Approve or reject a version that waits.",
        folds=False,
    ),
    "score": Plan(
        "flows.pipeline.score",
        requests.ScoreRequest,
        ("files", "equipment"),
        "Score new rows of a machine with its champion; without a machine, with the source model.",
    ),
    WATCH: Plan(
        "flows.landing.watch_folder",
        requests.WatchRequest,
        ("landing",),
        "Score each new file of the family's folder with its machine's version, once.",
        alone=True,
    ),
    "fleet": Plan(
        "flows.fleet.fleet",
        requests.FleetRequest,
        ("task", "manifest", "dry_run"),
        "Transfer, score or validate many machines, each by itself; the folder in which files "
        "arrive if no manifest is named.",
        alone=True,
    ),
    "validate": Plan(
        "flows.pipeline.validate",
        requests.ValidateRequest,
        ("files", "equipment"),
        "Check files against the data contract; bad rows are set aside.",
    ),
    "learning-curve": Plan(
        "flows.pipeline.learning_curve",
        requests.CurveRequest,
        ("files", "equipment"),
        "Would more labels help? Transfer against scratch over label counts; registers nothing.",
    ),
    "doctor": Plan(
        "flows.upkeep.doctor",
        upkeep.DoctorRequest,
        ("repair",),
        "Look whether the registry is sound; a run in which something is damaged fails.",
        alone=True,
        folds=False,
    ),
}


@dataclass(frozen=True)
class Deployment:
    """One deployment of one family, whoever runs it.

    Attributes:
        name: as Prefect shows it, such as ``transfer-pumps``.
        flow: name of its flow.
        plan: its kind.
        parameters: what its runs are given where nobody says otherwise, as plain data.
        schema: its form.
        description: in Markdown.
        schedules: when it runs by itself, by a name that stays.
    """

    name: str
    flow: str
    plan: Plan
    family: str
    parameters: dict[str, Any]
    schema: Schema
    description: str
    schedules: dict[str, Schedule]


def deployments_of(settings: Deployments, choices: dict[str, Choices]) -> list[Deployment]:
    """All deployments of all families.

    Args:
        settings: the families.
        choices: by family, what its forms offer.

    Raises:
        ConfigError: a file with rules or options that a family names cannot be used.
    """
    return [
        _deployment(kind, plan, name, family, choices[name])
        for name, family in settings.families.items()
        for kind, plan in PLANS.items()
        if kind != WATCH or family.landing is not None
    ]


def _deployment(kind: str, plan: Plan, name: str, family: Family, choices: Choices) -> Deployment:
    parameters = _parameters(plan, family)
    today = parameters | _options_today(family)
    schema = form(plan.request, plan.short, today, folds=plan.folds)
    _offer(schema, plan, choices)
    return Deployment(
        name=f"{kind}-{name}",
        flow=kind,
        plan=plan,
        family=name,
        parameters=parameters,
        schema=schema,
        description=_description(kind, plan, choices),
        schedules=dict(_schedules(kind, plan, family, choices)),
    )


def _parameters(plan: Plan, family: Family) -> dict[str, Any]:
    """The family's settings, as far as the flow takes them."""
    is_source = plan.request is requests.PretrainRequest
    landing = [str(family.landing)] if family.landing else []
    known = {
        "contract": family.contract,
        "model": family.model,
        "landing": family.landing,
        "manifest": landing,
        "transfer_labelled": family.transfer_labelled,
        "policy": family.policy,
        "self_approval": family.self_approval,
        "approval_days": family.approval_days,
        GATE_FILE: family.gate,
        OPTIONS_FILE: family.options if "policy" in plan.request.model_fields else None,
        USUAL_FILES: list(family.pretrain_files) if is_source else landing,
    }
    taken = {*plan.request.model_fields, *added(plan.request)}
    return {name: _as_plain(value) for name, value in known.items() if name in taken and value}


def _as_plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _options_today(family: Family) -> dict[str, Any]:
    """Values of the models inside the form: those of the family's files, else the defaults."""
    options = load_options(TransferOptions, family.options) if family.options else TransferOptions()
    gate = load_options(GateOptions, family.gate) if family.gate else options.gate
    made = (options, options.split, gate, PretrainOptions())
    return {type(one).__name__: one.model_dump(mode="json") for one in made}


def _offer(schema: Schema, plan: Plan, choices: Choices) -> None:
    """Put the choices of now into a form."""
    fields = schema["properties"]
    is_source = plan.request is requests.PretrainRequest
    if "files" in fields:
        offered = choices.source_files if is_source else choices.files
        fields["files"] = choose_many(fields["files"], offered)
        if offered:
            what = fields["files"]["description"].partition(":")[0]
            fields["files"]["description"] = f"{what}. {LEFT_OUT['files']}"
    if "equipment" in fields:
        # Left out, a check means all rows: that is a choice too.
        only = plan.request is not requests.ValidateRequest
        fields["equipment"] = choose_one(fields["equipment"], choices.machines, only=only)
    if "waiting" in fields:
        versions = [one.choice for one in choices.registered.waiting]
        fields["waiting"] = choose_one(fields["waiting"], versions)
        schema["required"] = list(plan.short)
    # The same fields stand beside the choices and in the group that is shown.
    folded = fields.get(MORE, {}).get("properties", {})
    for name in {GATE_FILE, OPTIONS_FILE} & set(folded):
        folded[name] |= {"enum": list(choices.settings)} if choices.settings else {}


def _description(kind: str, plan: Plan, choices: Choices) -> str:
    if kind != "approve":
        return plan.does
    waiting = choices.registered.waiting
    shown = [one.shown for one in waiting] or ["No version waits."]
    return "\n\n".join([plan.does, *shown])


def _schedules(
    kind: str, plan: Plan, family: Family, choices: Choices
) -> Iterator[tuple[str, Schedule]]:
    """Each schedule with a name that stays; one for each machine where a machine is needed."""
    of_kind = [one for name, listed in family.schedules.items() if name == kind for one in listed]
    needs_machine = "equipment" in plan.short and bool(choices.machines)
    for number, schedule in enumerate(of_kind, start=1):
        name = f"{kind}-{number}"
        if not needs_machine or "equipment" in schedule.parameters:
            yield name, schedule
            continue
        for machine in choices.machines:
            parameters = {**schedule.parameters, "equipment": machine}
            yield f"{name}-{machine}", schedule.model_copy(update={"parameters": parameters})

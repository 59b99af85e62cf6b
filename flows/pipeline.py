"""The flows, one for each command: the lists of :mod:`faultxfer.pipeline`, their steps as tasks.

A flow's parameters are the fields of the command's request, so that the form, the deployments in
``prefect.yaml`` and ``prefect deployment run --param`` name them alike. The signature is made of
the request, and not written out a second time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from prefect import Flow, flow, runtime
from pydantic import Field
from pydantic.fields import FieldInfo

from faultxfer import pipeline, requests
from faultxfer.stopping import heeded
from flows.endings import ended
from flows.labels import name_of, tag_this_run
from flows.publish import progress_in_the_log
from flows.tasks import in_tasks
from flows.turns import turn_of


def flow_of(
    name: str,
    listed: Callable[..., Any],
    kind: type[requests.Request],
    *,
    former: bool = False,
) -> Flow[..., Any]:
    """A flow that runs a list of steps as tasks.

    Args:
        name: as Prefect shows it.
        listed: the list of steps.
        kind: the request; its fields become the flow's parameters, its docstring the description.
        former: whether the parameters have the names of release 0.1.0.
    """

    def run(*given: Any, **named: Any) -> Any:
        bound = signature.bind(*given, **named).arguments
        values = {name: value for name, value in bound.items() if not isinstance(value, FieldInfo)}
        asked = _fields(values, kind)
        machine = asked.get("equipment") if name == "transfer" else None

        def work() -> Any:
            tag_this_run(asked)
            with turn_of(machine):
                return listed(**values, run=in_tasks)

        with heeded(), progress_in_the_log():
            return ended(name, work)

    def named() -> str:
        return name_of(name, _fields(runtime.flow_run.parameters, kind))

    signature = _signature_of(kind, former=former)
    run.__name__ = run.__qualname__ = listed.__name__
    run.__doc__ = kind.__doc__
    run.__annotations__ = {}
    run.__signature__ = signature  # type: ignore[attr-defined]  # what inspect, and so Prefect, looks for
    return flow(name=name, flow_run_name=named)(run)


def _fields(values: dict[str, Any], kind: type[requests.Request]) -> dict[str, Any]:
    """Values by the names that the request has today."""
    return {kind.former_names.get(name, name): value for name, value in values.items()}


def _signature_of(kind: type[requests.Request], *, former: bool) -> inspect.Signature:
    renamed = {now: name for name, now in kind.former_names.items()} if former else {}
    parameters = []
    for name, field in kind.model_fields.items():
        annotation: Any = field.annotation
        if field.metadata:
            annotation = Annotated[(annotation, *field.metadata)]
        if former and not field.is_required():
            annotation = annotation | None  # release 0.1.0 took null for the default
        named = renamed.get(name, name)
        kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD
        parameters.append(
            inspect.Parameter(named, kinds, default=_shown(field), annotation=annotation)
        )
    return inspect.Signature(parameters)


def _shown(field: FieldInfo) -> Any:
    """Title and description for the form; Prefect takes the title from nowhere else."""
    return Field(
        default=field.default,
        description=field.description,
        json_schema_extra={"title": field.title or ""},
    )


validate = flow_of("validate", pipeline.validate, requests.ValidateRequest)
pretrain = flow_of("pretrain", pipeline.pretrain, requests.PretrainRequest)
transfer = flow_of("transfer", pipeline.transfer, requests.TransferRequest)
score = flow_of("score", pipeline.score, requests.ScoreRequest)
learning_curve = flow_of("learning-curve", pipeline.learning_curve, requests.CurveRequest)

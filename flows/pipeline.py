"""The flows, one for each command: the lists of :mod:`faultxfer.pipeline`, their steps as tasks.

A flow's parameters are the fields of the command's request, so that the form, the deployments in
``prefect.yaml`` and ``prefect deployment run --param`` name them alike. The signature is made of
the request, and not written out a second time.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Annotated, Any

from prefect import Flow, flow, runtime
from pydantic import Field
from pydantic.fields import FieldInfo

from faultxfer import pipeline, requests
from faultxfer.errors import FaultxferError
from faultxfer.stopping import heeded
from flows.endings import ended
from flows.forms import added, may_be_left_out, settled
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
        values = _given(bound)

        def work() -> Any:
            asked = understood(values)
            tag_this_run(asked)
            with turn_of(asked.get("equipment") if name == "transfer" else None):
                return listed(**(values if former else asked), run=in_tasks)

        with heeded(), progress_in_the_log():
            return ended(name, work)

    def understood(values: dict[str, Any]) -> dict[str, Any]:
        """The fields of the request, by what was given and by what is known without it."""
        return _fields(values, kind) if former else settled(kind, values)

    def named() -> str:
        parameters = _given(runtime.flow_run.parameters)
        try:
            return name_of(name, understood(parameters))
        except FaultxferError:  # it is said when the run begins
            return name_of(name, _fields(parameters, kind))

    signature = _signature_of(kind, former=former)
    run.__name__ = run.__qualname__ = listed.__name__
    run.__doc__ = kind.__doc__
    run.__annotations__ = {}
    run.__signature__ = signature  # type: ignore[attr-defined]  # what inspect, and so Prefect, looks for
    return flow(name=name, flow_run_name=named)(run)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    """Without what the form describes and nobody gave; a command leaves the form's own out."""
    return {name: value for name, value in values.items() if not isinstance(value, FieldInfo)}


def _fields(values: dict[str, Any], kind: type[requests.Request]) -> dict[str, Any]:
    """Values by the names that the request has today."""
    return {kind.former_names.get(name, name): value for name, value in values.items()}


def _signature_of(kind: type[requests.Request], *, former: bool) -> inspect.Signature:
    """A parameter for each field; and what a form may say in another way, but for ``former``."""
    parameters = _former_parameters(kind) if former else _parameters(kind)
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD
    return inspect.Signature(
        [
            inspect.Parameter(name, kinds, default=_shown(field, default), annotation=annotation)
            for name, (annotation, field, default) in parameters.items()
        ]
    )


# Annotation, title and description, default.
_Parameter = tuple[Any, FieldInfo, Any]


def _parameters(kind: type[requests.Request]) -> dict[str, _Parameter]:
    known = may_be_left_out(kind)
    parameters: dict[str, _Parameter] = {}
    for name, field in kind.model_fields.items():
        annotation = _annotation(field)
        if name in known:
            parameters[name] = (annotation | None, field, None)
        else:
            parameters[name] = (annotation, field, field.default)
    for name, one in added(kind).items():
        parameters[name] = (one.annotation, one.field, None)
    return parameters


def _former_parameters(kind: type[requests.Request]) -> dict[str, _Parameter]:
    """By the names of release 0.1.0, which took null for the default."""
    renamed = {now: name for name, now in kind.former_names.items()}
    parameters: dict[str, _Parameter] = {}
    for name, field in kind.model_fields.items():
        annotation = _annotation(field)
        annotation = annotation if field.is_required() else annotation | None
        parameters[renamed.get(name, name)] = (annotation, field, field.default)
    return parameters


def _annotation(field: FieldInfo) -> Any:
    return Annotated[(field.annotation, *field.metadata)] if field.metadata else field.annotation


def _shown(field: FieldInfo, default: Any) -> Any:
    """Title and description for the form; Prefect takes the title from nowhere else."""
    return Field(
        default=default,
        description=field.description,
        json_schema_extra={"title": field.title or ""},
    )


validate = flow_of("validate", pipeline.validate, requests.ValidateRequest)
pretrain = flow_of("pretrain", pipeline.pretrain, requests.PretrainRequest)
transfer = flow_of("transfer", pipeline.transfer, requests.TransferRequest)
score = flow_of("score", pipeline.score, requests.ScoreRequest)
learning_curve = flow_of("learning-curve", pipeline.learning_curve, requests.CurveRequest)

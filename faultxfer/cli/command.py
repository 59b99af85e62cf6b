"""What all commands have in common: ``--json``, the result shown to a person, and the exit code."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from faultxfer.cli.session import BAD_INPUT, DONE, run_command

if TYPE_CHECKING:
    from pydantic import BaseModel

Files = Annotated[
    list[str], typer.Argument(metavar="CSV...", help="CSV files or quoted patterns; .csv.gz too.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]

Function = Callable[..., Any]


def command(
    app: typer.Typer,
    name: str | None = None,
    *,
    shows: str,
    key: str | None = None,
    banner: Callable[[Any], str] = lambda _: "",
    exit_code: Callable[[Any], int] = lambda _: DONE,
    unreadable: int = BAD_INPUT,
    registry: bool = False,
    spinner: bool = True,
) -> Callable[[Function], Function]:
    """Make a function a command of ``app``, with ``--json`` as a further option.

    Args:
        app: where it belongs.
        name: of the command; that of the function if left out.
        shows: the function of :mod:`faultxfer.cli.render` that shows what was returned.
        key: name of what was returned, where it is no object by itself in JSON.
        banner: what nobody may overlook about what was returned.
        exit_code: of what was returned.
        unreadable: exit code where the registry or its files could not be read.
        registry: whether it uses the registry, whose address a person is shown then.
        spinner: whether a terminal shows the steps; not where the command asks something.
    """

    def as_data(result: Any) -> Any:
        data = result.as_dict() if hasattr(result, "as_dict") else result
        return {key: data} if key else data

    def of(function: Function) -> Function:
        @functools.wraps(function)
        def called(json_output: bool = False, **given: Any) -> None:
            run_command(
                lambda: function(**given),
                json_output=json_output,
                render=lambda result: _render(shows, result, registry=registry),
                as_data=as_data,
                banner=banner,
                exit_code=exit_code,
                unreadable=unreadable,
                spinner=spinner,
            )

        _add_json(called, function)
        app.command(name)(called)
        return called

    return of


def asked(kind: type[BaseModel], field: str, *names: str, metavar: str | None = None) -> Any:
    """An option that is described as the request's field is."""
    help_text = kind.model_fields[field].description
    return typer.Option(*names, metavar=metavar, help=help_text)


def _add_json(called: Function, function: Function) -> None:
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=hints[name])
        for name, parameter in signature.parameters.items()
    ]
    json_output = inspect.Parameter(
        "json_output", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json
    )
    called.__signature__ = inspect.Signature([*parameters, json_output])  # type: ignore[attr-defined]
    called.__annotations__ = {**hints, "json_output": Json}


def _render(name: str, result: Any, *, registry: bool) -> None:
    from faultxfer.cli import render

    if registry:
        render.registry_address()
    getattr(render, name)(result)

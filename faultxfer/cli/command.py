"""What all commands have in common: ``--json``, the result shown to a person, and the exit code."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any, get_type_hints

import typer

from faultxfer.cli.after_errors import next_after
from faultxfer.cli.session import BAD_INPUT, DONE, answering, run_command
from faultxfer.following import options

if TYPE_CHECKING:
    from pydantic import BaseModel

Files = Annotated[
    list[str], typer.Argument(metavar="CSV...", help="CSV files or quoted patterns; .csv.gz too.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Details = Annotated[bool, typer.Option("--details", help="Show everything that the report says.")]

Function = Callable[..., Any]


def command(
    app: typer.Typer,
    name: str | None = None,
    *,
    shows: str,
    key: str | None = None,
    details: bool = False,
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
        details: whether ``--details`` is an option too, which that function is then given.
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
        def called(context: typer.Context, json_output: bool = False, **given: Any) -> None:
            answering.set(" ".join(_words(context)))
            shown = {"details": given.pop("details")} if details else {}
            run_command(
                lambda: function(**given),
                json_output=json_output,
                render=lambda result: _render(shows, result, registry=registry, **shown),
                as_data=as_data,
                banner=banner,
                exit_code=exit_code,
                unreadable=unreadable,
                spinner=spinner,
                after_error=lambda error: next_after(
                    error, _words(context), given, _as_typed(context)
                ),
            )

        _add_options(called, function, {"details": Details} if details else {})
        app.command(name)(called)
        return called

    return of


def asked(kind: type[BaseModel], field: str, *names: str, metavar: str | None = None) -> Any:
    """An option that is described as the request's field is."""
    help_text = kind.model_fields[field].description
    return typer.Option(*names, metavar=metavar, help=help_text)


def _add_options(called: Function, function: Function, more: dict[str, Any]) -> None:
    """Give it what is not its own: the context, the options ``more``, and ``--json`` last."""
    hints = get_type_hints(function, include_extras=True)
    signature = inspect.signature(function)
    parameters = [
        parameter.replace(annotation=hints[name])
        for name, parameter in signature.parameters.items()
    ]
    added = {**more, "json_output": Json}
    keyword = inspect.Parameter.KEYWORD_ONLY
    parameters += [
        inspect.Parameter(name, keyword, default=False, annotation=kind)
        for name, kind in added.items()
    ]
    parameters.append(inspect.Parameter("context", keyword, annotation=typer.Context))
    called.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    called.__annotations__ = {**hints, **added, "context": typer.Context}


def _words(context: typer.Context) -> tuple[str, ...]:
    """How the command is called, without the name of the program."""
    words: list[str] = []
    one: Any = context
    while one.parent is not None:
        words.insert(0, str(one.info_name))
        one = one.parent
    return tuple(words)


def _as_typed(context: typer.Context) -> tuple[str, ...]:
    """The command with its arguments and options, but for how its answer is shown."""
    words = [*_words(context)]
    for parameter in context.command.params:
        name = str(parameter.name)
        source = context.get_parameter_source(name)
        if source is not None and source.name == "COMMANDLINE" and name != "json_output":
            words += _typed_option(parameter, context.params[name])
    return tuple(words)


def _typed_option(parameter: Any, value: Any) -> list[str]:
    values = value if isinstance(value, (list, tuple)) else [value]
    if parameter.param_type_name == "argument":
        return [str(one) for one in values]
    if isinstance(value, bool):
        return [(parameter.opts if value else parameter.secondary_opts)[0]]
    return options(parameter.opts[0], map(str, values))


def _render(name: str, result: Any, *, registry: bool, **shown: Any) -> None:
    from faultxfer.cli import render

    if registry:
        render.registry_address()
    getattr(render, name)(result, **shown)

"""The ``faultxfer`` command: what it lists, and its usage errors.

The list needs no command itself: importing their options takes longer than showing the page.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperCommand, TyperGroup
from typer.exceptions import TyperException

from faultxfer.cli.session import BAD_INPUT, DONE, answering, fail

_START, _MAIN, _LOOK = "Start here", "The main path", "Look"


class Listed(NamedTuple):
    """What the first help page says of a command."""

    panel: str
    does: str


COMMANDS = {
    "demo": Listed(
        _START, "See the main job on a simulated pump fleet: pretrain, transfer, score."
    ),
    "simulate": Listed(
        _START, "Write the files of a simulated pump fleet, to try the commands on."
    ),
    "contract": Listed(_START, "Write, map, accept and compare data contracts."),
    "validate": Listed(
        _MAIN, "Check files against a contract: findings, and a file of the rows set aside."
    ),
    "pretrain": Listed(_MAIN, "Train and register the source model on equipment with history."),
    "transfer": Listed(
        _MAIN,
        "Adapt the source model to a machine, judge it, and register it if the gate lets it pass.",
    ),
    "score": Listed(
        _MAIN,
        "Score new rows with a machine's champion, the version asked for, or the source model.",
    ),
    "learning-curve": Listed(
        _MAIN,
        "Would more labels help? Transfer against scratch over label counts; registers nothing.",
    ),
    "fleet": Listed(_MAIN, "Transfer, score or validate many machines, each by itself."),
    "watch": Listed(
        _MAIN, "Score each file that arrives in a folder with its machine's version, once."
    ),
    "up": Listed(
        _LOOK,
        "Start MLflow's and Prefect's pages and serve the deployments; Ctrl-C stops everything.",
    ),
    "deployments": Listed(_LOOK, "Rewrite the forms' choices; write prefect.yaml for workers."),
    "registry": Listed(_LOOK, "See what is registered, go back, check and mend."),
}


class CommandList(TyperGroup):
    """Lists the commands; imports them when one is run."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names, in the order of the page."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> TyperCommand | None:
        """The command as the page shows it."""
        listed = COMMANDS.get(cmd_name)
        if listed is None:
            return None
        return TyperCommand(cmd_name, help=listed.does, rich_help_panel=listed.panel)

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """The command itself, which is about to run."""
        from faultxfer.cli.commands import commands

        return typer.main.get_group(commands).resolve_command(ctx, args)


app = typer.Typer(
    cls=CommandList,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    epilog="Exit codes: 0 done, 10 the gate refused, left it provisional or a person must approve "
    "it, 2 bad input or usage, 3 could not be checked, 1 internal error, "
    "130, 143 or 129 stopped by Ctrl-C, SIGTERM or SIGHUP.",
)


def _show_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        sys.stdout.write(f"faultxfer {version('faultxfer')}\n")
        raise typer.Exit


@app.callback()
def _faultxfer(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Move a fault detector from equipment with years of history to equipment with almost none."""


def main(arguments: list[str] | None = None) -> None:
    """Entry point of the ``faultxfer`` command."""
    arguments = sys.argv[1:] if arguments is None else arguments
    answering.set("")
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

"""Commands of the registry: look, change, check, mend."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from faultxfer.cli.session import BAD_INPUT, DONE, run_command

registry_app = typer.Typer(no_args_is_help=True, help="See what is registered, go back, check and mend.")

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Model = Annotated[str, typer.Argument(help="The source model's name; or the whole name of a machine's model.")]
Everything = Annotated[str | None, typer.Argument(help="The source model's name; everything if left out.")]
Machine = Annotated[str | None, typer.Option("--equipment", metavar="EQ", help="A machine's model instead.")]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the journal keeps it.")]


@registry_app.command("list")
def registry_list(json_output: Json = False) -> None:
    """Registered models and their champions."""

    def work() -> Any:
        from faultxfer.steps.catalog import list_models

        return list_models()

    run_command(
        work,
        json_output=json_output,
        render=lambda listed: _render("models", listed),
        as_data=lambda listed: {"models": listed},
    )


@registry_app.command("show")
def registry_show(
    model: Model,
    equipment: Machine = None,
    version: Annotated[int | None, typer.Option(metavar="N", help="Version; the champion if left out.")] = None,
    json_output: Json = False,
) -> None:
    """One version: gate result, lineage, report."""

    def work() -> Any:
        from faultxfer.steps.catalog import show_version

        return show_version(model, equipment, version)

    run_command(
        work, json_output=json_output, render=lambda shown: _render("version", shown), as_data=lambda shown: shown
    )


@registry_app.command("history")
def registry_history(
    model: Model,
    equipment: Machine = None,
    json_output: Json = False,
) -> None:
    """Versions and refused candidates, newest first."""

    def work() -> Any:
        from faultxfer.steps.catalog import show_history

        return show_history(model, equipment)

    run_command(
        work,
        json_output=json_output,
        render=lambda entries: _render("history", entries),
        as_data=lambda entries: {"history": entries},
    )


@registry_app.command("journal")
def registry_journal(model: Model, equipment: Machine = None, json_output: Json = False) -> None:
    """Which version was champion, since when, by whom and why; newest first."""

    def work() -> Any:
        from faultxfer.steps.upkeep import read_entries

        return read_entries(model, equipment)

    run_command(
        work,
        json_output=json_output,
        render=lambda entries: _render("journal", entries),
        as_data=lambda entries: {"journal": entries},
    )


@registry_app.command("promote")
def registry_promote(
    model: Model,
    version: Annotated[int, typer.Argument(help="The version that becomes champion.")],
    reason: Reason,
    equipment: Machine = None,
    json_output: Json = False,
) -> None:
    """Make a registered version champion, by hand."""

    def work() -> Any:
        from faultxfer.steps.upkeep import promote_version

        return promote_version(model, equipment, version, reason)

    run_command(work, json_output=json_output, render=lambda done: _render("changed", done), as_data=lambda done: done)


@registry_app.command("rollback")
def registry_rollback(
    model: Model,
    reason: Reason,
    equipment: Machine = None,
    to: Annotated[int | None, typer.Option(metavar="N", help="An earlier champion; the last one if left out.")] = None,
    json_output: Json = False,
) -> None:
    """Go back to the champion before the present one."""

    def work() -> Any:
        from faultxfer.steps.upkeep import roll_back

        return roll_back(model, equipment, to, reason)

    run_command(work, json_output=json_output, render=lambda done: _render("changed", done), as_data=lambda done: done)


@registry_app.command("merge")
def registry_merge(
    model: Annotated[str, typer.Argument(help="A source model's name; or the whole name of a machine's model.")],
    reason: Reason,
    equipment: Annotated[str | None, typer.Option("--equipment", metavar="EQ", help="The machine.")] = None,
    keep: Annotated[
        str | None,
        typer.Option("--keep", metavar="NAME", help="The model that stays; MODEL--EQ or the newest if left out."),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Bring those that stepped down back; with --keep this one alone.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Settle which champion stays where a machine has several for one family and label."""

    def work() -> Any:
        from faultxfer.steps.merging import merge_machine

        return merge_machine(model, equipment, reason, keep=keep, undo=undo)

    run_command(work, json_output=json_output, render=lambda done: _render("merged", done), as_data=lambda done: done)


@registry_app.command("verify")
def registry_verify(
    model: Everything = None,
    equipment: Machine = None,
    head: Annotated[str | None, typer.Option(metavar="SHA256", help="An entry that the journal must hold.")] = None,
    json_output: Json = False,
) -> None:
    """Check journals and the champions' files; exit code 2 if something is wrong."""

    def work() -> Any:
        from faultxfer.steps.upkeep import verify_registry

        return verify_registry(model, equipment, head)

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("verified", result),
        as_data=lambda result: result,
        exit_code=_sound,
    )


@registry_app.command("doctor")
def registry_doctor(
    model: Everything = None,
    equipment: Machine = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    older_than: Annotated[
        float, typer.Option(metavar="MIN", help="Age at which another host's unfinished registration is broken off.")
    ] = 60.0,
    json_output: Json = False,
) -> None:
    """Finish or take back what is half done or damaged; exit code 2 if something is left."""

    def work() -> Any:
        from faultxfer.steps.upkeep import heal_registry

        return heal_registry(model, equipment, dry_run=dry_run, minutes=older_than)

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("healed", result),
        as_data=lambda result: result,
        exit_code=_sound,
    )


def _sound(result: dict[str, Any]) -> int:
    return DONE if result["sound"] else BAD_INPUT


def _render(name: str, result: Any) -> None:
    from faultxfer.cli import render

    getattr(render, name)(result)

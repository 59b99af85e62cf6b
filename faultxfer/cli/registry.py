"""Commands of the registry: look, change, check, mend."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from faultxfer.cli.session import BAD_INPUT, DONE, NOT_CHECKED, run_command

registry_app = typer.Typer(
    no_args_is_help=True, help="See what is registered, go back, check and mend."
)

Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
Model = Annotated[
    str, typer.Argument(help="The source model's name; or the whole name of a machine's model.")
]
Everything = Annotated[
    str | None, typer.Argument(help="The source model's name; everything if left out.")
]
Machine = Annotated[
    str | None, typer.Option("--equipment", metavar="EQ", help="A machine's model instead.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the journal keeps it.")]


@registry_app.command("list")
def registry_list(json_output: Json = False) -> None:
    """Registered models and their champions."""

    def work() -> Any:
        from faultxfer.registry.catalog import list_models

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
    version: Annotated[
        int | None, typer.Option(metavar="N", help="Version; the champion if left out.")
    ] = None,
    json_output: Json = False,
) -> None:
    """One version: gate result, lineage, report."""

    def work() -> Any:
        from faultxfer.registry.catalog import show_version

        return show_version(model, equipment, version)

    run_command(
        work,
        json_output=json_output,
        render=lambda shown: _render("version", shown),
        as_data=lambda shown: shown,
    )


@registry_app.command("history")
def registry_history(
    model: Model,
    equipment: Machine = None,
    json_output: Json = False,
) -> None:
    """Versions and refused candidates, newest first."""

    def work() -> Any:
        from faultxfer.registry.catalog import show_history

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
        from faultxfer.registry.maintenance import read_entries

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
        from faultxfer.registry.maintenance import promote_version

        return promote_version(model, equipment, version, reason)

    run_command(
        work,
        json_output=json_output,
        render=lambda done: _render("changed", done),
        as_data=lambda done: done,
    )


@registry_app.command("rollback")
def registry_rollback(
    model: Model,
    reason: Reason,
    equipment: Machine = None,
    to: Annotated[
        int | None, typer.Option(metavar="N", help="An earlier champion; the last one if left out.")
    ] = None,
    json_output: Json = False,
) -> None:
    """Go back to the champion before the present one."""

    def work() -> Any:
        from faultxfer.registry.maintenance import roll_back

        return roll_back(model, equipment, to, reason)

    run_command(
        work,
        json_output=json_output,
        render=lambda done: _render("changed", done),
        as_data=lambda done: done,
    )


@registry_app.command("retire")
def registry_retire(
    model: Model,
    version: Annotated[int, typer.Argument(help="The version that is not to be used any more.")],
    reason: Reason,
    equipment: Machine = None,
    json_output: Json = False,
) -> None:
    """Take a version out of use by hand, such as one whose files are lost; `restore` takes it back."""

    def work() -> Any:
        from faultxfer.registry.maintenance import retire_version

        return retire_version(model, equipment, version, reason)

    run_command(
        work,
        json_output=json_output,
        render=lambda done: _render("changed", done),
        as_data=lambda done: done,
    )


@registry_app.command("restore")
def registry_restore(
    model: Everything = None,
    equipment: Machine = None,
    version: Annotated[
        int | None, typer.Option(metavar="N", help="One version; all retired ones if left out.")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; the journal keeps it.")
    ] = "",
    json_output: Json = False,
) -> None:
    """Take back retirements where the files are those registered, and the champion that they ended."""

    def work() -> Any:
        from faultxfer.registry.maintenance import restore_versions

        return restore_versions(model, equipment, version, reason)

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("restored", result),
        as_data=lambda result: result,
        exit_code=_restored,
    )


@registry_app.command("merge")
def registry_merge(
    model: Annotated[
        str, typer.Argument(help="A source model's name; or the whole name of a machine's model.")
    ],
    reason: Reason,
    equipment: Annotated[
        str | None, typer.Option("--equipment", metavar="EQ", help="The machine.")
    ] = None,
    keep: Annotated[
        str | None,
        typer.Option(
            "--keep",
            metavar="NAME",
            help="The model that stays; MODEL--EQ or the newest if left out.",
        ),
    ] = None,
    undo: Annotated[
        bool,
        typer.Option(
            "--undo", help="Bring those that stepped down back; with --keep this one alone."
        ),
    ] = False,
    json_output: Json = False,
) -> None:
    """Settle which champion stays where a machine has several for one family and label."""

    def work() -> Any:
        from faultxfer.registry.merging import merge_machine

        return merge_machine(model, equipment, reason, keep=keep, undo=undo)

    run_command(
        work,
        json_output=json_output,
        render=lambda done: _render("merged", done),
        as_data=lambda done: done,
    )


@registry_app.command("verify")
def registry_verify(
    model: Everything = None,
    equipment: Machine = None,
    head: Annotated[
        str | None, typer.Option(metavar="SHA256", help="An entry that the journal must hold.")
    ] = None,
    json_output: Json = False,
) -> None:
    """Check journals and the champions' files; exit code 2 if something is wrong, 3 if it could not be checked."""

    def work() -> Any:
        from faultxfer.registry.checking import verify_registry

        return verify_registry(model, equipment, head)

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("verified", result),
        as_data=lambda result: result,
        exit_code=_verified,
        unreadable=NOT_CHECKED,
    )


@registry_app.command("doctor")
def registry_doctor(
    model: Everything = None,
    equipment: Machine = None,
    apply: Annotated[
        bool, typer.Option("--apply", help="Also retire, go back and delete, where it is listed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    older_than: Annotated[
        float,
        typer.Option(
            metavar="MIN", help="Age at which another host's unfinished registration is broken off."
        ),
    ] = 60.0,
    uploads_after: Annotated[
        float,
        typer.Option(metavar="DAYS", help="Age at which uploads that nothing names are deleted."),
    ] = 7.0,
    json_output: Json = False,
) -> None:
    """Finish what is half done, bring back what is sound again, and list what would take something away.

    Exit code 2 if something is left to do, 3 if something could not be checked.
    """

    def work() -> Any:
        from faultxfer.registry.doctor import repair_registry

        options = {"minutes": older_than, "upload_days": uploads_after}
        return repair_registry(model, equipment, dry_run=dry_run, apply=apply, **options)

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("repaired", result),
        as_data=lambda result: result,
        exit_code=_repaired,
        unreadable=NOT_CHECKED,
    )


@registry_app.command("prune")
def registry_prune(
    model: Everything = None,
    equipment: Machine = None,
    keep: Annotated[
        int,
        typer.Option(
            metavar="N", help="Newest versions, refusals and earlier champions that stay."
        ),
    ] = 5,
    older_than: Annotated[
        float, typer.Option(metavar="DAYS", help="Age from which the others go.")
    ] = 180.0,
    apply: Annotated[bool, typer.Option("--apply", help="Delete what is listed.")] = False,
    json_output: Json = False,
) -> None:
    """List old versions and refused runs that nobody needs; delete them with --apply.

    Exit code 2 if a model was left alone because its journal is missing or was changed.
    """

    def work() -> Any:
        from faultxfer.registry.pruning import prune_registry

        return prune_registry(model, equipment, keep=keep, days=older_than, apply=apply)

    run_command(
        work,
        json_output=json_output,
        render=lambda result: _render("pruned", result),
        as_data=lambda result: result,
        exit_code=lambda result: BAD_INPUT if result["skipped"] else DONE,
    )


def _verified(result: dict[str, Any]) -> int:
    if result["wrong"]:
        return BAD_INPUT
    return NOT_CHECKED if result["unchecked"] else DONE


def _repaired(result: dict[str, Any]) -> int:
    if result["sound"]:
        return DONE
    left = [one for one in result["found"] if not one["done"].startswith("done")]
    only_unread = all(one["kind"] == "could not be checked" for one in left)
    return NOT_CHECKED if only_unread else BAD_INPUT


def _restored(result: dict[str, Any]) -> int:
    if not result["left"]:
        return DONE
    only_unread = all(one["state"] in ("absent", "unreadable") for one in result["left"])
    return NOT_CHECKED if only_unread else BAD_INPUT


@registry_app.command("relocate")
def registry_relocate(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Let a registry that was moved or copied name its files where they are now."""

    def work() -> Any:
        from faultxfer.registry.relocate import relocate_registry

        return relocate_registry(dry_run=dry_run)

    run_command(
        work,
        json_output=json_output,
        render=lambda done: _render("relocated", done),
        as_data=lambda done: done,
    )


@registry_app.command("backup")
def registry_backup(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="An empty folder, or a new one.")
    ],
    json_output: Json = False,
) -> None:
    """Copy database and files while the registry is in use."""

    def work() -> Any:
        from faultxfer.registry.backup import back_up_registry

        return back_up_registry(folder)

    run_command(
        work,
        json_output=json_output,
        render=lambda done: _render("backed_up", done),
        as_data=lambda done: done,
    )


def _sound(result: dict[str, Any]) -> int:
    return DONE if result["sound"] else BAD_INPUT


def _render(name: str, result: Any) -> None:
    from faultxfer.cli import render

    getattr(render, name)(result)

"""Commands of the registry: look, change, check, mend."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Annotated, Any

import typer

from faultxfer.cli import command as commands
from faultxfer.cli.approving import WAITS, settle
from faultxfer.cli.session import BAD_INPUT, DONE, NOT_CHECKED, REFUSED

registry_app = typer.Typer(
    no_args_is_help=True, help="See what is registered, go back, check and mend."
)

# All of them use the registry.
command = functools.partial(commands.command, registry_app, registry=True)

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


Why = Annotated[
    str | None,
    typer.Option(
        "--reason", metavar="TEXT", help="Why; the journal keeps it. A terminal asks for it."
    ),
]
ServedFiles = Annotated[
    bool,
    typer.Option(
        "--files", help="Also read files that a server hands out; of one MODEL they always are."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask; only a terminal asks at all.")]


def _settled(result: dict[str, Any]) -> int:
    return REFUSED if result["outcome"] == WAITS else DONE


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


@command("list", shows="models", key="models")
def registry_list() -> Any:
    """Registered models and their champions."""
    from faultxfer.registry.catalog import list_models

    return list_models()


@command("show", shows="version")
def registry_show(
    model: Model,
    equipment: Machine = None,
    version: Annotated[
        int | None, typer.Option(metavar="N", help="Version; the champion if left out.")
    ] = None,
) -> Any:
    """One version: gate result, lineage, report."""
    from faultxfer.registry.catalog import show_version

    return show_version(model, equipment, version)


@command("history", shows="history", key="history")
def registry_history(
    model: Model,
    equipment: Machine = None,
) -> Any:
    """Versions and refused candidates, newest first."""
    from faultxfer.registry.catalog import show_history

    return show_history(model, equipment)


@command("journal", shows="journal", key="journal")
def registry_journal(model: Model, equipment: Machine = None) -> Any:
    """Which version was champion, since when, by whom and why; newest first."""
    from faultxfer.registry.maintenance import read_entries

    return read_entries(model, equipment)


@command("promote", shows="changed")
def registry_promote(
    model: Model,
    version: Annotated[int, typer.Argument(help="The version that becomes champion.")],
    reason: Reason,
    equipment: Machine = None,
) -> Any:
    """Make a registered version champion, by hand."""
    from faultxfer.registry.maintenance import promote_version

    return promote_version(model, equipment, version, reason)


@command("approve", shows="changed", exit_code=_settled, spinner=False)
def registry_approve(
    model: Model,
    version: Annotated[int, typer.Argument(help="The version that waits for approval.")],
    reason: Why = None,
    equipment: Machine = None,
    yes: Yes = False,
) -> Any:
    """Make a version champion that waits for it; what it is comes first.

    Exit code 10 if you do not agree, and it goes on waiting.
    """
    from faultxfer.registry.approving import approve_version

    settling = ("Approve", approve_version, model, equipment, version)
    return settle(*settling, reason=reason, asks=not yes)


@command("reject", shows="changed", exit_code=_settled, spinner=False)
def registry_reject(
    model: Model,
    version: Annotated[int, typer.Argument(help="The version that waits for approval.")],
    reason: Why = None,
    equipment: Machine = None,
    yes: Yes = False,
) -> Any:
    """Let a version wait no more, and the champion stay; what it is comes first.

    Exit code 10 if you do not agree, and it goes on waiting.
    """
    from faultxfer.registry.approving import reject_version

    settling = ("Reject", reject_version, model, equipment, version)
    return settle(*settling, reason=reason, asks=not yes)


@command("rollback", shows="changed")
def registry_rollback(
    model: Model,
    reason: Reason,
    equipment: Machine = None,
    to: Annotated[
        int | None, typer.Option(metavar="N", help="An earlier champion; the last one if left out.")
    ] = None,
) -> Any:
    """Go back to the champion before the present one."""
    from faultxfer.registry.maintenance import roll_back

    return roll_back(model, equipment, to, reason)


@command("retire", shows="changed")
def registry_retire(
    model: Model,
    version: Annotated[int, typer.Argument(help="The version that is not to be used any more.")],
    reason: Reason,
    equipment: Machine = None,
) -> Any:
    """Take a version out of use by hand, such as one whose files are lost.

    `restore` takes it back.
    """
    from faultxfer.registry.maintenance import retire_version

    return retire_version(model, equipment, version, reason)


@command("restore", shows="restored", exit_code=_restored)
def registry_restore(
    model: Everything = None,
    equipment: Machine = None,
    version: Annotated[
        int | None, typer.Option(metavar="N", help="One version; all retired ones if left out.")
    ] = None,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; the journal keeps it.")
    ] = "",
) -> Any:
    """Take back retirements where the files are those registered, and the champion they ended."""
    from faultxfer.registry.maintenance import restore_versions

    return restore_versions(model, equipment, version, reason)


@command("merge", shows="merged")
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
) -> Any:
    """Settle which champion stays where a machine has several for one family and label."""
    from faultxfer.registry.merging import merge_machine

    return merge_machine(model, equipment, reason, keep=keep, undo=undo)


@command("verify", shows="verified", exit_code=_verified, unreadable=NOT_CHECKED)
def registry_verify(
    model: Everything = None,
    equipment: Machine = None,
    head: Annotated[
        str | None, typer.Option(metavar="SHA256", help="An entry that the journal must hold.")
    ] = None,
    files: ServedFiles = False,
) -> Any:
    """Check journals and the champions' files; exit code 2 if wrong, 3 if not checked."""
    from faultxfer.registry.checking import verify_registry

    return verify_registry(model, equipment, head, files=files)


@command("doctor", shows="repaired", exit_code=_repaired, unreadable=NOT_CHECKED)
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
    files: ServedFiles = False,
    graphs: Annotated[
        bool, typer.Option("--graphs", help="Also give versions without an ONNX graph one.")
    ] = False,
) -> Any:
    """Finish what is half done, bring back what is sound, list what would take something away.

    Exit code 2 if something is left to do, 3 if something could not be checked.
    """
    from faultxfer.registry.doctor import repair_registry

    return repair_registry(
        model,
        equipment,
        dry_run=dry_run,
        apply=apply,
        minutes=older_than,
        upload_days=uploads_after,
        files=files,
        graphs=graphs,
    )


@command(
    "prune",
    shows="pruned",
    exit_code=lambda result: BAD_INPUT if result["skipped"] else DONE,
)
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
) -> Any:
    """List old versions and refused runs that nobody needs; delete them with --apply.

    Exit code 2 if a model was left alone because its journal is missing or was changed.
    """
    from faultxfer.registry.pruning import prune_registry

    return prune_registry(model, equipment, keep=keep, days=older_than, apply=apply)


@command("export", shows="exported")
def registry_export(
    model: Model,
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help="Where to write the ONNX file.")
    ] = Path("detector.onnx"),
    equipment: Machine = None,
    version: Annotated[
        int | None, typer.Option(metavar="N", help="Version; the champion if left out.")
    ] = None,
) -> Any:
    """Write a version's detector as one ONNX file, which runs with onnxruntime alone."""
    from faultxfer.registry.graphs import export_graph

    return export_graph(model, equipment, version, out)


@command("relocate", shows="relocated")
def registry_relocate(
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would be done.")
    ] = False,
) -> Any:
    """Let a registry that was moved or copied name its files where they are now."""
    from faultxfer.registry.relocate import relocate_registry

    return relocate_registry(dry_run=dry_run)


@command("backup", shows="backed_up")
def registry_backup(
    folder: Annotated[
        Path, typer.Argument(metavar="FOLDER", help="An empty folder, or a new one.")
    ],
) -> Any:
    """Copy database and files while the registry is in use."""
    from faultxfer.registry.backup import back_up_registry

    return back_up_registry(folder)

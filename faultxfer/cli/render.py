"""Results as tables for a person."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from rich.markup import escape
from rich.table import Table

from faultxfer.cli import findings
from faultxfer.cli.outcomes import (
    fleet,
    learned,
    next_commands,
    pretrained,
    scored,
    transferred,
)
from faultxfer.cli.session import stderr, stdout
from faultxfer.following import Next, typed, with_log
from faultxfer.wording import counted, listed

if TYPE_CHECKING:
    # Only names here: looking at the registry must not wait for TensorFlow.
    from faultxfer.cli.demo import DemoResult
    from faultxfer.cli.simulating import Simulated
    from faultxfer.cli.validating import Validated
    from faultxfer.steps.mapping import MappedSensors
    from flows.refresh import Refreshed

# Found here by the name that a command gives.
__all__ = ["fleet", "learned", "pretrained", "scored", "transferred"]


def registry_address() -> None:
    """Which registry was used: it depends on the folder and on the environment.

    It stands beside the progress, so that a result begins with what came of it.
    """
    from faultxfer.registry.connect import shown, tracking_uri

    stderr().print(f"[dim]Registry: {escape(shown(tracking_uri()))}[/]", soft_wrap=True)


def validated(result: Validated) -> None:
    """The verdict, what was found, how the files were read, and what to type next."""
    findings.checked(result.rows, details=result.details)
    next_commands(result.next)


# Enough to look at; the contract has them all.
_MOST_SENSORS = 5


def limits_accepted(result: dict[str, Any]) -> None:
    """Whose limits count from now on, whose do not yet, and what to type next."""
    console = stdout()
    accepted = result["accepted"]
    if not accepted:
        console.print(f"[green]unchanged[/]: no such limit is drafted in {escape(result['out'])}")
    elif len(accepted) > _MOST_SENSORS:
        console.print(f"[green]accepted[/]: the limits of {len(accepted)} sensors")
    else:
        for name in accepted:
            limits = [f"{field} {value}" for field, value in result["limits"][name].items()]
            told = f"{name} ({', '.join(limits)})"
            console.print(f"[green]accepted[/]: {escape(told)}", soft_wrap=True)
    if accepted:
        console.print(
            "A reading outside is a warning where the sensor has `on_breach: warn`; elsewhere its "
            "row is set aside."
        )
    if result["left"]:
        console.print(f"Still drafted: {escape(', '.join(result['left']))}", soft_wrap=True)
    again = typed("validate", "CSV", "--contract", result["out"])
    next_commands((Next("See what is said of the files now", again),))


def mapped_sensors(result: MappedSensors) -> None:
    """The draft itself, or what is in the file; then what to type next."""
    proposals, console = result.proposals, stdout()
    if result.out is None:
        sys.stdout.write(result.draft)
        for one in result.next:
            sys.stdout.write(f"# Next: {one.why}:\n#   {one.command}\n")
        return
    sure = sum(one.sure for one in proposals.sensors)
    of = counted(len(proposals.sensors), "sensor")
    console.print(f"[green]proposed[/]: a column for {sure} of {of}", soft_wrap=True)
    for line in _to_look_at(result):
        console.print(line, markup=False, soft_wrap=True)
    next_commands(result.next)


def _to_look_at(result: MappedSensors) -> Iterator[str]:
    """What a person has to settle, and where the draft is."""
    proposals = result.proposals
    for group in proposals.alike:
        told = f"{listed([*group.tags], 6)} cannot be told apart: settle which is which of "
        yield told + listed([*group.sensors], 6)
    if doubted := [one.sensor for one in proposals.sensors if one.doubt and one.alike is None]:
        yield f"In doubt, as the draft says: {listed(doubted, 6)}"
    if proposals.missing:
        yield f"No column looks like {listed([*proposals.missing], 6)}"
    if proposals.new:
        yield f"New on this machine: {listed([*proposals.new], 6)}"
    yield from (f"{question.text}." for question in result.questions)
    yield f"Nothing was applied. The draft is in {result.out}, with the evidence for each line."


def contract_changes(result: dict[str, Any]) -> None:
    """Field by field, and whether old models remain valid."""
    console = stdout()
    if result["changes"]:
        columns = ("field", "old", "new", "meaning")
        console.print(_table(f"{result['old']} → {result['new']}", columns, result["changes"]))
    console.print(
        f"[{'green' if result['models_valid'] else 'red'}]{escape(result['verdict'])}[/]",
        soft_wrap=True,
    )


def contract_schema(result: dict[str, Any]) -> None:
    """Where the schema was written, or the schema itself."""
    if "out" in result:
        stdout().print(f"Schema written: {result['out']}", soft_wrap=True, markup=False)
    else:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")


def demo(result: DemoResult, *, details: bool = False) -> None:
    """The screen of each part, and what to do next."""
    for part, show in (
        (result.pretrained, pretrained),
        (result.transferred, transferred),
        (result.scored, scored),
    ):
        if part:
            show(part, details=details)
            stdout().print()
    stdout().print(
        f"The simulated CSVs and their contract lie in {result.folder}. Run the demo again for "
        "one more new pump.\n"
        "Next: see the run in a browser:\n"
        "  faultxfer up",
        markup=False,
    )


def simulated(result: Simulated) -> None:
    """Which file is what."""
    old, new = result.history, result.target
    stdout().print(
        f"written: {counted(len(old), 'pump')} with half a year of labelled history "
        f"({old[0]} to {old[-1].name}),\n"
        f"two labelled weeks of a new one, {result.equipment} ({new}), and its next week without "
        f"labels ({result.unlabelled})",
        markup=False,
        soft_wrap=True,
    )
    next_commands(result.next)


def drafted_contract(result: dict[str, Any]) -> None:
    """What each column became, where the draft lies, and what is left to do by hand."""
    stdout().print(_table("Columns", ("role", "column", "why"), result["columns"]))
    stdout().print(
        f"Contract with {len(result['sensors'])} sensors written: {result['out']}\n"
        "Read it before you use it: set units, physical limits and what is not a sensor.",
        soft_wrap=True,
    )
    for question in result["questions"]:
        stdout().print(question, soft_wrap=True, markup=False)
    log = with_log(result["events"])
    check = typed("validate", *result["files"], "--contract", result["out"], *log)
    next_commands((Next("Once you have read it, check the files", check),))


def models(listed: list[dict[str, Any]]) -> None:
    """Registered models."""
    if not listed:
        stdout().print(
            "Nothing is registered yet. Start with `faultxfer demo` or `faultxfer pretrain`."
        )
        return
    shown = [{**one, "source": one["source_model"], "champion": _champion(one)} for one in listed]
    columns = ("name", "kind", "family", "label", "equipment", "source", "champion", "registered")
    stdout().print(_table("Registered models", columns, shown))
    for one in listed:
        if one["next"]:
            what = f"{one['name']} version {one['waiting']} waits for approval"
            next_commands((Next(what, one["next"]),))


def _champion(listed: dict[str, Any]) -> str | None:
    """The champion's number, or what there is in place of one."""
    if listed["merged_into"]:
        return f"merged into {listed['merged_into']}"
    if listed["champion"] is None and listed["provisional"] is not None:
        return f"{listed['provisional']} (provisional)"
    champion: str | None = listed["champion"]
    return champion


def version(shown: dict[str, Any]) -> None:
    """One version with everything known of it."""
    console = stdout()
    table = Table(title=f"{shown['name']} version {shown['version']}", show_header=False)
    table.add_column("", style="dim")
    table.add_column("", overflow="fold")
    for key in ("champion", "provisional", "waiting", "created", "uri", "run_id"):
        table.add_row(key, escape(str(shown[key])))
    for key, value in sorted(shown["tags"].items()):
        table.add_row(key.removeprefix("faultxfer."), escape(value))
    console.print(table)
    if shown["description"]:
        from rich.markdown import Markdown

        console.print(Markdown(shown["description"]))
    if shown["next"]:
        next_commands((Next("look at it again and approve it", shown["next"]),))


def history(entries: list[dict[str, Any]]) -> None:
    """Versions and refusals, newest first."""
    columns = ("created", "outcome", "version", "champion", "gate", "source version", "reason")
    marks = ("champion", "provisional", "waiting")
    shown = [
        {**one, "champion": next((one[mark] for mark in marks if one.get(mark)), None)}
        for one in entries
    ]
    stdout().print(_table("History", columns, shown))


def journal(entries: list[dict[str, Any]]) -> None:
    """Changes of champion, newest first."""
    columns = ("entry", "at", "action", "from_version", "to_version", "actor", "reason", "sha256")
    shown = [{**one, "action": _action(one)} for one in entries]
    stdout().print(_table("Journal", columns, shown))


def _action(entry: dict[str, Any]) -> str:
    """The action, with the version that it concerns where champions before and after hide it."""
    number = entry["details"].get("version")
    is_note = entry["from_version"] == entry["to_version"]
    approval = entry["details"].get("approval") or {}
    if entry["action"] == "promote" and approval:
        return "approved by its starter" if approval.get("self_approval") else "approved"
    return f"{entry['action']} {number}" if is_note and number else str(entry["action"])


def changed(done: dict[str, Any]) -> None:
    """Which version is champion now."""
    before, after = (
        f"version {one}" if one else "no champion" for one in (done["from"], done["to"])
    )
    stays = f"{before} → {after}"
    if before == after:
        stays = f"{after} stays champion" if done["to"] else "nobody is champion"
    what = f" version {done['version']}" if "version" in done else ""
    stdout().print(f"[green]{done['outcome']}{what}[/]: {escape(done['registered'])}, {stays}")
    if done["to"] is None:
        stdout().print(
            "Nobody is champion, and nothing scores: transfer again, or `faultxfer registry "
            "promote` another."
        )
    if "take_back" in done:
        stdout().print(f"To take it back: `{escape(done['take_back'])}`", soft_wrap=True)


def restored(result: dict[str, Any]) -> None:
    """Which versions are back, and which are not."""
    console = stdout()
    for one in result["restored"]:
        what = "is champion again" if one["champion"] else "can be promoted again"
        console.print(
            f"[green]restored[/]: {escape(one['registered'])} version {one['version']} {what}"
        )
    for one in result["left"]:
        version = f" version {one['version']}" if one["version"] else ""
        where = f"{escape(one['registered'])}{version}"
        console.print(f"[red]left[/]: {where}: {escape(one['problem'])}", soft_wrap=True)
    if not result["restored"] and not result["left"]:
        console.print("Nothing is retired.")
    console.print("Next: `faultxfer registry verify`")


def merged(done: dict[str, Any]) -> None:
    """Which of a machine's models stays, and which addresses score or stop scoring."""
    console = stdout()
    if not done["models"]:
        console.print(
            f"[green]unchanged[/]: {escape(done['kept'])} has the only champion", soft_wrap=True
        )
    for one in done["models"]:
        version = f"{escape(one['name'])} version {one['version']}"
        if done["outcome"] == "restored":
            console.print(
                f"[green]restored[/]: {version}; {one['address']} scores again", soft_wrap=True
            )
        else:
            console.print(
                f"[green]merged[/]: {version} into {escape(done['kept'])}", soft_wrap=True
            )
            console.print(
                f"{escape(one['address'])} scores no more; its versions stay", soft_wrap=True
            )
    if done["outcome"] != "restored":
        console.print(f"Score with {escape(done['use'])}", soft_wrap=True)


def verified(result: dict[str, Any]) -> None:
    """Each model's journal and champion, what is wrong with them, and what could not be read."""
    console = stdout()
    columns = ("name", "champion", "entries", "head")
    shown = [
        {**one, "champion": _champion({**one, "merged_into": None})} for one in result["models"]
    ]
    console.print(_table("Journals", columns, shown))
    for model in result["models"]:
        for problem in model["problems"]:
            console.print(f"[red]{escape(model['name'])}[/]: {escape(problem)}", soft_wrap=True)
        for problem in model["unchecked"]:
            console.print(f"[yellow]{escape(model['name'])}[/]: {escape(problem)}", soft_wrap=True)
    console.print(_verdict(result))


def _verdict(result: dict[str, Any]) -> str:
    if result["wrong"]:
        return "[red]not sound[/]: see `faultxfer registry doctor --dry-run`"
    if result["unchecked"]:
        found = "nothing wrong was found, and not everything could be read"
        return f"[yellow]could not be checked[/]: {found}"
    journals = counted(len(result["models"]), "journal")
    champions = sum(one["champion"] is not None for one in result["models"])
    scoring = counted(champions, "champion")
    provisional = sum(one["provisional"] is not None for one in result["models"])
    if provisional:
        scoring += f" and {counted(provisional, 'provisional version')}"
    if result["files_not_read"]:
        return f"[green]sound[/]: {journals} were read. {_not_read(result, 'verify')}"
    return f"[green]sound[/]: {journals} and the files of {scoring} were read"


def _not_read(result: dict[str, Any], verb: str) -> str:
    """Of how many versions a server has the files, and how to have them read."""
    versions = counted(result["files_not_read"], "version")
    return (
        f"The files of {versions} lie on a server and were not read: "
        f"`faultxfer registry {verb} --files` reads them"
    )


def repaired(result: dict[str, Any]) -> None:
    """What was found, and what was done about it."""
    console = stdout()
    if result["files_not_read"]:
        console.print(_not_read(result, "doctor"), soft_wrap=True)
    if not result["found"]:
        console.print("[green]Nothing is half done or damaged.[/]")
        return
    console.print(
        _table(
            "Found",
            ("code", "where", "message", "done"),
            [_with_advice(one) for one in result["found"]],
        )
    )
    if result["stopped"]:
        console.print(f"[red]Stopped.[/] {escape(result['stopped'])}.", soft_wrap=True)
    elif any(one["done"].startswith("with --apply") for one in result["found"]):
        console.print("To do that too: `faultxfer registry doctor --apply`")


def _with_advice(one: dict[str, Any]) -> dict[str, Any]:
    """The line with what a person can do, where there is no repair."""
    if one["done"] in ("needs a person", "could not be checked") and one["remedy"]:
        return {**one, "done": f"{one['done']}: {one['remedy']}"}
    return one


# Enough to see which folder is wanting; `--json` has them all.
_MOST_FOLDERS = 10


def relocated(done: dict[str, Any]) -> None:
    """Which addresses were rewritten, and which files are wanting."""
    console = stdout()
    told = {
        "relocated": f"{done['moved']} addresses rewritten",
        "dry run": f"{done['moved']} addresses would be rewritten",
        "unchanged": "Nothing to do: the registry names the files beside its database",
    }
    console.print(f"[green]{told[done['outcome']]}[/]: {escape(done['database'])}", soft_wrap=True)
    if done["copy"]:
        console.print(f"The database as it was: {escape(done['copy'])}", soft_wrap=True)
    _list_folders("No files, here or where they are recorded:", done["missing"])
    _list_folders("Only where they are recorded; copy them here, too:", done["elsewhere"])
    console.print(f"Next: `{done['next']}`")


def exported(done: dict[str, Any]) -> None:
    """Which graph was written, and where."""
    size = f"{done['bytes'] / 2**10:.0f} KiB, SHA-256 {done['sha256'][:12]}…"
    told = f"{done['uri']} as {done['out']} ({size})"
    stdout().print(f"[green]exported[/]: {escape(told)}", soft_wrap=True)
    stdout().print("It runs with onnxruntime alone: see `docs/edge.md`.")


def backed_up(done: dict[str, Any]) -> None:
    """What was copied, and how to restore it."""
    console = stdout()
    size = f"{done['files']} files, {done['bytes'] / 2**20:.1f} MiB"
    console.print(f"[green]backed up[/]: {escape(done['database'])} and {size}", soft_wrap=True)
    _list_folders("Named by the registry, and not there; see `registry doctor`:", done["missing"])
    console.print("To restore, in the folder where the registry is to be:")
    for command in done["restore"]:
        console.print(f"  {escape(command)}", soft_wrap=True)
    console.print(f"To look at it where it is: `{escape(done['look'])}`", soft_wrap=True)


def _list_folders(title: str, folders: list[str]) -> None:
    if folders:
        stdout().print(f"[yellow]{title}[/]")
    for folder in folders[:_MOST_FOLDERS]:
        stdout().print(f"  {escape(folder)}", soft_wrap=True)
    if len(folders) > _MOST_FOLDERS:
        stdout().print(f"  … and {len(folders) - _MOST_FOLDERS} more")


def pruned(result: dict[str, Any]) -> None:
    """Old versions and runs, and what was done with them."""
    console = stdout()
    if result["versions"]:
        columns = ("registered", "version", "last_used", "files", "done")
        console.print(_table("Old versions that nobody needs", columns, result["versions"]))
    if result["runs"]:
        columns = ("model", "created", "gate", "run_id", "done")
        console.print(_table("Runs of refused candidates", columns, result["runs"]))
    for model in result["skipped"]:
        console.print(
            f"[yellow]{escape(model['registered'])}[/] was left alone: {escape(model['why'])}.",
            soft_wrap=True,
        )
    if not result["versions"] and not result["runs"]:
        console.print("[green]Nothing is old enough to go.[/]")
    elif result["applied"]:
        console.print("MLflow keeps deleted files until `mlflow gc`.")
    else:
        console.print("Nothing was deleted; the same command with `--apply` does it.")


def _table(title: str, columns: tuple[str, ...], entries: list[dict[str, Any]]) -> Table:
    table = Table(title=escape(title))
    for column in columns:
        table.add_column(column, overflow="fold")
    for entry in entries:
        cells = (entry.get(column) for column in columns)
        table.add_row(*("–" if cell is None else escape(str(cell)) for cell in cells))
    return table


def refreshed(result: Refreshed) -> None:
    """Which forms were rewritten, and which deployments are not there."""
    console = stdout()
    done = f"{counted(len(result.written), 'form')} rewritten, {len(result.same)} as they were"
    console.print(f"[green]refreshed[/]: {done}", soft_wrap=True)
    if result.absent:
        names = escape(listed(list(result.absent)))
        console.print(f"Not on this server: {names}. Next: deploy them:", soft_wrap=True)
        console.print("  faultxfer deployments write && prefect --no-prompt deploy --all")


def written(result: dict[str, Any]) -> None:
    """Where ``prefect.yaml`` lies, and what to type then."""
    console = stdout()
    console.print(f"[green]written[/]: {escape(result['out'])}", soft_wrap=True)
    console.print("Next: its first lines say what to type, in order", soft_wrap=True)

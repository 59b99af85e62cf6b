"""Show a person what waits for approval, ask, and settle it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import typer
from rich.markup import escape
from rich.table import Table

from faultxfer.cli.session import stdout
from faultxfer.errors import ConfigError

WAITS = "waiting"
Settle = Callable[[str, str | None, int, str], dict[str, Any]]


def settle(
    verb: str,
    doing: Settle,
    model: str,
    equipment: str | None,
    number: int,
    *,
    reason: str | None,
    asks: bool,
) -> dict[str, Any]:
    """Show the version, ask on a terminal, and approve or reject it.

    Args:
        verb: ``Approve`` or ``Reject``.
        doing: does it, given model, machine, version and reason.
        model: as the user named it.
        equipment: one of its machines.
        number: which version.
        reason: for the journal; asked for on a terminal where it is None.
        asks: whether a person on a terminal is asked at all.

    Raises:
        UserError: see :func:`faultxfer.registry.approving.read_review`, and where there is no
            reason.
    """
    from faultxfer.registry.approving import read_review
    from faultxfer.registry.maintenance import require_reason

    if reason is not None:
        require_reason(reason)
    terminal = _is_terminal()
    if reason is None and not terminal:
        raise ConfigError("No reason was given", remedy='Add `--reason "…"`: the journal keeps it')
    review = read_review(model, equipment, number)
    show(review)
    if reason is None:
        reason = str(typer.prompt("Reason, for the journal", default="", err=True))
        require_reason(reason)
    if terminal and asks and not _agreed(verb, review):
        champion = review["champion"]
        changed = {"version": review["version"], "from": champion, "to": champion, "uri": None}
        return {"outcome": WAITS, "registered": review["registered"], **changed, "review": review}
    return {**doing(model, equipment, number, reason), "review": review}


def _is_terminal() -> bool:
    """Whether somebody is there to be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _agreed(verb: str, review: dict[str, Any]) -> bool:
    question = f"{verb} version {review['version']} of {review['registered']}?"
    return typer.confirm(question, err=True)


def show(review: dict[str, Any]) -> None:
    """What a person decides on: sentences, metrics with bounds, data, pictures."""
    console = stdout()
    console.print(
        f"[bold yellow]{escape(review['registered'])} version {review['version']}[/] waits for "
        f"approval{_until(review)}. Started by {escape(review['started_by'])} on "
        f"{review['since'][:10]}.",
        soft_wrap=True,
    )
    sentences = [*review["told"], *_about("Worst slice", review["worst_slice"])]
    sentences += [f"Data: {sentence}" for sentence in review["data"]]
    for sentence in sentences:
        console.print(f"• {escape(sentence)}", soft_wrap=True)
    if review["metrics"]:
        console.print(_metrics(review["metrics"]))
    else:
        console.print("Its report is not there any more, so its metrics cannot be shown.")
    for name, address in {**_report(review), **review["pictures"]}.items():
        console.print(f"  {escape(name):<25} {escape(address)}", soft_wrap=True)


def _until(review: dict[str, Any]) -> str:
    return f" until {review['until'][:10]}" if review["until"] else ""


def _about(what: str, sentence: str | None) -> list[str]:
    return [f"{what}: {sentence}"] if sentence else []


def _report(review: dict[str, Any]) -> dict[str, str]:
    return {"report": review["report"]} if review["report"] else {}


def _metrics(metrics: list[dict[str, Any]]) -> Table:
    table = Table()
    for column in ("", "candidate", "between", "champion"):
        table.add_column(column, justify="right" if column else "left")
    for one in metrics:
        bounds = f"{one['low']} and {one['high']}" if one["low"] is not None else "–"
        table.add_row(one["metric"], one["candidate"] or "–", bounds, one["champion"] or "–")
    return table

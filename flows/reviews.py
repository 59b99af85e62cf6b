"""What a person decides on, in Markdown: for the page of a deployment and of a flow run."""

from __future__ import annotations

from typing import Any


def as_markdown(review: dict[str, Any]) -> str:
    """A version that waits for approval.

    Args:
        review: as :func:`faultxfer.registry.approving.read_review` gives it.
    """
    until = f" until {review['until'][:10]}" if review["until"] else ""
    title = f"### {review['registered']}, version {review['version']}"
    started = f"Waits{until}. Started by {review['started_by']} on {review['since'][:10]}."
    told = [*review["told"], *_about("Worst slice", review["worst_slice"])]
    told += [f"Data: {sentence}" for sentence in review["data"]]
    parts = [title, started, "\n".join(f"- {sentence}" for sentence in told)]
    parts.append(_metrics(review["metrics"]))
    addresses = _about("report", review["report"]) + [
        f"{name}: {address}" for name, address in review["pictures"].items()
    ]
    parts.append("\n".join(f"- {address}" for address in addresses))
    return "\n\n".join(part for part in parts if part)


def _about(what: str, sentence: str | None) -> list[str]:
    return [f"{what}: {sentence}"] if sentence else []


def _metrics(metrics: list[dict[str, Any]]) -> str:
    if not metrics:
        return "Its report is not there any more, so its metrics cannot be shown."
    lines = ["| | candidate | between | champion |", "|---|---:|---:|---:|"]
    for one in metrics:
        bounds = f"{one['low']} and {one['high']}" if one["low"] is not None else "–"
        cells = (one["metric"], one["candidate"] or "–", bounds, one["champion"] or "–")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)

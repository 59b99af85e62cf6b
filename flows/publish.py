"""What a flow run shows on its page in the Prefect UI."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.logging.handlers import APILogHandler

from faultxfer.contract.folding import fold
from faultxfer.outputs import DOCS_INDEX
from faultxfer.progress import progress
from faultxfer.wording import counted

if TYPE_CHECKING:
    # The steps are loaded when they run; what is only shown must not load them.
    from faultxfer.learning_curves.measuring import LearningResult
    from faultxfer.steps.intake import CheckedRows
    from faultxfer.steps.opening import AnyRequest, Opened
    from faultxfer.steps.pretraining import PretrainResult
    from faultxfer.steps.registration import TransferResult
    from faultxfer.steps.repeats import Unchanged
    from faultxfer.steps.scoring import ScoreResult

# Said before the run exists; its own address follows when it does.
IN_THE_RUN = f"{DOCS_INDEX}, among the artifacts of the MLflow run that this leads to"


@contextmanager
def progress_in_the_log() -> Iterator[None]:
    """Send the steps' progress to the flow run's log, whoever runs the flow.

    A flow run within another one finds it sent already, to the log of the inner one.
    """
    if any(isinstance(handler, APILogHandler) for handler in progress.handlers):
        yield
        return
    handler, level = APILogHandler(), progress.level
    progress.addHandler(handler)
    progress.setLevel(logging.INFO)
    try:
        yield
    finally:
        progress.removeHandler(handler)
        progress.setLevel(level)


def publish_findings(rows: CheckedRows, opened: Opened[AnyRequest], *_: Any) -> None:
    """A table of the contract findings, a line for each code, and where the Data Docs lie."""
    docs = _docs_of(opened, rows)
    if rows.findings:
        table = [
            {
                "finding": folded.code,
                "severity": folded.severity,
                "where": folded.where,
                "rows": folded.count,
                "message": folded.sentence,
                "what to do": folded.remedy,
            }
            for folded in fold(rows.findings, rows.read - rows.left_out)
        ]
        create_table_artifact(table=table, key="contract-findings", description=_counts(rows, docs))
    elif rows.docs == docs:
        publish_docs(rows, "contract")


def publish_copies(
    rows: CheckedRows, opened: Opened[AnyRequest], before: CheckedRows, *_: Any
) -> None:
    """The table of findings anew, where copies were found."""
    if len(rows.findings) > len(before.findings):
        publish_findings(rows, opened)


def _docs_of(opened: Opened[AnyRequest], rows: CheckedRows) -> str | None:
    """Where a person finds the Data Docs: those of training go with the MLflow run."""
    if opened.request.data_docs is None and rows.docs is not None:
        return IN_THE_RUN
    return rows.docs


def publish_docs(rows: CheckedRows, about: str) -> None:
    """Where Great Expectations' Data Docs lie."""
    if rows.docs:
        text = f"Data Docs of {counted(len(rows.files), 'file')}: `{rows.docs}`"
        create_markdown_artifact(
            markdown=text, key=_key(f"data-docs-{about}"), description="Data Docs"
        )


def publish_report(result: TransferResult, *_: Any) -> None:
    """The gate's decision and the result table."""
    from faultxfer.evaluate.page import as_markdown

    where = [
        f"**{result.headline}**",
        *([f"- report: `{result.page}`"] if result.page else []),
        *[f"- {key}: `{address}`" for key, address in result.pictures.items()],
        *([f"- Data Docs: `{result.rows.docs}`"] if result.rows.docs else []),
        *[f"- {one.why}: `{one.command}`" for one in result.next],
    ]
    text = as_markdown(result.report, result.decision, result.override) + "\n" + "\n".join(where)
    key = _key(f"transfer-{result.model}-{result.equipment}")
    create_markdown_artifact(markdown=text, key=key, description=result.outcome)


def publish_learning(result: LearningResult, *_: Any) -> None:
    """The answers and the table of a learning curve."""
    files = "\n".join(f"- {kind}: `{path}`" for kind, path in result.files.items())
    text = f"{result.markdown()}\n{files}"
    key = _key(f"learning-curve-{result.model}-{result.equipment}")
    create_markdown_artifact(markdown=text, key=key, description="Would more labels help?")


def publish_repeat(result: Unchanged | None, *_: Any) -> None:
    """That nothing was to be done, where the same request was found."""
    if result is None:
        return
    key = _key(f"transfer-{result.model}-{result.equipment}")
    create_markdown_artifact(markdown=f"{result.reason}.", key=key, description=result.outcome)


def publish_scores(result: ScoreResult, *_: Any) -> None:
    """What must not be overlooked about the version that scored, where that is no champion."""
    if result.banner:
        key = _key(f"scores-{result.model}-{result.equipment or ''}")
        text = f"**Attention:** {result.banner}"
        create_markdown_artifact(markdown=text, key=key, description="Not scored by a champion")


def publish_source(result: PretrainResult, *_: Any) -> None:
    """Where the Data Docs of the source's files lie, now that there is a run that keeps them."""
    publish_docs(result.rows, result.model)


def _counts(rows: CheckedRows, docs: str | None) -> str:
    kept = f"\n\nRows set aside: `{rows.quarantine}`" if rows.quarantine else ""
    pages = f"\n\nData Docs: `{docs}`" if docs else ""
    filled = f" ({rows.imputed} with readings filled in)" if rows.imputed else ""
    counts = (
        f"{rows.read} rows read, {rows.accepted} accepted{filled}, {rows.quarantined} set aside."
    )
    return counts + kept + pages


def _key(text: str) -> str:
    """Artifact keys are lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


# What is shown after a step, by the step's name: called with what the step made, and what it was
# given.
PUBLISHED: dict[str, Callable[..., None]] = {
    "check_rows": publish_findings,
    "find_copies": publish_copies,
    "find_repeat": publish_repeat,
    "register_candidate": publish_report,
    "register_source": publish_source,
    "report_learning": publish_learning,
    "score_rows": publish_scores,
}

"""What is known of a machine's rows where not all are labelled, for report and journal."""

from __future__ import annotations

from typing import Any

from faultxfer.contract.used_rows import WITHOUT_LABEL
from faultxfer.registry.provenance import actor
from faultxfer.requests import TransferRequest
from faultxfer.steps.adaptation import Adaptation
from faultxfer.wording import counted


def labels_of(request: TransferRequest, adapted: Adaptation) -> dict[str, Any]:
    """What is said of the labels: empty where all rows have one, of both classes.

    Returns:
        ``state`` (as of the split where a class is lacking), ``unknown``, ``healthy`` and
        ``vouched_by`` where somebody vouches, ``against`` where the source detector contradicts,
        and ``sentences``.
    """
    split, rows = adapted.target.split, adapted.target.rows
    unknown = rows.unused.get(WITHOUT_LABEL, 0)
    told: dict[str, Any] = {}
    sentences = []
    if not split.has_both_classes:
        told["state"] = split.by
    if unknown:
        told["unknown"] = unknown
        sentences.append(
            f"{counted(unknown, 'row')} without a label took no part: nothing was learnt from them "
            "and they judged nothing."
        )
    if vouched := vouched_for(request):
        told |= vouched
        sentences.append(
            f"{vouched['vouched_by']} vouches for rows without a label as healthy: "
            f"`--healthy {vouched['healthy']}`."
        )
    if adapted.against:
        told["against"] = [*adapted.against]
        sentences += adapted.against
    return {**told, "sentences": sentences} if told else {}


def vouched_for(request: TransferRequest) -> dict[str, str]:
    """Which rows somebody vouches for, and who; empty where nobody does."""
    if request.healthy is None:
        return {}
    return {"healthy": request.healthy, "vouched_by": actor()}

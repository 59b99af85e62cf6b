"""Forgetting: what did the candidate unlearn of the source machines?"""

from __future__ import annotations

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate.bounds import spread, tolerated, words
from faultxfer.evaluate.gate.check import NOT_APPLICABLE, Check, Evidence, Forgetting, metric_name

_CODE, _TITLE = "GATE-FORGETTING", "what the source machines taught"


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Candidate minus source model on rows of the source machines, per bounded metric."""
    found = given.forgetting
    if found is None:
        return [
            Check(
                _CODE,
                _TITLE,
                NOT_APPLICABLE,
                "No rows of the source machines are kept with the source model.",
            )
        ]
    bounded = {name: limit for name, limit in options.forgetting.items() if limit.bounds}
    if bounded:
        return [_change(name, limit, found) for name, limit in bounded.items()]
    message = (
        f"On {found.rows} rows of the source machines the candidate has PR-AUC {found.candidate.pr_auc:.3f}, the "
        f"source model {found.source.pr_auc:.3f}; no bound is set under `forgetting`."
    )
    return [Check(_CODE, _TITLE, NOT_APPLICABLE, message)]


def _change(name: str, limit: Limit, found: Forgetting) -> Check:
    title = f"{metric_name(name)} on the source machines"
    one, other = getattr(found.candidate, name), getattr(found.source, name)
    if one is None or other is None:
        return Check(
            _CODE, title, NOT_APPLICABLE, f"The {metric_name(name)} could not be measured for both."
        )
    interval = found.changes.get(name)
    status = tolerated(limit, one - other, interval, default="estimate", strictly=False)
    message = (
        f"On {found.rows} rows of the source machines the candidate's {metric_name(name)} is {one:.3f}, the source "
        f"model's {other:.3f} ({one - other:+.3f}{spread(interval, '+.3f')}); a change of "
        f"{words(limit, 'at least', '+g')} is asked."
    )
    return Check(_CODE, title, status, message)

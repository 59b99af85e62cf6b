"""Forgetting: what did the candidate unlearn of the source machines?"""

from __future__ import annotations

from faultxfer.config import GateOptions, Limit
from faultxfer.evaluate.gate.bounds import bounded, in_words, spread, tolerated
from faultxfer.evaluate.gate.check import NOT_APPLICABLE, Check, Evidence, Forgetting, pair_of
from faultxfer.metric_table import METRICS

_CODE, _TITLE = "GATE-FORGETTING", "what the source machines taught"


def check(given: Evidence, options: GateOptions) -> list[Check]:
    """Candidate minus source model on rows of the source machines, per bounded metric."""
    found, limits = given.forgetting, bounded(options.forgetting)
    if found is None:
        message = (
            "Nothing shows what was unlearned: no rows of the source machines are kept with the "
            "source model, or they lack a sensor that this machine has."
        )
        return [Check(_CODE, _TITLE, NOT_APPLICABLE, message)]
    if limits:
        return [_change(name, limit, found) for name, limit in limits.items()]
    message = (
        f"On {found.rows} rows of the source machines the candidate has PR-AUC "
        f"{found.candidate.pr_auc:.3f}, the source model {found.source.pr_auc:.3f}; no bound is "
        "set under `forgetting`."
    )
    return [Check(_CODE, _TITLE, NOT_APPLICABLE, message)]


def _change(name: str, limit: Limit, found: Forgetting) -> Check:
    metric = METRICS[name].title
    title = f"{metric} on the source machines"
    pair = pair_of(name, found.candidate, found.source)
    if pair is None:
        message = f"The {metric} could not be measured for both."
        return Check(_CODE, title, NOT_APPLICABLE, message)
    change, interval = pair[0] - pair[1], found.changes.get(name)
    status = tolerated(limit, change, interval, default="estimate", strictly=False)
    message = (
        f"On {found.rows} rows of the source machines the candidate's {metric} is {pair[0]:.3f}, "
        f"the source model's {pair[1]:.3f} ({change:+.3f}{spread(interval, '+.3f')}); the rules "
        f"ask for a change of {in_words(limit, 'at least', '+g')}."
    )
    return Check(_CODE, title, status, message, by_rows=False)

"""False alarms a day: what was asked for, and what the healthy days at hand promise of it."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

from faultxfer.errors import DataError
from faultxfer.exact_bounds import highest_count
from faultxfer.wording import amount, percent

# Confidence of the bound that is reported where no promise was asked for.
_REPORTED = 0.95
BUDGET = "alarm_budget"


@dataclass(frozen=True)
class AlarmBudget:
    """How many false alarms a day there may be, and the evidence for it.

    Attributes:
        per_day: what was asked for.
        confidence: of a promise; None for an aim.
        false_alarms: on rows that the model was not fitted on.
        healthy_days: of these rows.
    """

    per_day: float
    confidence: float | None
    false_alarms: int
    healthy_days: float

    @property
    def bound(self) -> float:
        """Upper bound of the false alarms a day (Garwood 1936); infinity without healthy days."""
        if not self.healthy_days:
            return math.inf
        level = self.confidence or _REPORTED
        return highest_count(self.false_alarms, level) / self.healthy_days

    @property
    def kept(self) -> bool:
        """Whether what was asked for can be said of these rows."""
        return self.confidence is None or self.bound <= self.per_day

    def as_dict(self) -> dict[str, Any]:
        """Plain data for the lineage and the report."""
        return {**asdict(self), "bound": self.bound}

    @classmethod
    def of(cls, stored: dict[str, Any]) -> AlarmBudget:
        """The inverse of :meth:`as_dict`."""
        return cls(**{name: value for name, value in stored.items() if name != "bound"})

    def sentence(self) -> str:
        """What a plant engineer may rely on.

        >>> print(AlarmBudget(0.2, 0.95, 0, 30.0).sentence())
        At most 0.2 false alarms a day are promised with 95% confidence: 0 in 30 healthy days.
        """
        days = f"{amount(self.healthy_days)} healthy days"
        seen = f"{self.false_alarms} in {days}"
        if self.confidence is not None:
            sure = f"with {percent(self.confidence)} confidence"
            return f"At most {self.per_day:g} false alarms a day are promised {sure}: {seen}."
        return (
            f"At most {self.per_day:g} false alarms a day are aimed at: there were {seen}; with "
            f"{percent(_REPORTED)} confidence they are at most {amount(self.bound)} a day."
        )


def require_budget(budget: AlarmBudget | None, where: str) -> None:
    """Refuse a promise that the healthy days cannot support.

    Raises:
        DataError: says how many healthy days are missing, and what these can promise.
    """
    if budget is None or budget.kept or budget.confidence is None:
        return
    days = highest_count(budget.false_alarms, budget.confidence) / budget.per_day
    missing = max(days - budget.healthy_days, 0.0)
    lowest = math.ceil(budget.bound * 100) / 100 if math.isfinite(budget.bound) else None
    ask = "" if lowest is None else f"ask for `--false-alarms-per-day {lowest:g}` or more, "
    raise DataError(
        f"These rows cannot promise at most {budget.per_day:g} false alarms a day with "
        f"{percent(budget.confidence)} confidence, for which it takes "
        f"{amount(days)} healthy days with no more false alarms than these",
        received={
            "healthy days": round(budget.healthy_days, 2),
            "false alarms": budget.false_alarms,
        },
        where=where,
        remedy=f"Bring {amount(missing)} more healthy {'day' if missing == 1 else 'days'}, {ask}"
        "or leave `alarm_confidence` out for an aim without a promise",
    )

"""The one table of metrics: what each is called, which way it is better, and how it is printed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from faultxfer.wording import amount, duration, percent

# One alarm in ten minutes is what one operator can handle in the long run (EEMUA 191; ISA-18.2 says
# about 150 a day).
OPERATOR_ALARMS_PER_HOUR = 6.0
OPERATOR_ALARMS_PER_DAY = 24 * OPERATOR_ALARMS_PER_HOUR
_OPERATOR = "one operator can take {} from all systems together (EEMUA 191)"
PER_HOUR_LIMIT = _OPERATOR.format(f"{OPERATOR_ALARMS_PER_HOUR:g} an hour")
PER_DAY_LIMIT = _OPERATOR.format(f"{OPERATOR_ALARMS_PER_DAY:g} a day")


def _to_three_digits(value: float) -> str:
    return f"{value:.3f}"


@dataclass(frozen=True)
class Metric:
    """One line of the table.

    Attributes:
        name: in files and options; a field of ``Metrics`` (rows) or ``EventMetrics`` (events).
        title: as a person reads it.
        lower_is_better: the direction; otherwise higher is better.
        most: the highest possible value; all metrics are 0 or more.
        of: what is counted, rows or events.
        interval: whether it is given with bounds.
        written: how a value is printed.
        column: whether the result table has a column for it.
    """

    name: str
    title: str
    lower_is_better: bool = False
    most: float = 1.0
    of: Literal["row", "event"] = "row"
    interval: bool = True
    written: Callable[[float], str] = _to_three_digits
    column: bool = False

    def text(self, value: float) -> str:
        """A value as it is printed.

        >>> METRICS["recall"].text(0.875)
        '88%'
        """
        return self.written(value)


_TABLE = (
    Metric("pr_auc", "PR-AUC", column=True),
    Metric("roc_auc", "ROC-AUC", column=True),
    Metric("recall", "recall", written=percent, column=True),
    Metric("precision", "precision", written=percent),
    Metric(
        "false_alarm_rate", "false-alarm rate", lower_is_better=True, written=percent, column=True
    ),
    Metric("log_loss", "log loss", lower_is_better=True, most=math.inf, column=True),
    Metric("calibration_error", "calibration error", lower_is_better=True, interval=False),
    Metric("event_recall", "event recall", of="event", written=percent),
    Metric(
        "detection_delay",
        "detection delay",
        lower_is_better=True,
        most=math.inf,
        of="event",
        interval=False,
        written=duration,
    ),
    Metric(
        "false_alarms_per_day",
        "false alarms per day",
        lower_is_better=True,
        most=math.inf,
        of="event",
        written=amount,
    ),
    Metric(
        "alarms_per_hour",
        "alarms per hour",
        lower_is_better=True,
        most=math.inf,
        of="event",
        interval=False,
        written=amount,
    ),
    Metric(
        "time_in_alarm",
        "time in alarm",
        lower_is_better=True,
        of="event",
        interval=False,
        written=percent,
    ),
    Metric(
        "chattering",
        "chattering alarms",
        lower_is_better=True,
        most=math.inf,
        of="event",
        interval=False,
        written=amount,
    ),
)
METRICS: dict[str, Metric] = {metric.name: metric for metric in _TABLE}
ROW_METRICS: tuple[str, ...] = tuple(name for name, metric in METRICS.items() if metric.of == "row")
IN_RESULT_TABLE: tuple[Metric, ...] = tuple(metric for metric in _TABLE if metric.column)

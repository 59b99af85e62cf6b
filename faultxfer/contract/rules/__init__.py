"""Rules that Great Expectations cannot state for each row, by theme; each has one line here.

They run in this order, each on the rows that the ones before it have left.
"""

from faultxfer.contract.rules import duplicates, labels, sensors, time
from faultxfer.contract.rules.protocol import Rule

RULES: tuple[Rule, ...] = (
    sensors.whole,
    duplicates.row_duplicate,
    labels.label_conflict,
    time.time_duplicate,
    time.backwards,
    time.gap,
    sensors.rate,
    sensors.stuck,
    labels.label_leak,
    labels.one_class,
)

__all__ = ["RULES"]

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
    time.step,
    sensors.rate,
    sensors.stuck,
    sensors.still,
    labels.label_leak,
    labels.one_class,
)

# Rules of the clock see every row of a machine, so that rows left out on purpose leave no gap. All
# others see the rows that are used.
OF_THE_CLOCK: frozenset[Rule] = frozenset(
    {time.time_duplicate, time.backwards, time.gap, time.step}
)

__all__ = ["OF_THE_CLOCK", "RULES"]

"""Rules that Great Expectations cannot state for each row: one file each, and one line here.

They run in this order, each on the rows that the ones before it have left.
"""

from faultxfer.contract.rules import (
    backwards,
    gap,
    label_conflict,
    label_leak,
    one_class,
    rate,
    row_duplicate,
    stuck,
    time_duplicate,
    whole,
)
from faultxfer.contract.rules.protocol import Rule

RULES: tuple[Rule, ...] = (
    whole.check,
    row_duplicate.check,
    label_conflict.check,
    time_duplicate.check,
    backwards.check,
    gap.check,
    rate.check,
    stuck.check,
    label_leak.check,
    one_class.check,
)

__all__ = ["RULES"]

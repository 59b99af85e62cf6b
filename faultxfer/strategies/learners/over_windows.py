"""Any learner on readings and windows side by side, beside itself on readings.

Never instead of it: where a machine changes its duty inside a window, readings alone tell more
(``docs/decisions/0053``). Such learners were fitted on wide rows, which :class:`.SharedFits` keeps.
"""

from __future__ import annotations

import dataclasses

from faultxfer.bundle.members import Member
from faultxfer.strategies.learners.protocol import Learner, TrainingRows

BEHIND = "-windows"


class OverWindows:
    """A learner that sees what was before a row.

    Args:
        learner: is fitted on rows of readings and windows.
    """

    def __init__(self, learner: Learner) -> None:
        self.inside = learner
        self.family, self.name, self.paper = learner.family, learner.name + BEHIND, learner.paper

    def fit(self, rows: TrainingRows) -> Member:
        """Fit on wide rows; the member reads such rows too."""
        member = self.inside.fit(rows)
        return dataclasses.replace(member, name=self.name, over_windows=True)

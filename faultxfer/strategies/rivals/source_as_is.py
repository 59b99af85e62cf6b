"""The source bundle, unchanged."""

from __future__ import annotations

from faultxfer.strategies.needs import require
from faultxfer.strategies.protocol import Requirement, Scorer, Task


class SourceAsIs:
    """What production would get by pointing the source model at the new machine."""

    name = "source_as_is"
    title = "source model as it is"
    needs: tuple[Requirement, ...] = (Requirement.SENSORS,)
    uses_source = True
    as_is = True

    def fit(self, task: Task) -> Scorer:
        """Nothing to fit: the source's own logits.

        Raises:
            StrategyError: the rows have other sensors than the source, or in another order.
        """
        require(task, self)
        return task.source.logits

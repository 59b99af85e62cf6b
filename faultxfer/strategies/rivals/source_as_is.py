"""The source bundle, unchanged."""

from __future__ import annotations

from faultxfer.strategies.common import require_features
from faultxfer.strategies.protocol import Scorer, Task


class SourceAsIs:
    """What production would get by pointing the source model at the new machine."""

    name = "source_as_is"
    title = "source model as it is"
    uses_source = True
    as_is = True

    def fit(self, task: Task) -> Scorer:
        """Nothing is fitted."""
        require_features(task)
        return task.source.logits

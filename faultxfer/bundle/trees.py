"""Trees as LightGBM text, parsed once: few rows walk through them, many are looked up in tables."""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from faultxfer.bundle.tree_tables import TreeTables, tree_tables

if TYPE_CHECKING:
    import lightgbm

# From so many rows on tables are made, which takes as long as some thousand rows take to walk.
_MANY = 20_000


class Trees:
    """Fitted trees; offers of :class:`lightgbm.Booster` what models here use.

    Args:
        text: as LightGBM writes it.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        self._tables: TreeTables | None = None
        self._rows = 0

    @cached_property
    def booster(self) -> lightgbm.Booster:
        """As LightGBM has it."""
        import lightgbm

        return lightgbm.Booster(model_str=self.text)

    @cached_property
    def count(self) -> int:
        """How many trees there are."""
        return self.text.count("\nTree=")

    def predict(self, data: Any, *, raw_score: bool = False, **settings: Any) -> Any:
        """(n, d) finite rows to (n,) scores."""
        tables = self._tables_for(len(data)) if raw_score and not np.isnan(data).any() else None
        if tables is not None:
            return tables(data)
        return self.booster.predict(data, raw_score=raw_score, **{"num_threads": 1, **settings})

    def feature_importance(self, importance_type: str = "split") -> Any:
        """(d,) what the sensors are worth to the trees."""
        return self.booster.feature_importance(importance_type=importance_type)

    def _tables_for(self, rows: int) -> TreeTables | None:
        """Tables, once so many rows were asked about that they are worth making."""
        before = self._rows
        self._rows += rows
        if before < _MANY <= self._rows:
            self._tables = tree_tables(self.text)
        return self._tables


@lru_cache(maxsize=64)
def trees_of(text: str) -> Trees:
    """Parsed once: a detector that is asked for one row at a time would do little else."""
    return Trees(text)

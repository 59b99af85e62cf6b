"""How transfer and training from scratch get better with labelled rows; steps loaded when taken."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faultxfer.learning_curves.measuring import draw_rows, measure_learning, report_learning

__all__ = ["draw_rows", "measure_learning", "report_learning"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        return getattr(importlib.import_module("faultxfer.learning_curves.measuring"), name)
    raise AttributeError(f"module 'faultxfer.learning_curves' has no attribute {name!r}")

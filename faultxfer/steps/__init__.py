"""The steps of the pipelines, each loaded when a pipeline first takes it.

A request that cannot be met is refused by the first step, before anything that is slow to import
(TensorFlow, MLflow, Great Expectations) is needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faultxfer.steps.adaptation import adapt_source, split_target
    from faultxfer.steps.copies import find_copies
    from faultxfer.steps.intake import check_rows
    from faultxfer.steps.judging import ask_gate, evaluate_candidate
    from faultxfer.steps.opening import (
        open_curve,
        open_pretrain,
        open_score,
        open_transfer,
        open_validate,
    )
    from faultxfer.steps.pretraining import register_source, train_source
    from faultxfer.steps.registration import register_candidate
    from faultxfer.steps.repeats import find_repeat
    from faultxfer.steps.scoring import fetch_detector, score_rows
    from faultxfer.steps.sources import fetch_champion, fetch_models

_HOMES = {
    "adapt_source": "adaptation",
    "ask_gate": "judging",
    "check_rows": "intake",
    "evaluate_candidate": "judging",
    "fetch_champion": "sources",
    "fetch_detector": "scoring",
    "fetch_models": "sources",
    "find_copies": "copies",
    "find_repeat": "repeats",
    "open_curve": "opening",
    "open_pretrain": "opening",
    "open_score": "opening",
    "open_transfer": "opening",
    "open_validate": "opening",
    "register_candidate": "registration",
    "register_source": "pretraining",
    "score_rows": "scoring",
    "split_target": "adaptation",
    "train_source": "pretraining",
}

__all__ = [
    "adapt_source",
    "ask_gate",
    "check_rows",
    "evaluate_candidate",
    "fetch_champion",
    "fetch_detector",
    "fetch_models",
    "find_copies",
    "find_repeat",
    "open_curve",
    "open_pretrain",
    "open_score",
    "open_transfer",
    "open_validate",
    "register_candidate",
    "register_source",
    "score_rows",
    "split_target",
    "train_source",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"faultxfer.steps.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'faultxfer.steps' has no attribute {name!r}")

"""faultxfer: move a fault detector to equipment with hardly any labelled history.

The pipeline's functions and option models can be imported from here; nothing heavy is loaded until
one is used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from faultxfer.config import CurveOptions, GateOptions, PretrainOptions, TransferOptions
    from faultxfer.errors import FaultxferError, UserError
    from faultxfer.pipeline import learning_curve, pretrain, score, transfer, validate
    from faultxfer.requests import (
        CurveRequest,
        PretrainRequest,
        ScoreRequest,
        TransferRequest,
        ValidateRequest,
    )

_HOMES = {
    "CurveOptions": "faultxfer.config",
    "CurveRequest": "faultxfer.requests",
    "PretrainRequest": "faultxfer.requests",
    "ScoreRequest": "faultxfer.requests",
    "TransferRequest": "faultxfer.requests",
    "ValidateRequest": "faultxfer.requests",
    "FaultxferError": "faultxfer.errors",
    "GateOptions": "faultxfer.config",
    "PretrainOptions": "faultxfer.config",
    "TransferOptions": "faultxfer.config",
    "UserError": "faultxfer.errors",
    "learning_curve": "faultxfer.pipeline",
    "pretrain": "faultxfer.pipeline",
    "score": "faultxfer.pipeline",
    "transfer": "faultxfer.pipeline",
    "validate": "faultxfer.pipeline",
}

__all__ = [
    "CurveOptions",
    "CurveRequest",
    "FaultxferError",
    "GateOptions",
    "PretrainOptions",
    "PretrainRequest",
    "ScoreRequest",
    "TransferOptions",
    "TransferRequest",
    "UserError",
    "ValidateRequest",
    "learning_curve",
    "pretrain",
    "score",
    "transfer",
    "validate",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(_HOMES[name]), name)
    raise AttributeError(f"module 'faultxfer' has no attribute {name!r}")

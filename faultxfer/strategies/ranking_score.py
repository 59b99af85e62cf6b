"""One number for how well faults are ranked, where models are compared on a source's own rows."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score


def ranking_score(y: np.ndarray, said: np.ndarray) -> float:
    """Mean of PR-AUC and ROC-AUC of scores (n,), for labels (n,) of both classes."""
    return float(average_precision_score(y, said) + roc_auc_score(y, said)) / 2

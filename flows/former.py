"""The flows under the parameter names of release 0.1.0, until 0.4.0.

Deployments store their entry point and their parameters in Prefect's database: both must work until
they are deployed again.
"""

from __future__ import annotations

from faultxfer import pipeline, requests
from flows.pipeline import flow_of

_FORMER = {"files": "csv"}

validate = flow_of("validate", pipeline.validate, requests.ValidateRequest, renamed=_FORMER)
pretrain = flow_of("pretrain", pipeline.pretrain, requests.PretrainRequest, renamed=_FORMER)
transfer = flow_of("transfer", pipeline.transfer, requests.TransferRequest, renamed=_FORMER)
score = flow_of("score", pipeline.score, requests.ScoreRequest, renamed=_FORMER)
learning_curve = flow_of(
    "learning-curve", pipeline.learning_curve, requests.CurveRequest, renamed=_FORMER
)

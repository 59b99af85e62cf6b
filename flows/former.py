"""The flows under the parameter names of release 0.1.0, until 0.4.0.

Deployments store their entry point and their parameters in Prefect's database: both must work until
they are deployed again.
"""

from __future__ import annotations

from faultxfer import pipeline, requests
from flows.pipeline import flow_of

validate = flow_of("validate", pipeline.validate, requests.ValidateRequest, former=True)
pretrain = flow_of("pretrain", pipeline.pretrain, requests.PretrainRequest, former=True)
transfer = flow_of("transfer", pipeline.transfer, requests.TransferRequest, former=True)
score = flow_of("score", pipeline.score, requests.ScoreRequest, former=True)
learning_curve = flow_of(
    "learning-curve", pipeline.learning_curve, requests.CurveRequest, former=True
)

"""For deployments of release 0.1.0, until 0.4.0; new ones name ``flows/pipeline.py:validate``."""

from flows.former import validate

__all__ = ["validate"]

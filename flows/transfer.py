"""For deployments of release 0.1.0, until 0.4.0; new ones name ``flows/pipeline.py:transfer``."""

from flows.former import transfer

__all__ = ["transfer"]

"""For deployments of release 0.1.0, until 0.4.0.

New ones name ``flows/pipeline.py:learning_curve``.
"""

from flows.former import learning_curve

__all__ = ["learning_curve"]

"""Prefect flows: thin wrappers over the steps of ``faultxfer.pipeline``.

The only package that imports prefect.
"""

from faultxfer.environment import prepare_linear_algebra

prepare_linear_algebra()

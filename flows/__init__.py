"""Prefect flows: thin wrappers over the steps of ``faultxfer.pipeline``.

The only package that imports prefect.
"""

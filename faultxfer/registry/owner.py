"""The names that :mod:`faultxfer.process` has for the registry."""

from faultxfer.process import is_gone, this_process

__all__ = ["is_gone", "this_process"]

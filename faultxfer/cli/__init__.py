"""The command line. Heavy libraries are imported inside the commands that need them."""

from faultxfer.cli.app import main

__all__ = ["main"]

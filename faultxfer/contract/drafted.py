"""Limits that were drafted from data: what is said of readings outside them, and how they end."""

from __future__ import annotations

# Shared by the rules of limits, as one acceptance is for all limits of a sensor.
NOT_ACCEPTED = (
    "Nothing has to be done: the limits were drafted from other rows. Set them to what the "
    "instrument can read, then type `faultxfer contract accept FILE SENSOR`"
)

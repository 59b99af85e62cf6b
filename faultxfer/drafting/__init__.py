"""A contract out of example files: what is a sensor, a label, a clock, a machine."""

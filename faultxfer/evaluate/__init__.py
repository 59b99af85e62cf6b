"""Metrics, gate, report and pictures. Takes arrays, never a bundle."""

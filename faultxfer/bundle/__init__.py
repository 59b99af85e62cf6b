"""Scaler, network, calibrator, threshold, feature order and lineage as one versioned artifact."""

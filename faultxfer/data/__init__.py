"""Reading, holding, splitting and simulating sensor data."""

"""The simulated fleet of centrifugal pumps."""

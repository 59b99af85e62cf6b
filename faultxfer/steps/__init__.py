"""The steps of the main path. Each takes and gives paths and small records, so that it can run as a task of its own."""

"""Data contracts: schema, inference from examples, and checking of rows."""

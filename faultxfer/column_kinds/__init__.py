"""What a column of numbers is, by its content: a measurement, or a leak, a counter, a clock, …."""

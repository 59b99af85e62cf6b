"""Which column of another machine's file is which sensor of a contract: proposals with evidence."""

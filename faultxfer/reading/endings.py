"""What files of tables are called, for whoever only looks at names."""

TABLES = (".csv", ".csv.gz", ".csv.zst", ".tsv", ".parquet")

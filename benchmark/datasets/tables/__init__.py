"""Tables in CSV, TSV and Parquet files, read and parsed: logs, and what is known of users and items."""

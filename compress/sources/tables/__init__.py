"""Files of rows: text, JSON and Parquet."""

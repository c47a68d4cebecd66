"""What a matrix or a compressed form shows: spectrum, limits, outliers, neighbours, codes."""

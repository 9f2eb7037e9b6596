"""The columnar engine, held against the comparison alone."""

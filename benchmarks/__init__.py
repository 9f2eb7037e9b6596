"""Benchmarks: each beside the plain alternative in the same run. Ratios travel, absolute times do not."""

"""What reconciliation means, as values and functions: no I/O, no clock, no chance."""

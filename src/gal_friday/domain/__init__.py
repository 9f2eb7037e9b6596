"""What reconciliation means: values and functions. No I/O, no clock, no chance, nothing of the outside."""

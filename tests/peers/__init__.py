"""The simulated exchange, held against programs that others wrote for the real one."""

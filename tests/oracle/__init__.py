"""A second, naive opinion on what two sides differ by, and why."""

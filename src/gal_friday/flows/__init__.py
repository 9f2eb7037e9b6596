"""Straight lines: domain steps joined by awaits. A flow holds no rule of its own and names no adapter."""

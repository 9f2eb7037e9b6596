"""The flows against the simulated exchange over real HTTP, with books and stores in memory."""

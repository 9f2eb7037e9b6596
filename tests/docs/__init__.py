"""What the documents show is what happens: their examples are run, their lists are held against the code."""

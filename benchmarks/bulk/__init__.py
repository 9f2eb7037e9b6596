"""Tables of millions of balances: ``gal-friday compare`` beside the bare scan and what others would write."""

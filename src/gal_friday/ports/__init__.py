"""What the flows need from the world, as protocols. No implementation lives here."""

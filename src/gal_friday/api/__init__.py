"""REST: what other programs and the dashboard ask for over HTTP. Everything it needs is handed in by bootstrap."""

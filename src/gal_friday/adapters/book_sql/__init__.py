"""The embedded book: an append-only record of fills, movements and orders, in a database or in memory.

``book.SqlBook`` keeps it in SQLite or PostgreSQL, ``memory.MemoryBook`` for as long as the program runs.
Both follow the same pure rules: ``entries`` (what is new), ``opening`` (how a book begins), ``view`` (what
it says).
"""

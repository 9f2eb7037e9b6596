"""Simpler ways to reconcile, run in the same worlds: what they find, miss and spoil shows what the difference is worth.

Each keeps a plain book of its own, hears what the bot hears, and reads what the product's own reader reads; so none of
them suffers from a page that was not turned or an error taken for an empty account.
"""

"""Millions of rows: a columnar engine sieves, the domain judges.

An engine is asked one exact question: of which keys has each side one row, and the same in both? Those agree. All
others, with all their rows, go through ``domain/compare`` itself. No rule of tolerance or type is written here.
"""

"""Answers that are given again to whoever asks again under the same key: in a database, or in memory for a trial."""

from gal_friday.adapters.answers.memory import MemoryAnswers
from gal_friday.adapters.answers.sql import SqlAnswers

__all__ = ["MemoryAnswers", "SqlAnswers"]

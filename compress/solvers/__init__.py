"""Searches that know nothing of how their answers are stored."""

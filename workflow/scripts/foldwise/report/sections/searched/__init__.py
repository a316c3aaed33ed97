"""Sections of a search: its trials, their analysis, the tuned run, nested validation."""

"""Sections of repeats of the reported run: other seeds, smaller training parts."""

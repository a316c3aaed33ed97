"""Foldwise: from a table of labels and an archive of images to a report."""

__version__ = "0.1.0"

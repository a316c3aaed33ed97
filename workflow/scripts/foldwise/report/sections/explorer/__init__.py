"""Sections that the page lets a reader explore: cases, thresholds, embeddings."""

"""What the page lets a reader explore, beyond the cases themselves: maps over the pictures."""

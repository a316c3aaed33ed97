"""imagecodecs, or None where it is not installed: uncompressed films are read without it."""

try:
    import imagecodecs
except ImportError:
    imagecodecs = None

__all__ = ["imagecodecs"]

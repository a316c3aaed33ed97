"""A key that sites choose to share, so that each can tell whether it has a picture of the other.

Not the key of a results tree, which names patients and never leaves it. Names are HMAC-SHA256 (RFC
2104): without the key nobody can try pictures of their own against them. Standard library only.
"""

import hashlib
import hmac
from pathlib import Path

from foldwise.errors import FoldwiseError
from foldwise.hashing import KEY_BYTES, key_of

# 80 bits: among a million pictures of either site no two meet by chance.
NAME_HEX = 20
MAKE = 'python -c "import secrets; print(secrets.token_hex(32))"'
# What to do instead: where a bundle is made a key may be new, elsewhere it is that bundle's.
NEW = f"Name the file of the key that the sites share; `{MAKE}` prints a new one."
SAME = "Name the file that was bundle.pixel_key where the bundle was made, as it came from there."


def read_shared_key(path: str | Path, where: str, instead: str = SAME) -> bytes:
    """The key in a file of 64 hex digits; `where` names the setting. FoldwiseError for others.

    instead: what the error says to do.
    """
    try:
        key = key_of(Path(path).read_text(encoding="ascii", errors="replace").strip())
    except OSError as error:
        raise FoldwiseError(
            f"{where}: {path} cannot be read ({error.strerror}). {instead}"
        ) from error
    if not key:
        # Never what stands there: it may be most of the key.
        raise FoldwiseError(
            f"{where}: {path} holds no key of {2 * KEY_BYTES} hex digits. {instead}"
        )
    return key


def key_id(key: bytes) -> str:
    """What tells two keys apart and nothing else of them."""
    return hmac.new(key, b"key", hashlib.sha256).hexdigest()[:NAME_HEX]


def picture_name(key: bytes, pixels: bytes) -> str:
    """Name of a picture by its prepared pixels."""
    # A zero byte between: no picture's name is that of a key.
    return hmac.new(key, b"picture\0" + pixels, hashlib.sha256).hexdigest()[:NAME_HEX]

"""Names that tell nothing: keyed hashes of samples, groups and exams, and the files kept private.

HMAC-SHA256 (RFC 2104) with a random key of this results tree: without the key a name cannot be
tested against a guessed accession number or patient id. Names differ between results trees, so no
order and no random stream may depend on them.
"""

import hashlib
import hmac
import os
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from foldwise.contents import KEYED
from foldwise.errors import FoldwiseError
from foldwise.files import PRIVATE_FILE, csv_text, private_folder, replacing, temporary_of
from foldwise.hashing import KEY_BYTES, key_of

NAME_HEX, CONTENT_LENGTH = 12, 32
# Numbers, ids, paths and DICOM's names of persons: what stands in a row and in no header.
VALUE = re.compile(r"[\d.,]+|.*(\d{3}|[/\\^]|\.(dcm|png|jpe?g|tiff?|pgm|nii|gz|csv|txt)$).*", re.I)


def write_private(path: str | Path, text: str) -> None:
    """Write UTF-8 text, whole or not at all, readable by its owner only from the first byte on."""
    private_folder(Path(path).parent)
    with replacing(path) as temporary:
        # Not `open` and then `chmod`: in between others could read it.
        descriptor = os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, PRIVATE_FILE)
        # File names need not be text: bytes that are none are written as escapes.
        with open(descriptor, "w", encoding="utf-8", errors="backslashreplace") as stream:
            stream.write(text)


def write_private_csv(path: str | Path, columns: list[str], rows: Iterable[dict[str, Any]]) -> None:
    """Write rows under a header as `write_private` does."""
    write_private(path, csv_text(columns, rows))


def load_key(folder: str | Path) -> bytes:
    """The results tree's key, made on first use; two processes at once get the same one.

    Raises FoldwiseError for a key file that is not what was written.
    """
    path = private_folder(folder) / "key"
    if not path.exists():
        _make_key(path)
    # Tightened each time: a key that was copied in may be readable by all.
    path.chmod(PRIVATE_FILE)
    text = path.read_text(encoding="ascii", errors="replace").strip()
    key = key_of(text)
    if not key:
        raise FoldwiseError(
            f"{path} is not a key of {KEY_BYTES} bytes in hex: it was edited or cut short. Put back"
            " your copy, or delete it: then samples get new names and everything runs again."
        )
    return key


def _make_key(path: Path) -> None:
    # A link to a finished file appears whole and fails where a link stands: the first one wins.
    draft = temporary_of(path)
    write_private(draft, secrets.token_hex(KEY_BYTES) + "\n")
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


@dataclass(frozen=True)
class Names:
    """Keyed names of one results tree."""

    key: bytes

    def name(self, kind: str, identity: str) -> str:
        """First letter of `kind` and 12 hex digits; equal identities of two kinds differ."""
        return kind[0] + self._keyed(kind, identity)[:NAME_HEX]

    def content(self, plain: str) -> str:
        """Name of a content outside `private/`: 32 characters, the first of which is no digit."""
        return KEYED + self._keyed("content", plain)[: CONTENT_LENGTH - 1]

    def pixels(self, plain: str) -> str:
        """Name of what a picture (or a mask) shows, outside `private/`; empty for none."""
        return self._keyed("pixels", plain) if plain else ""

    def _keyed(self, kind: str, identity: str) -> str:
        # A zero byte between: no kind and identity can be joined to another pair's text.
        text = f"{kind}\0{identity}".encode(errors="surrogateescape")
        return hmac.new(self.key, text, hashlib.sha256).hexdigest()

    def sample(self, identity: str) -> str:
        """Name of one image (identity: its content, and which copy of it)."""
        return self.name("sample", identity)

    def group(self, patient: str) -> str:
        """Name of what is never split: a patient."""
        return self.name("group", patient)

    def exam(self, accession: str) -> str:
        """Name of one exam."""
        return self.name("exam", accession)


def may_identify(name: str) -> bool:
    """Whether what should be a name of a column or folder looks like a value of one patient."""
    return bool(VALUE.fullmatch(name))


def check_distinct(names: dict[str, str]) -> None:
    """Raise FoldwiseError if two identities got one name (48 bits: about 1 in 50,000 at 10^5)."""
    if len(set(names.values())) < len(names):
        raise FoldwiseError(
            "Two samples got the same keyed name, by chance. Delete results/private/key and run "
            "again: everything gets new names."
        )

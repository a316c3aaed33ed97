"""What a sample's files hold, by two names.

Outside `private/` a content is a keyed digest: with the plain SHA-256 of a file whoever has the
rest of it could try patients' names until one fits. But folds, orders and random draws must be
equal for equal data on any machine, and the key is random: they follow the plain digest, which
stands in `private/contents.csv` alone and is joined here.
"""

from pathlib import Path

from foldwise.errors import FoldwiseError
from foldwise.files import read_csv

PRIVATE_CONTENTS = "contents.csv"
# First letter of a keyed content: no hex digit, so that none is taken for a plain one.
KEYED = "k"


def read_cohort(path: str | Path) -> list[dict[str, str]]:
    """Rows of a cohort.csv, with the plain digest as `content`, the keyed one as `keyed`.

    A table without keyed contents is given as it is. Raises FoldwiseError when the study's private
    list of contents is gone or does not fit.
    """
    rows = read_csv(path)
    if not any("content" in row and row["content"].startswith(KEYED) for row in rows):
        return rows
    folder = Path(path).parent
    # The cohort inside an outer fold is a part of its study's.
    private = folder.with_name(folder.name.partition(".")[0]) / "private" / PRIVATE_CONTENTS
    plain = {row["sample"]: row["content"] for row in read_csv(private)} if private.exists() else {}
    lacking = sum(row["sample"] not in plain for row in rows)
    if lacking:
        raise FoldwiseError(
            f"{private} lacks {lacking} of {len(rows)} samples: it was deleted or edited, or is of "
            "another cohort. Run `snakemake --forcerun cohort`: it is made anew."
        )
    return [row | {"content": plain[row["sample"]], "keyed": row["content"]} for row in rows]


def public_content(row: dict[str, str]) -> str:
    """The content of a row of `read_cohort` by the name that may stand outside `private/`."""
    return row["keyed"] if "keyed" in row else row["content"]

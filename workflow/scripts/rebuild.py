"""`python workflow/scripts/rebuild.py CRATE`: are a crate's tables what its predictions give?

Measures all predictions of an unpacked crate anew and makes its summaries and tables of that; ends
with 1, naming the files, where one is not the same byte for byte.
"""

import sys
import tempfile
from pathlib import Path

from foldwise.crate.rebuild import rebuild
from foldwise.errors import FoldwiseError

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as place:
        try:
            made = rebuild(Path(sys.argv[1]).resolve(), Path(place))
        except FoldwiseError as error:
            sys.exit(str(error))
    other = [path for path, same in made.items() if not same]
    print(f"{len(made) - len(other)} of {len(made)} files are made again byte for byte.")
    sys.exit("\n".join(f"Not the same: {path}" for path in other) if other else 0)

"""`python workflow/scripts/check_article.py results/<study>/article`: does it still say what is so?

Looks up every number of a finished article again; ends with 1, naming file and place, where the
results say another one now.
"""

import sys
from pathlib import Path

from foldwise.article.agreement import disagreements

if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if not (Path(sys.argv[1]) / "ledger.json").is_file():
        sys.exit(f"{sys.argv[1]} holds no ledger.json: no article was written there.")
    faults = disagreements(sys.argv[1])
    print("\n".join(faults) or "Every number of the article is what its file says.")
    sys.exit(bool(faults))

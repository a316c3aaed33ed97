"""`make docs`: config/README.md, envs/, containers/ and docs/reruns.md from what they tell of."""

import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "workflow" / "scripts")]

from tools.made_files import made_files  # noqa: E402
from tools.reruns import write_page  # noqa: E402

if __name__ == "__main__":
    for path, text in made_files().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.name}")
    print(f"wrote {write_page()}")

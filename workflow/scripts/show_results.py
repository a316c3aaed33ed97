"""`make demo` ends with this: what was made, the main figures, and the page to open."""

import sys
from pathlib import Path

from foldwise.files import read_json


def describe(results: Path) -> str:
    """A few lines on a study's results folder."""
    lines = []
    for path in sorted(results.glob("runs/*/cv_summary.json")):
        summary = read_json(path)
        lines.append(f"{path.parent.name}: {len(summary['folds'])} folds, {path}")
        for name, value in summary.items():
            if isinstance(value, dict) and value.get("mean") is not None and "std" in value:
                spread = f" ± {value['std']:.3f}" if value["std"] is not None else ""
                lines.append(f"  {name:<26} {value['mean']:.3f}{spread}")
    page = results / "report" / "index.html"
    lines.append(f"\nOpen {page.resolve()}" if page.exists() else f"\nNo report in {results} yet.")
    return "\n".join(lines)


if __name__ == "__main__":
    print(describe(Path(sys.argv[1])))

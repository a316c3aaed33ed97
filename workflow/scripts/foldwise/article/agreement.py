"""Whether a finished article agrees with the results that it was written from."""

from pathlib import Path
from typing import Any

from foldwise.files import read_json


def disagreements(article: str | Path) -> list[str]:
    """A line for each number of a finished article that its file does not hold any more.

    Paths of the ledger count from the folder in which Snakemake ran, `results` being in it. Nothing
    is said of an article that is not there. Standard library only: the rule files ask this.
    """
    path = Path(article) / "ledger.json"
    if not path.is_file():
        return []
    contents: dict[str, Any] = {}
    faults = []
    for number in read_json(path)["numbers"]:
        file = number["file"]
        if not Path(file).is_file():
            faults.append(f"{file} is not there any more: {number['key']} was {number['shown']}.")
            continue
        if file not in contents:
            contents[file] = read_json(file)
        now = _at(contents[file], number["key"])
        # The values, not what is shown of them: a change below the shown digits is one too.
        if now != number["value"]:
            faults.append(
                f"{file}: {number['key']} is {now!r} now; the article says {number['shown']}."
            )
    return faults


def _at(content: Any, key: str) -> Any:
    """The value at a dotted key; a key of the file may hold dots itself."""
    if not key:
        return content
    if isinstance(content, list):
        head, _, rest = key.partition(".")
        return (
            _at(content[int(head)], rest) if head.isdigit() and int(head) < len(content) else None
        )
    if not isinstance(content, dict):
        return None
    names = [name for name in content if key == name or key.startswith(f"{name}.")]
    if not names:
        return None
    # The longest that fits: `a.b` may be a key of its own beside `a`.
    name = max(names, key=len)
    return _at(content[name], key[len(name) + 1 :])

"""Which files of a study and of the workflow go into its crate."""

from collections.abc import Iterator, Set
from pathlib import Path

# Of the workflow, beside `workflow` itself: what is needed to run it again.
OF_WORKFLOW = ("Snakefile", "README.md", "LICENSE", "pyproject.toml", "requirements.lock")
FOLDERS_OF_WORKFLOW = ("workflow", "profiles/default", "envs")
# Of a study: nothing private, nothing of this machine; weights and arrays go into a bundle.
LEFT_OUT_FOLDERS = frozenset({"private", "logs", "benchmarks", "packs", "crate", "bundle"})
LEFT_OUT_ENDINGS = frozenset({".pt", ".npy", ".npz", ".db"})


def of_workflow(root: Path) -> Iterator[tuple[Path, str]]:
    """Files of the workflow in the folder `root`, each with its place in the crate."""
    for name in OF_WORKFLOW:
        if (root / name).is_file():
            yield root / name, name
    for folder in FOLDERS_OF_WORKFLOW:
        for path in _files(root / folder, {"__pycache__"}, {".pyc"}):
            yield path, str(path.relative_to(root))


def of_study(study: str) -> Iterator[tuple[Path, str]]:
    """Files of a study below the working folder, each with its place in the crate."""
    for path in _files(Path("results", study), LEFT_OUT_FOLDERS, LEFT_OUT_ENDINGS):
        yield path, str(path)


def _files(folder: Path, folders: Set[str], endings: Set[str]) -> Iterator[Path]:
    # Sorted: the order of a file system would else decide the bytes of the crate.
    for path in sorted(folder.rglob("*")):
        parts = path.relative_to(folder).parts
        hidden = any(part.startswith(".") for part in parts)
        left = hidden or folders.intersection(parts[:-1])
        if path.is_file() and not left and path.suffix not in endings:
            yield path

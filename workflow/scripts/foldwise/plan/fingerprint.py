"""A digest of the code that decides a rule's result.

It is taken over syntax trees without comments and docstrings, of the adapter and of all package
modules that it reaches by import, so that editing what a rule runs makes its results stale and
editing anything else does not. Standard library only: this runs when the DAG is built.
"""

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from foldwise import registry
from foldwise.errors import FoldwiseError
from foldwise.hashing import digest

SCRIPTS = Path(__file__).parents[2]
DYNAMIC = {"import_module", "__import__", "exec_module"}


@functools.cache
def code_of(rule: str, names: frozenset[str]) -> str:
    """Digest of `scripts/<rule>.py` and all it reaches.

    `names` are the words of a study's settings: of a registry's plug-ins only those named there
    are followed, so that another study's code has no part in the digest.
    """
    return digest(reached([SCRIPTS / f"{rule}.py"], names))


@functools.cache
def code_of_modules(*modules: str) -> str:
    """Digest of package modules and all they reach by static import."""
    return digest(reached([path for name in modules for path in module_files(name)], frozenset()))


def reached(waiting: list[Path], names: frozenset[str]) -> dict[str, str]:
    """Text of each file reached from those waiting, by its path; names of plug-ins to modules."""
    seen, parts = set(), {}
    while waiting:
        path = waiting.pop()
        if path in seen:
            continue
        seen.add(path)
        text, imports, groups = parse(path)
        parts[str(path.relative_to(SCRIPTS))] = text
        waiting += imports
        for group in groups:
            for name in sorted(names & set(registry.names(group))):
                module = registry.module_of(group, name)
                parts[f"{group}.{name}"] = module
                waiting += list(module_files(module))
    return parts


@functools.cache
def parse(path: Path) -> tuple[str, tuple[Path, ...], frozenset[str]]:
    """Text without comments and docstrings, imported package files, registry groups loaded."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imports: list[Path] = []
    groups: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                imports += module_files(alias.name)
        elif isinstance(node, ast.ImportFrom):
            imports += from_import(node, path)
        elif isinstance(node, ast.Call):
            groups |= loaded_groups(node, path)
        elif isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            drop_docstring(node)
    # The registry's tables only say where plug-ins are; those followed are named one by one.
    text = "" if path == Path(registry.__file__) else ast.unparse(tree)
    return text, tuple(imports), frozenset(groups)


def drop_docstring(
    node: ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef,
) -> None:
    if ast.get_docstring(node, clean=False) is not None:
        node.body = node.body[1:] or [ast.Pass()]


def from_import(node: ast.ImportFrom, path: Path) -> Iterator[Path]:
    if node.level:
        raise FoldwiseError(f"{path.name}, line {node.lineno}: write imports from `foldwise.`.")
    yield from module_files(node.module or "")
    for alias in node.names:
        yield from module_files(f"{node.module}.{alias.name}")


def module_files(module: str) -> Iterator[Path]:
    """Files of a package module; nothing for modules from elsewhere."""
    if module.split(".")[0] != "foldwise":
        return
    base = SCRIPTS.joinpath(*module.split("."))
    # The package's own __init__ holds the version, which decides no result.
    candidates = [base.with_suffix(".py")]
    if module != "foldwise":
        candidates.append(base / "__init__.py")
    yield from (path for path in candidates if path.is_file())


def loaded_groups(call: ast.Call, path: Path) -> set[str]:
    """Groups in calls `load("TASKS", name)`; any other dynamic import is refused."""
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if name in DYNAMIC and path != Path(registry.__file__):
        raise FoldwiseError(
            f"{path.name}, line {call.lineno}: {name}() hides code from the fingerprint. "
            "Import statically, or name the module in foldwise/registry.py."
        )
    first = call.args[0] if call.args else None
    if name == "load" and isinstance(first, ast.Constant) and first.value in registry.GROUPS:
        return {first.value}
    return set()


def words(settings: object) -> frozenset[str]:
    """All text values anywhere in a study's settings, keys included."""
    if isinstance(settings, str):
        return frozenset([settings])
    if isinstance(settings, dict):
        return frozenset().union(*map(words, settings.keys()), *map(words, settings.values()))
    if isinstance(settings, list | tuple):
        return frozenset().union(*map(words, settings))
    return frozenset()

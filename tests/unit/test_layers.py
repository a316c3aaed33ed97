"""The package's rooms: what they may import, and how much stands in each."""

import ast
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "workflow" / "scripts"
MODULES = sorted((SCRIPTS / "foldwise").rglob("*.py"))
# Files of a folder, its __init__.py too.
MOST_FILES = 20
MOST_PARAMETERS = 6
VAGUE = {"ahead", "alone", "asked", "beside", "found", "held", "known", "room", "said", "told"}


def imports(path):
    """(module, name) of each import of the package in a file; name is None for `import x`."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "foldwise":
            yield from ((node.module, alias.name) for alias in node.names)
        if isinstance(node, ast.Import):
            yield from ((a.name, None) for a in node.names if a.name.split(".")[0] == "foldwise")


def place(module):
    """File or folder of a dotted module."""
    base = SCRIPTS.joinpath(*module.split("."))
    return base if base.is_dir() else base.with_suffix(".py")


@cache
def defined(path):
    """Names that a module has once it is imported."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
    return names


def folder_of(module):
    """The folder directly below the package that a module is in; empty at the top."""
    steps = module.split(".")
    return steps[1] if len(steps) > 1 and (SCRIPTS / "foldwise" / steps[1]).is_dir() else ""


def test_every_import_of_the_package_is_there():
    files = [*MODULES, *SCRIPTS.glob("*.py"), *(ROOT / "phantoms").glob("*.py")]
    files += [*(ROOT / "tools").glob("*.py"), *(ROOT / "tests").rglob("*.py")]
    missing = []
    for path in files:
        for module, name in imports(path):
            target = place(module)
            if target.is_dir() and name is not None:
                initial = (target / "__init__.py").read_text(encoding="utf-8")
                there = place(f"{module}.{name}").exists() or name in initial
            else:
                there = target.exists() and (name is None or name in defined(target))
            if not there:
                missing.append(f"{path.relative_to(ROOT)}: {module} {name or ''}")
    assert len(files) > 300
    assert not missing


def test_no_room_reaches_itself_through_another():
    rooms = defaultdict(set)
    for path in MODULES:
        own = folder_of(".".join(path.relative_to(SCRIPTS).with_suffix("").parts))
        for module, name in imports(path):
            # `from foldwise import plan` names the room in its second half.
            other = folder_of(f"{module}.{name}" if module == "foldwise" else module)
            if own and other and other != own:
                rooms[own].add(other)

    def reached(start):
        seen, waiting = set(), [start]
        while waiting:
            for other in rooms[waiting.pop()] - seen:
                seen.add(other)
                waiting.append(other)
        return seen

    assert len(rooms) > 8
    assert not [name for name in list(rooms) if name in reached(name)]


def parameters(function):
    """How many values a caller may give, self and cls not counted."""
    spec = function.args
    named = [a.arg for a in (*spec.posonlyargs, *spec.args)]
    own = named[:1] in (["self"], ["cls"])
    return len(named) - own + len(spec.kwonlyargs) + bool(spec.vararg) + bool(spec.kwarg)


def test_no_function_takes_more_than_six_values():
    """What belongs together is given as one object, as a fold's job is."""
    files = [*MODULES, *(ROOT / "phantoms").glob("*.py"), *(ROOT / "tools").glob("*.py")]
    many = [
        f"{path.relative_to(ROOT)}: {node.name} {parameters(node)}"
        for path in files
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and parameters(node) > MOST_PARAMETERS
    ]
    assert not many


def test_no_folder_is_crowded():
    counts = Counter(path.parent for path in MODULES)
    crowded = {str(folder): n for folder, n in counts.items() if n > MOST_FILES}
    assert not crowded


def names_of(path):
    """Names that others read: the module's, of its functions and classes, of what these take."""
    yield path.stem
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg


def test_names_say_what_a_thing_is():
    """By the field's term for it: such a word says where it came from, or that it is there."""
    files = [*MODULES, *(ROOT / "phantoms").glob("*.py"), *(ROOT / "tools").glob("*.py")]
    files += (ROOT / "plugins").glob("*/snakemake_executor_plugin_*/*.py")
    vague = {
        f"{path.relative_to(ROOT)}: {name}"
        for path in files
        for name in names_of(path)
        if VAGUE & set(name.lower().split("_"))
    }
    assert len(files) > 300 and not vague

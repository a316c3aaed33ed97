"""Python's own start-up hook: notes which functions of the package a job runs.

`FOLDWISE_RAN` names the folder of the notes: a file a rule, a line a function or class of a module,
followed by where a module that was being imported called it, if one did. Each function of the
package notes itself at its first line, which costs other code nothing; a profiler would slow all
that a job does by the factor ten. `digests` in that folder has a line a digest of code: of what,
and which parts of modules it is over.
"""

import ast
import builtins
import json
import os
import sys
from importlib.machinery import PathFinder, SourceFileLoader
from pathlib import Path

PACKAGE = "foldwise"
# It loads what a study names: its tables are left out of digests, and what it asks decides nothing.
REGISTRY = f"{PACKAGE}.registry"
DIGESTS = f"{PACKAGE}.plan.fingerprint"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
NOTED: set[str] = set()
IMPORTING: list[str] = []


def note(what: str) -> None:
    """Written at once: a child that is killed, or ends without Python's own end, has noted too."""
    # With the script: warm jobs are forks, which have all that their parent noted.
    seen = f"{sys.argv[0]} {what}"
    if not IMPORTING and seen in NOTED:
        return
    caller = sys._getframe(2)
    if caller.f_globals.get("__name__") == REGISTRY:
        return
    if IMPORTING:
        what = f"{what} {_importer(caller)}"
    else:
        NOTED.add(seen)
    # Snakemake calls a job's script `tmp<letters>.<rule>.py`; other processes are no jobs.
    rule = os.path.basename(sys.argv[0]).rpartition(".")[0].rpartition(".")[2] or "none"
    with open(os.path.join(os.environ["FOLDWISE_RAN"], rule), "a") as stream:
        stream.write(f"{what}\n")


def _importer(frame) -> str:
    """Module and line, outside of functions, by which a call came about while it was imported."""
    while frame.f_code.co_name != "<module>" or frame.f_globals["__name__"] != IMPORTING[-1]:
        frame = frame.f_back
    return f"{IMPORTING[-1]} {frame.f_lineno}"


def noting(module: str, source: bytes) -> ast.Module:
    """The code of a module whose functions note the top-level part that they stand in."""
    tree = ast.parse(source)
    for part in tree.body:
        name = getattr(part, "name", "")
        for step in ast.walk(part):
            if isinstance(step, FUNCTIONS) and name:
                call = ast.parse(f"__foldwise_note__({f'{module} {name}'!r})").body
                # After a docstring, or it would be none.
                step.body[bool(ast.get_docstring(step)) : 0] = call
    return ast.fix_missing_locations(tree)


class Loader(SourceFileLoader):
    """Reads the package's modules anew: bytecode that is kept notes nothing, and shall not."""

    def get_code(self, fullname):
        return compile(noting(fullname, Path(self.path).read_bytes()), self.path, "exec")

    def exec_module(self, module):
        IMPORTING.append(module.__name__)
        try:
            super().exec_module(module)
        finally:
            IMPORTING.pop()
        if module.__name__ == DIGESTS:
            module.Walk.digest_of = noting_digests(module.Walk.digest_of)


def noting_digests(digest_of):
    """The method, noting what it was asked and what it has reached."""

    def noted(walk, modules, entries=()):
        modules, entries = list(modules), list(entries)
        value = digest_of(walk, modules, entries)
        of = [*modules, *map(":".join, entries)]
        line = json.dumps({"of": of, "parts": sorted(walk.parts)})
        with open(os.path.join(os.environ["FOLDWISE_RAN"], "digests"), "a") as stream:
            stream.write(f"{line}\n")
        return value

    return noted


class Finder:
    """Hands modules of the package to Loader."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.partition(".")[0] != PACKAGE:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = Loader(spec.loader.name, spec.loader.path)
        return spec


if "FOLDWISE_RAN" in os.environ:
    builtins.__foldwise_note__ = note
    sys.meta_path.insert(0, Finder)

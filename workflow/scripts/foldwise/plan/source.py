"""A file of code as its top-level parts: what each says, which names it binds, what it refers to.

A part is a function, a class, an assignment, an import from elsewhere, or any other statement. Its
text holds no comment, no docstring and no place: an import of the package's own is left out, and
each name that is bound outside the part is a number, with what it stands for apart in `refs`. So a
part says the same in whichever module it stands. Standard library only.
"""

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from foldwise.errors import FoldwiseError
from foldwise.hashing import digest

PACKAGE = "foldwise"
# By whatever name it is imported.
LOAD = (f"{PACKAGE}.registry", "load")
DYNAMIC = {"import_module", "__import__", "exec_module", "globals"}
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LOOPS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
SCOPES = (*FUNCTIONS, ast.ClassDef, ast.Lambda, *LOOPS)

Target = tuple[str, str]  # module ('' is this one) and name in it ('' is the module itself)


class Part(NamedTuple):
    """One top-level statement."""

    text: str  # digest of its text
    names: list[str]  # that it binds
    refs: list[tuple[str, str, str]]  # module, name in it, attribute taken of that
    imported: list[str]  # modules of the package that it imports, which then run
    groups: list[str]  # of the registry, that it loads entries of
    runs: bool  # whether importing the module is enough for it to matter


class Source(NamedTuple):
    """A module: its parts, and what its names of the package's own modules stand for."""

    parts: list[Part]
    own: dict[str, Target]


def read_source(code: bytes, where: str) -> Source:
    """The parts of a file; `where` names it in errors."""
    body = ast.parse(code).body
    own = {name: target for node in body for name, target in own_names(node, where)}
    bound = {name for node in body for name in names_of(node)} - set(own)
    parts = []
    for node in body:
        for piece in _pieces(node):
            parts.append(_part(piece, own, bound, where))
    return Source(parts, own)


def _pieces(node: ast.stmt) -> Iterator[ast.stmt]:
    """An import of several names as one each, so that an unused one has no part in a digest."""
    if isinstance(node, ast.Import):
        yield from (ast.Import([alias]) for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and not is_own(node.module):
        yield from (ast.ImportFrom(node.module, [alias], node.level) for alias in node.names)
    elif not _is_text(node):
        yield node


def _part(node: ast.stmt, own: dict[str, Target], bound: set[str], where: str) -> Part:
    plain = isinstance(node, (*FUNCTIONS, ast.ClassDef, ast.Import, ast.ImportFrom))
    runs = not (plain or _is_constant(node)) or _is_registered(node, own.keys() | bound)
    # Before the writer rewrites it in place.
    names, imported = sorted(names_of(node)), sorted(own_modules(node))
    writer = Writer(own, bound, where)
    written = writer.visit(node)
    text = ast.unparse(ast.fix_missing_locations(written)) if written is not None else ""
    return Part(digest(text), names, list(writer.refs), imported, sorted(writer.groups), runs)


def _is_constant(node: ast.stmt) -> bool:
    """Whether a statement does no more than give names a value: it matters where they are used."""
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    if not isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return False
    named = (ast.Name, ast.Tuple, ast.Starred, ast.Store)
    return all(isinstance(step, named) for target in targets for step in ast.walk(target))


def _is_registered(node: ast.stmt, ours: set[str]) -> bool:
    """Whether a decorator of the package's own may hand a function on: to import it is then enough
    for it to be called, under no name that could be followed."""
    roots = (step for each in getattr(node, "decorator_list", []) for step in ast.walk(each))
    return any(isinstance(step, ast.Name) and step.id in ours for step in roots)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def is_own(module: str | None) -> bool:
    """Whether a module belongs to the package."""
    return (module or "").partition(".")[0] == PACKAGE


def own_names(node: ast.AST, where: str) -> Iterator[tuple[str, Target]]:
    """Names that the imports in a statement, outside its functions, give to the package's own."""
    for step in within(node):
        if isinstance(step, ast.Import):
            yield from ((a.asname or PACKAGE, (a.name, "")) for a in step.names if is_own(a.name))
        elif isinstance(step, ast.ImportFrom):
            if step.level or any(alias.name == "*" for alias in step.names):
                raise FoldwiseError(
                    f"{where}, line {step.lineno}: write imports from `foldwise.`, name by name."
                )
            if is_own(step.module):
                for alias in step.names:
                    yield alias.asname or alias.name, (step.module or "", alias.name)


def own_modules(node: ast.AST) -> Iterator[str]:
    """Modules of the package that a statement imports anywhere, those meant by `from` as well."""
    for step in ast.walk(node):
        if isinstance(step, ast.Import):
            yield from (alias.name for alias in step.names if is_own(alias.name))
        elif isinstance(step, ast.ImportFrom) and is_own(step.module):
            yield from (f"{step.module}.{alias.name}" for alias in step.names)


def within(node: ast.AST) -> Iterator[ast.AST]:
    """A node and all below it in the same scope; of an inner scope only the node that opens it."""
    yield node
    if not isinstance(node, SCOPES):
        for child in ast.iter_child_nodes(node):
            yield from within(child)


def names_of(node: ast.AST) -> list[str]:
    """Names that a statement binds in the scope in which it stands, imports of our own left out."""
    names: list[str] = []
    for step in within(node):
        if isinstance(step, (*FUNCTIONS, ast.ClassDef)):
            names.append(step.name)
        elif isinstance(step, ast.Name) and not isinstance(step.ctx, ast.Load):
            names.append(step.id)
        elif isinstance(step, ast.ExceptHandler) and step.name:
            names.append(step.name)
        elif isinstance(step, ast.Import) or (
            isinstance(step, ast.ImportFrom) and not is_own(step.module)
        ):
            every = (alias.asname or alias.name.partition(".")[0] for alias in step.names)
            names += [name for name in every if name != PACKAGE]
    return names


class Writer(ast.NodeTransformer):
    """Rewrites one part: names from outside become numbers, docstrings and own imports go."""

    def __init__(self, own: dict[str, Target], bound: set[str], where: str) -> None:
        outside: dict[str, Target | None] = {name: ("", name) for name in bound} | own
        self.scopes = [outside]
        self.where = where
        self.refs: dict[tuple[str, str, str], int] = {}
        self.groups: set[str] = set()

    def target(self, name: str) -> Target | None:
        """What a name stands for: a thing of a module, or None for a local or a builtin."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return None

    def reference(self, target: Target, attribute: str) -> ast.Name:
        key = (*target, attribute)
        return ast.Name(f"_ref_{self.refs.setdefault(key, len(self.refs))}_", ast.Load())

    def visit_Name(self, node: ast.Name) -> ast.Name:
        target = self.target(node.id)
        return node if target is None else self.reference(target, "")

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        target = self.target(node.value.id) if isinstance(node.value, ast.Name) else None
        if target is None:
            return self.generic_visit(node)
        # With the attribute: of a module that is used for one function, only that one is followed.
        return ast.Attribute(self.reference(target, node.attr), node.attr, node.ctx)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        module, name = self._called(node.func)
        if name in DYNAMIC:
            raise FoldwiseError(
                f"{self.where}, line {node.lineno}: {name}() hides code from the fingerprint. "
                "Import statically, or name the module in foldwise/registry.py."
            )
        if (module, name) == LOAD:
            group = node.args[0] if node.args else None
            if not isinstance(group, ast.Constant):
                raise FoldwiseError(
                    f"{self.where}, line {node.lineno}: the group of {name}() is no text, so that "
                    "the fingerprint cannot follow it. Name it: load('TASKS', ...)."
                )
            self.groups.add(str(group.value))
        return self.generic_visit(node)

    def _called(self, function: ast.expr) -> Target:
        """Module ('' of others' code) and name of what is called, whatever it is called here."""
        if isinstance(function, ast.Name):
            return self.target(function.id) or ("", function.id)
        if not isinstance(function, ast.Attribute):
            return "", ""
        place = self.target(function.value.id) if isinstance(function.value, ast.Name) else None
        # A module is bound as a name of its package, or as itself.
        return ".".join(filter(None, place or ())), function.attr

    def visit_Import(self, node: ast.Import) -> ast.AST | None:
        kept = [alias for alias in node.names if not is_own(alias.name)]
        return ast.Import(kept) if kept else None

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.AST | None:
        return None if is_own(node.module) else node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return self._function(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AST:
        return self._function(node)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        # What is evaluated where the function is defined sees none of its names.
        node.decorator_list = [self.visit(each) for each in node.decorator_list]
        node.args = self.visit(node.args)
        node.returns = self.visit(node.returns) if node.returns else None
        self._scope(node.body, arguments(node.args))
        node.body = self._body(node.body)
        self.scopes.pop()
        return node

    def visit_Lambda(self, node: ast.Lambda) -> ast.AST:
        node.args = self.visit(node.args)
        self._scope([], arguments(node.args))
        node.body = self.visit(node.body)
        self.scopes.pop()
        return node

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        # Names of a class's body are taken for those outside too: more is followed, never less.
        for name in ("decorator_list", "bases", "keywords"):
            setattr(node, name, [self.visit(each) for each in getattr(node, name)])
        node.body = self._body(node.body)
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        if not isinstance(node, LOOPS):
            super().generic_visit(node)
            # Taking the imports of our own out may have left a block empty.
            if getattr(node, "body", None) == []:
                node.body = [ast.Pass()]
            return node
        # The first iterable alone is evaluated outside of a comprehension's scope.
        node.generators[0].iter = self.visit(node.generators[0].iter)
        loops = [loop.target for loop in node.generators]
        self._scope([], {name for target in loops for name in names_of(target)})
        super().generic_visit(node)
        self.scopes.pop()
        return node

    def _scope(self, body: list[ast.stmt], names: Iterable[str]) -> None:
        local: dict[str, Target | None] = dict.fromkeys(names)
        for statement in body:
            local |= dict.fromkeys(names_of(statement)) | dict(own_names(statement, self.where))
        outer = {name for statement in body for name in _declared(statement)}
        self.scopes.append({name: local[name] for name in local if name not in outer})

    def _body(self, body: list[ast.stmt]) -> list[ast.stmt]:
        spoken = body[1:] if body and _is_text(body[0]) else body
        written = [self.visit(statement) for statement in spoken]
        return [statement for statement in written if statement is not None] or [ast.Pass()]


def arguments(args: ast.arguments) -> set[str]:
    """Names of a function's arguments."""
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs, args.vararg, args.kwarg]
    return {argument.arg for argument in every if argument is not None}


def _declared(node: ast.AST) -> Iterator[str]:
    """Names that a statement declares as another scope's."""
    for step in within(node):
        if isinstance(step, ast.Global | ast.Nonlocal):
            yield from step.names

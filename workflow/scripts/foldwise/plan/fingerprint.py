"""A digest of the code that decides a rule's result: of what is reached and of what it says.

From an adapter on, each name that a function, class or value refers to is followed to its
definition (source.py), and the digest is over all that is reached so. Where it stands has no part
in it: a module that is moved or renamed, or a class in another file, reruns nothing, and neither
does a comment, a docstring or a function that nobody calls. Standard library only: this runs when
the DAG is built.
"""

import atexit
import functools
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from foldwise import registry
from foldwise.hashing import digest
from foldwise.plan.source import PACKAGE, Part, Source, read_source

SCRIPTS = Path(__file__).parents[2]
# What was read of code and what came of it, by content, so that no start parses a file twice.
MEMO = Path(".snakemake", "foldwise_code.json")
# Its tables only say where plug-ins are; those that are named are followed one by one. The
# package's own file holds the version, which decides no result.
LEFT_OUT = {PACKAGE, f"{PACKAGE}.registry"}


@functools.cache
def code_of(rule: str, names: frozenset[str]) -> str:
    """Digest of `scripts/<rule>.py` and all it reaches.

    `names` are the words of a run's settings: of a registry's plug-ins only those named there are
    followed, so that another run's code has no part in the digest.
    """
    plugins = sorted(names & tree().plugins | registry.open_names(names))
    return tree().remembered([rule, *plugins], lambda: Walk(tree(), plugins).digest_of([rule]))


@functools.cache
def code_of_entry(group: str, name: str, *others: str) -> str:
    """Digest of one entry of the registry, of others (`module:name`), and of all they reach."""
    places = [":".join(registry.entry(group, name)), *others]
    entries = [(module, own) for module, _, own in (place.partition(":") for place in places)]
    return tree().remembered(places, lambda: Walk(tree(), []).digest_of([], entries))


@functools.cache
def tree() -> "Tree":
    """The code as it is now: one process sees one state of it."""
    return Tree(SCRIPTS, MEMO)


class Tree:
    """All files of code, and what is remembered of them in `memo`."""

    def __init__(self, scripts: Path, memo: Path) -> None:
        self.memo = memo
        self.code = {
            ".".join(path.relative_to(scripts).with_suffix("").parts).removesuffix(".__init__"): (
                path.read_bytes()
            )
            for path in [*scripts.glob("*.py"), *scripts.glob(f"{PACKAGE}/**/*.py")]
        }
        self.digests = {name: hashlib.sha256(code).hexdigest() for name, code in self.code.items()}
        self.plugins = frozenset(
            name for group in registry.GROUPS for name in registry.names(group)
        )
        # Another way to read code, or any other code at all, makes digests anew.
        self.state = digest(self.digests, 64)
        self.sources, self.codes = self._recall()
        self.read: dict[str, Source] = {}

    def _recall(self) -> tuple[dict[str, list], dict[str, str]]:
        reader = self.digests.get(f"{PACKAGE}.plan.source")
        try:
            kept = json.loads(self.memo.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            kept = {}
        sources = kept.get("sources") or {} if kept.get("reader") == reader else {}
        return sources, kept.get("codes") or {} if kept.get("state") == self.state else {}

    def remembered(self, key: list[str], make) -> str:
        """The digest under `key`, from the memo or made now."""
        name = " ".join(key)
        if name not in self.codes:
            if not self.read:
                atexit.register(self.keep)
            self.codes[name] = make()
        return self.codes[name]

    def source(self, module: str) -> Source:
        """The parts of a module, parsed only if no file of this content ever was."""
        if module not in self.read:
            content = self.digests[module]
            if content not in self.sources:
                self.sources[content] = read_source(self.code[module], f"{module}.py")
            parts, own = self.sources[content]
            own = {name: tuple(target) for name, target in own.items()}
            self.read[module] = Source([Part(*part) for part in parts], own)
        return self.read[module]

    def keep(self) -> None:
        """Write the memo. It saves time and no more: without a right to write there is none."""
        there = set(self.digests.values())
        # Of today's files alone, or the memo would grow with every edit.
        kept = {name: source for name, source in self.sources.items() if name in there}
        about = {"reader": self.digests.get(f"{PACKAGE}.plan.source"), "state": self.state}
        # Renamed into place: another start may be reading it.
        temporary = self.memo.with_name(f".{os.getpid()}.tmp.{self.memo.name}")
        with suppress(OSError):
            temporary.write_text(json.dumps(about | {"sources": kept, "codes": self.codes}))
            os.replace(temporary, self.memo)


class Walk:
    """What is reached from some modules, with the plug-ins of these names."""

    def __init__(self, tree: Tree, plugins: list[str]) -> None:
        self.tree, self.plugins = tree, plugins
        self.parts: set[tuple[str, int]] = set()
        self.modules: set[str] = set()
        self.waiting: list[tuple[str, int]] = []

    def digest_of(self, modules: Iterable[str], entries: Iterable[tuple[str, str]] = ()) -> str:
        """Digest of whole modules, of entries of the registry, and of all that these reach."""
        for module in modules:
            self.touch(module)
            self.waiting += self.whole(module)
        for entry in entries:
            self.touch(entry[0])
            self.waiting += self.parts_of(*entry)
        texts = set()
        while self.waiting:
            step = self.waiting.pop()
            if step not in self.parts:
                self.parts.add(step)
                texts.add(self.digest_part(*step))
        return digest(sorted(texts))

    def digest_part(self, module: str, index: int) -> str:
        """Digest of one part with what it refers to; what that is waits to be reached as well."""
        part = self.tree.source(module).parts[index]
        for each in part.imported:
            self.touch(each)
        meant = [self.follow(self.parts_of(where or module, *names)) for where, *names in part.refs]
        for group in part.groups:
            for name in registry.among(group, self.plugins):
                entry = registry.entry(group, name)
                self.touch(entry[0])
                meant.append([group, name, self.follow(self.parts_of(*entry))])
        return digest([part.text, meant])

    def follow(self, parts: list[tuple[str, int]]) -> list[str]:
        """Let parts wait to be reached; returns what they say, without where."""
        self.waiting += parts
        # Sorted texts, without the modules' names: code that is moved says the same.
        return sorted({self.tree.source(module).parts[index].text for module, index in parts})

    def touch(self, module: str) -> None:
        """A module is imported: what runs then counts, of it, its folders and what it imports."""
        names = module.split(".")
        for end in range(1, len(names) + 1):
            name = ".".join(names[:end])
            if name in self.modules or name in LEFT_OUT or name not in self.tree.code:
                continue
            # Before its imports are followed: modules may import each other.
            self.modules.add(name)
            for index, part in enumerate(self.tree.source(name).parts):
                if part.runs:
                    self.waiting.append((name, index))
                if not part.names or part.runs:
                    for each in part.imported:
                        self.touch(each)

    def whole(self, module: str) -> list[tuple[str, int]]:
        return [(module, index) for index in range(len(self.tree.source(module).parts))]

    def parts_of(self, module: str, name: str, attribute: str = "") -> list[tuple[str, int]]:
        """The parts that a name of a module means; of a module itself its attribute or all."""
        if module in LEFT_OUT and name == "":
            return []
        inner = f"{module}.{name}" if name else module
        if inner in LEFT_OUT:
            return []
        if (inner in self.tree.code and inner != module) or not name:
            return self.parts_of(inner, attribute) if attribute else self.whole(inner)
        if module in LEFT_OUT or module not in self.tree.code:
            return []
        source = self.tree.source(module)
        parts = [(module, i) for i, part in enumerate(source.parts) if name in part.names]
        if not parts and name in source.own:
            return self.parts_of(*source.own[name], attribute)
        # Code that makes its names in ways that cannot be read counts as a whole.
        return parts or self.whole(module)


def words(settings: object) -> frozenset[str]:
    """All text values anywhere in a run's settings, keys included."""
    return frozenset(_texts(settings))


def _texts(settings: object) -> Iterator[str]:
    if isinstance(settings, str):
        yield settings
    elif isinstance(settings, dict):
        yield from _texts(list(settings))
        yield from _texts(list(settings.values()))
    elif isinstance(settings, list | tuple):
        for value in settings:
            yield from _texts(value)

"""Reading a YAML file that someone wrote by hand: every fault is told by file, line and column.

Standard library and PyYAML only: this runs whenever the DAG is built.
"""

from pathlib import Path
from typing import Any

import yaml

from foldwise.errors import FoldwiseError

# Far above what any study needs, and far below what would fill a machine's memory or stack.
MOST_NODES = 100_000
MOST_LEVELS = 50


# The C one is ten times as fast, and every start of Snakemake reads all schemas.
class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):
    """YAML in which a key stands once: the later of two would win without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict:
        """The mapping. Raises yaml.MarkedYAMLError for a key that is there already."""
        lines: dict[Any, yaml.Node] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                what = "a list" if isinstance(key, yaml.SequenceNode) else "settings"
                problem = f"{what} as a key; a key is a word, put quotes around it if it is meant"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
            first = lines.setdefault(key.value, key)
            # YAML's merge key may stand several times.
            if first is not key and key.value != "<<":
                line = first.start_mark.line + 1
                problem = f"the key '{key.value}' stands in line {line} already; keep one of them"
                raise yaml.MarkedYAMLError(problem=problem, problem_mark=key.start_mark)
        return super().construct_mapping(node, deep)

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """The value. Raises yaml.MarkedYAMLError for a date or number that there is not."""
        try:
            return super().construct_object(node, deep)
        except (ValueError, OverflowError) as error:
            problem = f"no such date or number ({_short(str(error))}); put quotes around a text"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=node.start_mark) from error


def read_yaml(path: str | Path) -> Any:
    """Read a YAML file; a syntax error is told by file, line and column."""
    try:
        # utf-8-sig: editors on Windows put a mark before the first letter.
        text = Path(path).read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise FoldwiseError(f"{path}: not UTF-8 text. Save it as UTF-8.") from error
    except OSError as error:
        raise FoldwiseError(f"{path}: cannot be read ({error.strerror}).") from error
    return parse_yaml(text, str(path))


def parse_yaml(text: str, where: str) -> Any:
    """Read YAML text; `where` is named in errors."""
    try:
        _check_bounds(text)
        return yaml.load(text, Loader)
    except yaml.MarkedYAMLError as error:
        raise FoldwiseError(f"{where}{_place(error, text)}") from error
    except yaml.YAMLError as error:
        raise FoldwiseError(f"{where}: not valid YAML: {str(error).splitlines()[0]}.") from error


def _check_bounds(text: str) -> None:
    """Raise yaml.MarkedYAMLError for text that grows without end once its aliases are put in.

    The events are counted without building anything: a few lines of aliases of aliases stand for
    more values than any memory holds, and deep nesting ends Python's own stack.
    """
    sizes: dict[str, int] = {}  # nodes below each anchor that is closed
    open_nodes: list[tuple[str | None, int]] = []  # anchor, nodes counted before it
    count = 0
    for event in yaml.parse(text, Loader):
        problem = ""
        if isinstance(event, yaml.AliasEvent):
            problem = "" if event.anchor in sizes else f"'*{event.anchor}' stands inside itself"
            if event.anchor not in sizes and all(event.anchor != name for name, _ in open_nodes):
                problem = (
                    f"'*{event.anchor}' stands for nothing; there is no '&{event.anchor}' above"
                )
            count += sizes.get(event.anchor) or 0
        elif isinstance(event, yaml.ScalarEvent):
            count += 1
            if event.anchor:
                sizes[event.anchor] = 1
        elif isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, count))
            count += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            if anchor:
                sizes[anchor] = count - before
        if len(open_nodes) > MOST_LEVELS:
            problem = f"more than {MOST_LEVELS} levels inside each other"
        if count > MOST_NODES:
            problem = f"more than {MOST_NODES:,} values, once aliases (*name) are put in"
        if problem:
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)


def _place(error: yaml.MarkedYAMLError, text: str) -> str:
    """Line and column of a syntax error, what is wrong there, and the line itself."""
    mark, problem = error.problem_mark, error.problem
    if mark is None:
        return f": not valid YAML: {problem}."
    lines = text.splitlines() or [""]
    line = lines[min(mark.line, len(lines) - 1)]
    if "\t" in line[: mark.column + 1]:
        problem = "a tab; indent with spaces"
    shown = f" (`{_short(line.strip())}`)" if line.strip() else ""
    above = " Look at the line above too." if "expected" in problem else ""
    return (
        f" line {mark.line + 1}, column {mark.column + 1}: not valid YAML: {problem}{shown}.{above}"
    )


def _short(text: str) -> str:
    return text[:60]

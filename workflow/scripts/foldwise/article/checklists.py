"""Reporting checklists: what the artefacts answer, each with where it stands; the rest is listed.

Items are told in words of our own after CLAIM (Tejani et al. 2024, Radiology: Artificial
Intelligence 6:e240300) and TRIPOD+AI (Collins et al. 2024, BMJ 385:e078378).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from jinja2 import Environment, StrictUndefined, UndefinedError

from foldwise.article.render import SHIPPED
from foldwise.errors import FoldwiseError
from foldwise.report.ledger import Ledger, Number

NAMES = {"claim": "CLAIM 2024", "tripod_ai": "TRIPOD+AI"}
AUTHOR = "For the author"
# Ten times as quick where PyYAML was built with it.
Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Item:
    """One item: what it asks, what the artefacts answer ("" where they cannot), and from where."""

    number: str
    topic: str
    asks: str
    answer: str
    origin: tuple[str, ...]


def read_checklist(name: str, context: Mapping[str, Any], ledger: Ledger) -> list[Item]:
    """The items of a checklist with the answers that a study's files give.

    An answer is a template; one over a key that these files do not have is left to the author.
    """
    path = SHIPPED / f"{name}.yaml"
    environment = Environment(undefined=StrictUndefined, finalize=_text)
    items = []
    for entry in yaml.load(path.read_text(encoding="utf-8"), Loader):
        before = len(ledger.numbers)
        answer = _answer(environment, entry, context, path.name)
        # What was read for an answer that failed halfway proves nothing.
        read = ledger.numbers[before:] if answer else []
        origin = tuple(sorted({f"{one.file}: {one.key}" for one in read}))
        places = origin or tuple([entry["where"]] if answer and "where" in entry else [])
        items.append(Item(str(entry["item"]), entry["topic"], entry["asks"], answer, places))
    return items


def _answer(
    environment: Environment, entry: Mapping[str, Any], context: Mapping[str, Any], where: str
) -> str:
    if "answer" not in entry:
        return ""
    try:
        return " ".join(environment.from_string(entry["answer"]).render(context).split())
    except FoldwiseError:
        return ""  # A file of this study does not have it: the author's, who is told so.
    except UndefinedError as error:
        raise FoldwiseError(f"{where}, item {entry['item']}: {error}.") from error


def _text(value: Any) -> Any:
    return value.shown if isinstance(value, Number) else value


def as_markdown(name: str, items: list[Item]) -> str:
    """A checklist as a page: a row an item, and how many the artefacts answer."""
    answered = sum(bool(item.answer) for item in items)
    lines = [
        f"# {NAMES[name]} checklist",
        "",
        f"{answered} of {len(items)} items are answered from the study's files; the others are for "
        "the author.",
        "",
        "| Item | Topic | Asks | Answer | From |",
        "| --- | --- | --- | --- | --- |",
    ]
    for item in items:
        cells = [item.number, item.topic, item.asks, item.answer or f"*{AUTHOR}*"]
        cells.append("; ".join(f"`{place}`" for place in item.origin[:3]))
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines) + "\n"

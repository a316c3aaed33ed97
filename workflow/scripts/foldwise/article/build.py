"""An article of one study or several: text, documents, tables, checklists, model card, ledger."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from foldwise.article import checklists, reliability, tables
from foldwise.article.formats import write_formats
from foldwise.article.render import SHIPPED, render
from foldwise.article.study import Study
from foldwise.article.table import write_table
from foldwise.article.wording import limitations, words
from foldwise.errors import FoldwiseError, nearest
from foldwise.evaluate.wording import method_name, spoken
from foldwise.files import write_json, write_text
from foldwise.report.ledger import Ledger
from foldwise.settings.groups import unit_of

REFERENCES = SHIPPED / "references.json"
# Pages beside the article that are made of templates of their own.
CARD = SHIPPED / "model_card.md.j2"


@dataclass
class Numbering:
    """Figures and tables in the order in which the text first shows them."""

    figures: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    # From a first reading of the template: what is referred to before it is shown.
    final: "Numbering | None" = None

    def place(self, kind: str, name: str) -> int:
        """The number of a figure or table that is shown here."""
        shown = getattr(self, kind)
        if name not in shown:
            shown.append(name)
        return shown.index(name) + 1

    def reference(self, name: str) -> str:
        """`Figure 2` or `Table 1` as a link. Raises FoldwiseError for what the text never shows."""
        if self.final is None:
            return ""
        for kind, word, anchor in (("figures", "Figure", "fig"), ("tables", "Table", "tbl")):
            order = getattr(self.final, kind)
            if name in order:
                return f"[{word} {order.index(name) + 1}](#{anchor}-{name})"
        keys = self.final.figures + self.final.tables
        raise FoldwiseError(
            f"'{name}' is referred to and never shown.{nearest(name, keys)} Shown: "
            f"{', '.join(keys)}."
        )


def write_article(
    studies: Sequence[Study], settings: Mapping[str, Any], ledger: Ledger, out: Path
) -> None:
    """Everything of an article into the folder `out`. `settings`: the branch `article` of a study.

    Raises FoldwiseError, before any document is written, for a fault of the template or a number
    that is not there.
    """
    template = Path(settings["template"] or SHIPPED / "article.md.j2")
    first = Numbering()
    # A first reading for its numbering alone: a text may refer to a figure further down.
    _text(template, studies, settings, first, traced=False)
    # Before anything is written: a fault of the template leaves the old article whole.
    plain = _text(template, studies, settings, Numbering(final=first), traced=False)
    traced = _text(template, studies, settings, Numbering(final=first), traced=True)
    write_text(out / "article.md", plain)
    _copy_figures(studies, first, out / "figures")
    for name in first.tables:
        study, _, table = name.rpartition("-")
        write_table(tables.TABLES[table](_of(studies, study)), out / "tables", name)
    # A numbering of its own: what the card shows must not count in the article.
    context = _context(studies, settings, Numbering(final=first))
    write_text(out / "model_card.md", render(CARD, context, traced=False))
    for name in checklists.NAMES:
        items = checklists.read_checklist(name, context, ledger)
        write_text(out / "checklists" / f"{name}.md", checklists.as_markdown(name, items))
    write_json(out / "ledger.json", ledger.as_json())
    write_formats(traced, out, [REFERENCES, *map(Path, settings["bibliography"])])


def _of(studies: Sequence[Study], name: str) -> Study:
    return next((study for study in studies if study.name == name), studies[0])


def _text(
    template: Path,
    studies: Sequence[Study],
    settings: Mapping[str, Any],
    numbering: Numbering,
    traced: bool,
) -> str:
    return render(template, _context(studies, settings, numbering), traced)


def _context(
    studies: Sequence[Study], settings: Mapping[str, Any], numbering: Numbering
) -> dict[str, Any]:
    """What a template may use; docs/article.md lists it."""
    study = studies[0]

    def whose(of: Study) -> str:
        """Figures of several studies bear equal titles."""
        return f"Study {of.name}. " if len(studies) > 1 else ""

    def table(name: str, of: Study = study) -> dict[str, Any]:
        if name not in tables.TABLES:
            raise FoldwiseError(
                f"no table '{name}'.{nearest(name, tables.TABLES)} Tables: "
                f"{', '.join(tables.TABLES)}."
            )
        key, made = f"{of.name}-{name}", tables.TABLES[name](of)
        context = {"key": key, "number": numbering.place("tables", key), "table": made}
        # What is across all studies is of none of them.
        return context | {"caption": made.caption if name == "across" else whose(of) + made.caption}

    def figure(name: str, of: Study = study) -> dict[str, Any]:
        title, caption = of.figure_text(name)
        key = f"{of.name}-{name}"
        number = numbering.place("figures", key)
        return {"key": key, "number": number, "title": title, "caption": whose(of) + caption}

    def ref(name: str, of: Study = study) -> str:
        return numbering.reference(f"{of.name}-{name}")

    return {
        "study": study,
        "studies": list(studies),
        "title": settings["title"] or study.settings["report"]["title"] or study.name,
        "authors": list(settings["authors"]),
        "table": table,
        "figure": figure,
        "ref": ref,
        "spoken": spoken,
        "method_name": method_name,
        "words": words,
        "limitations": limitations,
        "reliability": reliability,
        "unit_of": unit_of,
    }


def _copy_figures(studies: Sequence[Study], numbering: Numbering, folder: Path) -> None:
    """The pictures that the text shows, beside it."""
    # Emptied first: figures that the text no longer shows must not lie beside it.
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for key in numbering.figures:
        study, _, name = key.rpartition("-")
        shutil.copyfile(_of(studies, study).figure_path(name), folder / f"{key}.png")

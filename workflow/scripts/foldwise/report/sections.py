"""What a report says, section by section: every number looked up in a file through the ledger."""

from pathlib import Path
from typing import Any

from foldwise.evaluate.wording import (
    DETECTION,
    IN_LABELS,
    IN_TABLES,
    ONE,
    PARTS,
    UNITS,
    called,
    head_of,
    titled,
)
from foldwise.report.catalogue import FILES, RULES
from foldwise.report.ledger import Ledger, Number, Source, escaped
from foldwise.report.levels import levels_of

HEADLINE = ("kappa", "accuracy", "macro_f1", "auc")
IMAGE = ("pooled", "image")
PER_CLASS = ("precision", "recall", "specificity", "f1", "auc")


class Sections:
    """The files of one run, and what each section takes from them."""

    def __init__(self, ledger: Ledger, study: str, run: str, folds: list[int]) -> None:
        self.ledger, self.study, self.run, self.folds = ledger, study, run, folds
        self.summary = self.file("summary")
        self.manifest = self.file("manifest")
        self.params = self.file("params")
        self.group_by = self.manifest.value("group_by")
        labels = self.params.value("task", "heads") or {}
        told = [*IN_TABLES, *(f"{label}_{name}" for label in labels for name in IN_LABELS)]
        self.metrics = [name for name in told if self.summary.value(name, "mean") is not None]

    def file(self, kind: str, fold: int = 0) -> Source:
        """A file of the run as a source of numbers, with the job that made it."""
        path = FILES[kind].format(study=self.study, run=self.run, fold=fold)
        parts = [RULES[kind], self.study]
        parts += [self.run] if "{run}" in FILES[kind] else []
        parts += [f"fold {fold}"] if "{fold}" in FILES[kind] else []
        return self.ledger.source(Path(path), " ".join(parts))

    def headline(self) -> list[dict[str, Any]]:
        """The monitored metric and three more, each with its interval over folds."""
        names = self.headline_names()
        return [{"name": called(name)[0], **self._over_folds(name)} for name in names]

    def headline_names(self) -> list[str]:
        """The monitored metric, and the first of the others that there are: four at most."""
        first = self.summary.value("best_fold", "metric")
        of_labels = [name for name in self.metrics if head_of(name)[1] == "macro_f1"]
        names = dict.fromkeys([first, *HEADLINE, *of_labels, *self.metrics])
        return [name for name in names if name in self.metrics][:4]

    def _over_folds(self, name: str) -> dict[str, Any]:
        return {
            "mean": self.summary(name, "mean", form=".3f"),
            "std": self.summary(name, "std", form=".3f"),
            "interval": self.summary.interval(name, "interval"),
        }

    def results(self) -> list[dict[str, Any]]:
        """A row a metric: over folds, and pooled."""
        pooled = (*IMAGE, "metrics")
        return [
            {"name": called(name)[0], "meaning": called(name)[1], **self._over_folds(name)}
            | {
                "pooled": self.summary(*pooled, name, "value", form=".3f"),
                "pooled_interval": self.summary.interval(*pooled, name, "interval"),
            }
            for name in self.metrics
        ]

    def per_fold(self) -> dict[str, Any]:
        """A row a fold: sizes and metrics of the kept weights."""
        names = self.metrics[:6]
        rows = [
            {
                "fold": self.summary("folds", i, "fold"),
                "train": self.summary("folds", i, "n_train", form=","),
                "val": self.summary("folds", i, "n_val", form=","),
                "metrics": [self.summary("folds", i, name, form=".3f") for name in names],
            }
            for i in range(len(self.folds))
        ]
        return {"names": [called(name)[0] for name in names], "rows": rows}

    def levels(self) -> dict[str, Any]:
        """Pooled headline metrics per image, exam and patient; no rows if there is one level."""
        return levels_of(self.summary, "pooled", self.headline_names())

    def of_kind(self, kind: str, run: str) -> Source:
        """A file of another run of the study, with the job that made it."""
        path = FILES[kind].format(study=self.study, run=run)
        return self.ledger.source(Path(path), f"{RULES[kind]} {self.study} {run}")

    def meanings(self) -> list[tuple[str, str]]:
        """Name and reading of each metric that is told, one for all labels."""
        own = (head_of(name)[1] or name for name in self.metrics)
        return [called(name) for name in dict.fromkeys(own)]

    def per_class(self) -> list[dict[str, Any]]:
        """A table a label of the pooled predictions, a row a class."""
        details, task = (*IMAGE, "details"), self.params.value("task")
        labels = {"": (task.get("classes") or [], details)}
        for label, classes in (task.get("heads") or {}).items():
            labels[label] = (classes, (*details, "heads", label))
        tables = [
            {"title": escaped(titled(label)), "rows": self._classes((*base, "per_class"), names)}
            for label, (names, base) in labels.items()
        ]
        return [table for table in tables if table["rows"]]

    def _classes(self, base: tuple[str, ...], classes: list[str]) -> list[dict[str, Any]]:
        return [
            {
                "name": escaped(name),
                "metrics": [self.summary(*base, name, m, form=".3f") for m in PER_CLASS],
            }
            | {key: self.summary(*base, name, key, form=",") for key in ("support", "predicted")}
            for name in classes
            if self.summary.value(*base, name)
        ]

    def parts(self) -> list[dict[str, Any]]:
        """Tables of the pooled metrics of each part of an answer, such as each zone, and of all.

        How well it is found which parts can be judged at all stands in a table of its own.
        """
        tables = []
        for key, (order, title, detection) in PARTS.items():
            of_part = self.summary.value(*IMAGE, "details", key) or {}
            there = [n for n in IN_TABLES if any(n in values for values in of_part.values())]
            named = [part for part in self.params.value(*order) or [] if part in of_part]
            rows = {part: (*IMAGE, "details", key, part) for part in named}
            for heading, found in ((title, False), (detection, True)):
                names = [n for n in there if (n in DETECTION) == found]
                tables += [self._table(heading, rows, names)] if rows and names else []
        return tables

    def _table(self, title: str, rows: dict[str, Any], names: list[str]) -> dict[str, Any]:
        """A row a part, and one of all parts together."""
        told = [
            {"name": escaped(part), "metrics": [self.summary(*at, n, form=".3f") for n in names]}
            for part, at in rows.items()
        ]
        whole = [self.summary(*IMAGE, "metrics", n, "value", form=".3f") for n in names]
        told.append({"name": "**all**", "metrics": whole})
        return {"title": title, "names": [called(n)[0] for n in names], "rows": told}

    def bands(self) -> dict[str, Any]:
        """Images of each severity band, a row a band of the truth; no rows where there are none."""
        base = (*IMAGE, "details", "bands")
        names = self.summary.value(*base, "names") or []
        cells = [[(*base, "confusion", i, j) for j in range(len(names))] for i in range(len(names))]
        rows = [
            {"name": escaped(name), "cells": [self.summary(*keys) for keys in row]}
            for name, row in zip(names, cells, strict=True)
        ]
        limits = [self.summary(*base, "limits", i) for i in range(len(names) - 1)]
        return {"names": [escaped(name) for name in names], "limits": limits, "rows": rows}

    def cohort(self) -> dict[str, Any]:
        """Images, groups, classes, and what the audit found."""
        classes = self.manifest.value("classes") or {}
        return {
            "images": self.manifest("images", form=","),
            "groups": self.manifest("groups", form=","),
            "exams": self.manifest("exams", form=",") if self._several_an_exam() else None,
            "unit": UNITS[self.group_by],
            "one": ONE[self.group_by],
            "by_accession": self.group_by == "accession",
            "by_image": self.group_by == "image",
            "quarantine_share": self.manifest("quarantine_share", form=".1%"),
            "classes": [
                {"name": escaped(name)}
                | {
                    key: self.manifest("classes", name, key, form=",")
                    for key in ("images", "groups")
                }
                for name in classes
            ],
        }

    def _several_an_exam(self) -> bool:
        """Where each image is an exam by itself, or groups are exams, they are not worth a word."""
        exams = self.manifest.value("exams")
        return exams < self.manifest.value("images") and self.group_by != "accession"

    def checks(self) -> list[dict[str, Any]]:
        """What the audit found: kind, description, count; largest first within a kind."""
        source = self.file("checks")
        rows = [(i, row) for i, row in enumerate(source.value()) if row["kind"] != "passed"]
        return [
            {"kind": row["kind"], "description": row["description"], "count": source(i, "count")}
            for i, row in rows
        ]

    def training(self) -> list[dict[str, Any]]:
        """A row a fold: epochs, the kept one, its score, why training ended."""
        rows = []
        for fold in self.folds:
            source = self.file("histories", fold)
            last = len(source.value("epochs")) - 1
            rows.append(
                {
                    "fold": source("fold"),
                    "epochs": source("epochs", last, "epoch"),
                    "kept": source("best", "epoch"),
                    "score": source("best", "score", form=".3f"),
                    "ended": source.value("ended"),
                }
            )
        return rows

    def best(self) -> dict[str, Number]:
        """Number and value of the best fold, and of how many it is the best."""
        metric = self.summary.value("best_fold", "metric")
        return {
            "of": self.summary(metric, "n_folds"),
            "fold": self.summary("best_fold", "fold"),
            "value": self.summary("best_fold", "value", form=".3f"),
        }

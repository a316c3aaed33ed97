"""The run against other runs of the study on the same folds: metrics, tests, size and time."""

from typing import Any

from foldwise.evaluate.wording import called
from foldwise.report.ledger import Number, Source, escaped
from foldwise.report.run import Run, Study
from foldwise.report.tables import differences, mcnemar_tests

COST = {"parameters": ",", "megabytes": ".3g", "milliseconds": ".3g", "samples": "", "device": ""}


def applies(study: Study) -> bool:
    """To studies whose report names other runs."""
    return bool(study["report"]["compare"])


def reads(study: Study) -> tuple[str, ...]:
    """The comparisons, and what each of the runs' models costs."""
    return ("comparisons", "cost")


def values(run: Run) -> dict[str, Any]:
    """Means of all runs, a comparison with each of the others, and the costs of all."""
    others, source = run.study["report"]["compare"], run.file("comparisons")
    return {
        "names": [called(name)[0] for name in run.headline],
        "rows": _means(run, source, others),
        "comparisons": [_against(run, source, other) for other in others],
        "costs": [_cost(run, name) for name in (run.name, *others)],
    }


def _means(run: Run, source: Source, others: list[str]) -> list[dict[str, Any]]:
    """A row a run with its means over folds of the main metrics."""
    own = [run.summary(name, "mean", form=".3f") for name in run.headline]
    return [{"run": f"**{escaped(run.name)}**", "metrics": own}] + [
        {
            "run": escaped(other),
            "metrics": [
                source.maybe("against", other, "metrics", name, "first", form=".3f")
                for name in run.headline
            ],
        }
        for other in others
    ]


def _against(run: Run, source: Source, other: str) -> dict[str, Any]:
    base = ("against", other)
    return {
        "run": escaped(other),
        "verdict": source(*base, "verdict"),
        "metrics": differences(source, base, run.metrics),
        "mcnemar": mcnemar_tests(source, base),
    }


def _cost(run: Run, name: str) -> dict[str, Number | str]:
    """Parameters, megabytes of weights, milliseconds a sample."""
    source = run.file("cost", run=name)
    return {"run": escaped(name)} | {key: source(key, form=form) for key, form in COST.items()}

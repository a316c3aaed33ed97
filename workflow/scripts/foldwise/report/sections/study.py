"""The main settings of the run, those that it reads."""

from typing import Any

from foldwise.report.run import Run, Study
from foldwise.settings.kinds import KINDS

# Title, place in a run's params, and what a kind has that reads it (`foldwise.settings.kinds`);
# "" is any.
SETTINGS = [
    ("Kind", ("kind",), ""),
    ("Classes", ("task", "classes"), ""),
    ("Zones", ("task", "zones"), ""),
    ("Seed", ("seed",), ""),
    ("Image side, pixels", ("image", "size"), ""),
    ("Fit", ("image", "fit"), ""),
    ("Model", ("model", "name"), ""),
    ("Image encoder", ("model", "vision", "name"), "heads"),
    ("Text encoder", ("model", "text", "name"), "heads"),
    ("Fusion", ("model", "fusion", "name"), "heads"),
    ("Fusion's layers", ("model", "fusion", "layers"), "heads"),
    ("Fusion's width", ("model", "dim"), "heads"),
    ("Initial weights", ("model", "weights"), "one_network"),
    ("Loss", ("loss", "name"), ""),
    ("Class weights", ("loss", "class_weights"), "classes"),
    ("Weight of unknown", ("loss", "unknown_weight"), "zones"),
    ("Teacher", ("teacher", "run"), ""),
    ("Alpha, weight of the labels", ("loss", "alpha"), "taught"),
    ("Beta, weight of the teacher's answers", ("loss", "beta"), "taught"),
    ("Temperature", ("loss", "temperature"), "taught"),
    ("Weight of the teacher's features", ("loss", "feature"), "taught"),
    ("Optimiser", ("training", "optimizer"), ""),
    ("Learning rate", ("training", "lr"), ""),
    ("Epochs, at most", ("training", "epochs"), ""),
    ("Batch size", ("training", "batch_size"), ""),
]


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """Nothing but what any section may read."""
    return ()


def values(run: Run) -> dict[str, Any]:
    """Names and values of the settings that the run has and that its kind reads."""
    kind = KINDS[run.params.value("kind")]
    taught = run.params.value("teacher")
    has = vars(kind) | {"": True, "one_network": not kind.heads, "taught": taught}
    return {
        "settings": [
            (name, run.params(*keys))
            for name, keys, reader in SETTINGS
            if has[reader] and run.params.value(*keys) is not None
        ]
    }

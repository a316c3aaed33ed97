"""How a study asks for its folds."""

from dataclasses import dataclass

from foldwise.hashing import digest

# What messages call a group, by data.group.
UNITS = {"patient": "patient", "accession": "exam", "image": "image"}


@dataclass(frozen=True)
class FoldSettings:
    """Branch `folds` of a study, with its seed.

    `preset` is None, or how the data's own parts are taken (`fold_preset.PRESETS`).
    `strata` is `label`, `none` or a column of cohort.csv, cut into `bins` quantiles if given.
    `where` names the study's file in messages, `unit` what a group is.
    """

    n: int = 5
    holdout: float = 0.0
    strata: str = "label"
    bins: int | None = None
    preset: str | None = None
    seed: int = 42
    where: str = "the study's file"
    unit: str = "patient"

    @property
    def state(self) -> str:
        """Digest of what an earlier assignment must share with this one."""
        return digest([self.n, self.holdout, self.strata, self.bins, self.seed])

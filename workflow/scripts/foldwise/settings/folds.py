"""How a study asks for its folds."""

from dataclasses import dataclass

from foldwise.errors import FoldwiseError
from foldwise.hashing import digest

HOLDOUT = "holdout"


@dataclass(frozen=True)
class FoldSettings:
    """Branch `folds` of a study, with its seed.

    `validation` is the share validated where `n` is 1.
    `preset` is None, or how the data's own parts are taken (`folds.preset.PRESETS`).
    `strata` is `label`, `none` or a column of cohort.csv, cut into `bins` quantiles if given.
    `where` names the study's file in messages, `unit` what a group is.
    """

    n: int
    validation: float
    holdout: float
    strata: str
    bins: int | None
    preset: str | None
    seed: int
    where: str
    unit: str

    def __post_init__(self) -> None:
        if not 1 <= self.n <= 10:
            raise FoldwiseError(f"{self.where}: folds.n is {self.n}; it may be 1 to 10.")

    @property
    def state(self) -> str:
        """Digest of what an earlier assignment must share with this one."""
        # Only then: with several folds it decides nothing, and must not deal them anew.
        single = [self.validation] if self.n == 1 else []
        return digest([self.n, self.holdout, self.strata, self.bins, self.seed, *single])

    @property
    def shares(self) -> dict[str, float]:
        """Each part's share of all groups: folds by number, `train` of a single split, holdout."""
        if self.n == 1:
            parts = {"1": self.validation, "train": 1 - self.validation - self.holdout}
        else:
            share = (1 - self.holdout) / self.n
            parts = {str(number): share for number in range(1, self.n + 1)}
        return parts | ({HOLDOUT: self.holdout} if self.holdout else {})

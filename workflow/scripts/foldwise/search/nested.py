"""Nested cross-validation: the estimate of a tuned model that its selection has not flattered.

Varma and Simon (2006), Bias in error estimation when using cross-validation for model selection,
BMC Bioinformatics 7:91. Standard library only.
"""

from collections.abc import Sequence

from foldwise.errors import FoldwiseError


def inside(
    cohort: Sequence[dict[str, str]], fold: Sequence[dict[str, str]]
) -> list[dict[str, str]]:
    """Rows of the cohort in the outer fold's training part.

    Raises FoldwiseError if a group is on both sides, which the folds' audit should have refused.
    """
    part_of = {row["sample"]: row["part"] for row in fold}
    kept = [row for row in cohort if part_of.get(row["sample"]) == "train"]
    judging = {row["group"] for row in cohort if part_of.get(row["sample"]) != "train"}
    both = judging & {row["group"] for row in kept}
    if both:
        raise FoldwiseError(
            f"The outer fold has {len(both)} groups on both sides. Delete the study's folder "
            "`folds` and run the same command again."
        )
    return kept

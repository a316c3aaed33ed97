"""What is told of the folds before an image is decoded."""

from types import SimpleNamespace

import pytest

from folding import fold_settings
from foldwise.cohort.early_checks import check_folds
from foldwise.errors import FoldwiseError


def items_of(*labels):
    return [
        SimpleNamespace(group=f"g{n}", content=str(n), labels={"label": label})
        for n, label in enumerate(labels)
    ]


def test_bins_cut_the_column_of_strata_and_not_labels_beside_it():
    """Foreground is known after decoding; a class named beside it is checked as text."""
    settings = fold_settings(n=3, strata="foreground", bins=5)
    check_folds(items_of(*["real"] * 6, *["drawn"] * 3), settings)
    with pytest.raises(FoldwiseError, match="drawn"):
        check_folds(items_of(*["real"] * 6, *["drawn"] * 2), settings)


def test_numbers_are_cut_where_the_label_is_the_stratum():
    ages = map(str, range(20, 80, 5))
    check_folds(items_of(*ages), fold_settings(n=3, strata="label", bins=4))
    with pytest.raises(FoldwiseError, match="holds text"):
        check_folds(items_of("old", "young"), fold_settings(n=2, strata="label", bins=2))

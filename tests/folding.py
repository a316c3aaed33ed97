"""Made-up cohorts for tests of folds, and the folds made of them."""

import numpy as np

from foldwise.files import read_csv, write_csv
from foldwise.folds.assign import FoldSettings, make_folds
from foldwise.hashing import digest
from foldwise.settings.schema import complete, schema

COLUMNS = [
    *("sample", "group", "exam", "view", "side", "split", "stratum"),
    *("content", "shard", "row", "label", "pixels"),
]


def cohort(patients, shares=(0.4, 0.3, 0.2, 0.1), seed=0, images=(1, 4), mixed=0.0, key="k"):
    """Rows of a cohort; names depend on `key`, contents do not."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        label = rng.choice(list("ABCD")[: len(shares)], p=shares)
        for image in range(rng.integers(images[0], images[1] + 1)):
            own = rng.choice(list("ABCD")[: len(shares)]) if rng.random() < mixed else label
            rows.append(row_of(seed, patient, image, own, key))
    return sorted(rows, key=lambda row: row["content"])


def row_of(seed, patient, image, label, key):
    """One row of the cohort."""
    content = digest([seed, patient, image], 32)
    return dict.fromkeys(COLUMNS, "") | {
        "sample": "s" + digest([key, content], 12),
        "group": "g" + digest([key, patient], 12),
        "exam": "e" + digest([key, patient], 12),
        "view": "CC" if image % 2 else "MLO",
        "content": content,
        "label": str(label),
        "pixels": content[:16],
    }


def fold_settings(**settings):
    """A study's fold settings with the schema's defaults."""
    usual = {"seed": 42, "where": "the study's file", "unit": "patient"} | complete(
        schema("folds"), {}
    )
    return FoldSettings(**usual | settings)


def folds_of(tmp_path, rows, name="a", **settings):
    """Fold by content, and the balance."""
    path = tmp_path / f"{name}.csv"
    write_csv(path, COLUMNS, rows)
    asked = fold_settings(**settings, where="config/studies/x.yaml")
    balance = make_folds(asked, path, tmp_path / name)
    found = {row["sample"]: row["fold"] for row in read_csv(tmp_path / name / "folds.csv")}
    return {row["content"]: found[row["sample"]] for row in rows}, balance

"""Studies of images with masks for tests: joined by a table, or by the names of files."""

from cohorts import Study

SPECIMEN = {"patient": "specimen"}


def by_table(folder, **data) -> Study:
    data = {"columns": SPECIMEN, "classes": {}, **data}
    made = folder / "made"
    return Study(folder / "results", made, made / "tiles.csv", "pairs", "paths", data=data)


def by_folders(folder, pattern=r"^(.+)_r\d+_c\d+$", **data) -> Study:
    study = by_table(folder, **{"columns": {}, **data})
    folders = {"image": "images", "mask": "masks", "group": pattern}
    study.data |= {"table": {"format": "folders", "folders": folders}}
    return study

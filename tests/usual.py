"""Settings objects of a study that says little: what is left out is the schemas' default."""

from foldwise.cohort.conflicts import Conflicts
from foldwise.cohort.tables.table import TableSettings
from foldwise.pixels.prepare import ImageSettings
from foldwise.settings.schema import complete, schema


def image_settings(**changes) -> ImageSettings:
    """Of branch `image`."""
    return ImageSettings(**complete(schema("image"), {"size": 256} | changes))


def table_settings(path: str, form: str = "accession", **changes) -> TableSettings:
    """Of branch `data.table`."""
    return TableSettings(**_of_data("table", {"path": path, "format": form} | changes))


def conflicts(**changes) -> Conflicts:
    """Of branch `data.conflicts`."""
    return Conflicts(**_of_data("conflicts", changes))


def _of_data(branch: str, stated: dict) -> dict:
    return complete(schema("data"), {branch: stated})[branch]

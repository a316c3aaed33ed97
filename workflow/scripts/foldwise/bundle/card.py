"""The model card that lies in a bundle: what the model is, does and must not be used for."""

from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from foldwise.evaluate.wording import called
from foldwise.report.templates import CARD

# Preparation in words, for who makes the network's input without this package.
FITS = {
    "native": "at its own scale in a square, black around it; larger ones scaled to fit",
    "letterbox": "scaled to fit a square without distortion, black around it",
    "crop": "scaled so that the shorter side fits, the middle cut out as a square",
    "breast": "cut to the bounding box of the largest tissue, scaled to fit a square, black around",
    "stretch": "scaled to a square, each side by itself",
}
WINDOWS = {
    "percentile": "grey levels between two percentiles of the picture",
    "voi": "the file's own window where it names one, else percentiles",
    "minmax": "grey levels from the picture's darkest to its brightest",
    "none": "the whole range of the stored bits",
}


def model_card(manifest: dict[str, Any]) -> str:
    """MODEL_CARD.md of a bundle, from its list of contents alone."""
    loader = FileSystemLoader(CARD.parent)
    # A lacking value is an error: a card with a gap would be handed to strangers.
    environment = Environment(
        loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    image = manifest["params"]["image"]
    return environment.get_template(CARD.name).render(
        bundle=manifest,
        params=manifest["params"],
        fit=FITS[image["fit"]],
        window=WINDOWS[image["window"]],
        rows=performance(manifest["expected"]),
        onnx=_first(manifest, "onnx"),
        program=_first(manifest, "torch"),
    )


def _first(manifest: dict[str, Any], name: str) -> dict[str, Any] | None:
    """What the list says of the first exported file of a kind; None where no member has one."""
    return next((one[name] for one in manifest["members"] if "file" in one[name]), None)


def performance(expected: dict[str, Any]) -> list[dict[str, Any]]:
    """A row a metric of single images: name, value, interval as text."""
    metrics = expected["levels"]["image"]["metrics"]
    return [
        {"name": called(name)[0], "value": number(one["value"]), "interval": span(one)}
        for name, one in metrics.items()
    ]


def number(value: float | None) -> str:
    """Three decimals, or what stands for none."""
    return "not defined" if value is None else f"{value:.3f}"


def span(metric: dict[str, Any]) -> str:
    """An interval as `0.123 to 0.456`, or `none`."""
    low, high = metric.get("interval") or (None, None)
    return "none" if low is None or high is None else f"{low:.3f} to {high:.3f}"

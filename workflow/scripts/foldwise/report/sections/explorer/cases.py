"""A gallery of the validation images, worst first, which can be sorted and filtered."""

from typing import Any

from foldwise.report.run import Run, Study


def applies(study: Study) -> bool:
    """To any study."""
    return True


def reads(study: Study) -> tuple[str, ...]:
    """The cases, with thumbnails where the study wants them."""
    return ("cases",)


def values(run: Run) -> dict[str, Any]:
    """Numbers of images, and what the page's script is given (`embedded`)."""
    source = run.file("cases")
    return {
        "n_images": source("images", form=","),
        "n_shown": source("shown", form=","),
        "some": source.value("shown") < source.value("images"),
        "embedded": {"cases": source.value()},
    }

"""How many errors remain when the least sure cases go to a reader."""

from matplotlib.figure import Figure

from foldwise.evaluate.wording import titled
from foldwise.files import read_json
from foldwise.report.inputs import Paths
from foldwise.report.style import ACCENT, GREY, PAGE


def draw(paths: Paths) -> Figure:
    """Left: error among the decided against their share. Right: sizes of sets. A row a label."""
    conformal = read_json(paths["conformal"][0])
    parts = [part for part in conformal["parts"] if part["sets"]]
    figure = Figure(figsize=(PAGE, 0.4 + 2.4 * max(len(parts), 1)))
    axes = figure.subplots(max(len(parts), 1), 2, squeeze=False)
    if not parts:
        axes[0, 0].text(0.5, 0.5, "too few groups", ha="center")
    for (left, right), part in zip(axes, parts, strict=False):
        curve = part["triage"]["curve"]
        left.plot(curve["decided"], curve["error"], color=ACCENT)
        left.axhline(conformal["error"], color=GREY, linestyle=(0, (1.2, 1.6)), linewidth=0.9)
        left.set(xlim=(0, 1), ylim=(0, None), xlabel="share decided", ylabel="share wrong")
        left.set_title(titled(part["name"]) or "The surest first")
        sizes = part["sets"]["all"]["sizes"]
        # By number: keys of JSON are text, and 10 would come before 2.
        right.bar(range(len(sizes)), [sizes[str(n)] for n in range(len(sizes))], color=ACCENT)
        right.set_xticks(range(len(sizes)))
        right.set(xlabel="classes in the set", ylabel="images")
        right.grid(visible=False, axis="x")
    return figure

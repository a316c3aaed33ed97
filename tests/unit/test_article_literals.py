"""Numbers typed by hand in the results of an article's template."""

import pytest

from foldwise.article.literals import check_literals
from foldwise.errors import FoldwiseError


@pytest.mark.parametrize(
    "line",
    ["It was .93.", "About 12 % more.", "n = 1,204", "From 2 to 4", "+3.5 points", "(0.1)"],
)
def test_numbers_typed_by_hand_are_found_in_results_alone(line):
    with pytest.raises(FoldwiseError, match=r"a\.md, line 4"):
        check_literals(f"# Methods\n\n# Results\n{line}\n# Discussion\n", "a.md")
    check_literals(f"# Methods\n{line}\n# Results\n\n# Discussion\n{line}\n", "a.md")


@pytest.mark.parametrize(
    "line",
    [
        "{{ study.summary('kappa', 0) }}",
        "{% for i in range(3) %}x{% endfor %}",
        "[Figure 2](#fig-2)",
        "F1 of ResNet50 [@he2016]",
        "`val_0001`",
        "![x](figures/a-1.png){#fig-1 width=50%}",
        "<!-- 12 -->",
    ],
)
def test_what_is_no_result_may_hold_digits(line):
    check_literals(f"# Results\n\n{line.replace('Figure 2', 'The figure')}\n", "a.md")

"""Numbers typed by hand in the results of an article's template."""

import pytest

from foldwise.article.render import render
from foldwise.errors import FoldwiseError
from foldwise.report.ledger import Number

HEAD = "# Methods\n\n# Results\n"


def summary(*_keys):
    """A looked-up number."""
    return Number("cv_summary.json", "kappa.mean", 0.721, "0.721", "cv_summary")


@pytest.fixture
def made(tmp_path):
    """What a template makes; `parts`: names and texts of others beside it."""

    def make(text, **parts):
        for name, part in parts.items():
            (tmp_path / f"{name}.j2").write_text(part)
        (tmp_path / "a.md").write_text(text)
        context = {"summary": summary, "names": ["F1", "AUC"], "count": 3}
        return render(tmp_path / "a.md", context, traced=False)

    return make


@pytest.mark.parametrize(
    "line",
    ["It was .93.", "About 12 % more.", "n = 1,204", "From 2 to 4", "+3.5 points", "(0.1)"],
)
def test_numbers_typed_by_hand_are_found_in_results_alone(made, line):
    with pytest.raises(FoldwiseError, match=r"a\.md, line 4: "):
        made(f"{HEAD}{line}\n# Discussion\n")
    kept = f"# Methods\n{line}\n# Results\n\n# Discussion\n{line}\n"
    assert made(kept).split() == kept.split()


@pytest.mark.parametrize(
    "line",
    [
        "{{ summary('kappa', 0) }}",
        "{% for i in range(3) %}x{% endfor %}",
        "[The figure](#fig-2)",
        "F1 of ResNet50 [@he2016]",
        "`val_0001`",
        "![x](figures/a-1.png){width=50%}{{ '{#fig-1 width=50%}' }}",
        "<!-- 12 -->",
        "<!-- of\n12\nlines -->",
        "[three of 4\nreaders]{.prose}",
        "{# 12 #}",
        "{{ names[0] }} and {{ names.1 }}",
        "{{ 'x' if count == 3 else 'y' }}{{ 'z' if count is divisibleby 3 }}",
        "{{ '%.2f' | format(count) }}",
        "Table {{ count }}.",
    ],
)
def test_what_is_no_result_may_hold_digits(made, line):
    made(f"{HEAD}\n{line}\n")


MACRO = "{% macro kappa() %}\n\nKappa was 0.93.\n{% endmacro %}\n"
WAYS = {
    "an included part": ("{% include 'part.j2' %}", "Kappa\nwas\n0.93.\n"),
    "an included part of an included part": (
        "{% include 'outer.j2' %}",
        "Kappa\nwas\n0.93.\n",
    ),
    "an imported macro": ("{% from 'part.j2' import kappa %}\n{{ kappa() }}", MACRO),
    "a macro of another name": (
        "{% from 'part.j2' import kappa as k with context %}{{ k() }}",
        MACRO,
    ),
    "an imported module": ("{% import 'part.j2' as part %}\n{{ part.kappa() }}", MACRO),
    "an imported variable": (
        "{% import 'part.j2' as part %}{{ part.kappa }}",
        "\n\n{% set kappa = 0.93 %}",
    ),
    "an imported text": (
        "{% from 'part.j2' import kappa %}{{ kappa }}",
        "{% set kappa %}\n\n0.93{% endset %}",
    ),
    "a part whose name is computed": ("{% set p = 'part' %}{% include p ~ '.j2' %}", "\n\n0.93\n"),
}


@pytest.mark.parametrize("way", WAYS)
def test_text_is_followed_into_the_file_that_it_comes_from(made, way):
    line, part = WAYS[way]
    with pytest.raises(FoldwiseError, match=r"part\.j2, line 3: '0\.93' stands in section Results"):
        made(f"{HEAD}{line}\n", part=part, outer="{% include 'part.j2' %}")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (HEAD + "{{ 0.93 }}\n", 4),
        (HEAD + "{{ '0.93' }}\n", 4),
        (HEAD + "{{ undefined | default('0.93') }}\n", 4),
        (HEAD + "{{ 'high' if count == 4 else 0.93 }}\n", 4),
        ("{% set kappa = 0.93 %}\n" + HEAD + "{{ kappa }}\n", 1),
        ("{% set kappa %}0.93{% endset %}\n" + HEAD + "{{ kappa }}\n", 1),
        (
            "{% macro m() %}{{ caller() }}{% endmacro %}"
            + HEAD
            + "{% call m() %}0.93{% endcall %}",
            4,
        ),
        (HEAD + "{% for name in names %}\n{{ name }} 0.93\n{% endfor %}", 5),
        (HEAD + "{% if count == 3 %}\n0.93\n{% endif %}", 5),
        (HEAD + "{% filter upper %}\n0.93\n{% endfilter %}", 5),
        (HEAD + "{% raw %}\n0.93\n{% endraw %}", 5),
        ("# Results in {{ count }} {#- -#}\n\n## Search\n{# 1 #}\n# Results\n\n## F1\n\n0.93", 9),
    ],
)
def test_ways_to_type_a_number_within_one_template(made, text, line):
    with pytest.raises(FoldwiseError, match=rf"a\.md, line {line}: '0\.93' stands in") as fault:
        made(text)
    assert str(fault.value).count("0.93") == 1, "a number that is shown twice is told once"


def test_a_template_may_fill_in_another(made):
    base = "# Results\n{% block own %}{% endblock %}\n"
    with pytest.raises(FoldwiseError, match=r"a\.md, line 2: '0\.93' stands in"):
        made("{% extends 'base.j2' %}{% block own %}\n0.93{% endblock %}", base=base)
    with pytest.raises(FoldwiseError, match=r"base\.j2, line 2: '5' stands in"):
        made("{% extends 'base.j2' %}", base=base.replace("{% block", "5 {% block"))


def test_a_reader_sees_the_templates_own_digits(made):
    text = f"{HEAD}{{{{ summary('kappa') }}}} of [7]{{.prose}}, `x_1`\n\n# Discussion\n\n10 years"
    assert made(text).endswith("0.721 of [7]{.prose}, `x_1`\n\n# Discussion\n\n10 years\n")

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


# Each shows 0.93; of `{}` the looked-up values are `count` 3 and `names`.
MADE_OF_PIECES = [
    "'0.9' ~ 3",
    "0 ~ '.' ~ 93",
    "0.93 ~ ''",
    "'' ~ ('0' ~ ('.' ~ 93))",
    "'0.9' + '3'",
    "0.9 + 0.03",
    "1.86 - 0.93",
    "93 / 100",
    "-(-0.93)",
    "0.934 | round(2)",
    "'0.93' | float",
    "'%.2f' | format(0.93)",
    "'%.2f' % 0.93",
    "'0.%d' % 93",
    "'0.%(n)s' % {'n': 93}",
    "'%*.*f' % (1, 2, 0.93)",
    "'0.%s' | format('93')",
    "'{:.2f}'.format(0.93)",
    "'{0}.{n}'.format(0, n=93)",
    "'0.{}'.format('93')",
    "'{!s:>4}'.format(0.93)",
    "['0', 93] | join('.')",
    "'.'.join(['0', '93'])",
    "'0.X' | replace('X', '93')",
    "'0.X'.replace('X', 93 | string)",
    "'0.XX' | replace('XX', 93)",
    "'x0.93y'[1:5]",
    "'0.93 ' | trim",
    "'0.93' | upper | title | escape",
    "'0.93' | list | join",
    "'39.0' | reverse",
    "'0.93' | truncate(20)",
    "'0.93' | center(4)",
    "[0.1, 0.93] | max",
    "[0.9, 0.03] | sum",
    "['0.93', 'x'] | sort | first",
    "['0.93'] | map('trim') | join",
    "{'kappa': 0.93}.kappa",
    "{'kappa': 0.93} | dictsort | map('last') | first",
    "dict(kappa='0.9' ~ '3').kappa",
    "'a 0.93'.split()[1]",
    "'0.93 {}'.format(names[0])",
    "names[0] ~ ' 0.93'",
    "'0.9' ~ (3 if count == 3 else 4)",
    "undefined | default('0.9' ~ 3)",
    "'0.93' if 'fold_' ~ 1 == 'fold_1' else ''",
]


@pytest.mark.parametrize("pieces", MADE_OF_PIECES)
def test_a_number_made_of_pieces_is_typed(made, pieces):
    fault = r"a\.md, line 5: '0\.93' stands in section Results"
    with pytest.raises(FoldwiseError, match=fault):
        made(f"{HEAD}\n{{{{ {pieces} }}}}\n")
    with pytest.raises(FoldwiseError, match=r"a\.md, line 1: '0\.93' stands in section Results"):
        made(f"{{% set kappa = {pieces} %}}\n{HEAD}\n{{{{ kappa }}}}\n")
    text = f"# Discussion\n\n{{{{ {pieces} }}}}\n"
    assert "0.93" in made(text), "and is what Jinja makes of it elsewhere"


@pytest.mark.parametrize("shown", ["[0.93, 'x']", "[('x', 0.93)]", "('x', '0.' ~ 93)"])
def test_a_list_that_is_shown_as_it_is_has_its_numbers_found(made, shown):
    with pytest.raises(FoldwiseError, match=r"a\.md, line 4: '0\.93' stands in section Results"):
        made(f"{HEAD}{{{{ {shown} }}}}\n")


@pytest.mark.parametrize(
    "expression",
    [
        "'kappa ' ~ summary('kappa', 'fold_' ~ 1)",
        "'%s of %d' | format(summary('kappa'), count)",
        "'%5.1f %%' % count",
        "'{:>8.2f} {}'.format(count, names[0])",
        "names | join(', ') | truncate(12)",
        "names | join(' and ') | indent(4)",
        "[count, summary('kappa')] | join('/')",
        "'X of X' | replace('X', summary('kappa') | string)",
        "(count * 100) | round(1)",
        "count + 1",
        "names | length",
        "names[1 - 1]",
        "({1: 'low', 3: 'high'})[count]",
        "{'k_1': 'x'}['k_' ~ 1]",
        "'' ~ [count, 'x']",
        "range(1, 4) | join(' ')",
        "names | batch(2) | map('first') | join",
        "missing | default(summary('kappa'))",
    ],
)
def test_looked_up_numbers_may_be_made_into_text(made, expression):
    made(f"{HEAD}\n{{{{ {expression} }}}}\n")


def test_texts_and_looked_up_numbers_are_told_apart_within_one_piece(made):
    with pytest.raises(FoldwiseError) as fault:
        made(HEAD + "{{ '%s (%.1f to 0.9)' | format(summary('kappa'), count) }}")
    assert str(fault.value).count("stands in section") == 1 and "'0.9'" in str(fault.value)


def test_a_part_may_be_named_by_pieces_with_digits(made):
    text = HEAD + "{% include 'part_' ~ 1 ~ '.j2' %}"
    with pytest.raises(FoldwiseError, match=r"part_1\.j2, line 1: '0\.93' stands in"):
        made(text, part_1="0.93")
    assert made(text, part_1="word").endswith("word\n")


def test_a_template_may_fill_in_another(made):
    base = "# Results\n{% block own %}{% endblock %}\n"
    with pytest.raises(FoldwiseError, match=r"a\.md, line 2: '0\.93' stands in"):
        made("{% extends 'base.j2' %}{% block own %}\n0.93{% endblock %}", base=base)
    with pytest.raises(FoldwiseError, match=r"base\.j2, line 2: '5' stands in"):
        made("{% extends 'base.j2' %}", base=base.replace("{% block", "5 {% block"))


def test_a_reader_sees_the_templates_own_digits(made):
    text = f"{HEAD}{{{{ summary('kappa') }}}} of [7]{{.prose}}, `x_1`\n\n# Discussion\n\n10 years"
    assert made(text).endswith("0.721 of [7]{.prose}, `x_1`\n\n# Discussion\n\n10 years\n")

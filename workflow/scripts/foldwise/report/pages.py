"""One Markdown template, two pages: report.md as it is, and a web page that needs no network."""

import base64
import html
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt

from foldwise.report.ledger import Number
from foldwise.report.style import DPI

TEMPLATES = Path(__file__).parents[3] / "report"
PIXELS_PER_INCH = 117
PICTURE = re.compile(r'<p><img src="([^"]+)" alt="([^"]*)" ?/?></p>')
HEADING = re.compile(r"<h([23])>(.*?)</h\1>")


def markdown(template: str, context: Mapping[str, Any]) -> str:
    """The report as Markdown: numbers as plain text."""
    return _tidy(_environment(_plain).get_template(template).render(context))


def page(template: str, context: Mapping[str, Any], folder: Path) -> str:
    """The report as one HTML file: pictures of `folder` inside, numbers that say their origin."""
    text = _tidy(_environment(_hovering).get_template(template).render(context))
    body = MarkdownIt("commonmark", {"html": True}).enable("table").render(text)
    body = PICTURE.sub(lambda found: _figure(found, folder), body)
    body = body.replace("<table>", '<div class="wide"><table>').replace(
        "</table>", "</table></div>"
    )
    if context.get("headline"):
        body = body.replace(_first_table(body), _tiles(context["headline"]), 1)
    body, contents = _anchors(body)
    shell = Environment(loader=FileSystemLoader(TEMPLATES), undefined=StrictUndefined)
    shell.trim_blocks = shell.lstrip_blocks = True
    style = (TEMPLATES / "page.css").read_text(encoding="utf-8").strip()
    return shell.get_template("page.html.j2").render(
        title=html.escape(context["title"]), style=style, body=body, contents=contents
    )


def _environment(finalize: Any) -> Environment:
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        finalize=finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Number) else value


def _hovering(value: Any) -> Any:
    return value.__html__() if isinstance(value, Number) else value


def _tidy(text: str) -> str:
    """One empty line around pictures, and never more than one in a row."""
    text = "\n".join(line.rstrip() for line in text.splitlines())
    text = re.sub(r"^(!\[.*)$", r"\n\1\n", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def _figure(found: re.Match[str], folder: Path) -> str:
    source, caption = found[1], html.unescape(found[2])
    content = (folder / source).read_bytes()
    data = base64.b64encode(content).decode()
    title, _, rest = caption.partition(". ")
    # Print inches to CSS pixels, so that text has one size in all figures.
    width = round(int.from_bytes(content[16:20], "big") / DPI * PIXELS_PER_INCH)
    return (
        f'<figure><img alt="{html.escape(title)}" style="width:{width}px" '
        f'src="data:image/png;base64,{data}">'
        f"<figcaption><strong>{html.escape(title)}.</strong> {html.escape(rest)}</figcaption>"
        "</figure>"
    )


def _first_table(body: str) -> str:
    start = body.index('<div class="wide">')
    return body[start : body.index("</div>", start) + len("</div>")]


def _tiles(headline: list[dict[str, Any]]) -> str:
    """The main metrics as tiles in place of their table."""
    tiles = []
    for row in headline:
        low_high = " to ".join(bound.__html__() for bound in row["interval"])
        tiles.append(
            f"<div><dt>{html.escape(row['name'])}</dt><dd>{row['mean'].__html__()}</dd>"
            f"<dd>{low_high or 'no interval'}</dd></div>"
        )
    return f'<dl class="tiles">{"".join(tiles)}</dl>'


def _anchors(body: str) -> tuple[str, list[tuple[str, str]]]:
    """Headings with ids, and (id, text) of those of the second level."""
    contents = []

    def name(found: re.Match[str]) -> str:
        anchor = re.sub(r"[^a-z0-9]+", "-", found[2].lower()).strip("-")
        if found[1] == "2":
            contents.append((anchor, found[2]))
        return f'<h{found[1]} id="{anchor}">{found[2]}</h{found[1]}>'

    return HEADING.sub(name, body), contents

"""An article in Markdown as a web page, a Word document and a PDF, by pandoc and Typst."""

import io
import os
import re
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from foldwise.article.render import SHIPPED
from foldwise.errors import FoldwiseError, nearest
from foldwise.files import read_json, replacing, write_json

FROM = "markdown+bracketed_spans+implicit_figures+pipe_tables+table_attributes"
# A heading right below a paragraph is one, as everywhere but in pandoc's own Markdown.
FROM += "-blank_before_header"
CITATION = re.compile(r"(?<![\w\\])@([A-Za-z][\w:-]*\w)")
# Where the properties of tables begin in Word's styles; sizes there are in half points.
TABLE_STYLE = re.compile(rb'(w:styleId="Table">.*?<w:qFormat />)', re.DOTALL)
TABLE_TYPE = b'<w:rPr><w:sz w:val="16" /><w:szCs w:val="16" /></w:rPr>'
# The time that documents bear unless the environment names one: equal results, equal bytes.
NO_TIME = "315619200"


@contextmanager
def _fixed_time() -> Iterator[None]:
    """SOURCE_DATE_EPOCH for the programs that write documents."""
    before = os.environ.get("SOURCE_DATE_EPOCH")
    os.environ["SOURCE_DATE_EPOCH"] = before or NO_TIME
    try:
        yield
    finally:
        if before is None:
            del os.environ["SOURCE_DATE_EPOCH"]


def check_citations(text: str, bibliographies: list[Path]) -> None:
    """Raise FoldwiseError for a work that is cited and stands in none of the CSL JSON files."""
    works = {entry["id"] for path in bibliographies for entry in read_json(path)}
    for number, line in enumerate(text.splitlines(), 1):
        # Without code, targets of links and attributes: an @ in these is no citation.
        for key in CITATION.findall(re.sub(r"`[^`]*`|\]\([^)]*\)|\{[^}]*\}", "", line)):
            if key not in works:
                raise FoldwiseError(
                    f"article.md, line {number}: @{key} is in no list of references."
                    f"{nearest(key, works)} Add it to a CSL JSON file and name that in "
                    "article.bibliography."
                )


def write_formats(text: str, folder: Path, bibliographies: list[Path]) -> None:
    """article.html, article.docx and article.pdf in `folder`, of Markdown whose figures lie there.

    Equal text and figures give equal bytes. Raises FoldwiseError where pandoc or Typst refuses.
    """
    check_citations(text, bibliographies)
    page = ["--embed-resources", f"--css={SHIPPED / 'article.css'}", "--section-divs"]
    with _fixed_time(), tempfile.TemporaryDirectory() as place:
        works = Path(place) / "references.json"
        # Not as files: their paths, which are this machine's, would be properties of the document.
        write_json(
            works, {"references": [work for path in bibliographies for work in read_json(path)]}
        )
        common = ["--standalone", "--citeproc", f"--resource-path={folder}"]
        common.append(f"--metadata-file={works}")
        _pandoc(text, "html5", folder / "article.html", [*common, *page])
        styles = _reference_document(Path(place) / "reference.docx")
        _pandoc(text, "docx", folder / "article.docx", [*common, f"--reference-doc={styles}"])
        _pdf(text, folder, common)


def _pandoc(text: str, form: str, out: Path, arguments: list[str]) -> None:
    import pypandoc

    try:
        with replacing(out) as temporary:
            pypandoc.convert_text(
                text, form, format=FROM, outputfile=str(temporary), extra_args=arguments
            )
    except (OSError, RuntimeError) as error:
        raise FoldwiseError(
            f"{out.name} was not written: {str(error).strip()} The article's Markdown is there."
        ) from error


def _reference_document(out: Path) -> Path:
    """Pandoc's own styles with a smaller type in tables, where words would be cut in two."""
    import pypandoc

    command = [pypandoc.get_pandoc_path(), "--print-default-data-file", "reference.docx"]
    shipped = subprocess.run(command, capture_output=True, check=True).stdout
    with zipfile.ZipFile(io.BytesIO(shipped)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "word/styles.xml":
                content = TABLE_STYLE.sub(rb"\1" + TABLE_TYPE, content)
            # A time of its own would make other bytes each time.
            new.writestr(zipfile.ZipInfo(name), content)
    return out


def _pdf(text: str, folder: Path, arguments: list[str]) -> None:
    """By way of Typst, which embeds its fonts; its file lies beside the figures for a moment."""
    import typst

    # Within the article's folder: Typst reads nothing outside of its root.
    with tempfile.TemporaryDirectory(dir=folder) as place:
        source = Path(place) / "article.typ"
        head = [f"--include-in-header={SHIPPED / 'article.typ'}", "-V", "papersize=a4"]
        _pandoc(text, "typst", source, [*arguments, *head])
        # Paths of figures count from the source; the root keeps Typst within the article.
        source.write_text(
            source.read_text(encoding="utf-8").replace('image("figures/', 'image("../figures/'),
            encoding="utf-8",
        )
        try:
            with replacing(folder / "article.pdf") as temporary:
                typst.compile(str(source), output=str(temporary), root=str(folder))
        except (RuntimeError, OSError) as error:
            raise FoldwiseError(f"article.pdf was not written: {error}") from error

"""Where the page's templates are, and what they say.

Standard library only: the rule files read this.
"""

from pathlib import Path

from foldwise.hashing import file_digest

TEMPLATES = Path(__file__).parents[3] / "report"
ARTICLE, BUNDLE = TEMPLATES / "article", TEMPLATES / "bundle"
CARD, SITE = BUNDLE / "model_card.md.j2", BUNDLE / "site.md.j2"
# Captions of Snakemake's own report are no part of the page.
PARTS = ("*.j2", "*.css", "*.js")


def digests() -> dict[str, str]:
    """Name of each part of the page -> digest of its content; code alone does not make a page."""
    paths = sorted(path for part in PARTS for path in TEMPLATES.rglob(part))
    return {
        str(path.relative_to(TEMPLATES)): file_digest(path)
        for path in paths
        if path.parent not in (ARTICLE, BUNDLE)
    }


def digests_of_site() -> dict[str, str]:
    """The same of the page of a site that validates a bundle."""
    return digests() | {SITE.name: file_digest(SITE)}


def digest_of_card() -> str:
    """Digest of the model card in a bundle."""
    return file_digest(CARD)


def digests_of_article() -> dict[str, str]:
    """The same of an article: its templates, checklists, references and style."""
    return {path.name: file_digest(path) for path in sorted(ARTICLE.iterdir()) if path.is_file()}

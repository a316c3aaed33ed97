"""Files made from others are in step with them."""

import pytest

from tools.made_files import ROOT, made_files


@pytest.mark.parametrize("path", made_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_made_file_is_in_step(path):
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    assert text == made_files()[path], f"{path.name} is out of step: run `make docs` and commit it."

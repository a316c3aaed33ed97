"""Files made from others are in step with them, and what documents name is there."""

import subprocess
import sys

import pytest

from tools.made_files import ROOT, made_files


@pytest.mark.parametrize("path", made_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_made_file_is_in_step(path):
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    assert text == made_files()[path], f"{path.name} is out of step: run `make docs` and commit it."


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md")]), ids=lambda path: path.name
)
def test_each_block_of_commands_is_closed(path):
    """Else the text below it stands in the block."""
    lines = path.read_text(encoding="utf-8").splitlines()
    assert sum(line.lstrip().startswith("```") for line in lines) % 2 == 0


STARTS = """
import runpy, sys
from pathlib import Path
folder, benches = Path(sys.argv[1]), sys.argv[2:]
first = [str(folder), *sys.path[1:]]
own = {"foldwise", "phantoms", "tools"} | {path.stem for path in folder.parent.rglob("*.py")}
for bench in benches:
    # As typed: what another bench has imported must not stand in for this one's way to it.
    for name in [name for name in sys.modules if name.partition(".")[0] in own]:
        del sys.modules[name]
    sys.path[:] = first
    runpy.run_path(bench, run_name="bench")
    print(bench)
"""


def test_each_bench_finds_what_it_measures():
    folder = ROOT / "tests" / "bench"
    # Others are parts of one.
    paths = [str(p) for p in sorted(folder.glob("*.py")) if "__main__" in p.read_text()]
    command = [sys.executable, "-c", STARTS, str(folder), *paths]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert paths and done.stdout.split() == paths, done.stderr

"""The registry names what exists, imports lazily, and refuses what it does not know."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from foldwise import registry
from foldwise.errors import FoldwiseError

ROOT = Path(registry.__file__).parents[1]


def entries(*groups):
    return [(group, name) for group in groups for name in registry.names(group)]


@pytest.mark.parametrize(("group", "name"), entries(*registry.GROUPS))
def test_an_entry_names_something_that_its_module_defines(group, name):
    module, _, attribute = registry.GROUPS[group][name].partition(":")
    assert (module, attribute) == registry.entry(group, name)
    source = ROOT.joinpath(*module.split(".")).with_suffix(".py")
    body = ast.parse(source.read_text(encoding="utf-8")).body
    assert attribute in [getattr(node, "name", None) for node in body]


def test_importing_the_registry_imports_nothing_heavy():
    code = (
        "import sys, foldwise.registry; print([m for m in ('torch','numpy') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code]
    out = subprocess.run(command, env={"PYTHONPATH": str(ROOT)}, capture_output=True, text=True)
    assert out.stdout.strip() == "[]"


def test_an_unknown_name_is_told_the_nearest():
    with pytest.raises(FoldwiseError, match="Did you mean 'resnet50'"):
        registry.entry("MODELS", "resnet_50")
    with pytest.raises(FoldwiseError, match="no group 'MODEL'"):
        registry.load("MODEL", "resnet50")

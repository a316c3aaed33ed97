"""Profiles of clusters: what they ask for fits the rules."""

import re
from pathlib import Path

import pytest

from foldwise.plan import state
from foldwise.settings.yaml_file import read_yaml

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", ["pbs", "slurm"])
def test_each_rule_that_can_use_a_gpu_gets_one(name):
    profile = read_yaml(ROOT / "profiles" / name / "config.yaml")
    asked = {rule for rule, changes in profile["set-resources"].items() if changes.get("gpu") == 1}
    able = set()
    for path in (ROOT / "workflow" / "rules").glob("*.smk"):
        blocks = re.split(r"^(?:rule|checkpoint) (\w+):\n", path.read_text(), flags=re.M)[1:]
        rules = zip(blocks[::2], blocks[1::2], strict=True)
        able |= {rule for rule, body in rules if "gpu=GPUS" in body}
    assert asked == able != set()


@pytest.mark.parametrize("mask", ["", "-1"])
def test_a_mask_that_hides_all_gpus_is_respected(monkeypatch, mask):
    monkeypatch.setattr("os.path.exists", lambda path: path == "/dev/nvidia0")
    assert state.gpus("auto") == 1
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", mask)
    assert state.gpus("auto") == 0
    assert state.gpus(2) == 2

"""What a job imports: nothing that it does not use, for it costs seconds of each of many jobs."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from foldwise.train.optim import eager
from training import make_params

ROOT = Path(__file__).parents[2]
# torch.distributed is imported by torch itself.
HEAVY = ("torchvision", "torch._dynamo", "torch._inductor", "sympy", "sklearn", "matplotlib")
START = """
import json, sys
from pathlib import Path
sys.path[:0] = ["workflow/scripts", "tests"]
from foldwise.train.machine import set_threads
set_threads(1)
"""
TRAINING = """
from foldwise.tasks.classification import Classification
from foldwise.train.job import FoldJob
from foldwise.train.loop import train_fold
from foldwise.train.predict import predict_fold
from training import make_images, make_params, make_rows
out = Path(sys.argv[1])
for optimizer in sys.argv[3:]:
    changes = {"training__epochs": 1, "training__clip_norm": 1.0, "training__optimizer": optimizer}
    params, rows = make_params(32, **changes), make_rows(36)
    parts, results = {"train": rows[:24], "val": rows[24:]}, out / optimizer / "results"
    images, task = make_images(rows, 32), Classification(params["task"])
    job = FoldJob(params, task, parts, images, 1, results)
    train_fold(job)
    predict_fold(job, results / "best_model.pt", out / "predictions.csv", out / "embeddings.npy")
    print(optimizer, json.dumps([name for name in json.loads(sys.argv[2]) if name in sys.modules]))
"""


def test_training_and_predicting_with_a_small_network_import_no_compiler(tmp_path):
    assert make_params()["model"]["name"] == "small_cnn"
    optimizers = ("adam", "adamw", "sgd")
    command = [sys.executable, "-c", START + TRAINING, str(tmp_path), json.dumps(HEAVY)]
    done = subprocess.run(
        [*command, *optimizers], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-3:] == [f"{name} []" for name in optimizers]


@pytest.mark.parametrize("kind", [torch.optim.Adam, torch.optim.AdamW, torch.optim.SGD])
def test_an_optimiser_without_the_compiler_takes_the_steps_of_torchs_own(kind):
    def run(make):
        torch.manual_seed(0)
        model = torch.nn.Sequential(torch.nn.Linear(5, 7), torch.nn.Tanh(), torch.nn.Linear(7, 2))
        optimizer = make(model.parameters(), lr=0.01, weight_decay=0.1, fused=True)
        for step in range(6):
            if step == 3:
                optimizer.load_state_dict(optimizer.state_dict())
            optimizer.zero_grad(set_to_none=True)
            model(torch.randn(4, 5)).square().mean().backward()
            optimizer.step()
        return torch.cat([parameter.flatten() for parameter in model.parameters()])

    assert torch.equal(run(kind), run(eager(kind)))


ALL = """
import ast, json, sys
from pathlib import Path
sys.path[:0] = ["workflow/scripts"]
for path in sorted(Path("workflow/scripts").glob("*.py")):
    text = path.read_text()
    # What looks pictures up by a network of torchvision's imports it.
    if "adapter(snakemake)" in text and path.stem != "embeddings":
        for step in ast.walk(ast.parse(text)):
            if isinstance(step, ast.Import | ast.ImportFrom):
                exec(ast.unparse(step))
print(json.dumps([name for name in json.loads(sys.argv[1]) if name in sys.modules]))
"""


def test_no_adapter_imports_torchvision_or_a_compiler():
    heavy = json.dumps(["torchvision", "torch._dynamo", "torch._inductor", "sympy"])
    done = subprocess.run(
        [sys.executable, "-c", ALL, heavy], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == []

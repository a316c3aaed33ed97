"""Training with the network compiled: the same bits each time, also where it was stopped."""

from functools import partial

import pytest
import torch

from foldwise.errors import FoldwiseError
from foldwise.train import compiled
from foldwise.train.process.stop import Stopped
from training import StopAt, history, make_params, train, weights

COMPILED = make_params(training__compile=True)


@pytest.fixture(autouse=True)
def fresh_compiler(tmp_path, monkeypatch):
    """Nothing compiled before, in this process or on disk."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path / "compiled"))
    torch.compiler.reset()
    yield
    torch.compiler.reset()


def test_what_is_captured_trains_to_the_same_bits(tmp_path, monkeypatch):
    """Without code of its own the captured network is the network: all else stays as it was."""
    compile_ = partial(torch.compile, backend="eager")
    graphs = []

    def counted(model, dynamic, options):
        assert not dynamic
        graphs.append(options)
        return compile_(model, dynamic=dynamic)

    monkeypatch.setattr(torch, "compile", counted)
    captured, plain = train(tmp_path / "captured", COMPILED), train(tmp_path / "plain")
    assert len(graphs) == 1
    assert history(captured)["epochs"] == history(plain)["epochs"]
    ours, theirs = weights(captured), weights(plain)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_no_compiler_is_an_error_with_a_next_step(tmp_path, monkeypatch):
    monkeypatch.setenv("CXX", str(tmp_path / "no-compiler"))
    monkeypatch.setattr("torch._inductor.config.cpp.cxx", (None, str(tmp_path / "no-compiler")))
    with pytest.raises(FoldwiseError, match=r"could not compile .* set training.compile: false"):
        train(tmp_path / "fold", COMPILED)


def test_too_many_shapes_are_an_error_and_no_training_of_other_bits(tmp_path, monkeypatch):
    compile_ = partial(torch.compile, backend="eager")
    monkeypatch.setattr(
        torch, "compile", lambda model, dynamic, options: compile_(model, dynamic=dynamic)
    )
    monkeypatch.setattr(compiled, "GRAPHS", 1)
    stages = [{"size": 8, "epochs": 1}, {"size": 16, "epochs": 1}]
    params = make_params(training__compile=True, training__stages=stages)
    with pytest.raises(FoldwiseError, match=r"than 1 shapes .* fewer sizes in training\.stages"):
        train(tmp_path / "fold", params)


@pytest.mark.slow
def test_compiled_steps_repeat_and_resume_to_the_same_bits(tmp_path):
    whole = train(tmp_path / "whole", COMPILED)
    torch.compiler.reset()
    with pytest.raises(Stopped):
        train(tmp_path / "parts", COMPILED, stop=StopAt(5))
    # As a new process that begins at another batch.
    torch.compiler.reset()
    parts = train(tmp_path / "parts", COMPILED)
    assert (whole / "best_model.pt").read_bytes() == (parts / "best_model.pt").read_bytes()
    plain = weights(train(tmp_path / "plain"))
    # A bias before batch normalisation moves by rounding alone, and what is taken off with it.
    moved = ("0.bias", "running_mean")
    for name, values in weights(whole).items():
        if not name.endswith(moved):
            torch.testing.assert_close(values, plain[name], rtol=1e-5, atol=1e-6)

"""What the loop asks of its device: nothing at each step, by value on a CPU."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from foldwise.train import fit, loop
from foldwise.train.feed import feed, pixels
from foldwise.train.machine import seed
from training import make_params, train


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


def test_losses_that_are_read_late_end_in_the_same_bits(tmp_path, monkeypatch):
    """As on a GPU, where each reading would wait for all that was asked before."""
    params = make_params(training__clip_norm=1.0)
    at_once = train(tmp_path / "at_once", params)
    monkeypatch.setattr(fit.Noted, "on_cpu", False)
    monkeypatch.setattr(fit, "UNREAD", 4)
    late = train(tmp_path / "late", params)
    for name in ("best_model.pt", "train_history.json"):
        assert (at_once / name).read_bytes() == (late / name).read_bytes()


class Readings(TorchDispatchMode):
    """Counts what would make a GPU's CPU wait: a tensor read as a number or turned into a list."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, operator, types, arguments=(), named=None):
        names = ("_local_scalar_dense", "is_nonzero", "nonzero", "equal")
        self.count += operator.overloadpacket.__name__ in names
        return operator(*arguments, **(named or {}))


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_a_step_reads_no_value_of_the_device(tmp_path, monkeypatch, optimizer):
    """By value on a CPU: no step asks, so that a GPU would wait for none."""
    monkeypatch.setattr(fit.Noted, "on_cpu", False)
    # Images that stay in the device's memory, gathered, moved and toned there.
    monkeypatch.setattr(pixels, "free_memory", lambda device: 1 << 30)
    monkeypatch.setattr(feed, "OnCpu", pixels.OnDevice)
    step, counts = loop.train_step, []

    def counted(*arguments):
        with Readings() as readings:
            step(*arguments)
        counts.append(readings.count)

    monkeypatch.setattr(loop, "train_step", counted)
    changes = {"training__clip_norm": 1.0, "training__optimizer": optimizer}
    train(tmp_path, make_params(training__epochs=2, **changes))
    assert counts == [0] * 6
    with Readings() as readings:
        torch.ones(1).item()
    assert readings.count == 1


def test_random_numbers_begin_as_torch_has_them_and_leave_no_note():
    """torch.manual_seed keeps its stack, each time, for each kind of device that is not there."""
    notes = len(torch.cuda._queued_calls)
    seed(2**62 + 5, torch.device("cpu"))
    drawn = torch.rand(4)
    assert len(torch.cuda._queued_calls) == notes
    torch.manual_seed(2**62 + 5)
    assert torch.equal(drawn, torch.rand(4))

"""The loop: what it writes, and that equal settings end in equal bytes."""

import pytest
import torch

from training import train


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    torch.set_num_threads(1)


def test_equal_settings_end_in_equal_bytes(tmp_path):
    first, second = train(tmp_path / "first"), train(tmp_path / "second")
    for name in ("best_model.pt", "train_history.json"):
        assert (first / name).read_bytes() == (second / name).read_bytes()

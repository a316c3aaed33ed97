"""Times for a reader, and the line that a driver on a cluster shows."""

import pytest

from foldwise.times import duration, show_driver


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "0 s"),
        (89, "89 s"),
        (90, "2 min"),
        (3600, "60 min"),
        (5400, "1.5 h"),
        (90000, "25.0 h"),
    ],
)
def test_durations(seconds, said):
    assert duration(seconds) == said


def test_a_line_for_the_driver(tmp_path, monkeypatch):
    monkeypatch.setenv("PBSPRO_STATUS", str(tmp_path / "line"))
    show_driver("epoch 1 of 9")
    show_driver("epoch 2 of 9")
    assert (tmp_path / "line").read_text() == "epoch 2 of 9\n"
    monkeypatch.setenv("PBSPRO_STATUS", str(tmp_path / "no folder" / "line"))
    show_driver("epoch 3 of 9")  # no reason for a training to end
    monkeypatch.delenv("PBSPRO_STATUS")
    show_driver("epoch 4 of 9")
    assert [path.name for path in tmp_path.iterdir()] == ["line"]

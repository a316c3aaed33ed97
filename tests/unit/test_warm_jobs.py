"""Warm jobs: what forks from the parent behaves as a process of its own would."""

import os
import signal
import subprocess
import sys
import time

import pytest

from foldwise.plan.warm.jobs import THREADS, ParentLost, WarmParent


@pytest.fixture
def imported():
    """`imported(library)` is a parent that has imported it."""
    parents = []

    def start(library):
        parents.append(WarmParent(library))
        deadline = time.monotonic() + 30
        while not parents[-1].ready and time.monotonic() < deadline:
            time.sleep(0.01)
        assert parents[-1].ready
        return parents[-1]

    yield start
    for parent in parents:
        parent.process.kill()
        parent.process.wait()


@pytest.fixture
def parent(imported):
    """A parent that has imported a library that no job would import by itself."""
    return imported("colorsys")


def job(parent, folder, text, **environment):
    """Run a script in the folder through the parent; returns its exit status."""
    script = folder / "job.py"
    script.write_text(text)
    pid = parent.start(str(script), {"PATH": os.environ["PATH"]} | environment, str(folder))
    return parent.wait(pid)


def test_a_job_has_its_own_folder_environment_and_arguments(parent, tmp_path):
    text = (
        "import os, sys, json\n"
        "json.dump([os.getcwd(), dict(os.environ), sys.argv, __name__, 'colorsys' in sys.modules,"
        " 'torch' in sys.modules, sys.path[0]], open('said.json', 'w'))\n"
    )
    assert job(parent, tmp_path, text, WORD="a b") == 0
    import json

    cwd, environment, argv, name, warm, torch, first = json.loads(
        (tmp_path / "said.json").read_text()
    )
    assert cwd == str(tmp_path) and name == "__main__" and first == str(tmp_path)
    assert environment == {"PATH": os.environ["PATH"], "WORD": "a b"}
    assert argv == [str(tmp_path / "job.py")]
    assert warm and not torch


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("pass", 0),
        ("import sys; sys.exit(3)", 3),
        ("import sys; sys.exit('said')", 1),
        ("raise ValueError(1)", 1),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", -signal.SIGKILL),
        ("import os, signal, time; os.kill(os.getpid(), signal.SIGTERM); time.sleep(9)", -15),
        ("import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(9)", 130),
    ],
)
def test_its_exit_status_is_that_of_a_process_of_its_own(parent, tmp_path, text, status):
    script = tmp_path / "cold.py"
    script.write_text(text)
    cold = subprocess.run([sys.executable, str(script)], capture_output=True).returncode
    # Python ends itself by the signal after an interrupt, which a shell tells as 128 + 2.
    assert (130 if cold == -signal.SIGINT else cold) == status
    assert job(parent, tmp_path, text) == status


def test_what_a_job_registers_for_its_end_is_done_and_what_it_prints_is_whole(parent, tmp_path):
    text = (
        "import atexit, sys\n"
        "sys.stdout = open('out', 'w')\n"
        "atexit.register(lambda: open('end', 'w').write('done'))\n"
        "print('line')\n"
    )
    assert job(parent, tmp_path, text) == 0
    assert (tmp_path / "end").read_text() == "done"
    assert (tmp_path / "out").read_text() == "line\n"


def test_a_library_is_not_taken_apart_by_each_job(imported, tmp_path, monkeypatch):
    """A job's own temporary folder, which ends in the same way, is removed."""
    ends = "import weakref\nweakref.finalize(weakref, lambda: open('library', 'w').close())\n"
    (tmp_path / "ending.py").write_text(ends)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    text = (
        "import sys, tempfile\n"
        "assert 'ending' in sys.modules\n"
        "kept = tempfile.TemporaryDirectory(dir='.', prefix='own')\n"
    )
    assert job(imported("ending"), tmp_path, text) == 0
    assert not (tmp_path / "library").exists() and not list(tmp_path.glob("own*"))


def test_jobs_run_side_by_side_and_one_that_fails_leaves_the_others(parent, tmp_path):
    pids = []
    for number in range(3):
        script = tmp_path / f"{number}.py"
        script.write_text(f"import time, sys; time.sleep({0.3 * number}); sys.exit({number})")
        pids.append(parent.start(str(script), dict(os.environ), str(tmp_path)))
    assert len(set(pids)) == 3
    assert [parent.wait(pid) for pid in reversed(pids)] == [2, 1, 0]


def test_code_that_is_edited_between_two_jobs_counts(parent, tmp_path):
    (tmp_path / "own_module.py").write_text("STATUS = 4\n")
    assert job(parent, tmp_path, "import sys, own_module; sys.exit(own_module.STATUS)") == 4
    (tmp_path / "own_module.py").write_text("STATUS = 15\n")
    assert job(parent, tmp_path, "import sys, own_module; sys.exit(own_module.STATUS)") == 15


def test_an_interrupt_of_the_terminal_ends_jobs_and_leaves_their_parent(parent, tmp_path):
    script = tmp_path / "job.py"
    script.write_text("import time\nopen('begun', 'w').close()\ntime.sleep(20)\n")
    pid = parent.start(str(script), dict(os.environ), str(tmp_path))
    while not (tmp_path / "begun").exists():
        time.sleep(0.01)
    for process in (parent.process.pid, pid):  # as a terminal does, to the whole group
        os.kill(process, signal.SIGINT)
    assert parent.wait(pid) == 130
    assert job(parent, tmp_path, "pass") == 0


def test_a_parent_that_dies_ends_the_waiting_with_an_error(parent, tmp_path):
    script = tmp_path / "job.py"
    script.write_text("import time; time.sleep(3)")
    pid = parent.start(str(script), dict(os.environ), str(tmp_path))
    parent.process.kill()
    with pytest.raises(ParentLost):
        parent.wait(pid)
    with pytest.raises(ParentLost):
        parent.start(str(script), dict(os.environ), str(tmp_path))
    assert not parent.ready


def test_when_the_driver_goes_the_parent_goes_and_jobs_end_by_themselves(parent, tmp_path):
    script = tmp_path / "job.py"
    script.write_text("import time; time.sleep(0.5); open('ended', 'w').close()")
    parent.start(str(script), dict(os.environ), str(tmp_path))
    parent.close()
    assert parent.process.returncode == 0
    deadline = time.monotonic() + 20
    while not (tmp_path / "ended").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert (tmp_path / "ended").exists()


def test_the_parent_computes_with_one_thread_as_jobs_of_one_thread_do(parent, tmp_path):
    with open(f"/proc/{parent.process.pid}/environ", "rb") as stream:
        environment = dict(
            entry.split(b"=", 1) for entry in stream.read().split(b"\0") if b"=" in entry
        )
    assert {environment[name.encode()] for name in THREADS} == {b"1"}

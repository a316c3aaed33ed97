"""The analysis of a search: sentences that the numbers carry, figures, measured gradients."""

import csv
import re
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import stats

from analysed import searched_by
from foldwise.errors import FoldwiseError
from foldwise.evaluate.wording import setting_name
from foldwise.report.files import ANALYSIS_DOCUMENTS, ANALYSIS_FIGURES
from foldwise.report.style import look, save
from foldwise.search.analysis.effects import effect, sentences
from foldwise.search.analysis.figures import categorical, parameters
from foldwise.search.analysis.foreign import read_search, write_search
from foldwise.search.analysis.report import report
from foldwise.search.analysis.trials import of_search
from foldwise.search.analysis.tuning import peak_memory, tuning
from foldwise.search.analysis.write import write_analysis
from foldwise.search.space import Parameter
from searching import run_search, search_of, timed

ROOT = Path(__file__).parents[2]
HEAD = ["learning_rate", "batch_size", "loss_type", "best_val_dice", "best_epoch", "total_epochs"]
HEAD += ["final_val_dice", "checkpoint_path"]


def sentence_of(searched, key):
    return " ".join(sentences(effect(searched, key), searched.sign))


def test_a_helping_parameter_is_said_to_help_only_where_its_interval_excludes_zero():
    sizes = [4] * 5 + [8] * 5
    clear = [0.50, 0.51, 0.49, 0.50, 0.52, 0.70, 0.71, 0.69, 0.72, 0.70]
    assert "larger batch helps" in sentence_of(searched_by(clear, batch=sizes), "batch")
    assert "larger batch hurts" in sentence_of(searched_by(clear[::-1], batch=sizes), "batch")
    noise = [0.50, 0.70, 0.49, 0.72, 0.52, 0.51, 0.71, 0.50, 0.72, 0.55]
    said = sentence_of(searched_by(noise, batch=sizes), "batch")
    assert "not resolved" in said
    assert "helps" not in said and "hurts" not in said
    text = report(searched_by(noise, batch=sizes))
    assert "helps" not in text and "Not resolved by these 10 trials: batch" in text


def test_a_rate_of_few_trials_is_a_slope_and_no_category():
    found = searched_by([0.5, 0.6, 0.7, 0.65], lr=[1e-4, 1e-3, 5e-3, 1e-2], batch=[4, 8, 8, 4])
    drawn = Parameter("lr", "float", 1e-5, 1e-1, log=True)
    found = replace(found, space=(drawn, found.space[1]))
    assert effect(found, "lr").levels == () and "tenfold" in sentence_of(found, "lr")
    assert categorical(found) == ["batch"]


def test_a_setting_is_called_by_what_tells_it_from_others():
    names = {"training.batch_size": "batch size", "loss.name": "loss", "lr": "lr", "name": "name"}
    names |= {"teacher.training.lr": "teacher's lr", "training.lr": "lr"}
    assert {key: setting_name(key) for key in names} == names


def test_the_star_is_the_best_trials_own_point():
    found = searched_by([0.5, 0.6, 0.7, 0.65], batch=[4, 8, 8, 4])
    dots, *_, star = parameters(found).axes[0].lines
    assert star.get_marker() == "*" and dots.get_marker() == "o"
    assert (star.get_xdata()[0], star.get_ydata()[0]) == (dots.get_xdata()[0], 0.7)


def test_less_is_better_turns_the_verdict_and_not_the_difference():
    values = [0.5, 0.51, 0.49, 0.7, 0.71, 0.69]
    found = searched_by(values, batch=[4] * 3 + [8] * 3)
    (one,) = effect(found, "batch").differences
    assert one.value == pytest.approx(0.2)
    assert "hurts" in " ".join(sentences(effect(found, "batch"), -1))


def test_intervals_are_scipys():
    first, second = [0.5, 0.51, 0.47, 0.53], [0.58, 0.56, 0.61]
    found = searched_by(first + second, loss=["a"] * 4 + ["b"] * 3)
    (one,) = effect(found, "loss").differences
    theirs = stats.ttest_ind(second, first, equal_var=False).confidence_interval(0.95)
    assert (one.low, one.high) == pytest.approx((theirs.low, theirs.high))
    x, y = [0.1, 0.2, 0.3, 0.4, 0.5], [0.5, 0.55, 0.5, 0.6, 0.62]
    (slope,) = effect(searched_by(y, dropout=x), "dropout").differences
    fit = stats.linregress(x, y)
    reach = stats.t.ppf(0.975, 3) * fit.stderr
    assert slope.what == "0.1 more"
    expected = [0.1 * fit.slope, 0.1 * (fit.slope - reach), 0.1 * (fit.slope + reach)]
    assert [slope.value, slope.low, slope.high] == pytest.approx(expected)


def test_three_choices_are_compared_in_pairs_with_a_wider_interval():
    values = [0.5, 0.52, 0.6, 0.61, 0.4]
    found = searched_by(values, loss=["a", "a", "b", "b", "c"])
    (one,) = effect(found, "loss").differences
    assert one.what == "b against a"
    assert "loss `c`: one trial alone" in sentence_of(found, "loss")


def table_of(folder, rows):
    path = folder / "table.csv"
    with path.open("w", newline="") as stream:
        csv.writer(stream).writerows([HEAD, *rows])
    return path


ROWS = [
    [0.0002, 4, "combined", 0.16, 52, 72, 0.14, "a.hdf5"],
    [0.0001, 8, "focal", 0.125, 12, 32, 0.08, "b.hdf5"],
    [0.0001, 8, "focal", 0.124, 12, 32, 0.083, "c.hdf5"],
    [5e-05, 4, "dice", 0.08, 1, 21, 0.056, "d.hdf5"],
]


def test_another_systems_table_gives_a_searchs_files_and_all_of_an_analysis(tmp_path):
    table_of(tmp_path, ROWS)
    program = ROOT / "workflow" / "scripts" / "import_search.py"
    command = [sys.executable, str(program), "table.csv", "--name", "theirs"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    base = tmp_path / "results" / "theirs" / "search"
    rows = list(csv.DictReader((base / "search_results_final.csv").open()))
    assert [row["dice"] for row in rows] == ["0.16", "0.125", "0.124", "0.08"]
    assert "checkpoint_path" not in rows[0]
    names = {f"{name}.png" for name in ANALYSIS_FIGURES} | {f"{d}.md" for d in ANALYSIS_DOCUMENTS}
    assert {path.name for path in (base / "analysis").iterdir()} == names
    for name in ANALYSIS_FIGURES:
        assert Image.open(base / "analysis" / f"{name}.png").info["dpi"][0] == pytest.approx(
            300, 0.01
        )
    text = (base / "analysis" / "REPORT.md").read_text()
    values = [row[3] for row in ROWS]
    assert (
        f"mean {statistics.mean(values):.4f}, standard deviation {np.std(values, ddof=1):.4f}"
        in text
    )
    assert "| `focal` | 2 | 0.1245 |" in text
    for path in (base / "analysis").glob("*.md"):
        outside = re.sub(r"`[^`]*`|\]\([^)]*\)", " ", path.read_text())
        assert not re.findall("[a-z]+_[a-z]+", outside), f"{path.name} has names of keys as words"
    # Nothing of what only models can tell is made up.
    assert "Not measured" in (base / "analysis" / "MATHEMATICAL_ANALYSIS_SUMMARY.md").read_text()


@pytest.mark.parametrize(
    ("rows", "value", "said"),
    [
        ([], None, "no rows"),
        ([[1, 2, "a", "", 1, 2, 3, "x"]], None, "row 2: best_val_dice is empty"),
        ([[1, 2, "a", "high", 1, 2, 3, "x"]], None, "row 2: best_val_dice is 'high'"),
        (ROWS, "best_val_dise", "no column best_val_dise.*Did you mean 'best_val_dice'"),
    ],
)
def test_a_table_that_cannot_be_read_is_told_with_its_line(tmp_path, rows, value, said):
    with pytest.raises(FoldwiseError, match=said):
        read_search(table_of(tmp_path, rows), "theirs", value)


def test_one_trial_or_equal_ones_have_an_analysis_too(tmp_path):
    for count, rows in (("one", ROWS[:1]), ("equal", [ROWS[0]] * 4)):
        searched = read_search(table_of(tmp_path, rows), count)
        write_search(tmp_path / count, searched)
        write_analysis(tmp_path / count / "analysis", searched)
        assert ": not resolved" not in (tmp_path / count / "analysis" / "REPORT.md").read_text()


def test_a_search_of_our_own_is_told_with_curves_pruning_and_defaults(tmp_path):
    search = search_of(trials=24, sampler="random", pruner={"name": "median", "warmup": 0})
    known = timed(run_search(search))
    history = {
        "epochs": [{"epoch": 1, "train_loss": 1.0, "kappa": 0.1}, {"epoch": 2, "kappa": 0.3}]
    }
    histories = {f"trial_{n:04d}": [history, history] for n in range(24)}
    searched = of_search("own", search, known, histories, {"training.batch_size": 16})
    values = [item.result.values[0] for item in known if item.result.state == "COMPLETE"]
    assert [trial.value for trial in searched.trials] == sorted(values, reverse=True)
    assert searched.trials[0].curves == {"train_loss": {1: 1.0}, "kappa": {1: 0.1, 2: 0.3}}
    write_analysis(tmp_path, searched)
    text = (tmp_path / "HYPERPARAMETER_TUNING_SUMMARY.md").read_text()
    pruned = searched.states["PRUNED"]
    assert f"| PRUNED | {pruned} ({pruned / 24:.0%}) |" in text
    assert "| `training.batch_size` | 16 |" in text and "Spared by pruning" in text
    with look():
        save(parameters(searched), tmp_path / "again.png")
    first = (tmp_path / "fig2_parameter_effects.png").read_bytes()
    assert (tmp_path / "again.png").read_bytes() == first


def test_the_most_memory_is_read_from_snakemakes_tables(tmp_path):
    for name, value in (("a", "812.5"), ("b", "NA")):
        (tmp_path / f"{name}.tsv").write_text(f"s\tmax_rss\n3.2\t{value}\n")
    assert peak_memory(sorted(tmp_path.glob("*.tsv"))) == 812.5
    assert "no times" in tuning(searched_by([0.1, 0.2], batch=[4, 8]))

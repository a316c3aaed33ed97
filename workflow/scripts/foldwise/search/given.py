"""Best parameters from a file: of this search, of another one, or of a system before Foldwise.

Standard library only: the rule files read this.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from foldwise.errors import FoldwiseError, nearest
from foldwise.files import read_json
from foldwise.settings.changes import present

# Where a file keeps its parameters, the first that is there: `changes` is ours and has the epochs
# of the search's last phase too; the others are what Optuna scripts write.
BRANCHES = ("changes", "best_params", "hyperparameters", "params")
# Names that such scripts give a setting. One that has meant different things in different systems,
# such as the weight of distillation, is not here: it is refused rather than guessed.
NAMES = {
    "lr": "training.lr",
    "learning_rate": "training.lr",
    "batch_size": "training.batch_size",
    "epochs": "training.epochs",
    "optimizer": "training.optimizer",
    "weight_decay": "training.weight_decay",
    "momentum": "training.momentum",
    "patience": "training.early_stopping.patience",
    "dropout": "model.dropout",
    "architecture": "model.name",
    "model_name": "model.name",
    "loss": "loss.name",
    "loss_type": "loss.name",
    "unknown_weight": "loss.unknown_weight",
}


def read_given(path: str | Path) -> dict[str, Any]:
    """Changes by dotted path, of a `*_best_params.json` or another file of best parameters.

    Raises FoldwiseError for a file that is not there or holds none, and for an unknown name.
    """
    where = str(path)
    if not Path(path).is_file():
        raise FoldwiseError(
            f"--config hyperparams={path}: no such file. A search writes "
            "results/<study>/search/<study>_best_params.json."
        )
    content = read_json(path)
    branch = content
    if isinstance(content, Mapping):
        branch = next((content[name] for name in BRANCHES if name in content), content)
    if not isinstance(branch, Mapping) or not branch:
        raise FoldwiseError(
            f"{where}: no parameters in it. Write them as an object, such as "
            '{"best_params": {"training.lr": 0.001}}.'
        )
    # A file may be of an earlier version, in which a setting had another name.
    return present(dict(_setting(name, value, where) for name, value in branch.items()))


def _setting(name: str, value: Any, where: str) -> tuple[str, Any]:
    if "." in name or name == "seed":
        return name, value
    if name not in NAMES:
        raise FoldwiseError(
            f"{where}: '{name}' is no setting here.{nearest(name, NAMES)} Write it with its branch "
            f"(config/README.md), such as `training.lr`; short names: {', '.join(NAMES)}."
        )
    # `AdamW` and `Focal Tversky` elsewhere are `adamw` and `focal_tversky` here.
    plain = value.lower().replace(" ", "_").replace("-", "_") if isinstance(value, str) else value
    return NAMES[name], plain

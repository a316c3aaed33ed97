"""What someone may have meant by a key that there is not: usual names, and spelling.

Standard library only.
"""

from collections.abc import Iterable

from foldwise.errors import nearest

# What other tools call a key -> our last step of its path. Spelling finds the rest.
USUAL = {
    "learning_rate": "lr",
    "lr0": "lr",
    "head_lr": "lr",
    "encoder_lr": "backbone_lr",
    "bs": "batch_size",
    "batch": "batch_size",
    "train_batch_size": "batch_size",
    "n_epochs": "epochs",
    "num_epochs": "epochs",
    "max_epochs": "epochs",
    "optim": "optimizer",
    "optimiser": "optimizer",
    "wd": "weight_decay",
    "l2": "weight_decay",
    "scheduler": "schedule",
    "lr_scheduler": "schedule",
    "lr_schedule": "schedule",
    "warmup": "lr_warmup_epochs",
    "freeze_epochs": "head_only_epochs",
    "grad_clip": "clip_norm",
    "max_grad_norm": "clip_norm",
    "gradient_accumulation_steps": "accumulate",
    "amp": "precision",
    "dtype": "precision",
    "n_jobs": "threads",
    "num_workers": "threads",
    "early_stop": "early_stopping",
    "drop_rate": "dropout",
    "architecture": "name",
    "arch": "name",
    "backbone": "name",
    "type": "name",
    "pretrained": "weights",
    "criterion": "loss",
    "focal_gamma": "gamma",
    "smoothing": "label_smoothing",
    "img_size": "size",
    "image_size": "size",
    "resolution": "size",
    "augmentation": "augment",
    "augmentations": "augment",
    "transforms": "augment",
    "hflip": "flip_horizontal",
    "vflip": "flip_vertical",
    "rotation": "rotate_deg",
    "k": "n",
    "k_folds": "n",
    "n_folds": "n",
    "n_splits": "n",
    "cv_folds": "n",
    "test_size": "holdout",
    "stratify": "strata",
    "random_state": "seed",
    "random_seed": "seed",
    "task": "kind",
    "dataset": "data",
    "data_dir": "root",
    "csv": "table",
    "labels": "label",
    "target": "label",
    "patient_id": "patient",
    "n_trials": "trials",
    "metric": "monitor",
    "search_space": "space",
}


def hint(word: str, options: Iterable[str]) -> str:
    """` Did you mean 'x'?` by usual name or spelling, or nothing; of keys or dotted paths."""
    names = [str(name) for name in options]
    branch, _, leaf = str(word).rpartition(".")
    spelt = leaf.lower().replace("-", "_")
    usual = USUAL.get(spelt) or spelt
    inside = [name for name in names if name.rpartition(".")[2] == usual]
    # In the branch that was named, else wherever there is just one.
    own = [name for name in inside if name.rpartition(".")[0] == branch]
    if own or len(inside) == 1:
        return f" Did you mean '{(own or inside)[0]}'?"
    return nearest(word, names)

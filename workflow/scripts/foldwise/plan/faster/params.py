"""Params that are what they are, and functions of which it is said what they take."""

import inspect
from collections.abc import Callable
from typing import Any

# What Snakemake would else find out by looking at the function, several times for each job.
TAKES = inspect.signature(lambda wildcards: None).parameters


def of_wildcards(function: Callable) -> Callable:
    """Decorator of a function that rules ask: it takes the wildcards and nothing else."""
    function._overwrite_params = TAKES
    return function


def without_tables(records_class: type) -> None:
    """Have params compared without importing pandas: none of them is a table of it."""
    if hasattr(records_class, "_serialize_param_builtin"):
        records_class._serialize_param = records_class._serialize_param_builtin


# What Snakemake keeps for a job's script as it is.
PLAIN = (type(None), bool, int, float, str, bytes, list, tuple, dict)


def kept_plain(job_class: type) -> None:
    """Have params kept for scripts without importing pandas: a second before a run's first job.

    job_class: what a script knows as `snakemake`. Others than plain params are kept as ever.
    """
    keep = getattr(job_class, "_safely_store_params", None)
    if keep is None or keep.__module__ == __name__:
        return  # another workflow of this process has asked for it, or there is none

    def _safely_store_params(self: Any, params: Any) -> None:
        if not all(isinstance(value, PLAIN) for value in params):
            keep(self, params)
            return
        self._params_store, self._params_types = type(params)(toclone=list(params)), {}
        self._params_store._take_names(params._get_names())

    job_class._safely_store_params = _safely_store_params

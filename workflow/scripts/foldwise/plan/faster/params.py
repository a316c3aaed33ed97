"""Params that are what they are, and functions of which it is said what they take."""

import inspect
from collections.abc import Callable

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

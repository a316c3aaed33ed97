"""Outputs inside other jobs' folders, looked for among folders alone.

Snakemake makes a path object of each output, sorts them and compares neighbours. An output can only
lie in another if that is one of the folders around outputs, which are few and can be asked at once.
"""

import os
from typing import Any


def looked_up(dag_class: type) -> None:
    """Have Snakemake compare outputs with each other only where one may lie in another."""
    look = dag_class.check_directory_outputs
    if look.__module__ == __name__:
        return  # another workflow of this process has asked for it

    def check_directory_outputs(dag: Any) -> None:
        outputs = {str(path) for job in dag.jobs for path in job.output}
        if not outputs.isdisjoint(around(outputs)) or any(map(unusual, outputs)):
            look(dag)

    dag_class.check_directory_outputs = check_directory_outputs


def around(paths: set[str]) -> set[str]:
    """All folders that paths lie in."""
    folders = {os.path.dirname(path) for path in paths}
    waiting = list(folders)
    while waiting:
        outer = os.path.dirname(waiting.pop())
        if outer not in folders:
            folders.add(outer)
            waiting.append(outer)
    return folders


def unusual(path: str) -> bool:
    """Whether the text of a path may differ from another's of the same place."""
    return path.startswith(("/", ".")) or "//" in path or "/." in path or path.endswith("/")

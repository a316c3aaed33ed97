"""How a job calls Snakemake on its node."""

import shlex
from pathlib import Path
from typing import Any

from snakemake_interface_executor_plugins import utils
from snakemake_interface_executor_plugins.executors.remote import RemoteExecutor
from snakemake_interface_executor_plugins.settings import DeploymentMethod, SharedFSUsage


def quoted(value: Any) -> str:
    """Text as one word of a shell; all else as Python writes it."""
    return shlex.quote(value) if isinstance(value, str) else repr(value)


# Snakemake writes text into the commands of jobs as `repr` does. A shell reads that otherwise where
# it holds a quote of either kind: the job fails, or a `$(...)` in a path is run on the node.
utils.repr = quoted  # type: ignore[attr-defined]


class InnerCall(RemoteExecutor):
    """Arguments of the inner Snakemake. `folder` is the registry's, `token` the job's."""

    folder: Path
    token = ""

    def get_jobscript(self, job: Any) -> str:
        """Beside it lies a list of the job's inputs, so no later driver may use the same name."""
        return str(self.folder / "scripts" / f"{self.token}.sh")

    def get_python_executable(self) -> str:
        """Quoted, since Snakemake puts it into the command as it is."""
        return shlex.quote(super().get_python_executable())

    def get_job_args(self, job: Any) -> str:
        """As many cores as were asked for: on a shared node `all` would take the others' too."""
        return f"{super().get_job_args(job)} --cores {int(job.resources.get('_cores') or 1)}"

    def additional_general_args(self) -> str:
        """The inner Snakemake shares all but the records, so that the mark of an unfinished output
        stays until a driver, this one or the next, has seen the end of its job."""
        usage = self.workflow.storage_settings.shared_fs_usage - {SharedFSUsage.PERSISTENCE}
        args = ["--shared-fs-usage", *sorted(each.item_to_choice() for each in usage)]
        methods = self.workflow.deployment_settings.deployment_method
        for method, flag, attribute in (
            (DeploymentMethod.CONDA, "--conda-prefix", "conda_env_path"),
            (DeploymentMethod.APPTAINER, "--apptainer-prefix", "container_img_path"),
        ):
            path = getattr(self.workflow.persistence, attribute, None)
            args += [flag, shlex.quote(str(path))] if method in methods and path else []
        return " ".join(args)

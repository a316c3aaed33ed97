"""Settings of the plugin: `--pbspro-<name>`, or `pbspro-<name>:` in a profile."""

from dataclasses import dataclass, field

from snakemake_interface_executor_plugins.settings import CommonSettings, ExecutorSettingsBase

common_settings = CommonSettings(
    non_local_exec=True,
    implies_no_shared_fs=False,
    job_deploy_sources=False,
    # Secrets of `envvars:` go through a file of mode 0600: a job script is spooled and logged.
    pass_envvar_declarations_to_cmd=False,
    auto_deploy_default_storage_provider=False,
)


def _setting(default: object, help_text: str) -> object:
    return field(default=default, metadata={"help": help_text, "env_var": False, "required": False})


@dataclass
class ExecutorSettings(ExecutorSettingsBase):
    """Where jobs go and what a request looks like at this site."""

    queue: str = _setting("", "Queue of jobs without a GPU; unset: the site's default")
    gpu_queue: str = _setting("", "Queue of jobs with `gpu`; unset: as `queue`")
    project: str = _setting("", "Project (qsub -P)")
    account: str = _setting("", "Account (qsub -A)")
    gpu_resource: str = _setting("ngpus", "The site's name for GPUs in a chunk")
    cpus_per_gpu: int = _setting(0, "Cores a GPU must be asked with, at sites that fix them")
    jobs_per_gpu: int = _setting(1, "Jobs of one group that share a GPU (see group-components)")
    overhead_mb: int = _setting(150, "Added to `mem_mb` for each Snakemake inside a job")
    chunk: str = _setting("", "Added to the chunk of jobs without a GPU, as in `arch=milan`")
    gpu_chunk: str = _setting("", "Added to the chunk of jobs with a GPU, as in `gpu_mem=40gb`")
    extra: str = _setting("", "More qsub options for jobs without a GPU")
    gpu_extra: str = _setting("", "More qsub options for jobs with a GPU")
    retry_walltime: float = _setting(1.5, "A retry asks for this many times the walltime before")
    max_walltime: int = _setting(0, "Longest walltime to ask for, minutes; 0: no bound")
    prologue: str = _setting("", "Shell lines before each job, as in `module load apptainer`")
    umask: str = _setting("077", "Umask of jobs and their logs (qsub -W umask)")
    logdir: str = _setting("", "Folder of job logs; unset: .snakemake/pbspro/logs")
    poll: int = _setting(10, "Seconds between questions to the server: one for all jobs")
    patience: int = _setting(60, "Seconds that one PBS command may take; at least 60 to cancel")
    status_every: int = _setting(60, "Seconds between lines on what is queued and running; 0: none")

"""Run Snakemake jobs on PBS Pro or OpenPBS, and lose none of them."""

from snakemake_executor_plugin_pbspro.executor import Executor
from snakemake_executor_plugin_pbspro.settings import ExecutorSettings, common_settings

__version__ = "0.1.0"
__all__ = ["Executor", "ExecutorSettings", "common_settings"]

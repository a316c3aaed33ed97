"""Snakemake, telling each job in full on stdout, whatever its terminal shows; for tests alone."""

import logging
import sys

from snakemake.cli import main
from snakemake.logging import DefaultFormatter, logger


def tell(record: logging.LogRecord) -> bool:
    """Rule, files and wildcards of a job that starts or is planned."""
    if getattr(getattr(record, "event", None), "name", "") == "JOB_INFO":
        print("\n".join(DefaultFormatter()._format_job_info(record.__dict__)), flush=True)
    return True


if __name__ == "__main__":
    logger.addFilter(tell)
    sys.argv[0] = "snakemake"
    main()

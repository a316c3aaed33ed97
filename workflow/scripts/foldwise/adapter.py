"""What every adapter does around its one call: log file, permissions, errors without traceback."""

import logging
import os
import re
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from foldwise.disk import is_full, no_space
from foldwise.errors import FoldwiseError
from foldwise.origin import check_inputs, forget_origin, note_origin


@contextmanager
def adapter(snakemake: Any) -> Iterator[logging.Logger]:
    """Run the body with output in the job's log; a FoldwiseError becomes its message alone.

    `Error:` begins what the terminal shows of a job that failed (terminal.py). Files are made
    without rights for others, since results derive from patients' data.
    """
    os.umask(0o077)
    logger = open_log(str(snakemake.log[0]))
    # First: a job that fails must not leave an origin of before beside its outputs.
    forget_origin(snakemake)
    try:
        check_inputs(snakemake)
        yield logger
        note_origin(snakemake)
    except FoldwiseError as error:
        logger.error("Error: %s", error)
        sys.exit(1)
    except Exception as error:
        target = snakemake.output[0]
        if isinstance(error, OSError) and is_full(error, os.path.dirname(target)):
            logger.error("Error: %s", no_space(target))
            sys.exit(1)
        frames = traceback.extract_tb(error.__traceback__)
        logger.error("Error: unexpected %s in rule %s", type(error).__name__, snakemake.rule)
        for frame in frames:
            logger.error("  %s line %s in %s", frame.filename, frame.lineno, frame.name)
        # Where archives are read, a library's message may quote a file name or a header value.
        if not any(re.search("foldwise/(cohort|pixels)/", frame.filename) for frame in frames):
            logger.error("%s", error)
        sys.exit(1)


def open_log(path: str) -> logging.Logger:
    """Send logging, stdout and stderr to `path`, line by line, so that it can be followed."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    Path(path).write_bytes(b"")
    # Stays open until the process ends: everything the job prints goes there. Appended, since a
    # job that a killed run has left behind may still write.
    stream = open(path, "a", buffering=1, encoding="utf-8")  # noqa: SIM115
    sys.stdout = sys.stderr = stream
    # The descriptors too: C libraries and child processes write below Python's streams.
    os.dup2(stream.fileno(), 1)
    os.dup2(stream.fileno(), 2)
    warnings.simplefilter("ignore")
    logging.basicConfig(
        stream=stream, level=logging.INFO, format="%(asctime)s %(message)s", force=True
    )
    return logging.getLogger("foldwise")

"""The script that PBS runs: one job a token, the driver's programs, an exit code that is whole."""

import os
import shlex
import sys
from pathlib import Path

from snakemake_executor_plugin_pbspro.settings import ExecutorSettings

# 75: another job holds the token. 76: no shared folder. 77: the registry has no such job.
# Each value of the outside is quoted once, where it is given to a variable: within the script's own
# double quotes a second pair would end, and what stands between would be run.
TEMPLATE = r"""#!/bin/bash
workdir={workdir} folder={folder} bin={bin}
umask {umask}
cd "$workdir" && cd "$folder" || {{ echo "No $folder on $(hostname): not shared" >&2; exit 76; }}
ls jobs >/dev/null
[ -e jobs/{token}.json ] || {{ echo "Given up by its driver" >&2; exit 77; }}
( set -C; echo "$PBS_JOBID" > claims/{token} ) 2>/dev/null
[ "$(cat claims/{token})" = "$PBS_JOBID" ] || {{ echo "Another job runs this" >&2; exit 75; }}
set -a; . ./environment.sh; set +a
export PATH="$bin:$PATH" PBSPRO_STATUS="$folder/status/{token}"
{prologue}
# A shell that catches SIGTERM outlives it, so that what the job saves within PBS's ten seconds
# is followed by the exit code; the job itself gets the signal as usual.
trap : TERM
cd {workdir}
{command} </dev/null
code=$?
cd {folder}
echo $code > exits/.{token} && mv exits/.{token} exits/{token}
exit $code
"""


def write_script(
    folder: Path, token: str, command: str, workdir: str, settings: ExecutorSettings
) -> Path:
    """Write the script of one job, for its owner alone."""
    path = folder / "scripts" / f"{token}.sh"
    words = {"umask": settings.umask, "workdir": workdir, "folder": folder}
    words |= {"bin": os.path.dirname(sys.executable)}
    quoted = {name: shlex.quote(str(word)) for name, word in words.items()}
    whole = {"token": token, "prologue": settings.prologue, "command": command}
    path.write_text(TEMPLATE.format(**quoted, **whole))
    path.chmod(0o700)
    return path


def write_environment(path: Path, variables: dict[str, str]) -> None:
    """Write the variables that the workflow declares (secrets among them) for its owner alone."""
    temporary = path.with_suffix(".tmp")
    with open(os.open(temporary, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as stream:
        stream.writelines(f"{name}={shlex.quote(value)}\n" for name, value in variables.items())
    os.replace(temporary, path)

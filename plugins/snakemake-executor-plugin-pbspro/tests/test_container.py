"""Jobs in a container: what a profile says of Apptainer reaches the node; secrets stay hidden."""

import os

SNAKEFILE = """
envvars: "A_SECRET"
container: "image.sif"
rule one:
    output: "out"
    resources: gpu=1, mem_mb=100
    shell: "env > {output}"
"""
# Notes how it was called and runs the command, which follows the image, outside of any image.
APPTAINER = """#!/bin/bash
[ "$1" = --version ] && {{ echo apptainer version 1.3.0; exit; }}
echo "$*" >> {calls}
while [ "$(basename "$1")" != image.sif ]; do shift; done
shift
exec "$@"
"""


def test_apptainer_is_called_with_the_profile_s_arguments(workflow, cluster):
    flow = workflow(SNAKEFILE)
    (flow.folder / "image.sif").touch()
    calls = cluster.folder / "apptainer.calls"
    for folder in (cluster.bin, cluster.folder / "bin"):  # of the login node, of the node
        (folder / "apptainer").write_text(APPTAINER.format(calls=calls))
        (folder / "apptainer").chmod(0o755)
    sharing = ["--sdm", "apptainer", "--apptainer-args", "--nv --bind /shared/archive"]
    code, output = flow.run(
        *sharing, "--pbspro-prologue", "export LOADED=yes", A_SECRET="it's a secret"
    )
    assert code == 0, output
    assert "--nv --bind /shared/archive" in calls.read_text()
    seen = (flow.folder / "out").read_text()
    assert "LOADED=yes" in seen and "A_SECRET=it's a secret" in seen
    written = [calls, *(flow.folder / ".snakemake").rglob("*.sh"), *flow.folder.rglob("*.log")]
    written = [path for path in written if path.name != "environment.sh"]
    assert len(written) > 3
    assert not any("a secret" in path.read_text() for path in written)
    assert os.stat(flow.folder / ".snakemake/pbspro").st_mode & 0o077 == 0

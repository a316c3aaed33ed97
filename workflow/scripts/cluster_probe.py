"""Rules cpu_probe, gpu_probe: what a job sees of its node."""

from foldwise.adapter import adapter
from foldwise.cluster.probe import probe
from foldwise.files import write_json

with adapter(snakemake):
    probed = probe(snakemake.threads, snakemake.resources.mem_mb, snakemake.resources.gpu > 0)
    write_json(snakemake.output[0], probed)

"""Rule cache_shard: the images of one shard, decoded and prepared."""

from functools import partial

from foldwise.adapter import adapter
from foldwise.cohort.identity import Names, load_key
from foldwise.cohort.shards import locate, read_list
from foldwise.pixels.cache import Crew, write_shard
from foldwise.pixels.decode.base import of_content
from foldwise.pixels.isolation import Limits
from foldwise.pixels.prepare import ImageSettings
from foldwise.registry import load

PRIVATE = "results/private"

with adapter(snakemake):
    source, key = snakemake.params.source, snakemake.wildcards.key
    decoder, settings = load("DECODERS", source["reader"])(), ImageSettings(**source["image"])
    contents = read_list(f"results/cache/{key}/lists", snakemake.wildcards.shard)
    write_shard(
        read=partial(
            of_content, decoder, settings, locate(PRIVATE, contents), Names(load_key(PRIVATE))
        ),
        contents=contents,
        shape=decoder.shape(settings),
        dtype=settings.dtype,
        out=(snakemake.output.pixels, snakemake.output.rows),
        crew=Crew(snakemake.threads, Limits.of_job(snakemake.resources.mem_mb, snakemake.threads)),
    )

"""What the rules of bundles read: which run is handed over, and where it is put.

Methods that take `wildcards` are used in the rule files as they are. Standard library, PyYAML and
jsonschema only.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

from foldwise import __version__
from foldwise.errors import FoldwiseError
from foldwise.hashing import digest
from foldwise.plan.fingerprint import code_of, words
from foldwise.plan.studies import Studies, Wildcards
from foldwise.report import templates
from foldwise.settings.kinds import has_classes, has_holdout
from foldwise.settings.shared_key import NEW, read_shared_key

# Settings of a bundle that it says of itself, or that decide what is put in.
ABOUT = ("licence", "contact", "onnx", "torch_export", "tokenizer")
RUN = "results/{study}/runs/{run}"


class Bundles:
    """The bundles of the studies."""

    def __init__(self, studies: Studies) -> None:
        self.studies = studies

    def run(self, wildcards: Wildcards) -> str:
        """The run that a study hands over."""
        study = self.studies.of(wildcards)
        # The reported run unless another is named: what is read about is what is handed over.
        return study["bundle"]["run"] or study["report"]["run"]

    def params(self, wildcards: Wildcards) -> str:
        """Input: settings of that run."""
        return f"{self._folder(wildcards)}/params.json"

    def summary(self, wildcards: Wildcards) -> str:
        """Input: its cross-validation."""
        return f"{self._folder(wildcards)}/cv_summary.json"

    def holdout(self, wildcards: Wildcards) -> list[str]:
        """Input: its holdout, of a study that has one."""
        there = has_holdout(self.studies.of(wildcards))
        return [f"{self._folder(wildcards)}/holdout_summary.json"] if there else []

    def reliability(self, wildcards: Wildcards) -> list[str]:
        """Input: its calibration and conformal sets, of a study of classes."""
        names = ("calibration", "conformal") if has_classes(self.studies.of(wildcards)) else ()
        return [f"{self._folder(wildcards)}/{name}.json" for name in names]

    def models(self, wildcards: Wildcards) -> list[str]:
        """Input: the kept weights of its folds."""
        return self._of_folds(wildcards, "best_model.pt")

    def embeddings(self, wildcards: Wildcards) -> list[str]:
        """Input: features of its validation images."""
        return self._of_folds(wildcards, "embeddings_val.npy")

    def about(self, wildcards: Wildcards) -> dict[str, Any]:
        """Params: what a bundle says of itself from the study's settings."""
        study = self.studies.of(wildcards)
        own = {name: study["bundle"][name] for name in ABOUT}
        data = study["data"]
        return own | {"study": study["name"], "reader": data["reader"], "group_by": data["group"]}

    def targets(self, _: Wildcards) -> list[str]:
        """Targets of `bundle`: one of each study that trains."""
        names = self.studies.training
        return [f"results/{name}/bundle/{name}-{__version__}.zip" for name in names]

    def given(self, wildcards: Wildcards) -> str:
        """Input: the bundle that a study validates."""
        # The rule's input: a bundle that is replaced makes the validation stale.
        bundle = self.studies.of(wildcards)["validate"]["bundle"]
        if not bundle:
            raise FoldwiseError(
                f"Study '{wildcards.study}' validates no bundle. Name one in validate.bundle; "
                "docs/use_a_model.md describes it."
            )
        return bundle

    def key(self, wildcards: Wildcards) -> list[str]:
        """Input: the key by which a bundle names its pictures, where the study has one to share.

        Raises FoldwiseError for a file that holds none: now, and not after all training.
        """
        path = self.studies.of(wildcards)["bundle"]["pixel_key"]
        if not path:
            return []
        read_shared_key(path, f"{wildcards.study}: bundle.pixel_key", NEW)
        return [path]

    def given_key(self, wildcards: Wildcards) -> list[str]:
        """Input: the same key at the site that validates it."""
        return [path for path in [self.studies.of(wildcards)["validate"]["pixel_key"]] if path]

    def subgroups(self, wildcards: Wildcards) -> list[str]:
        """Input: values and columns of a site's subgroups, where its study names any."""
        named = self.studies.of(wildcards)["data"]["columns"]["subgroups"]
        base = f"results/{wildcards.study}/subgroups"
        return [f"{base}.csv", f"{base}.json"] if named else []

    def code(self, rule: str) -> Callable[[Wildcards], str]:
        """Params: a digest of the code that the run handed over reaches from a rule's adapter."""

        def read(wildcards: Wildcards) -> str:
            # Its network may be another than the study's own.
            run = self.run(wildcards)
            return code_of(rule, self.studies.words_of_run(wildcards.study, run))

        return read

    def page_code(self, wildcards: Wildcards) -> str:
        """Params of `site_page`: a digest of its code and templates."""
        words_of = words(self.studies.of(wildcards))
        # Snakemake sees no change of a template by itself.
        return digest([code_of("site_page", words_of), templates.digests_of_site()])

    def bundle_code(self, wildcards: Wildcards) -> str:
        """Params of `make_bundle`: a digest of its code and of the model card's template."""
        return digest([self.code("make_bundle")(wildcards), templates.digest_of_card()])

    def training(self) -> str:
        """Names of the studies that train, as the pattern of a wildcard.

        A bundle of any other study is a file like any, wherever it lies.
        """
        return pattern(self.studies.training)

    def validating(self) -> str:
        """Names of the studies that validate a bundle, as the pattern of a wildcard."""
        return pattern(set(self.studies.names) - set(self.studies.training))

    def _folder(self, wildcards: Wildcards) -> str:
        return RUN.format(study=wildcards.study, run=self.run(wildcards))

    def _of_folds(self, wildcards: Wildcards, name: str) -> list[str]:
        folder, folds = self._folder(wildcards), self.studies.folds(wildcards)
        return [f"{folder}/fold_{fold}/results/{name}" for fold in folds]


def pattern(names: Iterable[str]) -> str:
    """What matches these names alone; of none, what nothing matches."""
    return "|".join(map(re.escape, sorted(names))) or "(?!)"

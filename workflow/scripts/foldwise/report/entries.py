"""The figures of a report: what stands above and below each, and what it reads.

Standard library only: the rule files read this.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """A figure: its heading, the caption under it, and the kinds of files it reads."""

    title: str
    caption: str
    needs: tuple[str, ...]
    section: str = ""  # of the report, where it does not stand by its name
    single: str = ""  # the caption of a study of one split, where it is another

    def caption_of(self, single: bool) -> str:
        """The caption of a study with one split, or with several folds."""
        return (single and self.single) or self.caption


FIGURES = {
    "cohort_flow": Entry(
        "Cohort flow",
        "From the archive to the analysed set. Beside each arrow: what does not go on, and why.",
        ("manifest",),
    ),
    "fold_composition": Entry(
        "Composition of the folds",
        "Images of each class in the part that each fold is judged on, and in the holdout where "
        "there is one. All images of a group are in one part.",
        ("params", "cohort", "folds", "manifest"),
        "folds",
    ),
    "zone_composition": Entry(
        "Composition of the folds",
        "Zones of each score in the part that each fold is judged on, and in the holdout where "
        "there is one. All images of a group are in one part.",
        ("params", "cohort", "folds", "manifest"),
        "folds",
    ),
    "mask_composition": Entry(
        "Composition of the folds",
        "Images by their share of foreground, cut in five parts of equal size over all images, in "
        "the part that each fold is judged on, and in the holdout where there is one. All images "
        "of a group are in one part.",
        ("cohort", "folds", "manifest"),
        "folds",
    ),
    "training": Entry(
        "Training curves",
        "Each fold in colour, others behind it in grey. The dotted line marks the epoch whose "
        "weights were kept.",
        ("histories",),
        single="Loss and metric after each epoch. The dotted line marks the epoch whose weights "
        "were kept.",
    ),
    "learning_curve": Entry(
        "Learning curve",
        "The metric of all validation predictions against the size of the training part, with its "
        "interval over whole groups; the curve is a - b n^-c, its band the interval over draws.",
        ("learning_curve", "manifest"),
    ),
    "metrics": Entry(
        "Metrics with intervals",
        "The metric of all validation predictions as one set with its bootstrap interval over "
        "whole groups; where there are several folds, each of them and their mean with the "
        "corrected resampled t interval, which allows for overlapping training sets.",
        ("summary", "manifest"),
        single="Metrics of the validation part with their bootstrap intervals over whole groups.",
    ),
    "confusion": Entry(
        "Confusion matrix",
        "All validation predictions, each image judged once by a model that had not seen its "
        "group. Large: counts; small and shade: share of the true class.",
        ("params", "predictions"),
        "answers",
    ),
    "zone_confusion": Entry(
        "Confusion of each zone",
        "All validation predictions, each image judged once by a model that had not seen its "
        "group, each zone where it lies in the picture; ? is unknown. Numbers: counts; shade: "
        "share of the true score. Kappa, with quadratic weights, is of zones that both scored.",
        ("params", "predictions"),
        "answers",
    ),
    "score_agreement": Entry(
        "Mean score, predicted and read",
        "A dot an image, of the zones with a score. Left: on the line, both agree; dotted, the "
        "severity bands. Right: the difference against the mean of both, with its mean (bias) and "
        "the limits between which 95 % of differences lie, if they are normally distributed.",
        ("params", "predictions"),
        "answers",
    ),
    "overlays": Entry(
        "Best, median and worst",
        "Validation images, by their Jaccard. Of each: the image, what was found, "
        "missed and added at the threshold, and the predicted probability, dark 0 to light 1.",
        ("examples", "params"),
        "answers",
    ),
    "objects": Entry(
        "Objects counted and sized",
        "A dot a validation image. Above: number of objects against the truth, and the difference "
        "against the mean of both, with its mean (bias) and the limits between which 95 % of "
        "differences lie, if they are normally distributed. Below: size of an image's median "
        "object, and the overlap of images by how much foreground there is.",
        ("predictions",),
        "answers",
    ),
    "roc": Entry(
        "ROC curves",
        "Each class against the rest. AUC of all validation predictions as one set, and its range "
        "over folds where there are several.",
        ("params", "predictions"),
        single="Each class against the rest, in the validation part.",
    ),
    "precision_recall": Entry(
        "Precision-recall curves",
        "Each class against the rest. AP: average precision of all validation predictions as one "
        "set, and its range over folds where there are several. Chance is the share of the class.",
        ("params", "predictions"),
        single="Each class against the rest, in the validation part. AP: average precision. Chance "
        "is the share of the class.",
    ),
    "calibration": Entry(
        "Calibration",
        "Left: how often a prediction of given confidence is right, with 95 % Wilson intervals, "
        "and how many there are. Right: share of the class among fifths of the images, ordered by "
        "its probability. On the dotted line, probabilities mean what they say.",
        ("params", "predictions"),
    ),
    "mended": Entry(
        "Calibration, before and after",
        "How often the predicted class is right at a given confidence, in tenths of five images or "
        "more. Probabilities are mended by a map that was fitted to the other folds, or of one "
        "split to other groups of it. On the dotted line, they mean what they say.",
        ("calibration",),
        single="How often the predicted class is right at a given confidence, in tenths of five "
        "images or more. Probabilities are mended by a map that was fitted to other groups of the "
        "validation part. On the dotted line, they mean what they say.",
    ),
    "decision": Entry(
        "Decision curves",
        "Net benefit of acting where a class's probability reaches the threshold (Vickers & Elkin "
        "2006), of all validation predictions, against acting on all and on none. Above both, the "
        "predictions help at that threshold.",
        ("calibration",),
    ),
    "triage": Entry(
        "Who can be decided",
        "Left: share of wrong predictions among the surest ones, of all validation predictions; "
        "dotted, the stated error. Right: how many classes the conformal sets hold.",
        ("conformal",),
    ),
    "subgroups": Entry(
        "Subgroups",
        "The metric of each subgroup's validation predictions as one set, with its bootstrap "
        "interval over whole groups, and number of images. The line is of all images.",
        ("subgroups",),
    ),
    "gradcam": Entry(
        "Grad-CAM",
        "Validation films of the best fold, from best to worst by the probability of the truth. "
        "Beside each film: the places that speak for the predicted class; the line is half of the "
        "maximum.",
        ("gradcam", "summary"),
        single="Validation films, from best to worst by the probability of the truth. Beside each "
        "film: the places that speak for the predicted class; the line is half of the maximum.",
    ),
    "holdout": Entry(
        "Holdout beside cross-validation",
        "Images that no fold has seen: each fold's model by itself, and all together (the mean of "
        "what they predict) with the bootstrap interval over whole groups. Above: the validation "
        "parts, where there are several folds their mean with the interval corrected for "
        "overlapping training sets.",
        ("holdout", "summary", "manifest"),
        "holdout",
        single="Images that the model has not seen, with the bootstrap interval over whole groups. "
        "Above: the validation part.",
    ),
    "holdout_confusion": Entry(
        "Confusion matrix of the holdout",
        "Images that no fold has seen, as the models of all folds predict them together. Large: "
        "counts; small and shade: share of the true class.",
        ("params", "holdout_predictions"),
        "holdout",
    ),
    "holdout_zone_confusion": Entry(
        "Confusion of each zone, of the holdout",
        "Images that no fold has seen, as the models of all folds predict them together, each zone "
        "where it lies in the picture; ? is unknown. Numbers: counts; shade: share of the true "
        "score. Kappa, with quadratic weights, is of zones that both scored.",
        ("params", "holdout_predictions"),
        "holdout",
    ),
    "holdout_objects": Entry(
        "Objects counted and sized, of the holdout",
        "A dot an image that no fold has seen, as the models of all folds predict it together; "
        "otherwise as for the validation images above.",
        ("holdout_predictions",),
        "holdout",
    ),
}

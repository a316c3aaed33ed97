"""How the losses of a search weigh easy and hard elements, measured by autograd.

An element is what has a probability of its own: a pixel of a mask, an image, a zone of an image,
or an image for each label. Predictions are those of the best trial on its validation part, the
truth is the study's, and each loss has the settings of the best trial that used it. Nothing is
assumed.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from foldwise.evaluate.metrics.heads import columns

ELEMENTS = {
    "segmentation": "pixels",
    "classification": "images",
    "zones": "zones of images",
    "distillation": "images, for each label",
}
# Probability of the truth: hard below the first, easy from the second on.
HARD, EASY = 0.5, 0.9
NAMES = ("easy", "medium", "hard")
BINS = 20
PLACES = np.linspace(0.02, 0.98, 49)
# Step of the finite differences along the gradient's sign; the loss is computed in float32.
STEP = 1e-2
MOST_BATCHES = 8

Batch = dict[str, Tensor]
# Logits, or what a network with several labels answers: `logits` by label, and features.
Answer = Any


class Given(nn.Module):
    """A network whose answer is given, so that a task's loss is a function of the answer alone."""

    def __init__(self, answer: Answer):
        super().__init__()
        self.answer = answer

    def forward(self, *_: Tensor) -> Answer:
        """The answer, whatever is asked."""
        return self.answer


@dataclass(frozen=True)
class Measured:
    """Of one batch: the loss, each element's probability of the truth and size of gradient (N,)."""

    loss: float
    truth: np.ndarray
    gradient: np.ndarray
    error: float


def logits_of(answer: Answer) -> list[Tensor]:
    """The logits of an answer, a tensor a label where there are several."""
    return [answer] if isinstance(answer, Tensor) else list(answer.logits.values())


def with_logits(answer: Answer, logits: list[Tensor]) -> Answer:
    """The same answer with other logits."""
    if isinstance(answer, Tensor):
        return logits[0]
    return replace(answer, logits=dict(zip(answer.logits, logits, strict=True)))


def measured(task: Any, criterion: Callable, answer: Answer, batch: Batch, kind: str) -> Measured:
    """The loss of an answer, and by autograd what each element contributes to its gradient."""
    leaves = [one.detach().float().requires_grad_() for one in logits_of(answer)]
    loss = loss_of(task, criterion, with_logits(answer, leaves), batch)
    gradients = torch.autograd.grad(loss, leaves)
    error = difference_error(task, criterion, answer, batch, gradients)
    pairs = zip(leaves, targets(kind, task, batch), strict=True)
    truth = [probability_of_truth(kind, one.detach(), target) for one, target in pairs]
    sizes = [_sizes(kind, gradient) for gradient in gradients]
    return Measured(
        loss.item(),
        torch.cat([one.flatten() for one in truth]).cpu().numpy(),
        torch.cat([one.flatten() for one in sizes]).cpu().numpy(),
        error,
    )


def loss_of(task: Any, criterion: Callable, answer: Answer, batch: Batch) -> Tensor:
    """The task's own loss of an answer."""
    return task.loss(Given(answer), criterion, batch)["loss"]


def difference_error(
    task: Any, criterion: Callable, answer: Answer, batch: Batch, gradients: tuple[Tensor, ...]
) -> float:
    """Relative error of the gradient against a central difference along its sign."""
    logits = [one.detach().float() for one in logits_of(answer)]
    ends = [
        loss_of(
            task,
            criterion,
            with_logits(
                answer,
                [one + side * STEP * g.sign() for one, g in zip(logits, gradients, strict=True)],
            ),
            batch,
        ).item()
        for side in (1, -1)
    ]
    expected = sum(gradient.abs().double().sum().item() for gradient in gradients)
    # Along the sign the derivative is the sum of all sizes: one difference checks them all at once.
    return abs((ends[0] - ends[1]) / (2 * STEP) - expected) / max(expected, 1e-12)


def _sizes(kind: str, gradient: Tensor) -> Tensor:
    """Size of each element's gradient: of a pixel its value, of several logits their sum."""
    return gradient.abs() if kind == "segmentation" else gradient.abs().sum(dim=-1)


def targets(kind: str, task: Any, batch: Batch) -> list[Tensor]:
    """The truth of each of the logits' tensors."""
    if kind == "segmentation":
        return [batch["planes"][:, :1]]
    if kind == "distillation":
        return [batch[columns(head)[0]] for head in task.heads]
    return [batch["score" if kind == "zones" else "label"]]


def probability_of_truth(kind: str, logits: Tensor, target: Tensor) -> Tensor:
    """What the answer gives to the truth of each element, 0 to 1."""
    if kind == "segmentation":
        return torch.where(target > 0, logits, -logits).sigmoid()
    return logits.softmax(dim=-1).gather(-1, target[..., None].long())[..., 0]


def answer_of_truth(kind: str, answer: Answer, target: list[Tensor], truth: float) -> Answer:
    """An answer that gives the same probability to the truth of each element."""
    logit = float(np.log(truth / (1 - truth)))
    if kind == "segmentation":
        return torch.where(target[0] > 0, logit, -logit).float()
    made = []
    for logits, true in zip(logits_of(answer), target, strict=True):
        # Against K - 1 equal others, log p / (1 - p) is taken with their number.
        own = logit + float(np.log(logits.shape[-1] - 1))
        made.append(torch.zeros_like(logits).scatter(-1, true[..., None].long(), own))
    return with_logits(answer, made)


def answers(task: Any, model: nn.Module, batches: list[Batch]) -> Iterator[tuple[Answer, Batch]]:
    """What a model answers to each batch, and the batch."""

    class Recorder(nn.Module):
        """Keeps what the task's loss asks of the network."""

        def forward(self, *inputs: Tensor) -> Answer:
            self.answer = model(*inputs)
            return self.answer

    for batch in batches:
        recorder = Recorder()
        # The network's own graph is not needed: gradients are taken at its answer.
        with torch.no_grad():
            task.loss(recorder, lambda answer, *_: {"loss": answer}, batch)
        yield recorder.answer, batch


def of_loss(
    task: Any, criterion: Callable, given: list[tuple[Answer, Batch]], kind: str
) -> dict[str, Any]:
    """One loss on the predictions of one size: value, shares by difficulty, gradient by truth."""
    parts = [measured(task, criterion, answer, batch, kind) for answer, batch in given]
    truth = np.concatenate([part.truth for part in parts])
    gradient = np.concatenate([part.gradient for part in parts])
    # A loss that is solved has no gradient, and so no shares of one.
    total = max(gradient.sum(), 1e-30)
    groups = {"easy": truth >= EASY, "hard": truth < HARD}
    groups["medium"] = ~(groups["easy"] | groups["hard"])
    # A probability of exactly 1 belongs into the last bin, not behind it.
    place = np.minimum((truth * BINS).astype(int), BINS - 1)
    return {
        "loss": float(np.mean([part.loss for part in parts])),
        "n": len(truth),
        "shares": {name: float(groups[name].mean()) for name in NAMES},
        "gradient": {name: float(gradient[groups[name]].sum() / total) for name in NAMES},
        "error": max(part.error for part in parts),
        "bins": [
            {
                "truth": float(truth[place == index].mean()),
                "n": int((place == index).sum()),
                "gradient": float(gradient[place == index].mean() * len(truth) / len(parts)),
            }
            for index in range(BINS)
            if (place == index).any()
        ],
    }


def shape_of(
    task: Any, criterion: Callable, given: tuple[Answer, Batch], kind: str
) -> list[dict[str, float]]:
    """The loss and its mean gradient where all elements of a batch are equally hard."""
    answer, batch = given
    rows = []
    for truth in PLACES:
        even = answer_of_truth(kind, answer, targets(kind, task, batch), float(truth))
        at_truth = measured(task, criterion, even, batch, kind)
        rows.append(
            {"truth": float(truth), "loss": at_truth.loss, "gradient": at_truth.gradient.sum()}
        )
    return [{name: float(value) for name, value in row.items()} for row in rows]


def report_of(
    task: Any,
    kind: str,
    criteria: Mapping[str, Callable],
    by_size: Mapping[int, list[tuple[Answer, Batch]]],
) -> dict[str, Any]:
    """All losses at all sizes, in the form that figures and documents read."""
    largest = max(by_size)
    return {
        "element": ELEMENTS[kind],
        "hard": HARD,
        "easy": EASY,
        "losses": {
            name: {
                "sizes": {
                    str(size): of_loss(task, criterion, given, kind)
                    for size, given in by_size.items()
                },
                "shape": shape_of(task, criterion, by_size[largest][0], kind),
            }
            for name, criterion in criteria.items()
        },
    }

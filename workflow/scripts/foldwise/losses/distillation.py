"""What a student learns from: the labels (alpha), and a teacher's answers (beta) and features.

    loss = alpha CE + beta T^2 KL + feature MSE + contrastive InfoNCE + relational_distance RKD-D
           + relational_angle RKD-A + mmd MMD^2

Each name in front of a term is the setting that multiplies it; CE and KL are means over heads.
The feature, contrastive and MMD terms compare the student's fused features, mapped linearly to
the teacher's width, with the teacher's; the relational terms need no map.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

TERMS = ("feature", "contrastive", "relational_distance", "relational_angle", "mmd")
KEYS = ("alpha", "beta", "temperature", "tau", *TERMS)


def soft_targets(student_bk: Tensor, teacher_bk: Tensor, temperature: float) -> Tensor:
    """T^2 KL(teacher || student) of softmax(logits / T), mean over samples.

    Hinton et al. 2015, Distilling the knowledge in a neural network, arXiv:1503.02531.
    """
    student = (student_bk.float() / temperature).log_softmax(dim=1)
    teacher = (teacher_bk.float() / temperature).log_softmax(dim=1)
    divergence = functional.kl_div(student, teacher, reduction="batchmean", log_target=True)
    # Gradients of soft answers shrink by 1 / T^2: so beta means the same at every temperature.
    return temperature**2 * divergence


def feature(student_bd: Tensor, teacher_bd: Tensor) -> Tensor:
    """Mean squared difference. Romero et al. 2015, FitNets, ICLR."""
    return (student_bd.float() - teacher_bd.float()).square().mean()


def contrastive(student_bd: Tensor, teacher_bd: Tensor, tau: float) -> Tensor:
    """InfoNCE: which of the batch's teacher features is of the same sample, by cosine / tau.

    van den Oord et al. 2018, Representation learning with contrastive predictive coding,
    arXiv:1807.03748.
    """
    student = functional.normalize(student_bd.float(), dim=1)
    teacher = functional.normalize(teacher_bd.float(), dim=1)
    same = torch.arange(len(student), device=student.device)
    return functional.cross_entropy(student @ teacher.T / tau, same)


def relational_distance(student_bd: Tensor, teacher_be: Tensor) -> Tensor:
    """Huber loss between all pairs' distances, each over its mean in the batch.

    Park et al. 2019, Relational knowledge distillation, CVPR, equations 6-8. 0 for one sample.
    """
    if len(student_bd) < 2:
        return student_bd.float().sum() * 0
    upper = torch.triu_indices(*[len(student_bd)] * 2, offset=1, device=student_bd.device)
    student, teacher = (_distances(x.float(), *upper) for x in (student_bd, teacher_be))
    # Over the mean: the two spaces have scales of their own, only the pattern is compared.
    return functional.smooth_l1_loss(student / student.mean(), teacher / teacher.mean())


def relational_angle(student_bd: Tensor, teacher_be: Tensor) -> Tensor:
    """Huber loss between the cosines of all angles i-j-k of three samples, j at the corner.

    Park et al. 2019, equations 9-11. 0 for fewer than three samples.
    """
    n = len(student_bd)
    if n < 3:
        return student_bd.float().sum() * 0
    apart = ~torch.eye(n, dtype=torch.bool)
    # [j, i, k]: i, j and k are three samples, and each angle counts once in each direction.
    three = apart[:, :, None] & apart[:, None, :] & apart[None]
    # As places, found on the CPU: a GPU that is asked which are true is waited for.
    device = student_bd.device
    three = tuple(places.to(device, non_blocking=True) for places in torch.where(three))
    student, teacher = (_cosines(x.float())[three] for x in (student_bd, teacher_be))
    return functional.smooth_l1_loss(student, teacher)


def mmd(student_bd: Tensor, teacher_bd: Tensor) -> Tensor:
    """Squared maximum mean discrepancy (biased) between the batch's two clouds of features.

    Gretton et al. 2012, A kernel two-sample test, JMLR 13:723, equation 5; Gaussian kernel
    exp(-d^2 / m) with m the median squared distance of the pooled clouds, held constant.
    """
    student, teacher = student_bd.float(), teacher_bd.float()
    pooled = torch.cat([student, teacher])
    squared = (pooled[:, None] - pooled[None]).square().sum(dim=2)
    upper = torch.triu_indices(*[len(pooled)] * 2, offset=1, device=pooled.device)
    # Detached: the kernel's width follows the batch and must not be a way to lower the loss.
    median = squared.detach()[upper[0], upper[1]].quantile(0.5).clamp_min(1e-12)
    kernel = (-squared / median).exp()
    n = len(student)
    return kernel[:n, :n].mean() + kernel[n:, n:].mean() - 2 * kernel[:n, n:].mean()


def _distances(x_bd: Tensor, first: Tensor, second: Tensor) -> Tensor:
    # Two samples may be equal, where the root has no slope.
    return (x_bd[first] - x_bd[second]).square().sum(dim=1).clamp_min(1e-12).sqrt()


def _cosines(x_bd: Tensor) -> Tensor:
    """[j, i, k]: cosine of the angle at j between i and k."""
    # `eps`: two equal samples have no direction, and a norm of 0 would make NaN.
    towards = functional.normalize(x_bd[None] - x_bd[:, None], dim=2, eps=1e-6)
    return towards @ towards.transpose(1, 2)


class Distillation(nn.Module):
    """The sum above; without a teacher the cross-entropy alone, unweighted by alpha."""

    def __init__(self, settings: dict[str, Any]):
        super().__init__()
        # A run without a teacher has the weights of none of this.
        self.settings = {key: settings[key] for key in KEYS if key in settings}

    def forward(self, student: Any, teacher: Any, targets: dict[str, Tensor]) -> dict[str, Tensor]:
        """{"loss", "cross_entropy", "soft_targets", ...terms in use}, scalars before weighting.

        student, teacher: VisionTextOutput (teacher None when there is none); targets: classes (B,)
        of each head.
        """
        heads = [(student.logits[name].float(), target) for name, target in targets.items()]
        terms = {"cross_entropy": _mean([functional.cross_entropy(*head) for head in heads])}
        if teacher is None:
            # Also in validation, where a teacher is never asked: losses there compare between runs.
            return {"loss": terms["cross_entropy"], **terms}
        weights, temperature = self.settings, self.settings["temperature"]
        terms["soft_targets"] = _mean(
            [soft_targets(student.logits[n], teacher.logits[n], temperature) for n in targets]
        )
        loss = weights["alpha"] * terms["cross_entropy"] + weights["beta"] * terms["soft_targets"]
        for name in TERMS:
            # A weight of 0 spares the work as well: angles cost the cube of the batch.
            if weights[name]:
                terms[name] = self.between_features(name, student, teacher)
                loss = loss + weights[name] * terms[name]
        return {"loss": loss, **terms}

    def between_features(self, name: str, student: Any, teacher: Any) -> Tensor:
        """One feature term, by name."""
        if name == "relational_distance":
            return relational_distance(student.fused, teacher.fused)
        if name == "relational_angle":
            return relational_angle(student.fused, teacher.fused)
        if name == "contrastive":
            return contrastive(student.matched, teacher.fused, self.settings["tau"])
        return {"feature": feature, "mmd": mmd}[name](student.matched, teacher.fused)


def _mean(values: list[Tensor]) -> Tensor:
    return torch.stack(values).mean()


def distillation(settings: dict[str, Any]) -> Distillation:
    """Of settings alpha, beta, temperature, tau and the weights feature, contrastive,
    relational_distance, relational_angle, mmd (0: left out)."""
    return Distillation(settings)

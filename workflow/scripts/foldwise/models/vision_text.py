"""Image and text to the logits of several heads: teachers, students, and their common features."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn

from foldwise import registry
from foldwise.models.encoders import text_encoder, vision_encoder
from foldwise.models.network import Network


@dataclass(frozen=True)
class VisionTextOutput:
    """Logits (B, K) of each head; fused features, projected vision and text tokens (B, dim).

    matched: the fused features brought to the teacher's width (B, match_dim), None for a teacher.
    """

    logits: dict[str, Tensor]
    fused: Tensor
    vision: Tensor
    text: Tensor
    matched: Tensor | None = None


class VisionTextModel(Network):
    """Encoders, a projection of each to `dim`, fusion, and one linear head a question.

    `head` holds all but the encoders. With `match_dim` it also holds a linear map from the fused
    features to a teacher's (Romero et al. 2015, FitNets, ICLR: the student's side is mapped, since
    a trained map of the teacher's would learn to give nothing). It is part of the student so that
    the optimiser trains and the checkpoint keeps it.
    """

    def __init__(
        self,
        encoders: tuple[nn.Module, nn.Module],
        fusion: nn.Module,
        dim: int,
        heads: dict[str, int],
        dropout: float,
        match_dim: int | None = None,
    ):
        """`encoders`: of the image and of the text."""
        super().__init__()
        self.vision, self.text = vision, text = encoders
        self.dim = dim
        outputs = {
            name: nn.Sequential(nn.Dropout(dropout), nn.Linear(dim, n)) for name, n in heads.items()
        }
        self.head = nn.ModuleDict(
            {
                "vision": nn.Linear(vision.width, dim),
                "text": nn.Linear(text.width, dim),
                "fusion": fusion,
                "outputs": nn.ModuleDict(outputs),
            }
        )
        if match_dim is not None:
            self.head["match"] = nn.Linear(dim, match_dim)

    def blocks(self) -> list[nn.Module]:
        """Blocks of both encoders, joined from the last on, so that `n` means n of each."""
        vision, text = self.vision.blocks()[::-1], self.text.blocks()[::-1]
        joined = [
            nn.ModuleList([*vision[index : index + 1], *text[index : index + 1]])
            for index in range(max(len(vision), len(text)))
        ]
        return joined[::-1]

    def leave_training(self) -> None:
        """Without the map to a teacher's features, which costs a student neither size nor time."""
        if "match" in self.head:
            self.head.pop("match")

    def forward(
        self, image_bchw: Tensor, input_ids_bl: Tensor, mask_bl: Tensor
    ) -> VisionTextOutput:
        """Images (B, C, H, W), token numbers and mask (B, L)."""
        vision = self.head["vision"](self.vision(image_bchw))
        text = self.head["text"](self.text(input_ids_bl, mask_bl))
        fused = self.head["fusion"](vision, text, mask_bl)
        logits = {name: output(fused) for name, output in self.head["outputs"].items()}
        matched = self.head["match"](fused) if "match" in self.head else None
        return VisionTextOutput(logits, fused, vision[:, 0], text[:, 0], matched)


def vision_text(
    settings: dict[str, Any],
    channels: int,
    outputs: dict[str, int],
    match_dim: int | None = None,
) -> VisionTextModel:
    """Of settings vision {name, weights}, text {name, weights}, dim, dropout and
    fusion {name, heads, layers, dropout}; `outputs`: classes of each head.

    Random weights come from torch's generator, which the caller seeds.
    """
    # A copy: `name` is taken out, and the settings are the caller's.
    dim, fusion = settings["dim"], dict(settings["fusion"])
    make_fusion = registry.load("FUSIONS", fusion.pop("name"))
    return VisionTextModel(
        encoders=(vision_encoder(settings["vision"], channels), text_encoder(settings["text"])),
        fusion=make_fusion(dim, **fusion),
        dim=dim,
        heads=outputs,
        dropout=settings["dropout"],
        match_dim=match_dim,
    )

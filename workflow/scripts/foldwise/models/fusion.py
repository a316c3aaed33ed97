"""Ways to make one vector of an image's tokens and a text's tokens, all of width `dim`.

Each is called with vision (B, T, dim), text (B, L, dim) and the text's mask (B, L; 0 is padding);
token 0 of each speaks for the whole. `layers` is how often the exchange is repeated.
"""

import torch
from torch import Tensor, nn

from foldwise.errors import FoldwiseError


class CrossAttention(nn.Module):
    """Image tokens attend to text tokens and the reverse; the two first tokens are joined.

    Lu et al. 2019, ViLBERT, NeurIPS (co-attention), with norms first.
    """

    def __init__(self, dim: int, heads: int, layers: int, dropout: float):
        super().__init__()
        check_heads(dim, heads)
        self.layers = nn.ModuleList(
            nn.ModuleList([Attend(dim, heads, dropout), Attend(dim, heads, dropout)])
            for _ in range(layers)
        )
        self.join = nn.Linear(2 * dim, dim)

    def forward(self, vision_btd: Tensor, text_bld: Tensor, mask_bl: Tensor) -> Tensor:
        """-> (B, dim)."""
        padding = mask_bl == 0
        vision, text = vision_btd, text_bld
        for to_text, to_vision in self.layers:
            # One assignment: the text attends to the image as it was, not as it has just become.
            vision, text = to_text(vision, text, padding), to_vision(text, vision, None)
        return self.join(torch.cat([vision[:, 0], text[:, 0]], dim=1))


class Attend(nn.Module):
    """Attention of one sequence to another, then a feed-forward step, both added on."""

    def __init__(self, dim: int, heads: int, dropout: float):
        super().__init__()
        self.norm_own, self.norm_other = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.attention = nn.MultiheadAttention(dim, heads, dropout, batch_first=True)
        self.step = nn.Sequential(nn.LayerNorm(dim), *hidden(dim, 2 * dim, dropout))
        self.step.append(nn.Linear(2 * dim, dim))

    def forward(self, own: Tensor, other: Tensor, padding: Tensor | None) -> Tensor:
        """own (B, T, dim), other (B, L, dim), padding (B, L) true where there is none -> as own."""
        other = self.norm_other(other)
        seen, _ = self.attention(
            self.norm_own(own), other, other, key_padding_mask=padding, need_weights=False
        )
        own = own + seen
        return own + self.step(own)


class ConcatMLP(nn.Module):
    """Both first tokens side by side through `layers` hidden layers."""

    def __init__(self, dim: int, layers: int, dropout: float):
        super().__init__()
        widths = [2 * dim] + [dim] * layers
        steps = [nn.Sequential(*hidden(n, dim, dropout)) for n in widths[:-1]]
        self.body = nn.Sequential(*steps, nn.Linear(widths[-1], dim))

    def forward(self, vision_btd: Tensor, text_bld: Tensor, mask_bl: Tensor) -> Tensor:
        """-> (B, dim)."""
        return self.body(torch.cat([vision_btd[:, 0], text_bld[:, 0]], dim=1))


class Gated(nn.Module):
    """z tanh(A v) + (1 - z) tanh(B t), z = sigmoid(C [v, t]); further layers gate in t again.

    Arevalo et al. 2017, Gated multimodal units, ICLR workshop.
    """

    def __init__(self, dim: int, layers: int, dropout: float):
        super().__init__()
        self.own = nn.ModuleList(nn.Linear(dim, dim) for _ in range(layers))
        self.other = nn.ModuleList(nn.Linear(dim, dim) for _ in range(layers))
        self.gate = nn.ModuleList(nn.Linear(2 * dim, dim) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def forward(self, vision_btd: Tensor, text_bld: Tensor, mask_bl: Tensor) -> Tensor:
        """-> (B, dim)."""
        fused, text = vision_btd[:, 0], text_bld[:, 0]
        for own, other, gate in zip(self.own, self.other, self.gate, strict=True):
            z = gate(torch.cat([fused, text], dim=1)).sigmoid()
            fused = self.dropout(z * own(fused).tanh() + (1 - z) * other(text).tanh())
        return fused


class FiLM(nn.Module):
    """Residual steps v + relu((1 + gamma(t)) A v + beta(t)): the text scales and shifts the image.

    Perez et al. 2018, FiLM: visual reasoning with a general conditioning layer, AAAI.
    """

    def __init__(self, dim: int, layers: int, dropout: float):
        super().__init__()
        self.linear = nn.ModuleList(nn.Linear(dim, dim) for _ in range(layers))
        self.condition = nn.ModuleList(nn.Linear(dim, 2 * dim) for _ in range(layers))
        self.dropout = nn.Dropout(dropout)

    def forward(self, vision_btd: Tensor, text_bld: Tensor, mask_bl: Tensor) -> Tensor:
        """-> (B, dim)."""
        fused, text = vision_btd[:, 0], text_bld[:, 0]
        for linear, condition in zip(self.linear, self.condition, strict=True):
            gamma, beta = condition(text).chunk(2, dim=1)
            # 1 + gamma, as in the paper: a condition near 0 must not switch the features off.
            fused = fused + self.dropout(((1 + gamma) * linear(fused) + beta).relu())
        return fused


class TokenTransformer(nn.Module):
    """A transformer encoder over the two first tokens, told apart by a learnt vector; their mean.

    Vaswani et al. 2017, Attention is all you need, NeurIPS, with norms first.
    """

    def __init__(self, dim: int, heads: int, layers: int, dropout: float):
        super().__init__()
        check_heads(dim, heads)
        # 0.02: the spread by which BERT and ViT draw their embeddings.
        self.kind = nn.Parameter(torch.randn(1, 2, dim) * 0.02)
        layer = nn.TransformerEncoderLayer(
            dim, heads, 2 * dim, dropout, activation="gelu", batch_first=True, norm_first=True
        )
        # Nested tensors are for padding, which two tokens lack; norms first rule them out anyway.
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, vision_btd: Tensor, text_bld: Tensor, mask_bl: Tensor) -> Tensor:
        """-> (B, dim)."""
        tokens = torch.stack([vision_btd[:, 0], text_bld[:, 0]], dim=1)
        return self.encoder(tokens + self.kind).mean(dim=1)


def hidden(inputs: int, outputs: int, dropout: float) -> list[nn.Module]:
    """One hidden layer."""
    return [nn.Linear(inputs, outputs), nn.GELU(), nn.Dropout(dropout)]


def check_heads(dim: int, heads: int) -> None:
    """FoldwiseError when the heads do not share the width evenly."""
    if dim % heads:
        raise FoldwiseError(
            f"model.fusion.heads: {heads} heads do not divide model.dim {dim}. Give a divisor."
        )

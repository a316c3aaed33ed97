"""Blocks, head and last map of a network that others wrote, read off its modules."""

from collections.abc import Callable, Iterator

from torch import Tensor, nn

from foldwise.errors import FoldwiseError

# Containers whose members are the blocks; any other module with weights is a block by itself.
OPENED = ("features", "layers", "trunk_output", "stages", "blocks", "classifier")
NORMS = (nn.BatchNorm2d, nn.LayerNorm, nn.GroupNorm)
# What belongs to the block before it beside normalisation: how DenseNet narrows a block's output,
# and what timm leaves of a head.
TAILS = ("_Transition", "DenseTransition", "NormMlpClassifierHead", "ClassifierHead")
BARE = (nn.Conv2d, nn.BatchNorm2d)
ACTIVATIONS = (nn.ReLU, nn.ReLU6, nn.SiLU, nn.Hardswish, nn.GELU)


def without_head(net: nn.Module) -> tuple[str, int]:
    """Take the last layer out, in place: the prefix of its keys, and the width of its input.

    Dropout right before it goes too, since the head that takes its place has its own.
    """
    leaves = [(name, part) for name, part in net.named_modules() if not [*part.children()]]
    numbers = [i for i, (_, part) in enumerate(leaves) if isinstance(part, nn.Linear)]
    if not numbers or _is_squeezenet(net):
        return _convolution_as_head(net)
    number = numbers[-1]
    name, linear = leaves[number]
    for leaf, part in leaves[max(number - 1, 0) : number + 1]:
        if part is linear or isinstance(part, nn.Dropout):
            _put(net, leaf, nn.Identity())
    top = name.partition(".")[0]
    if any(True for _ in getattr(net, top).parameters()):
        return f"{name}.", linear.in_features
    # Nothing else there is trained, so files with another layout of the head fit as well.
    setattr(net, top, nn.Identity())
    return f"{top}.", linear.in_features


def _is_squeezenet(net: nn.Module) -> bool:
    return type(net).__name__ == "SqueezeNet"


def _convolution_as_head(net: nn.Module) -> tuple[str, int]:
    """SqueezeNet answers by a convolution and the mean over all places; the mean is kept."""
    layers = [part for part in net.classifier if isinstance(part, nn.Conv2d)]
    net.classifier = nn.AdaptiveAvgPool2d(1)
    return "classifier.", layers[-1].in_channels


def _put(net: nn.Module, name: str, part: nn.Module) -> None:
    parent, _, leaf = name.rpartition(".")
    setattr(net.get_submodule(parent), leaf, part)


def ordered_blocks(net: nn.Module) -> tuple[tuple[str, ...], ...]:
    """Dotted names of all parts with weights, block by block from the image.

    A normalisation belongs to the block whose output it sees, so that both are frozen together.
    """
    blocks: list[tuple[str, ...]] = []
    for name, part in _parts(net):
        if not any(True for _ in part.parameters()):
            continue
        if blocks and (isinstance(part, NORMS) or type(part).__name__ in TAILS):
            blocks[-1] += (name,)
        else:
            blocks.append((name,))
    # Class tokens and position embeddings are added to what the first block makes.
    loose = tuple(name for name, _ in net.named_parameters(recurse=False))
    return (blocks[0] + loose, *blocks[1:])


def _parts(net: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for name, part in net.named_children():
        if name in OPENED and isinstance(part, nn.Sequential | nn.ModuleList):
            yield from ((f"{name}.{inner}", module) for inner, module in part.named_children())
        else:
            yield name, part


def last_map(net: nn.Module, blocks: tuple[tuple[str, ...], ...]) -> str:
    """Dotted name of the last layer with places: what follows is a classifier's."""
    inside = [name for names in blocks for name in names if not name.startswith("classifier.")]
    parent, _, leaf = inside[-1].rpartition(".")
    siblings = dict(net.get_submodule(parent).named_children())
    names = [*siblings]
    for after in names[names.index(leaf) + 1 :] if isinstance(siblings[leaf], BARE) else ():
        # A bare convolution's map is read where it has been rectified.
        if isinstance(siblings[after], ACTIVATIONS):
            leaf = after
        elif not isinstance(siblings[after], NORMS):
            break
    return f"{parent}.{leaf}".lstrip(".")


def map_width(net: nn.Module, layer: str) -> int:
    """Channels of the last map where a classifier's hidden layers follow it, else 0."""
    classifier = getattr(net, "classifier", nn.Identity())
    if not any(isinstance(part, nn.Linear) for part in classifier.modules()):
        return 0
    # Of a rectifier, which has no channels, those of the convolution that it rectifies.
    container = net.get_submodule(layer.rpartition(".")[0])
    convolutions = [part for part in container.modules() if isinstance(part, nn.Conv2d)]
    return convolutions[-1].out_channels


def channels_first(map_bhwc: Tensor) -> Tensor:
    """(B, h, w, D) -> (B, D, h, w): what Swin transformers keep their maps in."""
    return map_bhwc.permute(0, 3, 1, 2)


def tokens_first(prefix: int) -> Callable[[Tensor], Tensor]:
    """Tokens (B, prefix + g * g, D) of a square picture as a map (B, D, g, g)."""

    def to_map(tokens_btd: Tensor) -> Tensor:
        side = int((tokens_btd.shape[1] - prefix) ** 0.5)
        if side * side != tokens_btd.shape[1] - prefix:
            raise FoldwiseError(
                f"model.name: {tokens_btd.shape[1] - prefix} tokens are no square map. Take "
                "square pictures (image.size) for this network."
            )
        return tokens_btd[:, prefix:].unflatten(1, (side, side)).permute(0, 3, 1, 2)

    return to_map

"""What the training loop asks of every network: a head, ordered blocks, and freezing."""

from typing import Literal

from torch import nn

from foldwise.errors import FoldwiseError


class Network(nn.Module):
    """A network with a `head` and feature blocks in order from the input."""

    head: nn.Module

    def blocks(self) -> list[nn.Module]:
        """Feature blocks from the input to the head; together with the head they are all."""
        raise NotImplementedError

    def trainable(self, n_blocks: int | Literal["all"]) -> None:
        """Train the head and the last `n_blocks` feature blocks (0: the head alone).

        Frozen blocks stay in evaluation mode while the rest trains, so that their running
        statistics are frozen too. FoldwiseError for more blocks than there are.
        """
        blocks = self.blocks()
        chosen = len(blocks) if n_blocks == "all" else n_blocks
        if not 0 <= chosen <= len(blocks):
            raise FoldwiseError(
                f"model.trainable_blocks: {n_blocks}, but this network has {len(blocks)} feature "
                f"blocks. Give a number from 0 to {len(blocks)}, or `all`."
            )
        self.frozen_blocks = len(blocks) - chosen
        for index, block in enumerate(blocks):
            block.requires_grad_(index >= self.frozen_blocks)
        # What has just been frozen must leave training mode at once, not at the next epoch.
        self.train(self.training)

    def leave_training(self) -> None:
        """Drop what only training uses, for good. Here: nothing."""

    def train(self, mode: bool = True) -> "Network":
        """Training or evaluation mode, of which frozen blocks know only the latter."""
        # PyTorch sets all parts first; frozen ones are set back, or their statistics would drift.
        super().train(mode)
        for block in self.blocks()[: getattr(self, "frozen_blocks", 0)]:
            block.eval()
        return self

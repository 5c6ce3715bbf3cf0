"""The encoder block as it is trained and evaluated on processors."""

from __future__ import annotations

import torch
from torch import Tensor

from symbreak.models.cct import Block
from symbreak.models.cpu.attention import attend
from symbreak.models.cpu.linear import Linear
from symbreak.models.cpu.processor import one_by_one_on_a_cpu
from symbreak.models.cpu.residual import Kept, joined, normed


class FusedBlock(Block):
    """A `Block` with the same parameters and the same function, its passes through memory made fewer.

    In training the branches of images that stochastic depth leaves out are not computed. On a GPU, and when
    it is compiled, it is a plain `Block`.

    Examples
    --------
    >>> from symbreak.config import Network
    >>> network = Network(architecture="cct_1_3x1", dim=32, heads=4)
    >>> plain, fused = Block(network, 4, 0.0), FusedBlock(network, 4, 0.0)
    >>> _ = fused.load_state_dict(plain.state_dict())
    >>> stream = torch.randn(2, 16, 32)
    >>> torch.allclose(fused.eval()(stream), plain.eval()(stream), atol=1e-5)
    True
    """

    linear_layer = Linear
    attention = staticmethod(attend)

    def forward(self, stream: Tensor) -> Tensor:
        """(images, tokens, dim) -> (images, tokens, dim)."""
        if not self.training or not one_by_one_on_a_cpu(stream):
            return super().forward(stream)
        kept = self._kept(stream)
        stream, tokens = normed(stream, self.attention_norm, kept, replace=False)
        stream = joined(stream, self.attend(tokens), kept)
        kept = self._kept(stream)
        stream, tokens = normed(stream, self.feedforward_norm, kept, replace=True)
        return joined(stream, self.feed_forward(tokens), kept)

    def _kept(self, stream: Tensor) -> Kept:
        """Choose the images whose branch is computed."""
        depth = self.stochastic_depth
        if depth.probability == 0.0:
            return Kept(torch.arange(len(stream)), len(stream), gain=1.0)
        return Kept(depth.draw(stream).flatten().nonzero().flatten(), len(stream), depth.gain)

"""BatchNorm over the batch of all processes; PyTorch has it for GPUs only."""

from __future__ import annotations

import torch
from torch import Tensor, distributed, nn
from torch.distributed.nn.functional import all_reduce


class SharedBatchNorm(nn.BatchNorm2d):
    """BatchNorm whose mean and variance are those of the images of all processes together.

    On a CPU what `torch.nn.SyncBatchNorm` is on a GPU, from sums over processes that carry gradients.
    """

    @classmethod
    def of(cls, norm: nn.BatchNorm2d) -> SharedBatchNorm:
        """The same norm, shared: parameters and averages are the same tensors."""
        shared = cls(norm.num_features, norm.eps, norm.momentum).train(norm.training)
        for name, tensor in (*norm.named_parameters(), *norm.named_buffers()):
            setattr(shared, name, tensor)
        return shared

    def forward(self, maps: Tensor) -> Tensor:
        """(images, filters, height, width) -> same."""
        if not self.training:
            return super().forward(maps)
        values = maps.to(torch.promote_types(maps.dtype, torch.float32))
        count = values.new_tensor([values.numel() / values.shape[1]])
        distributed.all_reduce(count)
        mean = all_reduce(values.sum((0, 2, 3))) / count
        centred = values - mean[:, None, None]
        variance = all_reduce(centred.square().sum((0, 2, 3))) / count
        self._remember(mean.detach(), variance.detach() * count / (count - 1))
        scale = self.weight / (variance + self.eps).sqrt()
        return (centred * scale[:, None, None] + self.bias[:, None, None]).to(maps.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor) -> None:
        """Move the averages that the evaluation uses."""
        assert self.running_mean is not None and self.running_var is not None
        assert self.num_batches_tracked is not None and self.momentum is not None
        self.num_batches_tracked += 1
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(variance, self.momentum)


def share_norms(model: nn.Module) -> None:
    """Replace every BatchNorm in a model by one that is shared; parameters and averages stay the same."""
    if next(model.parameters()).is_cuda:
        nn.SyncBatchNorm.convert_sync_batchnorm(model)
        return
    for parent in list(model.modules()):
        for name, child in list(parent.named_children()):
            if type(child) is nn.BatchNorm2d:
                setattr(parent, name, SharedBatchNorm.of(child))

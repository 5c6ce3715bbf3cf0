"""Random numbers for augmentation: one draw per image, all from one generator."""

import torch
from torch import Tensor


class Draws:
    """Random numbers for a batch, one or more per image, all from one generator.

    Parameters
    ----------
    generator : torch.Generator
        The only source of randomness; it may live on another device than the images.
    count : int
        Images in the batch.
    device : torch.device
        Where the numbers are needed.

    Examples
    --------
    >>> Draws(torch.Generator().manual_seed(0), 3, torch.device("cpu")).chance(1.0).tolist()
    [True, True, True]
    """

    def __init__(self, generator: torch.Generator, count: int, device: torch.device) -> None:
        self.generator, self.count, self.device = generator, count, device

    def uniform(self, low: float, high: float, *shape: int) -> Tensor:
        """Draw ``float32`` between ``low`` and ``high``, shape (images, *shape)."""
        size = (self.count, *shape)
        drawn = torch.rand(size, generator=self.generator, device=self.generator.device)
        return low + (high - low) * drawn.to(self.device, non_blocking=True)

    def normal(self, *shape: int) -> Tensor:
        """Draw standard normal ``float32``, shape (images, *shape)."""
        size = (self.count, *shape)
        drawn = torch.randn(size, generator=self.generator, device=self.generator.device)
        return drawn.to(self.device, non_blocking=True)

    def beta(self, alpha: float) -> Tensor:
        """Draw from the symmetric beta distribution, shape (images,), as a share of two gamma draws.

        In logarithms, with Gamma(alpha) = Gamma(alpha + 1) * U^(1/alpha), because for a small alpha both
        draws would underflow and their share would be lost.
        """
        above = torch.full((self.count, 2), alpha + 1, device=self.generator.device)
        gamma = torch._standard_gamma(above, generator=self.generator).double().log()
        uniform = torch.rand((self.count, 2), generator=self.generator, device=self.generator.device)
        uniform = uniform.clamp(min=torch.finfo(torch.float32).tiny).double().log()
        odds = gamma[:, 0] - gamma[:, 1] + (uniform[:, 0] - uniform[:, 1]) / alpha
        return odds.sigmoid().float().to(self.device, non_blocking=True)

    def below(self, bound: int | Tensor) -> Tensor:
        """Draw integers 0 ... ``bound`` - 1, shape (images,); ``bound`` may differ between images."""
        return (self.uniform(0, 1) * bound).long().clamp(max=bound - 1)

    def chance(self, probability: float) -> Tensor:
        """Draw which images something happens to, ``bool``, shape (images,)."""
        return self.uniform(0, 1) < probability


def first_that(holds: Tensor, values: Tensor, otherwise: int) -> Tensor:
    """Return from every row the value at the first place where a condition holds.

    Parameters
    ----------
    holds : Tensor
        ``bool``, shape (images, attempts).
    values : Tensor
        Shape (images, attempts).
    otherwise : int
        What to return for a row in which it never holds.

    Returns
    -------
    Tensor
        Shape (images,).

    Examples
    --------
    >>> first_that(torch.tensor([[False, True], [False, False]]), torch.tensor([[1, 2], [3, 4]]), 9).tolist()
    [2, 9]
    """
    first = holds.byte().argmax(dim=1, keepdim=True)
    found = values.gather(1, first)[:, 0]
    return torch.where(holds.any(dim=1), found, otherwise)

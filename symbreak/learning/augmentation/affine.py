"""Affine maps of a batch, every image by its own.

Coordinates are those of continuous images: the corner of the image is the origin, pixel (0, 0) has
its centre at (1/2, 1/2).
"""

import torch
from torch import Tensor
from torch.nn.functional import affine_grid, grid_sample


def warp(images: Tensor, theta: Tensor, fill: Tensor) -> Tensor:
    """Map every image by its own affine map, bilinearly; what comes from outside has the fill colour.

    Parameters
    ----------
    images : Tensor
        ``uint8``, shape (images, channels, height, width).
    theta : Tensor
        From output to input coordinates, both -1 ... 1 across the image, shape (images, 2, 3).
    fill : Tensor
        Colour outside, 0 ... 255, shape (channels,).

    Returns
    -------
    Tensor
        ``uint8``, as ``images``.

    Examples
    --------
    >>> images = torch.tensor([[[[10, 20, 30, 40]]]], dtype=torch.uint8)
    >>> one_pixel_right = torch.tensor([[[1.0, 0.0, -0.5], [0.0, 1.0, 0.0]]])
    >>> warp(images, one_pixel_right, torch.tensor([99.0])).flatten().tolist()
    [99, 10, 20, 30]
    """
    grid = affine_grid(theta, list(images.shape), align_corners=False)
    fill = fill[:, None, None]
    return to_pixels(grid_sample(images.float() - fill, grid, align_corners=False) + fill)


def affine_maps(amounts: Tensor, size: tuple[int, int]) -> Tensor:
    """Return the maps of `warp` for rotation, then shear, then shift.

    With R the rotation and S the shear, an output point p (from the centre, shifts t, corner c) comes
    from R (S (p - t) + (S - 1) c).

    Parameters
    ----------
    amounts : Tensor
        Shape (images, 5): anticlockwise rotation about the centre (degrees); shear x (columns per row) and
        y (rows per column) about the top left corner; shift to the right and downwards (pixels).
    size : tuple of int
        Height and width of the images.

    Returns
    -------
    Tensor
        Shape (images, 2, 3).

    Examples
    --------
    >>> affine_maps(torch.tensor([[0.0, 0.0, 0.0, 1.0, 0.0]]), (4, 4)).tolist()
    [[[1.0, 0.0, -0.5], [0.0, 1.0, 0.0]]]
    """
    height, width = size
    angle, shear_x, shear_y, shift_x, shift_y = amounts.unbind(dim=1)
    angle = torch.deg2rad(angle)
    cos, sin = angle.cos(), angle.sin()
    x = shear_x * height / 2 - shift_x - shear_x * shift_y
    y = shear_y * width / 2 - shift_y - shear_y * shift_x
    across = [cos - sin * shear_y, (cos * shear_x - sin) * height / width, (cos * x - sin * y) * 2 / width]
    down = [(sin + cos * shear_y) * width / height, sin * shear_x + cos, (sin * x + cos * y) * 2 / height]
    return torch.stack(across + down, dim=1).unflatten(1, (2, 3))


def to_pixels(values: Tensor) -> Tensor:
    """Round to the nearest of 0 ... 255.

    Parameters
    ----------
    values : Tensor
        Floating point, any shape.

    Returns
    -------
    Tensor
        ``uint8``.

    Examples
    --------
    >>> to_pixels(torch.tensor([-3.0, 1.6, 300.0])).tolist()
    [0, 2, 255]
    """
    return values.round().clamp(0, 255).to(torch.uint8)

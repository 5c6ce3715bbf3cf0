"""Batched augmentation: against torchvision's single-image operations, by limits, and by counting."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest
from torchvision.transforms import InterpolationMode
from torchvision.transforms import functional as single

from symbreak.data import load
from symbreak.errors import SymbreakError
from symbreak.learning.augmentation import randaugment as ra
from symbreak.learning.augmentation.affine import affine_maps, warp
from symbreak.learning.augmentation.crop import (
    crop_and_flip,
    random_crop_and_flip,
    random_resized_crop,
    resized_crop,
)
from symbreak.learning.augmentation.draws import Draws
from symbreak.learning.augmentation.mix import box, mix, mixing_weights, random_erasing
from symbreak.learning.augmentation.pipeline import Augmentation
from symbreak.learning.batches import STATISTICS, channel_statistics, normalise

N = 24


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def draws(count: int, seed: int = 0) -> Draws:
    return Draws(generator(seed), count, torch.device("cpu"))


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    """Smooth pictures, noise, a constant one and a two-valued one."""
    coarse = torch.rand(N - 8, 3, 5, 5, generator=generator(1)) * 255
    smooth = torch.nn.functional.interpolate(coarse, (32, 32), mode="bilinear").to(torch.uint8)
    noise = torch.randint(0, 256, (6, 3, 32, 32), generator=generator(2), dtype=torch.uint8)
    constant = torch.full((1, 3, 32, 32), 77, dtype=torch.uint8)
    two = torch.where(torch.rand(1, 3, 32, 32, generator=generator(3)) < 0.5, 10, 200).to(torch.uint8)
    return torch.cat([smooth, noise, constant, two])


def largest_difference(a: torch.Tensor, b: torch.Tensor) -> int:
    return int((a.int() - b.int()).abs().max())


def one_by_one(images: torch.Tensor, function, arguments: torch.Tensor) -> torch.Tensor:
    return torch.stack([function(image, value) for image, value in zip(images, arguments.tolist())])


COLOUR = {
    "autocontrast": (ra.autocontrast, lambda image, _: single.autocontrast(image), (0.0, 1.0), 1),
    "equalize": (ra.equalize, lambda image, _: single.equalize(image), (0.0, 1.0), 0),
    "invert": (ra.invert, lambda image, _: single.invert(image), (0.0, 1.0), 0),
    "solarize": (ra.solarize, single.solarize, (0.0, 255.0), 0),
    "color": (ra.color, single.adjust_saturation, (0.1, 1.9), 1),
    "contrast": (ra.contrast, single.adjust_contrast, (0.1, 1.9), 1),
    "brightness": (ra.brightness, single.adjust_brightness, (0.1, 1.9), 1),
    "sharpness": (ra.sharpness, single.adjust_sharpness, (0.1, 1.9), 1),
}


@pytest.mark.parametrize("name", COLOUR)
def test_colour_operation_equals_the_single_image_operation(name, images):
    operation, reference, (low, high), tolerance = COLOUR[name]
    arguments = torch.linspace(low, high, N)
    expected = one_by_one(images, reference, arguments)
    assert largest_difference(operation(images, arguments), expected) <= tolerance
    assert operation(images, arguments).dtype == torch.uint8


def test_posterize_equals_the_single_image_operation(images):
    bits = torch.arange(N) % 9
    expected = one_by_one(images, single.posterize, bits)
    assert torch.equal(ra.posterize(images, bits), expected)


def test_solarize_add_by_hand():
    images = torch.tensor([0, 100, 127, 128, 255], dtype=torch.uint8).reshape(1, 1, 1, 5)
    assert ra.solarize_add(images, torch.tensor([99.0])).flatten().tolist() == [99, 199, 226, 128, 255]
    assert ra.solarize_add(images, torch.tensor([200.0])).flatten().tolist() == [200, 255, 255, 128, 255]


# Column of the amounts, torchvision's call for one image and one amount, range.
GEOMETRIC = {
    "rotate": (0, lambda image, v: single.rotate(image, v, InterpolationMode.BILINEAR), (-30, 30)),
    "shear_x": (1, lambda image, v: _affine(image, shear=[math.degrees(math.atan(v)), 0.0]), (-0.3, 0.3)),
    "shear_y": (2, lambda image, v: _affine(image, shear=[0.0, math.degrees(math.atan(v))]), (-0.3, 0.3)),
    "shift_x": (3, lambda image, v: _affine(image, translate=[round(v), 0]), (-14, 14)),
    "shift_y": (4, lambda image, v: _affine(image, translate=[0, round(v)]), (-14, 14)),
}


def _affine(image, translate=(0, 0), shear=(0.0, 0.0)):
    return single.affine(
        image, 0.0, list(translate), 1.0, list(shear), InterpolationMode.BILINEAR, center=[0, 0]
    )


@pytest.mark.parametrize("name", GEOMETRIC)
@pytest.mark.parametrize("width", [32, 24])
def test_geometric_operation_equals_the_single_image_operation(name, width, images):
    column, reference, (low, high) = GEOMETRIC[name]
    pictures = images[..., :width].contiguous()
    values = torch.linspace(low, high, N)
    values = values.round() if name.startswith("shift") else values
    amounts = torch.zeros(N, 5)
    amounts[:, column] = values
    ours = warp(pictures, affine_maps(amounts, (32, width)), torch.zeros(3))
    assert largest_difference(ours, one_by_one(pictures, reference, values)) <= 1


def test_a_composed_map_is_the_product_of_its_parts(images):
    amounts = torch.tensor([[20.0, 0.2, -0.1, 5.0, -3.0]]).expand(N, 5)
    homogeneous = torch.eye(3, dtype=torch.float64)
    for columns in ((0,), (1, 2), (3, 4)):
        part = torch.zeros(1, 5)
        part[:, columns] = amounts[:1, columns]
        bottom = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)
        homogeneous = homogeneous @ torch.cat([affine_maps(part, (32, 32))[0].double(), bottom])
    assert torch.allclose(affine_maps(amounts, (32, 32))[0].double(), homogeneous[:2], atol=1e-6)


def test_what_comes_from_outside_has_the_fill_colour(images):
    amounts = torch.zeros(N, 5)
    amounts[:, 3] = 14
    warped = warp(images, affine_maps(amounts, (32, 32)), torch.tensor([1.0, 2.0, 3.0]))
    assert (warped[..., :14] == torch.tensor([1, 2, 3], dtype=torch.uint8)[:, None, None]).all()
    assert torch.equal(warped[..., 14:], images[..., :18])


def test_crop_and_flip_equals_pad_crop_mirror(images):
    top, left = torch.arange(N) % 9, (3 * torch.arange(N)) % 9
    flip = torch.arange(N) % 2 == 0
    ours = crop_and_flip(images, top, left, flip, 4)
    for i in range(N):
        expected = single.crop(single.pad(images[i], [4]), int(top[i]), int(left[i]), 32, 32)
        expected = single.hflip(expected) if flip[i] else expected
        assert torch.equal(ours[i], expected)


def test_crop_reaches_every_place_equally_often():
    marks = torch.zeros(9000, 1, 9, 9, dtype=torch.uint8)
    marks[:, :, 4, 4] = 1
    shifted = random_crop_and_flip(marks, draws(9000), 1, 0.0)
    counts = shifted.sum(dim=(0, 1))[3:6, 3:6].flatten().double()
    assert counts.sum() == 9000
    # Chi-squared of nine places: above 26.1 once in a thousand.
    assert ((counts - 1000) ** 2 / 1000).sum() < 26.1


def test_resized_crop_equals_the_single_image_operation(images):
    height, width = torch.arange(N) % 16 + 17, (5 * torch.arange(N)) % 16 + 17
    top, left = (7 * torch.arange(N)) % (33 - height), (11 * torch.arange(N)) % (33 - width)
    ours = resized_crop(images, top, left, height, width)
    for i in range(N):
        where = (int(top[i]), int(left[i]), int(height[i]), int(width[i]))
        expected = single.resized_crop(images[i], *where, [32, 32], antialias=False)
        assert largest_difference(ours[i], expected) <= 1


def test_random_resized_crop_respects_its_area():
    ramp = torch.arange(0, 256, 8, dtype=torch.uint8).expand(400, 3, 32, 32).clone()
    cropped = random_resized_crop(ramp, draws(400), 0.5)
    spread = (cropped[:, 0, 0, -1].int() - cropped[:, 0, 0, 0].int()) / 8 + 1  # columns of the box
    assert spread.max() <= 32 and spread.min() >= math.sqrt(0.5 * 0.75) * 32 - 1
    assert spread.unique().numel() > 8
    assert torch.equal(random_resized_crop(ramp, draws(400), 1.0, (1.0, 1.0)), ramp)


def test_every_operation_of_randaugment_is_used_equally_often(images):
    calls = torch.zeros(ra.N_OPERATIONS)
    source = draws(15000, seed=4)
    kind = source.below(ra.N_OPERATIONS)
    calls.scatter_add_(0, kind, torch.ones(15000))
    assert ra.N_OPERATIONS == 15
    # Chi-squared of fifteen: above 36.1 once in a thousand.
    assert ((calls - 1000) ** 2 / 1000).sum() < 36.1


def test_arguments_at_magnitude_nine():
    level, one = torch.tensor([0.9]), torch.ones(1)
    named = {operation.__name__: argument for operation, argument in ra.COLOUR_OPERATIONS}
    assert named["posterize"](level, one).item() == 1
    assert named["solarize"](level, one).item() == 26
    assert named["solarize_add"](level, one).item() == 99
    for name in ("color", "contrast", "brightness", "sharpness"):
        assert named[name](level, one).item() == pytest.approx(1.81)
        assert named[name](level, -one).item() == pytest.approx(0.19)


def test_operations_by_number_equal_operations_by_name(images):
    level, sign = torch.full((N,), 0.7), torch.where(torch.arange(N) % 2 == 0, 1.0, -1.0)
    kind = torch.arange(N) % (ra.N_OPERATIONS + 1) - 1
    ours = ra.apply_operations(images.clone(), kind, level, sign, torch.zeros(3))
    assert torch.equal(ours[kind == -1], images[kind == -1])
    for number, (operation, argument) in enumerate(ra.COLOUR_OPERATIONS, start=5):
        rows = (kind == number).nonzero().flatten()
        assert torch.equal(ours[rows], operation(images[rows], argument(level, sign)[rows]))
    rotated = int((kind == 0).nonzero()[0])
    expected = single.rotate(images[rotated], 21.0 * float(sign[rotated]), InterpolationMode.BILINEAR)
    assert largest_difference(ours[rotated], expected) <= 1


def test_no_layer_and_no_probability_leave_images_alone(images):
    before = images.clone()
    assert torch.equal(ra.randaugment(images, draws(N), 9.0, 0, torch.zeros(3)), before)
    assert torch.equal(ra.randaugment(images, draws(N), 9.0, 2, torch.zeros(3), probability=0.0), before)
    changed = ra.randaugment(images, draws(N), 9.0, 2, torch.zeros(3), probability=1.0)
    assert (changed != before).flatten(1).any(dim=1).float().mean() > 0.7
    assert torch.equal(images, before)


def test_operations_for_some_images_are_the_same_by_rows_and_by_mask(images, monkeypatch):
    chosen = torch.arange(N) % 3 == 0
    arguments = torch.linspace(0.1, 1.9, N)
    by_rows = ra.on_some(images.clone(), chosen, ra.contrast, arguments)
    by_mask = torch.where(chosen[:, None, None, None], ra.contrast(images, arguments), images)
    assert torch.equal(by_rows, by_mask)


@settings(max_examples=30, deadline=None)
@given(
    st.floats(0, 3),
    st.floats(0, 3),
    st.floats(0, 1),
    st.floats(0, 1),
    st.integers(0, 2**32),
    st.integers(1, 7),
)
def test_targets_are_the_shares_of_the_pixels(mixup, cutmix, probability, switch, seed, count):
    labels = torch.randint(0, 5, (count,), generator=generator(seed))
    # Image i has the value of its label in one-hot planes: the mixed picture must show its own target.
    planes = torch.nn.functional.one_hot(labels, 5).float()[:, :, None, None].expand(count, 5, 8, 6)
    weights = mixing_weights(draws(count, seed), (8, 6), mixup, cutmix, probability, switch)
    mixed, targets = mix(planes, labels, weights, 5)
    assert weights.min() >= 0 and weights.max() <= 1
    assert torch.allclose(targets.sum(dim=1), torch.ones(count), atol=1e-5)
    assert torch.allclose(mixed.mean(dim=(2, 3)), targets, atol=1e-5)


def test_weights_of_mixup_follow_the_beta_distribution():
    for alpha in (0.8, 1.0, 3.0):
        weights = mixing_weights(draws(20000), (1, 1), alpha, 0.0, 1.0, 0.5).flatten().double().numpy()
        assert kstest(weights, "beta", (alpha, alpha)).pvalue > 0.001
    for alpha in (1e-4, 1e-167):
        share = draws(1000).beta(alpha)
        assert ((share < 1e-3) | (share > 1 - 1e-3)).float().mean() > 0.95


def test_switch_and_probability_count():
    n = 20000
    weights = mixing_weights(draws(n), (8, 8), 0.8, 1.0, 0.6, 0.25)
    whole = (weights == 1).flatten(1).all(dim=1)
    blended = ((weights > 0) & (weights < 1)).flatten(1).all(dim=1)
    # A box of CutMix smaller than a pixel leaves the image whole: 1 - lambda < 1/64.
    expected = {"blended": 0.6 * 0.75, "whole": 0.4 + 0.6 * 0.25 / 64}
    for name, found in (("blended", blended), ("whole", whole)):
        share = expected[name]
        assert abs(found.float().mean() - share) < 5 * math.sqrt(share * (1 - share) / n), name


def test_boxes_by_brute_force():
    top, left = torch.tensor([-2, 0, 3]), torch.tensor([1, -1, 2])
    height, width = torch.tensor([4, 5, 0]), torch.tensor([9, 2, 3])
    masks = box(top, left, height, width, (5, 4))
    for i in range(3):
        for row in range(5):
            for column in range(4):
                inside = top[i] <= row < top[i] + height[i] and left[i] <= column < left[i] + width[i]
                assert bool(masks[i, 0, row, column]) == bool(inside)


def test_erasing_replaces_boxes_by_standard_normal_noise():
    n = 2000
    fields = torch.full((n, 3, 32, 32), 50.0)
    erased = random_erasing(fields, draws(n), 0.25)
    gone = erased != 50
    hit = gone.flatten(1).any(dim=1)
    assert abs(hit.float().mean() - 0.25) < 5 * math.sqrt(0.25 * 0.75 / n)
    assert torch.equal(gone[:, 0], gone[:, 1])
    area = gone[hit, 0].float().mean(dim=(1, 2))
    assert area.min() > 0.015 and area.max() < 0.36
    for mask in gone[hit, 0][:50]:
        assert mask.sum() == mask.any(dim=0).sum() * mask.any(dim=1).sum()  # a box
    noise = erased[gone]
    assert abs(noise.mean()) < 0.01 and abs(noise.std() - 1) < 0.01


def test_normalisations(images):
    fields = normalise(images, "image", (0, 0, 0), (1, 1, 1))
    varied = torch.arange(N) != N - 2  # all but the constant image
    assert fields.mean(dim=(1, 2, 3)).abs().max() < 1e-4
    assert torch.allclose(fields[varied].std(dim=(1, 2, 3), correction=0), torch.ones(N - 1), atol=1e-4)
    assert fields[N - 2].abs().max() < 1e-3
    as_numbers = images.double()
    expected = torch.stack([(x - x.mean()) / x.std(correction=0).clamp(min=1) for x in as_numbers])
    assert torch.allclose(fields.double(), expected, atol=2e-5)
    floating = images.float()
    assert torch.equal(normalise(floating, "image", (0, 0, 0), (1, 1, 1)), fields)
    assert torch.equal(floating, images.float())  # not changed in place
    mean, std = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)
    expected = single.normalize(images.float() / 255, list(mean), list(std))
    assert torch.allclose(normalise(images, "dataset", mean, std), expected, atol=1e-5)
    with pytest.raises(SymbreakError, match="choose image or dataset"):
        normalise(images, "pixel", mean, std)


EVERYTHING = {
    "n_labels": 10,
    "random_crop": 2,
    "horizontal_flip": 0.5,
    "random_resized_crop": 0.8,
    "randaugment": 9.0,
    "mixup": 0.8,
    "cutmix": 1.0,
    "erasing": 0.25,
}


def test_all_draws_come_from_the_given_generator(images):
    labels = torch.arange(N) % 10
    augmentation = Augmentation(**EVERYTHING)
    before = images.clone()
    torch.manual_seed(1)
    first = augmentation(images, labels, generator(5))
    torch.manual_seed(2)
    state = torch.get_rng_state()
    second = augmentation(images, labels, generator(5))
    other = augmentation(images, labels, generator(6))
    assert torch.equal(first[0], second[0]) and torch.equal(first[1], second[1])
    assert not torch.equal(first[0], other[0])
    assert torch.equal(torch.get_rng_state(), state)
    assert torch.equal(images, before)
    assert first[0].dtype == torch.float32 and torch.isfinite(first[0]).all()


def test_without_options_only_normalisation_remains(images):
    labels = torch.arange(N)
    source = generator()
    state = source.get_state()
    fields, targets = Augmentation()(images, labels, source)
    assert torch.equal(fields, normalise(images, "image", (0, 0, 0), (1, 1, 1)))
    assert targets is labels
    assert torch.equal(source.get_state(), state)


def test_mixed_images_stay_normalised(images):
    fields, targets = Augmentation(n_labels=N, mixup=0.8, cutmix=1.0)(images, torch.arange(N), generator())
    assert fields.mean(dim=(1, 2, 3)).abs().max() < 1e-4
    assert targets.shape == (N, N)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"mixup": 0.8}, "n_labels"),
        ({"horizontal_flip": 1.5}, "horizontal_flip"),
        ({"random_resized_crop": 0.0}, "random_resized_crop"),
    ],
)
def test_impossible_options_are_refused(options, words):
    with pytest.raises(SymbreakError, match=words):
        Augmentation(**options)


def test_statistics_of_the_letters_are_those_of_the_table():
    letters = load("diacritics", "train", train_per_label=50, progress=False)
    for found, known in zip(channel_statistics(letters.images), STATISTICS["diacritics"]):
        assert found == pytest.approx(known, abs=0.015)

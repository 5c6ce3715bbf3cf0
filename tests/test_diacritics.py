"""The drawn letters: glyphs, hierarchy, balance, streams, legibility, limits."""

import unicodedata

import numpy as np
import pytest
import torch

from symbreak.data import load
from symbreak.data.images import diacritics, glyphs
from symbreak.errors import SymbreakError
from symbreak.learning.batches import normalise


@pytest.fixture(scope="module")
def fields() -> glyphs.Fields:
    return glyphs.fields(diacritics.LETTERS)


@pytest.fixture(scope="module")
def letters():
    return load("diacritics", "train", train_per_label=20, progress=False)


def test_every_face_has_every_letter():
    for face in glyphs.FACES:
        assert set(diacritics.LETTERS) <= glyphs.characters(face), face


def test_labels_are_twenty_letters_plain_and_with_four_marks():
    assert len(set(diacritics.LETTERS)) == 100
    assert len(set(diacritics.SUPERCLASS_NAMES)) == 20
    for group in diacritics.GROUPS:
        base = unicodedata.name(group[0])
        assert len(group) == 5 and group[0].isascii()
        for letter in group[1:]:
            assert unicodedata.name(letter).startswith(f"{base} WITH "), letter


def test_no_two_letters_of_one_face_look_the_same(fields):
    for face, drawn in zip(glyphs.FACES, fields.distance):
        ink = (drawn > 0).reshape(100, -1).astype(np.float32)
        common = ink @ ink.T
        size = np.diag(common)
        overlap = common / (size[:, None] + size[None, :] - common)
        np.fill_diagonal(overlap, 0)
        i, j = np.unravel_index(overlap.argmax(), overlap.shape)
        assert overlap.max() < 0.97, (face, diacritics.LETTERS[i], diacritics.LETTERS[j])


def test_fields_are_kept_and_made_again_if_the_file_is_damaged(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "kept"))
    few = (("a", "å", "Ł"), glyphs.FACES[:2])
    make = glyphs.fields.__wrapped__
    expected = glyphs._rendered(*few)
    drawn = []
    monkeypatch.setattr(glyphs, "_rendered", lambda *words: drawn.append(words) or expected)

    def equal(found):
        return all(np.array_equal(one, other) for one, other in zip(found, expected))

    assert equal(make(*few)) and equal(make(*few)) and drawn == [few]
    (file,) = (tmp_path / "kept").iterdir()
    whole = file.read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"no archive", whole[:300] + b"?" * 500 + whole[800:]):
        file.write_bytes(damaged)
        assert equal(make(*few))
        assert file.read_bytes() == whole
    make(few[0], glyphs.FACES[:1])
    assert len(list((tmp_path / "kept").iterdir())) == 2, "other letters or faces have a file of their own"
    monkeypatch.setenv("NUMBA_CACHE_DIR", "/proc/nowhere")
    assert equal(make(*few)), "where nothing can be kept, they are drawn each time"


def test_distance_field_of_a_disc():
    y, x = np.mgrid[:81, :81] - 40
    field, half = glyphs.distance_field(np.where(x**2 + y**2 <= 40**2, 255, 0).astype(np.uint8))
    centre = np.arange(glyphs.FIELD) + 0.5
    # The disc's centre lies at (11 + 40.5) pixels of the canvas, half as many of the field.
    radius = np.hypot(centre[:, None] - 25.75, centre[None, :] - 25.75)
    assert np.abs(field - (20.25 - radius)).max() < 0.6
    assert half.tolist() == [20.25, 20.25]


def test_balanced_shuffled_and_named(letters):
    assert letters.images.shape == (2000, 3, 32, 32) and letters.images.dtype == torch.uint8
    assert letters.labels.bincount().tolist() == [20] * 100
    assert (letters.labels.diff() < 0).float().mean() > 0.3
    assert letters.superclass == tuple(label // 5 for label in range(100))
    assert [letters.label_names[5 * i] for i in range(20)] == list(letters.superclass_names)


def test_same_arguments_same_bits_other_seed_other_images(letters):
    again = load("diacritics", "train", train_per_label=20, progress=False)
    assert again.sha256 == letters.sha256 and torch.equal(again.images, letters.images)
    other = load("diacritics", "train", train_per_label=20, seed=1, progress=False)
    assert other.sha256 != letters.sha256


def test_splits_share_no_image():
    train = load("diacritics", "train", train_per_label=30, progress=False)
    validation = load("diacritics", "validation", validation_per_label=30, progress=False)
    seen = {image.numpy().tobytes() for image in train.images}
    assert len(seen) == 3000
    assert not any(image.numpy().tobytes() in seen for image in validation.images)


def test_limit_draws_no_more_than_asked():
    limited = load("diacritics", "train", train_per_label=9, limit_per_label=2, progress=False)
    assert limited.sha256 == load("diacritics", "train", train_per_label=2, progress=False).sha256


@pytest.mark.parametrize("nuisance", [0.0, 0.5, 1.0, 2.0])
def test_whole_letter_lies_inside_the_frame(fields, nuisance):
    generator = np.random.default_rng(0)
    labels = np.tile(np.arange(100), 20)
    faces = generator.integers(len(glyphs.FACES), size=len(labels))
    covered = diacritics._coverage(fields, faces, labels, generator, nuisance)
    assert covered.min() >= 0 and covered.max() <= 1
    rim = torch.ones(32, 32, dtype=torch.bool)
    rim[1:-1, 1:-1] = False
    assert covered[:, rim].max() < 0.1
    inked = (covered > 0.5).float()
    assert covered.amax(dim=(1, 2)).min() > 0.4
    assert covered.mean(dim=(1, 2)).min() > (0.01 if nuisance <= 1 else 0.005)
    height = inked.any(dim=2).sum(dim=1)
    width = inked.any(dim=1).sum(dim=1)
    assert torch.maximum(height, width).float().mean() > {0.0: 27, 0.5: 25, 1.0: 19, 2.0: 12}[nuisance]


def test_without_nuisance_there_is_one_picture_per_face_and_label():
    clean = load("diacritics", "train", train_per_label=40, nuisance=0.0, progress=False)
    for label in (0, 37, 99):
        pictures = torch.unique(clean.images[clean.labels == label], dim=0)
        assert 8 <= len(pictures) <= len(glyphs.FACES)
        assert (pictures[:, 0] == pictures[:, 1]).all()  # grey
    assert clean.images.max() > 230 and clean.images.min() < 25


@pytest.mark.parametrize("nuisance", [0.0, 0.7, 1.0, 2.0])
def test_colours_keep_their_contrast(nuisance):
    ink, paper = diacritics._colours(5000, np.random.default_rng(0), nuisance)
    for colour in (ink, paper):
        assert colour.min() >= -1e-6 and colour.max() <= 1 + 1e-6
    luma = np.array([0.299, 0.587, 0.114])
    contrast = np.abs((ink - paper) @ luma)
    assert contrast.min() >= 0.9 - 0.65 * min(nuisance, 1.0) - 1e-3 or nuisance > 1
    assert contrast.min() >= 0.2 - 1e-6
    if nuisance >= 1:
        bright_ink = (ink - paper) @ luma > 0
        assert abs(bright_ink.mean() - 0.5) < 5 * 0.5 / np.sqrt(5000)


def test_gradient_stays_within_its_amplitude():
    drawn = diacritics._gradient(2000, np.random.default_rng(0), 0.24)
    assert np.abs(drawn).max() <= 0.24
    assert np.abs(np.diff(drawn, axis=1)).max() < 0.05  # smooth


def nearest_neighbour(nuisance: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Labels of validation letters, and those of the training letters most like them or their negative."""
    train = load("diacritics", "train", train_per_label=60, nuisance=nuisance, progress=False)
    validation = load("diacritics", "validation", validation_per_label=5, nuisance=nuisance, progress=False)
    a, b = (
        normalise(s.images, "image", (0, 0, 0), (1, 1, 1)).mean(dim=1).flatten(1) for s in (train, validation)
    )
    return validation.labels, train.labels[(b @ a.T).abs().argmax(dim=1)]


def test_letters_can_be_told_apart_and_mistakes_stay_within_a_base_letter():
    labels, found = nearest_neighbour(0.1)
    right = found == labels
    assert right.float().mean() > 0.7
    assert (found[~right] // 5 == labels[~right] // 5).float().mean() > 0.5  # 4/99 by chance
    harder_labels, harder = nearest_neighbour(1.0)
    assert 0.05 < (harder == harder_labels).float().mean() < right.float().mean() - 0.2


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"per_label": 0}, "1 or more"),
        ({"per_label": 1, "seed": -1}, "seed"),
        ({"per_label": 1, "nuisance": 2.5}, "between 0 and 2"),
        ({"per_label": 1, "nuisance": float("nan")}, "between 0 and 2"),
    ],
)
def test_impossible_numbers_are_refused(options, words):
    with pytest.raises(SymbreakError, match=words):
        diacritics.draw("train", progress=False, **options)


def test_progress_goes_to_stderr_only(capsys):
    load("diacritics", "train", train_per_label=1, progress=True)
    captured = capsys.readouterr()
    assert captured.out == "" and "letters" in captured.err

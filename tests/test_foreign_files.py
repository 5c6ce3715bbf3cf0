"""Files as people have them: index files of any spelling, images of any kind, folders a level off."""

import io

import numpy as np
import pytest
from PIL import Image

from symbreak.config import Data
from symbreak.data import configured
from symbreak.data.given import open_sets
from symbreak.data.images import flowers
from symbreak.data.images.files import hint, read_image
from symbreak.errors import Damaged, NotFound, SymbreakError

KNOWN = [(flowers.Path(f"image_{number:05d}.jpg"), number % 3) for number in range(1, 7)]
WRITTEN = {
    "plain": "image,split\n1,train\n2,validation\n",
    "byte order mark": "\ufeffimage,split\n1,train\n2,validation\n",
    "semicolons": "image;split\n1;train\n2;validation\n",
    "tabs": "image\tsplit\n1\ttrain\n2\tvalidation\n",
    "capitals and blanks": " Image , Split \n 1 , Train \n 2 , VALID \n",
    "names of files": "image,split\nimage_00001.jpg,train\njpg/image_00002.JPG,val\n",
    "numbers with zeros": "image,split\n0001,train\n00002,validation\n",
    "quoted": '"image","split"\n"1","train"\n"2","validation"\n',
    "another order and more columns": "label,split,image\nrose,train,1\ntulip,validation,2\n",
    "line ends of Windows and an empty last line": "image,split\r\n1,train\r\n2,validation\r\n\r\n",
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN)
def test_index_files_of_any_spelling(tmp_path, text):
    path = tmp_path / "split.csv"
    path.write_bytes(text.encode())
    assert flowers._chosen(KNOWN, "train", path) == [KNOWN[0]]
    assert flowers._chosen(KNOWN, "validation", path) == [KNOWN[1]]


@pytest.mark.parametrize(
    "text",
    ["image,split\n7,train\n", "image,split\n1.5,train\n", "a,b\n1,train\n", "image,split\nx1,train\n", ""],
)
def test_index_files_that_cannot_be_understood_are_refused(tmp_path, text):
    path = tmp_path / "split.csv"
    path.write_text(text)
    with pytest.raises(SymbreakError, match=r"split\.csv"):
        flowers._chosen(KNOWN, "train", path)


def test_grey_images_of_16_bits_keep_their_levels(tmp_path):
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256)
    Image.fromarray(levels).save(tmp_path / "grey.png")
    Image.fromarray(levels).save(tmp_path / "grey.tif")
    Image.fromarray((levels / 65535).astype("float32")).save(tmp_path / "float.tif")
    for name in ("grey.png", "grey.tif", "float.tif"):
        image = np.asarray(read_image(tmp_path / name))
        assert image.shape == (256, 256, 3) and image.dtype == np.uint8
        assert np.array_equal(image[..., 0], np.rint(levels / 257).astype("uint8")), name
    eight = np.arange(256, dtype=np.uint8).reshape(16, 16)
    Image.fromarray(eight).save(tmp_path / "eight.png")
    assert np.array_equal(np.asarray(read_image(tmp_path / "eight.png"))[..., 2], eight)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "CMYK"])
def test_images_of_other_kinds_become_three_colours(tmp_path, mode):
    path = tmp_path / ("a.tif" if mode == "CMYK" else "a.png")
    Image.new("RGB", (5, 5), (255, 255, 255)).convert(mode).save(path)
    image = read_image(path)
    assert image.mode == "RGB" and np.asarray(image).min() == 255


def colours(count, column="label"):
    """A set of `datasets`: red and blue images in turn."""
    datasets = pytest.importorskip("datasets")
    kinds = {"picture": datasets.Image(), column: datasets.ClassLabel(names=["red", "blue"])}
    shades = [(250, 0, 0), (0, 0, 250)]
    rows = {
        "picture": [Image.new("RGB", (4, 4), shades[number % 2]) for number in range(count)],
        column: [number % 2 for number in range(count)],
    }
    return datasets.Dataset.from_dict(rows, features=datasets.Features(kinds))


def test_sets_of_hugging_face_on_disk(tmp_path):
    datasets = pytest.importorskip("datasets")
    datasets.DatasetDict(train=colours(6), test=colours(4)).save_to_disk(tmp_path / "both")
    train, validation = open_sets(f"huggingface:{tmp_path / 'both'}", np.asarray)
    assert len(train) == 6 and len(validation) == 4 and validation.classes == ["red", "blue"]
    pixels, label = train[1]
    assert label == 1 and pixels.shape == (4, 4, 3) and pixels[0, 0].tolist() == [0, 0, 250]
    colours(4).save_to_disk(tmp_path / "one")
    assert open_sets(f"huggingface:{tmp_path / 'one'}", np.asarray)[0] is None
    (tmp_path / "hub" / "data").mkdir(parents=True)
    colours(6).to_parquet(tmp_path / "hub/data/train-00000.parquet")
    colours(4).to_parquet(tmp_path / "hub/data/test-00000.parquet")
    train, validation = open_sets(f"huggingface:{tmp_path / 'hub'}", np.asarray)
    assert (len(train), len(validation), validation[0][1]) == (6, 4, 0)


def test_impossible_sets_of_hugging_face_are_one_sentence(tmp_path):
    pytest.importorskip("datasets")
    two = colours(4).add_column("kind", [0, 1, 0, 1], feature=colours(2).features["label"])
    two.save_to_disk(tmp_path / "two")
    colours(4).remove_columns("label").save_to_disk(tmp_path / "none")
    (tmp_path / "empty").mkdir()
    for source, words in {
        "two": "columns label, kind of labels",
        "none": "no column of labels among picture",
        "empty": "holds no data set of Hugging Face",
        "nowhere": "There is no folder",
    }.items():
        with pytest.raises(SymbreakError, match=words):
            open_sets(f"huggingface:{tmp_path / source}", np.asarray)
    assert open_sets(f"huggingface:{tmp_path / 'two'}#kind", np.asarray)[1].classes == ["red", "blue"]


def test_a_bomb_a_cut_image_and_a_missing_one_are_named(tmp_path, monkeypatch):
    Image.new("L", (200, 200)).save(tmp_path / "bomb.png")
    with monkeypatch.context() as limits:
        limits.setattr(Image, "MAX_IMAGE_PIXELS", 100)
        with pytest.raises(Damaged, match=r"bomb\.png unfolds to too many pixels"):
            read_image(tmp_path / "bomb.png")
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    for kind, name in (("JPEG2000", "cut.jp2"), ("JPEG", "cut.jpg"), ("PNG", "cut.png"), ("TIFF", "cut.tif")):
        whole = io.BytesIO()
        noise.save(whole, kind)
        for length in (1, 40, len(whole.getvalue()) // 2):
            (tmp_path / name).write_bytes(whole.getvalue()[:length])
            with pytest.raises(Damaged, match=name):
                read_image(tmp_path / name)
    with pytest.raises(NotFound, match="missing"):
        read_image(tmp_path / "none.jpg")


def test_a_home_folder_is_expanded_and_no_folder_called_tilde_is_made(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    asked = {}
    monkeypatch.setattr(configured.data, "load", lambda *_, **options: asked.update(options))
    configured.load_configured(Data(name="cifar100", root="~/data"), "train")
    assert asked["root"] == f"{tmp_path}/data"
    configured.load_configured(
        Data(name="flowers102", split="kaggle", split_file="~/a.csv", root="~/../data"), "train"
    )
    assert asked["split_file"] == f"{tmp_path}/a.csv" and not (tmp_path / "~").exists()


def test_hints_name_the_folder_that_holds_the_data(tmp_path):
    (tmp_path / "all" / "flowers-102" / "jpg").mkdir(parents=True)
    assert hint(tmp_path / "all", "flowers-102") == ""
    assert str(tmp_path / "all") in hint(tmp_path / "all" / "flowers-102", "flowers-102")
    assert str(tmp_path / "all") in hint(tmp_path / "all" / "flowers-102" / "jpg", "flowers-102")
    assert str(tmp_path / "all") in hint(tmp_path, "flowers-102")
    assert hint(tmp_path / "nowhere" / "at" / "all", "flowers-102") == ""


def test_histories_end_their_lines_as_all_other_tables_do(tmp_path):
    from symbreak.learning.loop import write_history

    write_history(tmp_path / "history.csv", [{"epoch": 1, "train_loss": 0.5}])
    assert b"\r" not in (tmp_path / "history.csv").read_bytes()

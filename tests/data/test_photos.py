"""Photos, one by one: decoded, turned upright, resized, and refused where they cannot be."""

import struct

from cnnkit import data
from cnnkit.data import photos

import keras
import numpy as np
import pytest
from PIL import Image

from .conftest import picture, whole

# EXIF's eight orientations, and what turns such a picture upright.
UPRIGHT = {
    1: lambda x: x,
    2: lambda x: x[:, ::-1],
    3: lambda x: x[::-1, ::-1],
    4: lambda x: x[::-1],
    5: lambda x: x.swapaxes(0, 1),
    6: lambda x: np.rot90(x, -1),
    7: lambda x: x[::-1, ::-1].swapaxes(0, 1),
    8: lambda x: np.rot90(x, 1),
}


@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.webp"])
@pytest.mark.parametrize("orientation", UPRIGHT)
def test_a_rotated_photo_is_turned_upright_once(orientation, name, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture().save(tmp_path / name, exif=exif, lossless=True)
    expected = UPRIGHT[orientation](np.asarray(picture()))
    np.testing.assert_array_equal(photos.decode(tmp_path / name), expected)


@pytest.mark.parametrize("mode", ["L", "1", "RGBA", "LA"])
def test_other_plain_modes_become_rgb(mode, tmp_path):
    picture().convert(mode).save(tmp_path / "a.png")
    expected = np.asarray(picture().convert(mode).convert("RGB"))
    np.testing.assert_array_equal(photos.decode(tmp_path / "a.png"), expected)


def test_what_is_transparent_becomes_white(tmp_path):
    Image.new("RGBA", (5, 5), (200, 0, 0, 0)).save(tmp_path / "a.png")
    assert (photos.decode(tmp_path / "a.png") == 255).all()


def test_a_photo_is_resized_as_keras_does_it_with_antialiasing(tmp_path):
    picture(200, 150).save(tmp_path / "a.png")
    found = photos.decode(tmp_path / "a.png", (64, 48))
    expected = keras.ops.image.resize(
        np.asarray(picture(200, 150), "float32"), (64, 48), "bilinear", antialias=True
    )
    np.testing.assert_allclose(found, keras.ops.convert_to_numpy(expected), atol=1)


def test_several_views_of_a_phone_are_one_photo(tmp_path):
    picture().save(tmp_path / "a.jpg", "MPO", save_all=True, append_images=[picture(seed=1)])
    assert photos.decode(tmp_path / "a.jpg").shape == (30, 40, 3)


@pytest.mark.parametrize("turned", [False, True])
def test_a_large_photo_keeps_its_sharpness(turned, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6 if turned else 1
    noise = np.random.default_rng(0).integers(0, 256, (60, 200, 3), "uint8")
    large = Image.fromarray(noise).resize((1600, 480), Image.Resampling.NEAREST)
    large.save(tmp_path / "a.jpg", quality=95, exif=exif)
    upright = large.rotate(-90, expand=True) if turned else large
    size = (200, 60) if turned else (60, 200)
    expected = np.asarray(upright.resize(size[::-1], Image.Resampling.BILINEAR), float)
    assert np.abs(photos.decode(tmp_path / "a.jpg", size) - expected).mean() < 6


def test_a_header_that_lies_about_the_size_is_refused(tmp_path):
    content = bytearray(whole(tmp_path / "a.jpg"))
    start = content.index(b"\xff\xc0") + 5
    content[start : start + 4] = struct.pack(">HH", 65_000, 65_000)
    (tmp_path / "a.jpg").write_bytes(content)
    with pytest.raises(ValueError, match=r"too many|damaged"):
        photos.decode(tmp_path / "a.jpg")


def test_single_photos_are_loaded_as_those_of_a_folder(tmp_path):
    folder = data.drawings.write(tmp_path / "drawn", ["cat", "dog"], 2, seed=0)
    loaded = data.image_folder(folder, (24, 32))
    ((images, _),) = loaded
    np.testing.assert_array_equal(data.load_images(loaded.file_paths, (24, 32)), images)
    assert data.load_images([], (24, 32)).shape == (0, 24, 32, 3)
    for size in (24, (0, 0), (24, 32, 3)):
        with pytest.raises(ValueError, match=r"image_size is .*expected \(height, width\)"):
            data.load_images(loaded.file_paths, size)
    with pytest.raises(ValueError, match=r"paths is '.*'; expected a list"):
        data.load_images(loaded.file_paths[0], (24, 32))
    with pytest.raises(ValueError, match=r"none\.jpg is not usable: it cannot be read \(No such"):
        data.load_images([folder / "none.jpg"], (24, 32))
    with pytest.raises(ValueError, match=r"boxes.csv is not usable: it is no picture"):
        data.load_images([folder / "boxes.csv"], (24, 32))

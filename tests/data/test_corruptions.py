"""Corruptions: the same for the same face, as strong as they say, and stronger each time."""

import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from emotion.data import corruptions
from emotion.data.corruptions import CORRUPTIONS, corrupt
from emotion.faces.boxes import Box
from emotion.faces.crops import crop_face, resize_crop
from emotion.sketches.scenes import draw_scene

NAMES = tuple(CORRUPTIONS)
SIZES = (64, 128, 256)


@cache
def drawn(number: int) -> NDArray[np.uint8]:
    scene = draw_scene(np.random.default_rng([1, number]), ["smile"])
    return crop_face(scene.image, Box(*scene.faces[0].box))


def face(size: int, number: int = 0) -> NDArray[np.uint8]:
    return resize_crop(drawn(number), size)


def psnr(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Peak signal-to-noise ratio in decibels; the lower, the more different."""
    error = np.mean((one.astype(float) - other) ** 2)
    return float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_each_strength_changes_more_than_the_one_before(name: str, size: int) -> None:
    values = [
        np.mean([psnr(face(size, k), corrupt(face(size, k), name, s, k)) for k in range(4)])
        for s in (1, 2, 3)
    ]
    assert values[0] > values[1] > values[2]
    assert values[0] < 40  # below that nobody sees a difference


@pytest.mark.parametrize("name", NAMES)
def test_a_crop_looks_the_same_at_any_size(name: str) -> None:
    # Faces of twice the size, corrupted and made small again, are as different from clean ones.
    for strength in (1, 2, 3):
        one, other = (
            np.mean(
                [
                    psnr(_small(face(s, k)), _small(corrupt(face(s, k), name, strength, k)))
                    for k in range(4)
                ]
            )
            for s in (128, 256)
        )
        assert one == pytest.approx(other, abs=1.5)


def _small(crop: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return resize_crop(crop, 64)


@given(
    name=st.sampled_from(NAMES),
    strength=st.integers(1, 3),
    index=st.integers(0, 10**9),
    size=st.sampled_from((64, 96, 160, 256)),
    seed=st.integers(0, 50),
)
def test_shape_type_and_input_are_kept(
    name: str, strength: int, index: int, size: int, seed: int
) -> None:
    pixels = np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
    before = pixels.copy()
    pixels.flags.writeable = False
    changed = corrupt(pixels, name, strength, index)
    assert changed.shape == pixels.shape
    assert changed.dtype == np.uint8
    assert changed.flags.c_contiguous
    assert changed.flags.writeable
    assert not np.shares_memory(changed, pixels)
    np.testing.assert_array_equal(pixels, before)
    np.testing.assert_array_equal(changed, corrupt(pixels, name, strength, index))


@pytest.mark.parametrize("name", ["noise", "rotation", "occlusion"])
def test_draws_depend_on_the_face_and_the_strength(name: str) -> None:
    pixels = face(64)
    faces = {corrupt(pixels, name, 2, index).tobytes() for index in range(20)}
    assert len(faces) == (2 if name == "rotation" else 20)  # to the left, or to the right


@pytest.mark.parametrize("name", ["blur", "dark", "JPEG", "low resolution"])
def test_what_draws_nothing_is_the_same_for_all_faces(name: str) -> None:
    pixels = face(64)
    assert len({corrupt(pixels, name, 2, index).tobytes() for index in range(5)}) == 1


def test_draws_are_the_same_in_another_process() -> None:
    code = (
        "import numpy as np, zlib\n"
        "from emotion.data.corruptions import CORRUPTIONS, corrupt\n"
        "p = np.arange(64 * 64 * 3, dtype=np.uint32).astype(np.uint8).reshape(64, 64, 3)\n"
        "print([zlib.crc32(corrupt(p, n, 3, 7).tobytes()) for n in CORRUPTIONS])\n"
        "import sys; assert not {'torch', 'albumentations'} & set(sys.modules)\n"
    )
    runs = [
        subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
        for _ in range(2)
    ]
    assert runs[0].stdout == runs[1].stdout
    assert runs[0].stdout.count(",") == len(NAMES) - 1


# --- each as strong as it says


def test_blur_is_scipys_gaussian() -> None:
    pixels = face(128)
    for strength, share in enumerate(corruptions.BLUR, 1):
        exact = gaussian_filter(pixels.astype(float), (share * 128, share * 128, 0), mode="nearest")
        difference = np.abs(corrupt(pixels, "blur", strength, 0) - exact)
        assert difference.max() < 2
        assert difference.mean() < 0.5


@pytest.mark.parametrize("size", [128, 256])
def test_noise_has_its_standard_deviation_and_no_mean(size: int) -> None:
    grey = np.full((size, size, 3), 127, np.uint8)
    for strength, share in enumerate(corruptions.NOISE[:2], 1):  # the third is cut off at 0 and 255
        noise = corrupt(grey, "noise", strength, 3) - 127.0
        assert noise.std() == pytest.approx(255 * share, rel=0.02)
        assert abs(noise.mean()) < 0.5


def test_dark_leaves_its_share_of_the_light() -> None:
    light = np.full((64, 64, 3), 200, np.uint8)
    for strength, share in enumerate(corruptions.DARK, 1):
        assert (corrupt(light, "dark", strength, 0) == 200 * share).all()


def test_rotation_turns_by_its_angle_about_the_middle() -> None:
    # A bright spot right of the middle: where it went tells the angle.
    pixels = np.zeros((129, 129, 3), np.uint8)
    pixels[62:67, 102:107] = 255
    for strength, degrees in enumerate(corruptions.ROTATION, 1):
        angles = set()
        for index in range(12):
            turned = corrupt(pixels, "rotation", strength, index)[..., 0].astype(float)
            rows, columns = np.indices(turned.shape)
            y, x = ((turned * axis).sum() / turned.sum() - 64 for axis in (rows, columns))
            assert np.hypot(x, y) == pytest.approx(40, abs=0.5)
            angles.add(round(float(np.degrees(np.arctan2(y, x)))))
        assert angles == {-degrees, degrees}


def test_occlusion_covers_its_square_near_the_middle() -> None:
    white = np.full((200, 200, 3), 255, np.uint8)
    for strength, share in enumerate(corruptions.OCCLUSION, 1):
        for index in range(30):
            covered = corrupt(white, "occlusion", strength, index)[..., 0] == corruptions.GREY
            rows, columns = np.nonzero(covered)
            for axis in (rows, columns):
                low, high = axis.min(), axis.max() + 1
                # What would lie beyond the crop is cut off.
                cut = low == 0 or high == 200
                assert high - low == pytest.approx(200 * share, abs=1) or (
                    cut and high - low < 200 * share
                )
            assert covered.sum() == len(set(rows)) * len(set(columns))
            assert covered[30:170, 30:170].any()


def test_low_resolution_leaves_no_finer_detail() -> None:
    board = np.indices((240, 240)).sum(axis=0) % 2 * 255
    pixels = np.repeat(board.astype(np.uint8)[..., None], 3, axis=2)
    for strength in (1, 2, 3):
        assert corrupt(pixels, "low resolution", strength, 0).std() < 8
    halves = np.where(np.arange(240) < 120, 0, 255).astype(np.uint8)
    pixels = np.broadcast_to(halves[None, :, None], (240, 240, 3)).copy()
    assert corrupt(pixels, "low resolution", 3, 0).std() > 110


def test_jpeg_keeps_the_order_of_colours() -> None:
    red = np.full((64, 64, 3), (200, 40, 40), np.uint8)
    found = corrupt(red, "JPEG", 1, 0).reshape(-1, 3).mean(axis=0)
    assert found == pytest.approx([200, 40, 40], abs=25)


@pytest.mark.parametrize(("name", "strength"), [("fog", 1), ("blur", 0), ("blur", 4)])
def test_others_are_refused(name: str, strength: int) -> None:
    with pytest.raises(ValueError, match=f"at 1 to 3, got {name}, {strength}$"):
        corrupt(face(64), name, strength, 0)


def test_every_strength_has_words() -> None:
    assert len(NAMES) == 7
    assert all(len(texts) == len(set(texts)) == 3 for texts in CORRUPTIONS.values())
    assert CORRUPTIONS["blur"][0] == "Gaussian of 1% of the side"

"""Input settings: they travel as plain data, and what does not fit is refused."""

import dataclasses
import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.errors import CheckpointError, ConfigError
from emotion.faces.boxes import Box
from emotion.faces.crops import resize_crop
from emotion.faces.inputs import IMAGENET_MEAN, IMAGENET_STD, InputSpec

IMAGE = np.random.default_rng(0).integers(0, 256, (120, 160, 3)).astype(np.uint8)
SHARES = st.floats(0.001, 1)
SPECS = st.builds(
    InputSpec,
    labels=st.lists(st.text(min_size=1).filter(str.strip), min_size=2, unique=True).map(tuple),
    size=st.integers(2, 32).map(lambda k: 32 * k),
    margin=st.floats(0, 2),
    square=st.booleans(),
    mean=st.tuples(SHARES, SHARES, SHARES),
    std=st.tuples(SHARES, SHARES, SHARES),
    mirror=st.booleans(),
)


def test_the_defaults_are_the_originals() -> None:
    spec = InputSpec()
    assert spec.labels == ("neutral", "anger", "surprise", "smile", "sad")
    assert (spec.size, spec.margin, spec.square) == (256, 0, False)
    assert spec.mean == IMAGENET_MEAN == (0.485, 0.456, 0.406)
    assert spec.std == IMAGENET_STD == (0.229, 0.224, 0.225)
    assert not spec.mirror


@given(SPECS)
def test_settings_come_back_from_plain_data(spec: InputSpec) -> None:
    travelled = json.loads(json.dumps(spec.to_dict()))
    assert travelled == spec.to_dict()  # nothing but lists, numbers and text
    assert InputSpec.from_dict(travelled, "here") == spec


@given(SPECS)
def test_lists_and_tuples_are_the_same_settings(spec: InputSpec) -> None:
    assert InputSpec(**spec.to_dict()) == spec
    assert hash(InputSpec(**spec.to_dict())) == hash(spec)


def test_pixels_are_the_resized_crop() -> None:
    spec = InputSpec(size=64)
    pixels = spec.pixels(IMAGE, Box(20, 30, 121, 113))
    assert pixels.dtype == np.uint8
    assert np.array_equal(pixels, resize_crop(IMAGE[30:113, 20:121], 64))


def test_margin_and_square_are_those_of_the_settings() -> None:
    spec = InputSpec(margin=0.1, square=True)
    crop = spec.crop(IMAGE, Box(50, 40, 70, 80))
    assert np.array_equal(crop, IMAGE[36:84, 36:84])


@pytest.mark.parametrize("size", [0, -32, 32, 63, 65, 100, 1056, 256.0, True, "256", None])
def test_a_size_that_the_network_cannot_take_is_refused(size: Any) -> None:
    message = rf"^input\.size: expected a multiple of 32, 64 to 1024, got {size}$"
    with pytest.raises(ConfigError, match=message):
        InputSpec(size=size)


@pytest.mark.parametrize("margin", [-0.01, 2.01, math.nan, math.inf])
def test_a_margin_out_of_range_is_refused(margin: float) -> None:
    with pytest.raises(ConfigError, match=rf"^input\.margin: expected a share .* got {margin}$"):
        InputSpec(margin=margin)


@pytest.mark.parametrize(
    "changes",
    [
        {"mean": (0.5, 0.5)},
        {"std": (1.0,) * 4},
        {"std": (1.0, 0.0, 1.0)},
        {"std": (-1.0, 1.0, 1.0)},
    ],
)
def test_colours_come_in_threes_with_a_spread(changes: dict[str, Any]) -> None:
    message = r"^input\.mean, input\.std: expected three numbers each, std above 0, got \("
    with pytest.raises(ConfigError, match=message):
        InputSpec(**changes)


def test_labels_are_checked() -> None:
    with pytest.raises(ConfigError, match="expected each name once, got sad again"):
        InputSpec(labels=("sad", "smile", "sad"))


def test_settings_cannot_be_changed_later() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        InputSpec().size = 128  # type: ignore[misc]


@pytest.mark.parametrize("wrong", [{"extra": 1}, {"size": None}])
def test_missing_and_unknown_fields_are_named_with_the_place(wrong: dict[str, Any]) -> None:
    content = InputSpec().to_dict() | wrong
    if wrong == {"size": None}:
        del content["size"]
    with pytest.raises(CheckpointError) as caught:
        InputSpec.from_dict(content, "a.ckpt")
    assert str(caught.value) == (
        f"a.ckpt: the input settings have {sorted(content)}, expected"
        " ['labels', 'margin', 'mean', 'mirror', 'size', 'square', 'std'];"
        " it may come from another version of emotion"
    )


def test_what_was_written_before_there_were_mirror_images_asks_none() -> None:
    content = InputSpec(size=64).to_dict()
    del content["mirror"]
    assert InputSpec.from_dict(content, "a.ckpt") == InputSpec(size=64)


@pytest.mark.parametrize("mirror", [None, 1, "true"])
def test_mirror_is_true_or_false(mirror: Any) -> None:
    with pytest.raises(
        ConfigError, match=rf"^input\.mirror: expected true or false, got {mirror}$"
    ):
        InputSpec(mirror=mirror)


@pytest.mark.parametrize(
    ("field", "value"), [("size", 100), ("margin", "wide"), ("labels", 5), ("std", [1, 0, 1])]
)
def test_values_out_of_range_are_named_with_the_place(field: str, value: Any) -> None:
    with pytest.raises(CheckpointError, match=r"^a\.ckpt: "):
        InputSpec.from_dict(InputSpec().to_dict() | {field: value}, "a.ckpt")

"""Tensors of ONNX files, against what the onnx package reads."""

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper, numpy_helper

from emotion.onnx_tensors import as_text, read_tensors, read_text


def write(path: Path, *tensors: onnx.TensorProto) -> Path:
    graph = helper.make_graph([], "g", [], [], initializer=list(tensors))
    path.write_bytes(helper.make_model(graph).SerializeToString())
    return path


@given(shape=st.lists(st.integers(0, 4), max_size=4), seed=st.integers(0, 99))
def test_shapes_and_numbers_are_those_of_the_onnx_package(
    shape: list[int], seed: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    values = np.random.default_rng(seed).normal(size=shape)
    tensors = [
        numpy_helper.from_array(values.astype(np.float32), "single"),
        numpy_helper.from_array(values.astype(np.float16), "half.16"),
        numpy_helper.from_array((1e12 * values).astype(np.int64), "whole"),
        numpy_helper.from_array(values.astype(np.uint8), "other"),
    ]
    found = read_tensors(write(tmp_path_factory.mktemp("onnx") / "m.onnx", *tensors))
    assert sorted(found) == ["half", "single", "whole"]
    for name, tensor in zip(("single", "half", "whole"), tensors, strict=False):
        np.testing.assert_array_equal(found[name], numpy_helper.to_array(tensor))
        assert found[name].dtype == (np.int64 if name == "whole" else np.float32)


def test_a_file_cut_off_at_any_byte_is_refused_or_has_whole_tensors(tmp_path: Path) -> None:
    values = np.arange(6, dtype=np.float32).reshape(2, 3)
    path = write(tmp_path / "m.onnx", numpy_helper.from_array(values, "values"))
    content = path.read_bytes()
    for length in range(len(content)):
        path.write_bytes(content[:length])
        try:
            found = read_tensors(path)
        except ValueError:
            continue
        assert all(np.array_equal(tensor, values) for tensor in found.values())


def test_tensors_come_back_from_the_metadata(tmp_path: Path) -> None:
    tensors = {"a.weight": np.arange(3, dtype=np.float32), "b": np.zeros((0, 2), np.float32)}
    made = helper.make_model(helper.make_graph([], "none", [], []))
    helper.set_model_props(made, {"x": as_text(tensors), "y": "eA==", "z": "no base 64!"})
    path = tmp_path / "m.onnx"
    path.write_bytes(made.SerializeToString())
    found = read_text(path, "x")
    assert found.keys() == tensors.keys()
    for name, values in tensors.items():
        np.testing.assert_array_equal(found[name], values)
    with pytest.raises(KeyError):
        read_text(path, "absent")
    for key in "yz":
        with pytest.raises(ValueError):
            read_text(path, key)

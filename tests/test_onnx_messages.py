"""The outermost layer of ONNX files, against the onnx package."""

import contextlib
import io

import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from emotion.onnx_messages import MessageError, metadata, metadata_entry


def model(texts: dict[str, str]) -> bytes:
    made = helper.make_model(helper.make_graph([], "none", [], []), producer_name="p" * 200)
    helper.set_model_props(made, texts)
    return bytes(made.SerializeToString())


@given(st.dictionaries(st.text(min_size=1), st.text(), max_size=4))
def test_metadata_are_those_that_onnx_wrote(texts: dict[str, str]) -> None:
    content = model(texts)
    assert metadata(io.BytesIO(content), len(content)) == texts


@given(st.text(min_size=1), st.text(max_size=400))
def test_an_entry_at_the_end_is_read_by_onnx(key: str, value: str) -> None:
    read = onnx.load_from_string(model({}) + metadata_entry(key, value))
    assert [(entry.key, entry.value) for entry in read.metadata_props] == [(key, value)]


@given(st.binary(max_size=200))
def test_any_bytes_are_metadata_or_an_error(content: bytes) -> None:
    with contextlib.suppress(MessageError, UnicodeDecodeError):
        metadata(io.BytesIO(content), len(content))


@pytest.mark.parametrize("kept", [1, 5, 50])
def test_a_message_that_is_cut_off_is_an_error(kept: int) -> None:
    content = model({"a": "b" * 100})[:-kept]
    with pytest.raises(MessageError):
        metadata(io.BytesIO(content), len(content))

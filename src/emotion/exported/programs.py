"""What a .pt2 file may hold: torch.export.load runs code that is hidden in one.

It unpickles sample inputs and odd weights, evaluates the text of shapes, and calls whatever
function of torch the program names, `torch.os.system` among them (torch 2.14). So only what
`emotion export` writes gets there: plain weights, and the operators of this network.
"""

import json
import re
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from emotion.errors import CheckpointError
from emotion.inference.model_info import KEY
from emotion.inference.sealing import DAMAGE

PROGRAM = "models/model.json"
WEIGHTS = "data/weights/model_weights_config.json"
CONSTANTS = "data/constants/model_constants_config.json"
SAMPLES = "data/sample_inputs/model.pt"  # empty here: else a pickle
LARGEST_TEXT = 1 << 24  # bytes of an entry that is JSON

OPERATORS = frozenset(
    f"torch.ops.aten.{name}"
    for name in (
        *("_assert_tensor_metadata.default", "_to_copy.default", "to.dtype", "permute.default"),
        *("add.Tensor", "add_.Tensor", "mul.Tensor", "div.Tensor", "div.Scalar"),
        *("conv2d.default", "convolution.default", "linear.default", "addmm.default"),
        *("hardtanh.default", "hardtanh_.default", "clamp.default", "relu6.default"),
        *("mean.dim", "softmax.int", "_softmax.default"),
    )
)
_ENTRIES = re.compile(
    rf"{PROGRAM}|{WEIGHTS}|{CONSTANTS}|{SAMPLES}|data/weights/weight_\d+|extra/{KEY}\.json"
    r"|archive_format|archive_version|byteorder|\.data/version|\.data/serialization_id"
)
_NAME = re.compile(r"[\w.+-]*")  # without brackets nothing can be called
_SHAPE = re.compile(r"Symbol\('[su]\d+', positive=True, integer=True\)|[su]?\d+")
_TREE_TYPES = (None, "builtins.tuple", "builtins.dict")


def check_program(path: Path) -> None:
    """Checks, without running anything of it, that a .pt2 file holds nothing but this network.

    Raises:
        CheckpointError: it holds something else, or is damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            odd = next(_odd_parts(archive), None)
    except (OSError, *DAMAGE) as error:
        raise CheckpointError(f"{path}: a .pt2 file that is damaged") from error
    if odd is not None:
        raise CheckpointError(
            f"{path}: holds {odd}, which `emotion export` does not write and which might run code"
            " when loaded; it is not opened"
        )


def _odd_parts(archive: zipfile.ZipFile) -> Iterator[str]:
    """Yields what there is beside the program, from the outside to the inside."""
    names = archive.namelist()
    root = names[0].partition("/")[0]
    for name in names:
        if not name.startswith(f"{root}/") or not _ENTRIES.fullmatch(name[len(root) + 1 :]):
            yield f"the entry {name!r}"
    if len(set(names)) != len(names):
        yield "two entries of one name"
    if archive.getinfo(f"{root}/{SAMPLES}").file_size:
        yield "pickled sample inputs"
    yield from _odd_weights(_read(archive, f"{root}/{WEIGHTS}"))
    if _read(archive, f"{root}/{CONSTANTS}")["config"]:
        yield "constants beside the weights"
    yield from _odd_texts(_read(archive, f"{root}/{PROGRAM}"), "")


def _read(archive: zipfile.ZipFile, name: str) -> Any:
    if archive.getinfo(name).file_size > LARGEST_TEXT:
        raise ValueError("a text of unlikely length")
    return json.loads(archive.read(name))


def _odd_weights(config: Mapping[str, Any]) -> Iterator[str]:
    for name, payload in config["config"].items():
        if payload["use_pickle"] is not False or not re.fullmatch(
            r"weight_\d+", payload["path_name"]
        ):
            yield f"the weight {name!r} as a pickle"


def _odd_texts(value: Any, key: str) -> Iterator[str]:
    """Yields texts of a program that are no plain names, by the key that they stand under."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _odd_texts(name, "")
            yield from _odd_texts(inner, name)
    elif isinstance(value, list):
        for inner in value:
            yield from _odd_texts(inner, key)
    elif isinstance(value, str) and not _is_plain(value, key):
        yield f"{value[:80]!r} as {key or 'a name'}"


def _is_plain(text: str, key: str) -> bool:
    if key in ("in_spec", "out_spec"):
        return _is_plain_tree(json.loads(text))
    if key == "target":
        return text in OPERATORS
    pattern = _SHAPE if key == "expr_str" else _NAME
    return pattern.fullmatch(text) is not None


def _is_plain_tree(tree: Any) -> bool:
    """Tells whether a structure of arguments is of tuples and dicts only; others import modules."""
    _, node = tree
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if node["type"] not in _TREE_TYPES or node["context"] not in (None, "null", "[]"):
            return False
        waiting += node["children_spec"]
    return True

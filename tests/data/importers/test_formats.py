from collections.abc import Callable
from inspect import signature
from pathlib import Path

import pytest

from emotion.data.importers.formats import FORMATS
from emotion.data.importers.photos import LayoutError
from emotion.data.importers.trees import open_tree


@pytest.mark.parametrize("name", FORMATS)
def test_each_format_refuses_an_empty_source_with_its_layout(
    folder: Callable[..., Path], name: str
) -> None:
    module = FORMATS[name].load()
    with open_tree(folder({"readme.txt": ""})) as tree:
        assert not module.recognise(tree)
        with pytest.raises(LayoutError, match=r"source: expected .*readme\.txt"):
            list(module.photos(tree))


def test_settings_have_defaults() -> None:
    for format in FORMATS.values():
        _, *settings = signature(format.load().photos).parameters.values()
        assert all(setting.default is not setting.empty for setting in settings)

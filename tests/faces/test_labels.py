"""Labels: names become classes, and unknown names are all listed."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.errors import ConfigError, DataError
from emotion.faces.labels import EMOTIONS, LabelScheme, check_names

NAMES = st.lists(st.text(min_size=1).filter(str.strip), min_size=2, max_size=8, unique=True)


def test_the_classes_are_those_of_the_original_in_its_order() -> None:
    assert EMOTIONS == ("neutral", "anger", "surprise", "smile", "sad")
    assert [LabelScheme().class_of(name) for name in EMOTIONS] == [0, 1, 2, 3, 4]


@given(NAMES)
def test_the_position_of_a_name_is_its_class(names: list[str]) -> None:
    scheme = LabelScheme(tuple(names))
    assert [scheme.class_of(name) for name in names] == list(range(len(names)))


@given(names=NAMES, data=st.data())
def test_a_mapped_name_has_the_class_of_its_target(names: list[str], data: st.DataObject) -> None:
    targets = st.none() | st.sampled_from(names)
    mapping = data.draw(st.dictionaries(st.text().filter(lambda n: n not in names), targets))
    scheme = LabelScheme(tuple(names), mapping)
    scheme.require_known([*names, *mapping], "here")
    for name, target in mapping.items():
        assert scheme.class_of(name) == (None if target is None else names.index(target))


def test_a_class_can_be_merged_into_another_or_dropped() -> None:
    scheme = LabelScheme(mapping={"sad": "smile", "anger": None})
    assert (scheme.class_of("sad"), scheme.class_of("anger")) == (3, None)


def test_names_differ_by_case() -> None:
    with pytest.raises(DataError, match="unknown label 'Smile'"):
        LabelScheme().require_known(["smile", "Smile"], "here")


def test_numbers_that_yaml_read_as_numbers_are_names() -> None:
    mapping = cast(Mapping[str, str | None], {1: "smile", 2: None})
    scheme = LabelScheme(mapping=mapping)
    scheme.require_known(["1", "2"], "here")
    assert (scheme.class_of("1"), scheme.class_of("2")) == (3, None)


def test_asking_for_an_unknown_name_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        LabelScheme().class_of("happy")


def test_an_unknown_label_is_named_with_the_place_and_the_way_out() -> None:
    with pytest.raises(DataError) as caught:
        LabelScheme().require_known(["smile", "happy"], "data/train")
    assert str(caught.value) == (
        "data/train: unknown label 'happy'; expected neutral, anger, surprise, smile, sad."
        " Map or drop them: train 'data.label_map={happy: neutral}' (null drops), or"
        " evaluate --map 'happy=neutral' (nothing after = drops)"
    )


@given(st.sets(st.text("abcxyz", min_size=1, max_size=6), min_size=2, max_size=30))
def test_unknown_labels_are_all_listed_once_and_sorted(unknown: set[str]) -> None:
    unknown -= {"sad"}
    found = [*unknown, *unknown, "sad"]
    listed = ", ".join(f"'{name}'" for name in sorted(unknown))
    with pytest.raises(DataError, match=rf"^here: unknown labels? {listed};"):
        LabelScheme().require_known(found, "here")


def test_a_map_to_no_class_is_an_error_that_lists_the_wrong_values() -> None:
    with pytest.raises(ConfigError) as caught:
        LabelScheme(mapping={"happy": "joy", "angry": "anger", "fear": "fright", "x": None})
    assert str(caught.value) == (
        "data.label_map: expected its values to be among neutral, anger, surprise, smile, sad"
        " or null, got fright, joy"
    )


def test_a_map_to_a_number_is_an_error_of_the_config() -> None:
    mapping = cast(Mapping[str, str | None], {"happy": 3})
    with pytest.raises(ConfigError, match=r"got 3$"):
        LabelScheme(mapping=mapping)


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], r"input\.labels: expected two names or more, got \[\]"),
        (["smile"], r"expected two names or more, got \['smile'\]"),
        (["smile", ""], r"expected names that are not empty, got \['smile', ''\]"),
        (["smile", " \t"], "expected names that are not empty"),
        (["smile", 3], r"expected names that are not empty, got \['smile', 3\]"),
        (["b", "a", "b", "a", "c"], "expected each name once, got a, b again"),
    ],
)
def test_names_that_cannot_be_told_apart_are_refused(names: list[Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_names(names)
    with pytest.raises(ConfigError, match=message):
        LabelScheme(tuple(names))


@given(NAMES)
def test_different_names_pass(names: list[str]) -> None:
    check_names(names)
    with pytest.raises(ConfigError, match="again"):
        check_names([*names, names[0]])

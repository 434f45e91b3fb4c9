"""Labels: names become classes, and a name that is nearly one is found."""

from collections.abc import Mapping
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.errors import ConfigError
from emotion.faces.labels import EMOTIONS, LabelScheme, check_names

NAMES = st.lists(st.text(min_size=1).filter(str.strip), min_size=2, max_size=8, unique=True)


def test_the_classes_are_those_of_the_original_in_its_order() -> None:
    assert EMOTIONS == ("neutral", "anger", "surprise", "smile", "sad")
    assert [LabelScheme().class_of(name) for name in EMOTIONS] == [0, 1, 2, 3, 4]


@given(NAMES)
def test_the_position_of_a_name_is_its_class(names: list[str]) -> None:
    scheme = LabelScheme(tuple(names))
    assert [scheme.class_of(name) for name in names] == list(range(len(names)))
    assert [scheme.meaning(name) for name in names] == names


@given(names=NAMES, data=st.data())
def test_a_mapped_name_has_the_class_of_its_target(names: list[str], data: st.DataObject) -> None:
    targets = st.none() | st.sampled_from(names)
    mapping = data.draw(st.dictionaries(st.text().filter(lambda n: n not in names), targets))
    scheme = LabelScheme(tuple(names), mapping)
    assert all(scheme.knows(name) for name in [*names, *mapping])
    for name, target in mapping.items():
        assert scheme.class_of(name) == (None if target is None else names.index(target))
        assert scheme.meaning(name) == (target or "dropped")


def test_a_class_can_be_merged_into_another_or_dropped() -> None:
    scheme = LabelScheme(mapping={"sad": "smile", "anger": None})
    assert (scheme.class_of("sad"), scheme.class_of("anger")) == (3, None)
    assert (scheme.meaning("sad"), scheme.meaning("anger")) == ("smile", "dropped")


@pytest.mark.parametrize("name", ["Smile", " smile", "smile\n", "smi le", "SMILE", "", "happy"])
def test_a_name_is_known_only_as_it_is_written(name: str) -> None:
    assert LabelScheme().knows("smile")
    assert not LabelScheme().knows(name)


@pytest.mark.parametrize("name", ["Smile", " smile", "\n\tsmile \n", "smi le", "SMILE"])
def test_a_name_that_differs_in_case_or_spaces_is_found(name: str) -> None:
    assert LabelScheme().respelt(name) == "smile"
    assert LabelScheme().meaning(name) == "smile"


@pytest.mark.parametrize("name", ["", " ", "smiles", "smi-le", "happy", "smile!"])
def test_a_name_that_differs_otherwise_is_not(name: str) -> None:
    assert LabelScheme().respelt(name) is None
    assert LabelScheme().meaning(name) == name


def test_a_mapped_name_is_found_too_and_has_the_class_of_its_target() -> None:
    scheme = LabelScheme(mapping={"very happy": "smile", "fear": None})
    assert (scheme.respelt("VeryHappy"), scheme.respelt("Fear ")) == ("very happy", "fear")
    assert (scheme.meaning("VeryHappy"), scheme.meaning("Fear ")) == ("smile", "dropped")


@given(name=st.sampled_from(EMOTIONS), data=st.data())
def test_spaces_and_case_never_hide_a_class(name: str, data: st.DataObject) -> None:
    spaces = st.text(" \t\n\u3000\u00a0", max_size=2)
    letters = [data.draw(st.sampled_from([c, c.upper()])) + data.draw(spaces) for c in name]
    assert LabelScheme().respelt(data.draw(spaces) + "".join(letters)) == name


def test_numbers_that_yaml_read_as_numbers_are_names() -> None:
    mapping = cast(Mapping[str, str | None], {1: "smile", 2: None})
    scheme = LabelScheme(mapping=mapping)
    assert (scheme.knows("1"), scheme.knows("2")) == (True, True)
    assert (scheme.class_of("1"), scheme.class_of("2")) == (3, None)


def test_asking_for_an_unknown_name_is_an_error_of_ours() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        LabelScheme().class_of("happy")


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

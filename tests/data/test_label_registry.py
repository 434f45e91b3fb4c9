import pytest
from hypothesis import given
from hypothesis import strategies as st

from emotion.data.importers.formats import FORMATS
from emotion.data.label_registry import REGISTRY, LabelTable
from emotion.errors import ConfigError
from emotion.faces.labels import EMOTIONS


def test_each_format_has_labels_that_become_all_five_classes() -> None:
    assert REGISTRY.keys() == FORMATS.keys()
    for format, labels in REGISTRY.items():
        assert {label.becomes for label in labels} == {*EMOTIONS, None}, format
        assert len({label.name.casefold() for label in labels}) == len(labels), format


# Written down from the authors' descriptions once more, by hand, number by number.
@pytest.mark.parametrize(
    ("format", "first", "classes"),
    [
        ("fer2013", 0, ["anger", None, None, "smile", "sad", "surprise", "neutral"]),
        ("rafdb", 1, ["surprise", None, None, "smile", "sad", "anger", "neutral"]),
        ("affectnet", 0, ["neutral", "smile", "sad", "surprise", None, None, "anger", *[None] * 4]),
        ("ckplus", 0, ["neutral", "anger", None, None, None, "smile", "sad", "surprise"]),
    ],
)
def test_numbers_become_classes(format: str, first: int, classes: list[str | None]) -> None:
    table = LabelTable(format, {})
    for number, label in enumerate(classes, first):
        assert table.becomes(table.name_of(str(number))) == label
    assert table.becomes(table.name_of(str(first + len(classes)))) is None


def test_case_spaces_and_common_words_do_not_matter() -> None:
    table = LabelTable("fer2013", {})
    assert table.name_of(" HAPPY ") == "happy"
    assert table.becomes(table.name_of("Happiness")) == "smile"
    assert LabelTable("folder", {}).becomes("3") is None


def test_overrides_come_first_by_name_or_number() -> None:
    table = LabelTable("fer2013", {"2": "fear", "Happy": None})
    assert table.becomes(table.name_of("fear")) == "fear"
    assert table.becomes(table.name_of("3")) is None
    assert table.overrides == {"fear": "fear", "happy": None}


def test_others_are_kept_under_their_own_names_unless_they_are_no_emotion() -> None:
    table = LabelTable("affectnet", {}, keep_others=True)
    kept = [table.becomes(table.name_of(str(number))) for number in (1, 4, 5, 7, 8, 9, 10)]
    assert kept == ["smile", "fear", "disgust", "contempt", None, None, None]
    assert table.becomes("") is None


def test_a_label_is_mapped_once_and_to_a_proper_name() -> None:
    with pytest.raises(ConfigError, match="--map: happy is mapped twice"):
        LabelTable("fer2013", {"3": "smile", "happy": "joy"})
    with pytest.raises(ConfigError, match="expected the name of a class"):
        LabelTable("fer2013", {"happy": "a\x00b"})


def test_lists_keep_the_authors_order() -> None:
    table = LabelTable("rafdb", {})
    assert sorted(["zeal", "neutral", "bored", "surprise"], key=table.order) == [
        *("surprise", "neutral"),
        *("bored", "zeal"),
    ]


@given(st.text(), st.sampled_from(sorted(REGISTRY)))
def test_any_label_becomes_a_name_that_xml_can_hold(label: str, format: str) -> None:
    table = LabelTable(format, {}, keep_others=True)
    name = table.name_of(label)
    assert name.isprintable()
    assert len(name) <= 100
    assert table.name_of(name) == name

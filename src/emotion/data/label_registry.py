"""What the labels of other data sets become here: the one place that says so.

The order and the numbers are those of the data sets' authors; each importer names its source.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from emotion.errors import ConfigError
from emotion.faces.labels import EMOTIONS

NEUTRAL, ANGER, SURPRISE, SMILE, SAD = EMOTIONS
LONGEST = 100  # characters of a label; more is no name


@dataclass(frozen=True)
class SourceLabel:
    """One label of a data set.

    Attributes:
        name: as the data set's authors call it.
        becomes: the class, or None where there is no counterpart.
        number: as it stands in the data set's files, where they hold numbers.
        emotion: False where the label says that there is none, such as "not a face": those are
            dropped even where labels without a counterpart are kept.
    """

    name: str
    becomes: str | None
    number: int | None = None
    emotion: bool = True


def _numbered(first: int, *pairs: tuple[str, str | None]) -> tuple[SourceLabel, ...]:
    return tuple(
        SourceLabel(name, becomes, number) for number, (name, becomes) in enumerate(pairs, first)
    )


_OTHERS = tuple(SourceLabel(name, None) for name in ("disgust", "fear", "contempt"))

# Words that people use as folder names, in CSV files and in annotation tools.
COMMON = (
    SourceLabel("neutral", NEUTRAL),
    SourceLabel("anger", ANGER),
    SourceLabel("angry", ANGER),
    SourceLabel("surprise", SURPRISE),
    SourceLabel("surprised", SURPRISE),
    SourceLabel("smile", SMILE),
    SourceLabel("smiling", SMILE),
    SourceLabel("happy", SMILE),
    SourceLabel("happiness", SMILE),
    SourceLabel("joy", SMILE),
    SourceLabel("sad", SAD),
    SourceLabel("sadness", SAD),
    *_OTHERS,
)

NO_WINNER = "no winner"  # FER+: no label got the votes that the rule asks for
UNLABELLED = "unlabelled"  # CK+: a sequence without an emotion file

REGISTRY: Mapping[str, tuple[SourceLabel, ...]] = {
    "fer2013": _numbered(
        0,
        ("angry", ANGER),
        ("disgust", None),
        ("fear", None),
        ("happy", SMILE),
        ("sad", SAD),
        ("surprise", SURPRISE),
        ("neutral", NEUTRAL),
    ),
    "ferplus": (
        SourceLabel("neutral", NEUTRAL),
        SourceLabel("happiness", SMILE),
        SourceLabel("surprise", SURPRISE),
        SourceLabel("sadness", SAD),
        SourceLabel("anger", ANGER),
        *_OTHERS,
        SourceLabel("unknown", None, emotion=False),
        SourceLabel("NF", None, emotion=False),  # not a face
        SourceLabel(NO_WINNER, None, emotion=False),
    ),
    "rafdb": _numbered(
        1,
        ("surprise", SURPRISE),
        ("fear", None),
        ("disgust", None),
        ("happiness", SMILE),
        ("sadness", SAD),
        ("anger", ANGER),
        ("neutral", NEUTRAL),
    ),
    "affectnet": (
        *_numbered(
            0,
            ("neutral", NEUTRAL),
            ("happiness", SMILE),
            ("sadness", SAD),
            ("surprise", SURPRISE),
            ("fear", None),
            ("disgust", None),
            ("anger", ANGER),
            ("contempt", None),
        ),
        SourceLabel("none", None, 8, emotion=False),
        SourceLabel("uncertain", None, 9, emotion=False),
        SourceLabel("non-face", None, 10, emotion=False),
    ),
    "ckplus": (
        *_numbered(
            0,
            ("neutral", NEUTRAL),
            ("anger", ANGER),
            ("contempt", None),
            ("disgust", None),
            ("fear", None),
            ("happy", SMILE),
            ("sadness", SAD),
            ("surprise", SURPRISE),
        ),
        SourceLabel(UNLABELLED, None, emotion=False),
    ),
    "folder": COMMON,
    "csv": COMMON,
    "coco": COMMON,
    "yolo": COMMON,
}


class LabelTable:
    """What each label of one import becomes.

    Args:
        format: a key of `REGISTRY`.
        overrides: label (its name or its number) -> class of any name, or None to drop it.
        keep_others: keep labels without a counterpart as classes under their own names.

    Raises:
        ConfigError: a class has no proper name, or one label is mapped twice.
    """

    def __init__(
        self, format: str, overrides: Mapping[str, str | None], keep_others: bool = False
    ) -> None:
        self.keep_others = keep_others
        self._labels = {label.name: label for label in REGISTRY[format]}
        # Where a format's own words end, the common ones are understood too.
        self._names = {label.name.casefold(): label.name for label in (*COMMON, *REGISTRY[format])}
        self._numbers = {
            label.number: label.name for label in REGISTRY[format] if label.number is not None
        }
        self._common = {label.name: label for label in COMMON}
        self.overrides: dict[str, str | None] = {}
        for name, label in overrides.items():
            self._override(self.name_of(name), label)

    def _override(self, name: str, label: str | None) -> None:
        if label is not None and label != _clean(label):
            raise ConfigError(f"--map {name}={label[:50]}: expected the name of a class")
        if name in self.overrides:
            raise ConfigError(f"--map: {name} is mapped twice; expected each label once")
        self.overrides[name] = label

    def name_of(self, label: str) -> str:
        """Gives the authors' name for a label as it stands in a file, or that label, cleaned."""
        text = _clean(label)
        if re.fullmatch(r"[0-9]{1,3}", text) and int(text) in self._numbers:
            return self._numbers[int(text)]
        return self._names.get(text.casefold(), text)

    def becomes(self, name: str) -> str | None:
        """Gives the class of a name that `name_of` gave, or None where its faces are dropped."""
        if name in self.overrides:
            return self.overrides[name]
        label = self._labels.get(name) or self._common.get(name)
        if label is not None and (label.becomes is not None or not label.emotion):
            return label.becomes
        return name if self.keep_others and name else None

    def order(self, name: str) -> tuple[int, str]:
        """Gives the place of a name in lists: the authors' order, then the alphabet."""
        names = list(self._labels)
        return (names.index(name) if name in names else len(names), name)


def _clean(label: str) -> str:
    # XML takes no control characters, and a folder's name on disk may be no text at all.
    text = "".join(char if char.isprintable() else "\ufffd" for char in label.strip())
    return text[:LONGEST].strip()

"""FER+: the faces of FER2013 with the votes of ten raters.

Layout: FER2013Train/, FER2013Valid/ and FER2013Test/, each with label.csv and the pictures it
names, as generate_training_data.py of microsoft/FERPlus writes them (the official README has the
same tree). A row is the picture's name, its box "(left, top, right, bottom)", half-open
(rect_util.py and img_util.py there), and the votes for neutral, happiness, surprise, sadness,
anger, disgust, fear, contempt, unknown and NF (not a face).

Rules, of which the first is the authors' own: `_process_data` of src/ferplus.py there, mode
"majority", for Barsoum et al., "Training Deep Networks for Facial Expression Recognition with
Crowd-Sourced Label Distribution", ICMI 2016 (arXiv:1608.01041).
"""

import re
from collections.abc import Iterator, Sequence

from emotion.data.importers.photos import LayoutError, Refusal, SourceFace, SourcePhoto
from emotion.data.importers.tables import read_rows
from emotion.data.importers.trees import SourceTree
from emotion.data.label_registry import NO_WINNER
from emotion.errors import ConfigError

VOTES = (
    *("neutral", "happiness", "surprise", "sadness", "anger"),
    *("disgust", "fear", "contempt", "unknown", "NF"),
)
FOLDERS = {"FER2013Train": "train", "FER2013Valid": "val", "FER2013Test": "test"}
RULES = ("official", "majority", "plurality")


def photos(
    tree: SourceTree, rule: str = "official", votes: int = 0
) -> Iterator[SourcePhoto | Refusal]:
    """Yields the faces of each part with the label that won, or `NO_WINNER`.

    Args:
        tree: the source.
        rule: see `winner`.
        votes: the winner needs so many votes besides, 0 to 10.

    Raises:
        LayoutError: there is no label.csv.
        ConfigError: no such rule, or number of votes.
    """
    if rule not in RULES:
        raise ConfigError(f"--rule: expected {', '.join(RULES)}, got {rule!r}")
    if not 0 <= votes <= 10:
        raise ConfigError(f"--votes: expected 0 to 10, for there are ten raters, got {votes}")
    tables = _tables(tree)
    if not tables:
        raise LayoutError(
            f"{tree.path}: expected {', '.join(FOLDERS)}, or some of them, each with label.csv and"
            f" pictures; found {tree.contents()}"
        )
    for part, name in tables.items():
        folder = name.removesuffix("label.csv")
        for line, row in read_rows(tree, name):
            yield _photo(part, folder, row, f"{name}:{line}", rule, votes)


def recognise(tree: SourceTree) -> bool:
    """Tells whether one of the label.csv is there."""
    return bool(_tables(tree))


def winner(counts: Sequence[int], rule: str, least: int = 0) -> str:
    """Gives the label that the raters chose, or `NO_WINNER`.

    Args:
        counts: votes, in the order of `VOTES`.
        rule: "official": labels with a single vote are outliers and left out; the winner has more
            than half of what remains. "majority": more than half of all votes. "plurality": more
            votes than any other label; a tie has no winner.
        least: votes that the winner needs besides.
    """
    kept = [count if rule != "official" or count > 1 else 0 for count in counts]
    most = max(kept)
    won = kept.count(most) == 1 if rule == "plurality" else 2 * most > sum(kept)
    return VOTES[kept.index(most)] if won and most >= least else NO_WINNER


def _tables(tree: SourceTree) -> dict[str, str]:
    found = {part: tree.find(f"{folder}/label.csv") for folder, part in FOLDERS.items()}
    return {part: name for part, name in found.items() if name is not None}


def _photo(
    part: str, folder: str, row: Sequence[str], place: str, rule: str, least: int
) -> SourcePhoto | Refusal:
    if len(row) != 2 + len(VOTES):
        return Refusal(
            place, f"expected a name, a box and {len(VOTES)} votes, got {len(row)} fields"
        )
    name, box, *texts = row
    corners = re.fullmatch(r"\((-?\d{1,6}), *(-?\d{1,6}), *(-?\d{1,6}), *(-?\d{1,6})\)", box)
    if corners is None:
        return Refusal(place, f"expected a box as in '(0, 0, 48, 48)', got {box[:50]!r}")
    if not all(re.fullmatch("[0-9]{1,3}", text) for text in texts):
        return Refusal(place, f"expected whole numbers of votes, got {', '.join(texts)[:50]}")
    counts = tuple(map(int, texts))
    left, top, right, bottom = map(float, corners.groups())
    face = SourceFace(winner(counts, rule, least), (left, top, right, bottom))
    return SourcePhoto(part, folder + name, (face,), votes=dict(zip(VOTES, counts, strict=True)))

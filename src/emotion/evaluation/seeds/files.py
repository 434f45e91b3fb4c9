"""What an evaluated sweep leaves: numbers, a table, a page, and a text for the terminal."""

import csv
import io
from pathlib import Path

from emotion.evaluation.seeds.seeds import Group, Spread, Summary
from emotion.files import harmless_cell, write_json, write_text
from emotion.pages.rendering import write_page
from emotion.pages.texts import counted, readable

NAMES = ("json", "csv", "html")
COLUMNS = ("score", "runs", "mean", "standard_deviation", "lowest", "highest", "interval_width")
NO_CHOICE = (
    "Runs stand in the order of the sweep, not ranked: whoever picks the best seed by these scores"
    " has chosen by the test, and its score is too good. Choose by validation (emotion runs)."
)


def write_summary(summary: Summary, folder: Path, title: str = "the sweep") -> list[Path]:
    """Writes `summary.json`, `summary.csv` and `summary.html`.

    Args:
        summary: the evaluated runs.
        folder: where to; made where it is not there.
        title: what the sweep is called.

    Returns:
        The files.

    Raises:
        EmotionError: a file cannot be written.
    """
    paths = [folder / f"summary.{name}" for name in NAMES]
    write_json(paths[0], summary.to_dict())
    write_text(paths[1], summary_csv(summary))
    groups = [(group, group_sentences(group)) for group in summary.groups]
    write_page(paths[2], "seeds.html", summary=summary, groups=groups, title=title, rule=NO_CHOICE)
    return paths


def summary_csv(summary: Summary) -> str:
    """Gives a row for each score of each group: its settings, then `COLUMNS`; empty for none."""
    settings = list(dict.fromkeys(name for group in summary.groups for name in group.settings))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(harmless_cell(name) for name in settings), *COLUMNS])
    for group in summary.groups:
        cells = [harmless_cell(str(group.settings.get(name, ""))) for name in settings]
        for name, one in group.scores.items():
            numbers = (one.mean, one.deviation, one.lowest, one.highest, one.width)
            shown = ["" if number is None else f"{number:.6g}" for number in numbers]
            writer.writerow([*cells, harmless_cell(name), len(one.values), *shown])
    return text.getvalue()


def summary_text(summary: Summary) -> str:
    """Gives the summary for a terminal."""
    lines = []
    for group in summary.groups:
        lines += [f"{counted(len(group.runs), 'run')} {readable(group.name)}".rstrip()]
        lines += [f"  {'score':34} {'mean':>6} {'± seeds':>8} {'lowest':>7} {'highest':>8}"]
        for name, one in group.scores.items():
            spread = "–" if one.deviation is None else f"{one.deviation:.3f}"
            lines.append(
                f"  {readable(name, 34):34} {one.mean:6.3f} {spread:>8} {one.lowest:7.3f}"
                f" {one.highest:8.3f}"
            )
        lines += [*(f"  {sentence}" for sentence in group_sentences(group)), ""]
    lines += [f"left out: {readable(name)}: {why}" for name, why in summary.left_out.items()]
    return "\n".join([*lines, NO_CHOICE]) + "\n"


def group_sentences(group: Group) -> list[str]:
    """Says what the figures of a group mean; claims no more than they show."""
    found = []
    if not group.same_faces:
        found.append(
            "These runs were measured on different faces, so their spread is not that of the seed"
            " alone."
        )
    if len(group.runs) == 1:
        return [*found, "One seed only: nothing is known of what another seed would give."]
    if len(set(group.seeds)) < len(group.seeds):
        found.append("Some runs have the same seed; they count as if they were different ones.")
    main = next(iter(group.scores.items()), None)
    return found if main is None else [*found, _uncertainty(main[0].replace("_", " "), main[1])]


def _uncertainty(name: str, score: Spread) -> str:
    assert score.deviation is not None
    text = (
        f"{name.capitalize()}: from seed to seed it varies by {score.deviation:.3f} (standard"
        f" deviation), by other photos it would vary by about {score.photos:.3f}"
    )
    if score.larger is None:
        return f"{text}; {counted(len(score.values), 'seed')} are too few to tell which is larger."
    if score.larger == "photos":
        return f"{text}, which is clearly more: more seeds make it no surer, more photos do."
    return f"{text}, which is clearly less: a single run tells little about these settings."

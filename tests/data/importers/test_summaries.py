from emotion.data.importers.photos import Refusal
from emotion.data.importers.summaries import KEPT, ImportSummary, import_record
from emotion.data.label_registry import LabelTable


def test_classes_are_summed_over_labels_and_dropped_ones_left_out() -> None:
    summary = ImportSummary(labels={"joy": "smile", "happy": "smile", "fear": None})
    for part, name, count in (("test", "joy", 2), ("train", "happy", 3), ("train", "fear", 4)):
        summary.faces[name, part] = count
    summary.faces["joy", "train"] = 5
    assert summary.parts == ["train", "test"]
    assert summary.classes == {"train": {"smile": 8}, "test": {"smile": 2}}
    record = import_record(LabelTable("folder", {}), summary)
    assert record["parts"]["train"]["faces"] == 8
    assert record["labels"][-1] == {
        **{"label": "fear", "becomes": None},
        "faces": {"train": 4, "test": 0},
    }


def test_only_the_first_thousand_records_are_kept() -> None:
    summary = ImportSummary()
    summary.refuse(Refusal(str(number), "") for number in range(KEPT + 7))
    assert summary.refused == KEPT + 7
    assert [summary.refusals[0].place, summary.refusals[-1].place] == ["0", str(KEPT - 1)]

"""The formats that can be imported; a format's module is imported when it is used."""

from dataclasses import dataclass
from importlib import import_module
from types import ModuleType


@dataclass(frozen=True)
class Format:
    """A format.

    Attributes:
        module: in this package.
        summary: a few words, for lists.
        layout: what a source looks like, for `--help`.
    """

    module: str
    summary: str
    layout: str

    def load(self) -> ModuleType:
        """Imports the module, which has `photos(tree, …)` and `recognise(tree)`."""
        return import_module(f"emotion.data.importers.{self.module}")


# From the most particular to the least, which is how a source is recognised.
FORMATS = {
    "ferplus": Format(
        "ferplus",
        "FER+: faces of FER2013 with the votes of ten raters",
        "FER2013Train/, FER2013Valid/ and FER2013Test/, each with label.csv and the pictures.",
    ),
    "ckplus": Format(
        "ckplus",
        "CK+: sequences from a neutral face to an expression, with persons",
        "cohn-kanade-images/S005/001/*.png and Emotion/S005/001/*_emotion.txt, or CK+48's folders.",
    ),
    "affectnet": Format(
        "affectnet",
        "AffectNet: faces from the web with boxes",
        "Manually_Annotated_file_lists/training.csv and validation.csv with"
        " Manually_Annotated_Images/, or train_set/ and val_set/, each with images/ and"
        " annotations/*_exp.npy.",
    ),
    "rafdb": Format(
        "rafdb",
        "RAF-DB, basic emotions",
        "EmoLabel/list_patition_label.txt and Image/aligned/, or DATASET/train/1/ … 7/ and test/.",
    ),
    "fer2013": Format(
        "fer2013",
        "FER2013: grey faces of 48 x 48 pixels",
        "fer2013.csv, icml_face_data.csv or train.csv, or train/angry/ … and test/.",
    ),
    "yolo": Format(
        "yolo",
        "YOLO: data.yaml, images/ and labels/",
        "data.yaml with names, and images/train/*.jpg with labels/train/*.txt, or train/images/"
        " with train/labels/.",
    ),
    "coco": Format(
        "coco",
        "COCO: a JSON file with images, annotations and categories",
        "instances JSON with the pictures beside it, in images/, or in a folder called like it.",
    ),
    "csv": Format(
        "csv_lists",
        "a CSV file with pictures and labels",
        "A .csv file with the columns image (path, file) and label (emotion, class), and perhaps"
        " xmin,ymin,xmax,ymax or x,y,w,h, split, and person. Paths begin at the file's folder.",
    ),
    "folder": Format(
        "class_folders",
        "one folder a class",
        "happy/*.jpg, sad/*.jpg …, or such folders in train/, val/ and test/.",
    ),
}

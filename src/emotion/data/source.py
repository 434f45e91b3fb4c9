"""From a folder on disk to the faces of each part: audited, cleaned and split."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from emotion.data.audit import Audit, Rules, audit
from emotion.data.cleaning import CleanData, clean
from emotion.faces.folders import AnnotatedPhoto


@dataclass(frozen=True)
class FaceSource:
    """Where faces come from, and what is done before they may be used.

    Attributes:
        root: the data set.
        rules: what it is held against.
        drop: kinds of problems whose faces or photos are left out.
        mend: kinds of problems that are mended in memory.
        keep_difficult: keep faces that the annotator marked `<difficult>1`.
        cache: folder that keeps what is known of pictures, or None.
    """

    root: Path
    rules: Rules
    drop: Sequence[str] = ()
    mend: Sequence[str] = ()
    keep_difficult: bool = True
    cache: Path | None = None

    def read(self) -> "FaceSet":
        """Reads everything.

        Raises:
            DataError: there is no data set, or it has problems that are neither dropped nor mended.
            ConfigError: a kind that does not exist.
        """
        found = audit(self.root, self.rules, self.cache)
        cleaned = clean(found, self.drop, self.mend)
        photos = {
            part: [used for photo in photos if (used := self._used(photo)).faces]
            for part, photos in cleaned.photos.items()
        }
        return FaceSet(found, cleaned, photos)

    def _used(self, photo: AnnotatedPhoto) -> AnnotatedPhoto:
        faces = (
            face
            for face in photo.faces
            if self.rules.scheme.class_of(face.label) is not None
            and (self.keep_difficult or not face.difficult)
        )
        return replace(photo, faces=tuple(faces))


@dataclass(frozen=True)
class FaceSet:
    """A data set that may be used.

    Attributes:
        audit: what was found in it.
        cleaned: what was done about that.
        photos: those with faces, by the folder that they stand in.
    """

    audit: Audit
    cleaned: CleanData
    photos: dict[str, list[AnnotatedPhoto]]

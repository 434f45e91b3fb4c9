"""What a model file says of itself, whatever its format: how to use it, and what it is."""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from emotion import __version__
from emotion.errors import CheckpointError
from emotion.faces.inputs import InputSpec

FORMAT = 1  # raised when files of this version could no longer be used as those of the last one
KEY = "emotion"  # under which a file's metadata hold it, as JSON


@dataclass(frozen=True)
class ModelInfo:
    """What travels in every exported file.

    Attributes:
        input: how a face becomes an input, and the names of the classes.
        temperature: what logits are divided by; already so in files that give probabilities.
        threshold: probability below which the answer is "unsure"; None for always answering.
        architecture: name of the network.
        epoch: of the checkpoint, from 1.
        checkpoint_sha256: of the checkpoint that was exported, 64 hexadecimal digits.
        data_sha256: of the pictures that were trained on, or None where that is not known.
        licence: of the weights, in words; what the data that they were trained on permit.
        versions: of the packages that made the file.
        version: of this project that wrote the file.
    """

    input: InputSpec
    temperature: float
    threshold: float | None
    architecture: str
    epoch: int
    checkpoint_sha256: str
    data_sha256: str | None
    licence: str
    versions: Mapping[str, str] = field(default_factory=dict)
    version: str = __version__

    def to_json(self) -> str:
        """Gives one line of JSON; the same values give the same text."""
        content = {
            "format": FORMAT,
            **{name: getattr(self, name) for name in _PLAIN},
            "versions": dict(self.versions),
            "input": self.input.to_dict(),
        }
        return json.dumps(content, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str, place: str) -> Self:
        """Reads what `to_json` gave.

        Args:
            text: the JSON.
            place: the file, for errors.

        Raises:
            CheckpointError: it is of a later version, or damaged.
        """
        content = _mapping(text, place)
        _check_format(content, place)
        try:
            info = cls(
                input=InputSpec.from_dict(content["input"], place),
                versions=dict(content["versions"]),
                **{name: content[name] for name in _PLAIN},
            )
        except (KeyError, TypeError, ValueError) as error:
            if isinstance(error, CheckpointError):
                raise
            raise CheckpointError(
                f"{place}: its metadata are damaged ({type(error).__name__}: {error}); export the"
                " checkpoint again"
            ) from error
        _check_numbers(info, place)
        return info


_PLAIN = (
    "temperature",
    "threshold",
    "architecture",
    "epoch",
    "checkpoint_sha256",
    "data_sha256",
    "licence",
    "version",
)


def _mapping(text: str, place: str) -> dict[str, Any]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CheckpointError(f"{place}: its metadata are no JSON; the file is damaged") from error
    if not isinstance(content, dict):
        raise CheckpointError(f"{place}: its metadata are no JSON object; the file is damaged")
    return content


def _check_format(content: Mapping[str, Any], place: str) -> None:
    number = content.get("format")
    if type(number) is int and number > FORMAT:
        raise CheckpointError(
            f"{place}: written by emotion {content.get('version')} in format {number}; this version"
            f" ({__version__}) reads format {FORMAT}: install a newer emotion, or export again"
        )
    if number != FORMAT:
        raise CheckpointError(f"{place}: its format is {number!r}, expected {FORMAT}")


def _check_numbers(info: ModelInfo, place: str) -> None:
    if not _is_number(info.temperature) or info.temperature <= 0:
        raise CheckpointError(
            f"{place}: its temperature is {info.temperature!r}, expected a finite number above 0"
        )
    if info.threshold is not None and not (_is_number(info.threshold) and 0 <= info.threshold <= 1):
        raise CheckpointError(
            f"{place}: its threshold is {info.threshold!r}, expected null or a number from 0 to 1"
        )


def _is_number(value: object) -> bool:
    return type(value) in (int, float) and math.isfinite(value)  # type: ignore[arg-type]

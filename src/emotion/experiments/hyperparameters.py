"""The settings of a run by which it is compared: in the leaderboard and in TensorBoard alike.

TensorBoard's HParams page makes its table from what each run has written. A run's part lies in a
folder of its own, `tensorboard/kept/`, for two reasons: the page then lists the scores that stand
there and not the last value of every curve, and a run that goes on can replace it. No run writes
the page's list of columns ("experiment"), of which TensorBoard takes any one for all runs; without
it the page gathers all settings and puts those that differ first.
"""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from emotion.training.selection import Selection

Value: TypeAlias = str | int | float | bool | None
KEPT = "kept"  # the folder below tensorboard/
# What says where files lie, what is kept of a run or shown of it, and not what is learnt.
_LEFT_OUT = {
    *("run_dir", "resume", "hydra", "logger", "data.cache", "trainer.default_root_dir"),
    "trainer.enable_model_summary",
    *(f"callbacks.{name}" for name in ("best", "last", "history", "learning_rate")),
    *(f"callbacks.{name}" for name in ("progress", "pictures", "finite", "continuing", "signals")),
}
_LEFT_OUT_LEAVES = {"dirpath", "path", "filename", "_partial_", "_convert_"}


def settings_of(config: Mapping[str, Any]) -> dict[str, Value]:
    """Gives the settings by which runs are compared.

    Args:
        config: resolved, as plain dictionaries and lists.

    Returns:
        Dotted names and plain values; steps of a list have numbers (data.augmentation.0.flip), a
        list of plain values is one text. Paths that every run has for itself are left out.
    """
    return dict(_walk(config, ""))


def _walk(content: Any, path: str) -> list[tuple[str, Value]]:
    if path in _LEFT_OUT or path.rpartition(".")[2] in _LEFT_OUT_LEAVES:
        return []
    if isinstance(content, list) and not any(isinstance(v, dict | list) for v in content):
        return [(path, f"[{', '.join(text_of(v) for v in content)}]")]
    if isinstance(content, dict | list):
        items = content.items() if isinstance(content, dict) else enumerate(content)
        return [pair for k, v in items for pair in _walk(v, f"{path}.{k}" if path else str(k))]
    known = content is None or isinstance(content, str | int | float | bool)
    return [(path, content if known else str(content))]


def text_of(value: Value) -> str:
    """Writes a value as YAML does."""
    return value if isinstance(value, str) else json.dumps(value)


def source_of(name: str, names: Mapping[str, Any]) -> str | None:
    """Gives the setting that another one repeats in `conf/`, or None.

    `data.seed` is `seed`, `model.input.size` is `input.size`, `callbacks.best.mode` is
    `monitor.mode`: whoever compares runs needs each once, while the values are the same.
    """
    leaf = name.rpartition(".")[2]
    leaf = "name" if leaf == "monitor" else leaf
    sources = ("seed",) if leaf == "seed" else (f"input.{leaf}", f"monitor.{leaf}")
    return next((s for s in sources if s in names and s != name), None)


def log_hyperparameters(folder: Path, config: Mapping[str, Any], selection: "Selection") -> None:
    """Writes a run's row of TensorBoard's HParams page, in place of an earlier one.

    Args:
        folder: TensorBoard's folder of the run; the row goes to `kept/` below it.
        config: the run's config, resolved, as plain dictionaries and lists.
        selection: the epoch that is kept; its score becomes `hp/val_loss` (as the monitor is
            called), its number `hp/epoch`.
    """
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    kept = folder / KEPT
    # TensorBoard believes the first row that it finds in a folder, so an older one must go.
    older = list(kept.glob("events.out.tfevents.*"))
    writer = EventFileWriter(str(kept))
    try:
        for event in _events(settings_of(config), selection):
            writer.add_event(event)
    finally:
        writer.close()
    for path in older:
        path.unlink(missing_ok=True)


def _events(settings: dict[str, Value], selection: "Selection") -> list[Any]:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.plugins.hparams import api_pb2, metadata, plugin_data_pb2

    now = time.time()
    start = plugin_data_pb2.SessionStartInfo(start_time_secs=now)
    for name, value in settings.items():
        source = source_of(name, settings)
        if source is None or settings[source] != value:
            _set(start.hparams[name], value)
    end = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_SUCCESS, end_time_secs=now)
    data = {
        metadata.SESSION_START_INFO_TAG: plugin_data_pb2.HParamsPluginData(
            session_start_info=start
        ),
        metadata.SESSION_END_INFO_TAG: plugin_data_pb2.HParamsPluginData(session_end_info=end),
    }
    values = [
        Summary.Value(
            tag=tag, metadata=metadata.create_summary_metadata(part), tensor=metadata.NULL_TENSOR
        )
        for tag, part in data.items()
    ]
    scores = {f"hp/{selection.monitor.replace('/', '_')}": selection.score}
    values += [
        _scalar(tag, score) for tag, score in (scores | {"hp/epoch": selection.epoch}).items()
    ]
    return [
        Event(wall_time=now, step=selection.epoch, summary=Summary(value=[item])) for item in values
    ]


def _set(field: Any, value: Value) -> None:
    if isinstance(value, bool):  # is an int as well
        field.bool_value = value
    elif isinstance(value, int | float):
        field.number_value = value
    else:
        field.string_value = text_of(value)


def _scalar(tag: str, value: float) -> Any:
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.compat.proto.tensor_pb2 import TensorProto
    from tensorboard.compat.proto.types_pb2 import DT_FLOAT
    from tensorboard.plugins.scalar import metadata

    # TensorBoard's data server drops a double without a word. The scores that training gives are
    # of single precision anyway.
    tensor = TensorProto(dtype=DT_FLOAT, float_val=[float(value)])
    about = metadata.create_summary_metadata(display_name="", description="")
    return Summary.Value(tag=tag, metadata=about, tensor=tensor)

import inspect
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_object
from omegaconf import OmegaConf

from emotion.errors import ConfigError
from emotion.experiments.configs import VERSION_BASE, check_overrides
from emotion.files import config_folder


def composed(*overrides: str) -> Any:
    with initialize_config_dir(str(config_folder()), version_base=VERSION_BASE):
        config = compose("train", ["run_dir=run", "data.root=faces", *overrides])
    return OmegaConf.to_container(config, resolve=True)


def targets(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "_target_" in node:
            yield node
        for value in node.values():
            yield from targets(value)
    elif isinstance(node, list):
        for value in node:
            yield from targets(value)


def names(group: str) -> list[str]:
    return sorted(path.stem for path in (config_folder() / group).glob("*.yaml"))


@pytest.mark.parametrize(
    ("trainer", "experiment"),
    [
        # Each of either once; all combinations take seconds.
        pair if "cpu" in pair or "faces" in pair else pytest.param(*pair, marks=pytest.mark.slow)
        for pair in itertools.product(names("trainer"), names("experiment"))
    ],
)
def test_every_combination_composes_and_fits_its_signatures(trainer: str, experiment: str) -> None:
    config = composed(f"trainer={trainer}", f"experiment={experiment}")
    for node in targets(config):
        arguments = {k: v for k, v in node.items() if not k.startswith("_")}
        signature = inspect.signature(get_object(node["_target_"]))
        if node.get("_partial_"):
            signature.bind_partial(**arguments)
        else:
            signature.bind(**arguments)


def test_every_file_begins_with_a_command_that_uses_it() -> None:
    for path in sorted(config_folder().rglob("*.yaml")):
        first = path.read_text().splitlines()[:2]
        assert any(line.startswith(("# emotion ", "# tensorboard ")) for line in first), path


def test_the_original_recipe_is_the_originals_number_by_number() -> None:
    config = composed("experiment=original")
    data = config["data"]
    (warp,) = data["augmentation"]
    assert config["input"]["labels"] == ["neutral", "anger", "surprise", "smile", "sad"]
    assert (config["input"]["size"], config["input"]["margin"]) == (256, 0.0)
    assert (data["batch_size"], data["train"], data["val"]) == (200, 1300, 388)
    assert round(config["input"]["size"] * data["oversize"]) == 280
    assert warp == {
        "_target_": "emotion.data.warp.FaceWarp",
        "size": 256,
        "rotate": [-10, 10],
        "flip": 0.5,
        "jitter": 0.0,
        "border": "black",
    }
    # Whatever draws beyond that must be off where the recipe does not name it.
    drawn = inspect.signature(get_object(warp["_target_"])).parameters
    assert (drawn["scale"].default, drawn["shift"].default) == ((1.0, 1.0), (0.0, 0.0))
    assert (data["sampler"], data["label_map"], data["drop"], data["mend"]) == (
        "shuffled",
        None,
        [],
        [],
    )
    assert config["model"]["optimizer"]["lr"] == 3e-5
    model = config["model"]
    assert (model["label_smoothing"], model["mixup"], model["schedule"]) == (0.0, 0.0, "constant")
    assert (model["logit_adjustment"], model["class_weights"]) == (0.0, "none")
    assert config["trainer"]["max_epochs"] == 100
    assert (config["monitor"]["name"], config["monitor"]["mode"]) == ("val/loss", "min")


def test_the_crops_follow_the_input_size() -> None:
    for chosen in ([], *([f"experiment={name}"] for name in names("experiment"))):
        data = composed(*chosen, "input.size=192")["data"]
        warps = [step for step in data["augmentation"] if step["_target_"].endswith(".FaceWarp")]
        assert [warp["size"] for warp in warps] == [192]


def test_early_stopping_and_checkpoints_share_one_monitor() -> None:
    callbacks = composed("monitor.name=val/macro_f1", "monitor.mode=max")["callbacks"]
    for name in ("best", "early_stopping", "progress"):
        assert callbacks[name]["monitor"] == "val/macro_f1"
        assert callbacks[name]["mode"] == "max"


def test_settings_that_exist_pass() -> None:
    check_overrides(
        ["experiment=faces", "model.optimizer.lr=1e-5,1e-4", "+new.key=1", "~logger", "data.root=x"]
    )


def test_an_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"data\.rot: no such setting; did you mean data\.root"):
        check_overrides(["data.rot=x"])
    with pytest.raises(ConfigError, match=r"trainer=gpus: no such trainer; expected auto, cpu, "):
        check_overrides(["trainer=gpus"])


def test_the_configs_are_found_in_a_checkout() -> None:
    assert config_folder() == Path(__file__).parents[2] / "conf"

"""Whether a sweep is still the one that its folder holds."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from emotion.errors import ConfigError
from emotion.sweeps.folder import Sweep


def config_hash(config: Mapping[str, Any]) -> str:
    """Gives a hash of a composed config that is the same wherever the run's folder is.

    Args:
        config: plain, with its interpolations unresolved.
    """
    text = json.dumps(_lasting(config), sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _lasting(config: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in config.items() if key not in ("run_dir", "resume")}


def check_same(before: Sweep, now: Sweep) -> None:
    """Checks that a folder's sweep is the one that is to go on in it.

    Raises:
        ConfigError: it is another one; names the first difference and the ways out.
    """
    difference = _difference(before, now)
    if difference:
        raise ConfigError(
            f"hydra.sweep.dir={now.folder}: holds another sweep: {difference}; name another"
            " hydra.sweep.dir, or remove that folder"
        )


def _difference(before: Sweep, now: Sweep) -> str | None:
    for number, (old, new) in enumerate(zip(before.jobs, now.jobs, strict=False)):
        if old.overrides != new.overrides:
            gone = [item for item in old.overrides if item not in new.overrides]
            come = [item for item in new.overrides if item not in old.overrides]
            was, is_now = (" ".join(items) or "without" for items in (gone, come))
            if gone or come:
                return f"its job {number} has {was}, the new one {is_now}"
            return f"its job {number} has the same settings in another order"
        if old.folder != new.folder:
            return f"its job {number} is in {old.folder}, the new one would be in {new.folder}"
    if len(before.jobs) != len(now.jobs):
        return f"it has {len(before.jobs)} jobs, the new one {len(now.jobs)}"
    for number, (old, new) in enumerate(zip(before.jobs, now.jobs, strict=True)):
        if old.config != new.config:
            where = _first_change(before.config, now.config)
            return f"since then the configs of job {number} have changed{where}"
    return None


def _first_change(before: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    old, new = (dict(_flat(_lasting(config))) for config in (before, now))
    for key in (*new, *old):
        if key not in old or key not in new or old[key] != new[key]:
            was, is_now = (repr(items[key]) if key in items else "absent" for items in (old, new))
            return f" ({key} was {was} and is {is_now})"
    return ""


def _flat(content: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(content, dict | list) and content:
        for key, value in content.items() if isinstance(content, dict) else enumerate(content):
            yield from _flat(value, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, content

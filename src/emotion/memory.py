"""How a process that trains gets the memory of its tensors."""

import ctypes
import os
import sys
from pathlib import Path

PLENTY = 16e9  # bytes; with fewer, memory may matter more than speed
# Numbers of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4
# Of both versions of Linux' control groups: where they lie, and the file of the limit.
_GROUPS = {
    "": ("sys/fs/cgroup", "memory.max"),
    "memory": ("sys/fs/cgroup/memory", "memory.limit_in_bytes"),
}


def keep_memory() -> None:
    """Lets large tensors come in huge pages, and from memory that earlier ones gave back.

    Else glibc gives the memory of each tensor above 32 MiB back to the system, which fills it with
    zeros before the next one gets it. Kept memory is in pieces, of which more is needed, so that
    this is done on Linux only, and where there is plenty. To be called before torch makes a tensor,
    which is when it reads the variable of huge pages.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    if sys.platform != "linux" or memory_limit() < PLENTY:
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # which another C library does not have
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, -1)  # never


def memory_limit(root: Path = Path("/")) -> int:
    """Gives the bytes that this process may use: the machine's, or fewer by its control groups.

    Args:
        root: of Linux' file system.
    """
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    listed = root / "proc/self/cgroup"
    for line in listed.read_text().splitlines() if listed.exists() else []:
        _, controllers, name = line.split(":", 2)
        if controllers in _GROUPS:
            place, file = _GROUPS[controllers]
            group = Path(name)  # a group has the limits of those around it as well
            for around in (group, *group.parents):
                limits += _read_limit(root / place / str(around).lstrip("/") / file)
    return min(limits)


def _read_limit(path: Path) -> list[int]:
    """Reads a limit; none where there is no such file, or no limit in it."""
    text = path.read_text().strip() if path.is_file() else ""
    return [int(text)] if text.isdigit() else []

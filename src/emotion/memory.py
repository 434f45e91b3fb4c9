"""How a process that trains gets the memory of its tensors."""

import ctypes
import os
import sys

# Numbers of glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4


def keep_memory() -> None:
    """Lets large tensors come in huge pages, and from memory that earlier ones gave back.

    Else the C library gives the memory of each tensor above 32 MiB back to the system, which fills
    it with zeros before the next one gets it: at batch 128 and 96 pixels a fifth to a third of a
    step. The price is a fifth more memory at its peak. To be called before torch makes a tensor,
    which is when it reads the variable. With another C library than glibc only that is set.
    """
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is not None:
        mallopt(_MMAP_MAX, 0)
        mallopt(_TRIM_THRESHOLD, -1)  # never

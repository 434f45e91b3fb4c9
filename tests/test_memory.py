import os
import subprocess
import sys
from pathlib import Path

import pytest

from emotion.memory import memory_limit

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere nothing is changed")
MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
TAKE_AGAIN = """
import resource, numpy
from emotion import memory
memory.PLENTY = {plenty}
memory.keep_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
numpy.ones(16_000_000)
before = faults()
numpy.ones(16_000_000)
print(faults() - before)
"""


def faults(plenty: float) -> int:
    """Counts the pages that come anew for an array as large as one that is gone."""
    done = subprocess.run(
        [sys.executable, "-c", TAKE_AGAIN.format(plenty=plenty)],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


def test_where_there_is_plenty_memory_that_was_given_back_is_not_asked_for_again() -> None:
    assert faults(plenty=1) < 50
    # Else all 128 MB come anew, in pages or in huge ones of 2 MB.
    assert faults(plenty=2.0**62) >= 128_000_000 // 2**21


@pytest.mark.parametrize(
    ("groups", "files", "limit"),
    [
        ("0::/", {}, MACHINE),
        ("0::/", {"memory.max": "max"}, MACHINE),
        ("0::/", {"memory.max": "1000"}, 1000),
        ("0::/job/step", {"job/memory.max": "2000", "job/step/memory.max": "max"}, 2000),
        ("0::/job/step", {"job/memory.max": "2000", "job/step/memory.max": "1000"}, 1000),
        ("4:memory:/job\n2:cpu:/a:b\n0::/", {"memory/job/memory.limit_in_bytes": "3000"}, 3000),
        ("4:memory:/job", {"memory/memory.limit_in_bytes": "9223372036854771712"}, MACHINE),
    ],
)
def test_the_lowest_limit_of_the_groups_counts(
    tmp_path: Path, groups: str, files: dict[str, str], limit: int
) -> None:
    assert memory_limit(tmp_path) == MACHINE
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(f"{groups}\n")
    for name, text in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    assert memory_limit(tmp_path) == limit

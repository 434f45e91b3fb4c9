import subprocess
import sys

import pytest

TAKE_AGAIN = """
import resource, numpy
from emotion.memory import keep_memory
if {kept}:
    keep_memory()
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
numpy.ones(16_000_000)
before = faults()
numpy.ones(16_000_000)
print(faults() - before)
"""


def faults(kept: bool) -> int:
    done = subprocess.run(
        [sys.executable, "-c", TAKE_AGAIN.format(kept=kept)],
        env={"NUMPY_MADVISE_HUGEPAGE": "0"},
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the C library is another")
def test_memory_that_was_given_back_is_not_asked_for_again() -> None:
    assert faults(kept=True) < 50
    # Without it all 128 MB come anew, in pages or in huge ones of 2 MB.
    assert faults(kept=False) >= 128_000_000 // 2**21

"""Where Hydra looks for `hydra/launcher=processes`, see `emotion.sweeps.launcher`.

Hydra takes launchers from modules of this namespace only; there is no `__init__.py`, so that other
plugins find room in it.
"""

from emotion.sweeps import launcher


class ProcessLauncher(launcher.ProcessLauncher):
    """Runs the jobs of a sweep, each as a process tree of its own."""

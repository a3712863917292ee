"""How long fuzzed cases take, each by itself."""

from __future__ import annotations

import gc
import time


class OwnTime:
    """Measures each case that it is entered for: by its thread's time, as other programs share the machine,
    and without the collector, which walks through all that earlier tests left behind."""

    def __init__(self) -> None:
        self.slowest_s = 0.0
        self._began_s = 0.0

    def __enter__(self) -> None:
        gc.disable()
        self._began_s = time.thread_time()

    def __exit__(self, *_: object) -> None:
        self.slowest_s = max(self.slowest_s, time.thread_time() - self._began_s)
        gc.enable()

from __future__ import annotations

from tests.store.shops import bench as bench

from __future__ import annotations

from tests.membership.counter import member as member
from tests.membership.leasing import leasing as leasing
from tests.store.shops import bench as bench

from __future__ import annotations

from tests.store.shops import bench as bench
from tests.web.desk import desk as desk
from tests.web.faces import faces as faces

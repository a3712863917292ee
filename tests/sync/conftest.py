from __future__ import annotations

from tests.central.engines import central_template as central_template
from tests.central.engines import database_url as database_url
from tests.central.engines import postgres_central as postgres_central
from tests.central.world import world as world

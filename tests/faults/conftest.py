from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tapledger.lab.chain import Chain
from tests.faults.counter import Counter
from tests.postgres import PostgresServer


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def chain(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Chain]:
    """Yield a running chain: central and two shops as processes, real pcscd, virtual devices."""
    made = Chain(tmp_path_factory.mktemp("chain"), (0, 0, 0), lambda sentence: None, {"goodbye_s": 0.1})
    await made.start()
    try:
        assert made.station is not None, "these tests need pcscd"
        yield made
    finally:
        await made.stop()


@pytest.fixture(params=["sqlite", "postgresql"])
def postgres(request: pytest.FixtureRequest) -> PostgresServer | None:
    """Return where central's rows are: in its own file, or in a database of the session's server."""
    if request.param == "sqlite":
        return None
    server: PostgresServer = request.getfixturevalue("postgres_server")
    return server


@pytest_asyncio.fixture(loop_scope="session")
async def counter(chain: Chain) -> AsyncIterator[Counter]:
    """Yield the counter of shop A with somebody signed in and a printer without faults."""
    async with Counter(chain, "shop-a") as made:
        made.bench.printer.line_delay_s = 0.0
        await made.sign_in()
        await made.settled()
        yield made

"""A whole daemon as its shop's hub, and a kiosk whose only way to central it is."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from pydantic import ValidationError

from tapledger.app import Daemon
from tapledger.errors import Invalid
from tapledger.floor.head_office import HeadOffice
from tapledger.settings import CentralSettings, HubSettings, Settings, WebSettings
from tapledger.sync.transport import hub_address
from tests.central.world import World
from tests.hub.branch import node_of, shop_of, whole


async def test_a_kiosk_hears_of_others_through_a_daemon_that_is_its_hub(world: World) -> None:
    hub, left = [await node_of(world, "shop", name) for name in ("hub", "left")]
    settings = whole(world.folder, CentralSettings(url=world.address)).model_copy(
        update={"hub": HubSettings(listen="127.0.0.1:0"), "web": WebSettings(port=0)}
    )
    daemon, listening, heard = Daemon(shop_of(hub, "hub"), settings), asyncio.Event(), asyncio.Event()
    daemon.hub.on_listening = listening.set
    running = [asyncio.create_task(daemon.run(lambda port: None))]
    await listening.wait()
    through = CentralSettings(
        url=world.address, hub=f"http://127.0.0.1:{daemon.hub.port}", hub_node=hub.keyring.node
    )
    kiosk = shop_of(left, "left")
    office = HeadOffice(kiosk, through, left.clock)
    known: list[bool] = []

    def look() -> None:
        heard.set()

    office.on_change = look
    running.append(asyncio.create_task(office.run()))
    await hub.join("li")
    daemon.office.poke()
    async with asyncio.timeout(20):
        while not known:
            await heard.wait()
            heard.clear()
            if office.state.online and await left.member("li") is not None:
                known.append(kiosk.has_hub)
    assert known == [True]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


@pytest.mark.parametrize(
    "table",
    [
        {"central": {"url": "http://127.0.0.1:7400", "hub": "http://10.0.0.5:7390"}},
        {"central": {"url": "http://127.0.0.1:7400", "hub_node": "k7m2p9qx"}},
        {"central": {"hub": "http://10.0.0.5:7390", "hub_node": "k7m2p9qx"}},
        {"hub": {"listen": "10.0.0.5:7390"}},
        {"central": {"url": "http://127.0.0.1:7400"}, "hub": {"listen": "7390"}},
        {"central": {"url": "http://127.0.0.1:7400"}, "hub": {"listen": "10.0.0.5:70000"}},
        {
            "central": {"url": "http://127.0.0.1:7400", "hub": "http://h:1", "hub_node": "k7m2p9qx"},
            "hub": {"listen": "10.0.0.5:7390"},
        },
    ],
)
def test_half_a_hub_is_an_error_that_says_so(table: dict[str, object], tmp_path: Path) -> None:
    rest = whole(tmp_path, CentralSettings()).model_dump()
    with pytest.raises(ValidationError):
        Settings.model_validate({**rest, **table})


def test_addresses_are_read_as_they_are_written() -> None:
    assert HubSettings(listen="[fe80::1]:7390").place == ("fe80::1", 7390)
    assert HubSettings(listen="till.shop:0").place == ("till.shop", 0)
    for text in (
        "ftp://10.0.0.5",
        "http://10.0.0.5/x",
        "http://u@10.0.0.5",
        "http://10.0.0.5?x=1",
        "http://[",
    ):
        with pytest.raises(Invalid, match="CENTRAL_URL_INVALID"):
            hub_address(text)

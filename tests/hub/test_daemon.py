"""A whole daemon as its shop's hub, and a kiosk whose only way to central it is."""

from __future__ import annotations

import asyncio

from tapledger.app import Daemon
from tapledger.floor.head_office import HeadOffice
from tapledger.settings import CentralSettings, HubSettings, WebSettings
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

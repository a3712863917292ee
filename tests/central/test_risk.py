"""What an operator asks and does about leases and differences, beside a central that runs."""

from __future__ import annotations

from tapledger.loyalty.effects import POINTS
from tests.central.commands import config_of, run_beside
from tests.central.test_leases import away, chain
from tests.central.world import World
from tests.sync.test_offline_rights import DAY_S


async def test_what_is_out_is_said_recalled_and_written_off(world: World) -> None:
    made = await chain(world, 2, 600)
    lost, _ = made.tills
    assert lost.shop.permits is not None
    await lost.shop.permits.ask("li", POINTS, 200)
    away(lost)
    config, node = config_of(world), lost.node.keyring.node
    code, said = await run_beside(config, "exposure")
    assert (code, said["nodes"], said["nodes_offline"], said["differences"]) == (0, 2, 2, {})
    assert said["leases"] == {"shop-0": {"leases": 1, "rest": {POINTS: 200}}}
    assert said["points"] > 0
    (lease,) = (await made.central()).leases
    assert await run_beside(config, "recall", node) == (0, {"node": node, "leases": [lease.id]})
    assert (await made.central()).leases[0].recalled
    assert await run_beside(config, "recall", node) == (0, {"node": node, "leases": []}), "once is enough"
    code, said = await run_beside(config, "recall", "nobody")
    assert (code, said["code"]) == (2, "NODE_UNKNOWN")
    world.clock.move(40 * DAY_S)
    code, said = await run_beside(config, "write-off", lease.id, "--operator", "Ann")
    assert (code, said["given_back"]) == (0, 200)
    code, said = await run_beside(config, "exposure")
    assert (code, said["leases"], said["differences"]) == (0, {}, {"LEASE_WRITTEN_OFF": 1})
    await made.check()


async def test_differences_are_said_in_sentences_from_a_day_on(world: World) -> None:
    made = await chain(world, 1, 600)
    (till,) = made.tills
    assert till.shop.permits is not None
    await till.shop.permits.ask("li", POINTS, 200)
    config = config_of(world)
    assert await run_beside(config, "differences") == (0, {"differences": []})
    (lease,) = (await made.central()).leases
    assert await made.leases.write_off(lease.id, "Ann") == 200
    code, said = await run_beside(config, "differences")
    (one,) = said["differences"]
    day = f"{world.clock.now():%Y-%m-%d}"
    assert (code, one["code"], one["member"]) == (0, "LEASE_WRITTEN_OFF", "li")
    assert one["found_at"].startswith(day)
    assert till.node.keyring.node in one["sentence"] and f"{lease.id} {POINTS} 200" in one["sentence"]
    assert one["next_step"]
    assert await run_beside(config, "differences", "--since", day) == (0, said)
    assert await run_beside(config, "differences", "--since", "2099-01-01") == (0, {"differences": []})

"""A computer that central has suspended spends nothing, and cutting its line changes nothing of that."""

from __future__ import annotations

from tapledger.errors import Denied, TapledgerError, Unavailable
from tapledger.floor.head_office import BEING_ASKED, NOT_TRUSTED, HeadOffice
from tapledger.membership.shop import Shop
from tapledger.settings import CentralSettings
from tapledger.sync.loop import SyncState
from tests.membership.leasing import Leasing
from tests.membership.leasing import leasing as leasing
from tests.store.shops import START

AWAY = Unavailable("CENTRAL_UNREACHABLE", why="the line is cut")
SUSPENDED = Denied("NODE_SUSPENDED")


def office_of(shop: Shop) -> HeadOffice:
    return HeadOffice(shop, CentralSettings(url="https://central.test"), shop.clock)


def hears(office: HeadOffice, online: bool, problem: TapledgerError | None) -> None:
    office.sync.state = SyncState(online, START, 0, problem)
    office.sync.on_change()


async def test_who_is_suspended_stays_so_when_the_line_is_cut(leasing: Leasing) -> None:
    shop = leasing[0].shop
    office = office_of(shop)
    hears(office, True, SUSPENDED)
    hears(office, False, AWAY)
    assert shop.stopped == NOT_TRUSTED
    hears(office, True, None)
    assert shop.stopped == "", "central trusts it again"
    hears(office, False, AWAY)
    assert shop.stopped == ""


async def test_a_restart_without_central_makes_nobody_trusted(leasing: Leasing) -> None:
    shop = leasing[0].shop
    office = office_of(shop)
    hears(office, True, SUSPENDED)
    await shop.store.transact(office.keep_trust)
    for _ in range(2):
        office = office_of(shop)
        await office.recall()
        assert shop.stopped == BEING_ASKED
        hears(office, False, AWAY)
        assert shop.stopped == NOT_TRUSTED
    hears(office, True, None)
    await shop.store.transact(office.keep_trust)
    office = office_of(shop)
    await office.recall()
    hears(office, False, AWAY)
    assert shop.stopped == ""

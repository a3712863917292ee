"""The public log: every entry and every step of its growth can be proved."""

from __future__ import annotations

import datetime as dt
from collections import Counter

import pytest
import sqlalchemy as sa

from tapledger.errors import Conflict, Corrupt, Invalid, NotFound, Unavailable
from tapledger.wire import merkle
from tapledger_central import audit, rebuild
from tapledger_central.store import Transaction, log
from tests.central.log_office import MINUTE, Office, check_all, grow
from tests.central.log_office import office as office


def test_every_event_and_every_step_is_proved(office: Office) -> None:
    grow(office)
    assert len(office.told) == 4
    assert office.signed(office.told[-1]).size == office.filed
    check_all(office, office.told)
    assert office.broken() is None


def test_the_tree_is_that_of_the_events_in_the_order_of_the_log(office: Office) -> None:
    grow(office)
    raws = [
        row.raw
        for run in log.runs(office.tx)
        for row in log.rows(office.tx, run.node, run.epoch, run.first_seq, run.first_seq + run.count - 1)
    ]
    newest = office.signed(office.told[-1])
    assert merkle.root(map(merkle.leaf_hash, raws)) == newest.root
    assert len(raws) == office.filed


def test_small_tiles_make_a_tall_log(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (audit, rebuild):
        monkeypatch.setattr(module, "TILE_LEVELS", 2)
        monkeypatch.setattr(module, "TILE_HASHES", 4)
    grow(office)
    check_all(office, office.told)
    assert office.broken() is None


def test_a_proof_reads_two_tiles_for_each_height(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.file("shop-a", 1500)
    office.advance()
    read: list[tuple[int, int]] = []
    tile = log.tile

    def count(tx: Transaction, height: int, number: int) -> bytes:
        read.append((height, number))
        return tile(tx, height, number)

    monkeypatch.setattr(log, "tile", count)
    audit.inclusion(office.tx, "shop-a", 1, 700)
    assert len(read) == len(set(read)) <= 4
    read.clear()
    audit.consistency(office.tx, 700, 1500)
    assert len(read) <= 4


def test_who_has_waited_longest_comes_first(office: Office) -> None:
    office.file("shop-z", 2)
    office.now += MINUTE
    office.file("shop-a", 2)
    office.file("shop-z", 1)
    office.advance()
    assert [(run.node, run.first_seq, run.count) for run in log.runs(office.tx)] == [
        ("shop-z", 1, 3),
        ("shop-a", 1, 2),
    ]


# ---- checkpoints -----------------------------------------------------------------------------------------
def test_a_checkpoint_a_minute_or_a_thousand_entries(office: Office) -> None:
    office.file("shop-a", 1)
    office.advance()
    office.file("shop-a", 1)
    office.advance(minutes=0)
    assert [office.signed(note).size for note in office.told] == [1], "not a minute yet"
    office.file("shop-a", 2500)
    office.advance(minutes=0)
    assert [office.signed(note).size for note in office.told] == [1, 1001, 2001]
    office.advance()
    office.advance()
    assert [office.signed(note).size for note in office.told] == [1, 1001, 2001, 2502], (
        "no news, no checkpoint"
    )


def test_a_clock_that_was_put_back_signs_at_once(office: Office) -> None:
    office.file("shop-a", 1)
    office.advance()
    office.file("shop-a", 1)
    office.advance(minutes=-10)
    assert [office.signed(note).size for note in office.told] == [1, 2]


def test_of_old_days_the_last_checkpoint_stays(office: Office) -> None:
    for _ in range(42):
        office.file("shop-a", 1)
        office.advance(minutes=6 * 60)
    by_day = Counter(
        dt.datetime.fromtimestamp(one.at_ms / 1000, dt.UTC).date() for one in log.checkpoints(office.tx)
    )
    today = office.now.date()
    days = [today - dt.timedelta(days=back) for back in range(11)]
    assert [by_day[day] for day in days] == [4, 4, 4, 4, 4, 4, 4, 4, 4, 1, 1]
    assert office.broken() is None


def test_what_cannot_be_proved_is_refused_in_its_own_way(office: Office) -> None:
    with pytest.raises(Unavailable, match="LOG_UNSIGNED"):
        audit.checkpoint(office.tx)
    with pytest.raises(NotFound, match="LOG_ENTRY_UNKNOWN"):
        audit.inclusion(office.tx, "shop-a", 1, 1)
    office.file("shop-a", 2)
    with pytest.raises(Unavailable, match="LOG_UNSIGNED"):
        audit.inclusion(office.tx, "shop-a", 1, 1)
    office.advance()
    office.file("shop-a", 1)
    with pytest.raises(Unavailable, match="LOG_ENTRY_UNSIGNED"):
        audit.inclusion(office.tx, "shop-a", 1, 3)
    with pytest.raises(NotFound, match="LOG_ENTRY_UNKNOWN"):
        audit.inclusion(office.tx, "shop-a", 2, 1)
    with pytest.raises(Conflict, match="LOG_SHORTER") as caught:
        audit.consistency(office.tx, 2, 3)
    assert caught.value.data == {"size": 2}
    with pytest.raises(Invalid, match="LOG_SIZES_INVALID"):
        audit.consistency(office.tx, 2, 1)


def test_an_event_that_went_before_it_was_entered_stops_the_log(office: Office) -> None:
    office.file("shop-a", 3)
    office.tx.execute(sa.text("DELETE FROM inbox WHERE tenant = :tenant AND seq = 1"))
    with pytest.raises(Corrupt, match="LOG_ENTRY_MISSING"):
        office.advance()
    assert office.told == []

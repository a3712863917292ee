"""How many receipts a roll is good for: learned from rolls that were watched, never guessed in silence."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

import pytest

from tapledger.devices import paper_forecast
from tapledger.devices.paper_forecast import NEAR_END_MM, Forecast, Roll, changed, forecast, printed, seen
from tapledger.devices.paper_keeper import PaperKeeper
from tapledger.store import paper_rolls
from tapledger_drivers.device import DeviceInfo
from tapledger_drivers.ports import PrintOutcome, PrintVerdict
from tests.store.shops import START, Bench

ROLL_MM = 30_000
TAIL_MM = 2_200
"""What the simulated printer's sensor leaves."""


@dataclass
class Printer:
    """A printer that eats paper: its sensors say what the paper's length makes them say."""

    has_near_end: bool = True
    left_mm: int = ROLL_MM
    roll: Roll = field(default_factory=lambda: Roll(since=START))
    dice: random.Random = field(default_factory=lambda: random.Random(7))

    def look(self) -> None:
        near_end = self.has_near_end and 0 < self.left_mm <= TAIL_MM
        self.roll = seen(self.roll, START, out=self.left_mm <= 0, near_end=near_end)

    def sell(self) -> int:
        """Print one receipt; return its length."""
        length = self.dice.randint(90, 210)
        self.left_mm -= length
        self.roll = printed(self.roll, length, whole_receipt=True)
        self.look()
        return length

    def new_roll(self) -> None:
        self.left_mm = ROLL_MM
        self.look()

    def use_up(self) -> None:
        while self.left_mm > 0:
            self.sell()

    def use_up_to_near_end(self) -> None:
        while self.roll.near_end_at_mm is None:
            self.sell()

    def really_left(self) -> float:
        """Return how many average receipts of the last ones the paper still holds."""
        lengths = self.roll.receipts_mm
        return self.left_mm / (sum(lengths) / len(lengths))


def test_of_a_new_printer_nobody_knows_anything() -> None:
    assert forecast(Roll(since=START)) == Forecast(None, "none", 0, START)
    assert forecast(Roll(since=START), ROLL_MM).receipts_left is None, "no receipt was seen yet"


def test_a_stated_length_is_believed_until_a_roll_was_watched() -> None:
    at = Printer()
    at.use_up()
    assert at.roll.lengths_mm == (), "this roll was not watched from its beginning"
    at.new_roll()
    at.sell()
    said = forecast(at.roll, ROLL_MM)
    assert said.confidence == "stated"
    assert said.receipts_left == pytest.approx(at.really_left(), abs=1)


@pytest.mark.parametrize("has_near_end", [True, False])
def test_a_roll_that_was_watched_tells_of_the_next(has_near_end: bool) -> None:
    at = Printer(has_near_end)
    for _ in range(2):
        at.use_up()
        at.new_roll()
    while at.left_mm > 300:
        at.sell()
        said = forecast(at.roll)
        assert said.receipts_left is not None
        assert said.confidence == "learned"
        assert said.receipts_left == pytest.approx(at.really_left(), abs=3), at.left_mm
    assert said.is_low


def test_the_distance_of_the_near_end_sensor_is_learned() -> None:
    at = Printer()
    at.use_up_to_near_end()
    assert forecast(at.roll).confidence == "assumed", "of this printer nobody has seen an end yet"
    at.use_up()
    assert at.roll.tails_mm[0] == pytest.approx(TAIL_MM, abs=400)
    assert forecast(at.roll) == Forecast(0, "learned", at.roll.printed_mm, START)
    at.new_roll()
    at.use_up_to_near_end()
    said = forecast(at.roll)
    assert said.confidence == "learned"
    assert said.receipts_left == pytest.approx(at.really_left(), abs=3)


def test_a_roll_that_is_changed_before_its_end_is_noticed() -> None:
    at = Printer()
    at.use_up_to_near_end()
    at.new_roll()
    assert (at.roll.printed_mm, at.roll.whole, at.roll.tails_mm) == (0, True, ())


def test_an_almost_empty_roll_put_in_after_the_end_is_no_new_one() -> None:
    at = Printer()
    at.use_up()
    at.left_mm = 1000
    at.look()
    assert (at.roll.paper, at.roll.near_end_at_mm) == ("near_end", 0)
    assert at.roll.lengths_mm == ()
    at.sell()
    assert forecast(at.roll).receipts_left is not None


def test_paper_without_a_receipt_counts_for_the_roll_alone() -> None:
    roll = printed(printed(Roll(since=START), 100, whole_receipt=True), 40, whole_receipt=False)
    assert (roll.printed_mm, roll.receipts_mm) == (140, (100,))
    assert printed(roll, 0, whole_receipt=True) == roll == printed(roll, -5, whole_receipt=True)


def test_a_scrap_is_no_roll() -> None:
    at = Printer()
    at.use_up()
    at.new_roll()
    at.left_mm = 1_000
    at.use_up()
    assert at.roll.lengths_mm == ()


def test_what_is_kept_stays_small() -> None:
    at = Printer()
    for _ in range(paper_forecast.ROLLS_KEPT + 3):
        at.use_up()
        at.new_roll()
    assert len(at.roll.receipts_mm) == paper_forecast.RECEIPTS_KEPT
    assert len(at.roll.lengths_mm) == len(at.roll.tails_mm) == paper_forecast.ROLLS_KEPT


def test_a_tail_that_lasted_longer_than_expected_is_none_left_and_not_less() -> None:
    roll = seen(printed(Roll(since=START), 100, whole_receipt=True), START, out=False, near_end=True)
    roll = printed(roll, 2 * NEAR_END_MM, whole_receipt=True)
    assert forecast(roll).receipts_left == 0


# ---- across restarts --------------------------------------------------------------------------------
INFO = DeviceInfo("TM-T20", "tcp:192.0.2.1:9100", serial="A1")


def slip(verdict: PrintVerdict, paper_mm: int) -> PrintOutcome:
    return PrintOutcome(verdict, "ok", "", paper_mm)


async def test_each_printer_has_its_own_paper_and_keeps_it(bench: Bench) -> None:
    keeper = PaperKeeper(bench.shop.store, bench.clock, ROLL_MM)
    assert keeper.forecast() is None
    assert await keeper.attach(INFO), "it is here for the first time"
    for verdict, paper_mm in ((PrintVerdict.PRINTED, 150), (PrintVerdict.UNKNOWN, 60)):
        await bench.shop.store.transact(lambda tx: keeper.printed(tx, slip(verdict, paper_mm)))  # noqa: B023
    assert await keeper.attach(DeviceInfo("TM-T20", "tcp:192.0.2.2:9100"))
    await bench.restart()
    again = PaperKeeper(bench.shop.store, bench.clock, ROLL_MM)
    assert not await again.attach(INFO)
    said = again.forecast()
    assert said == Forecast((ROLL_MM - 210) // 150, "assumed", 210, START)


async def test_the_printer_and_a_person_say_when_a_roll_is_new(bench: Bench) -> None:
    keeper = PaperKeeper(bench.shop.store, bench.clock)
    await keeper.roll_changed()
    await keeper.attach(INFO)
    await bench.shop.store.transact(lambda tx: keeper.printed(tx, slip(PrintVerdict.PRINTED, 150)))
    assert await keeper.seen(reason="paper_out", near_end=False)
    assert not await keeper.seen(reason="paper_out", near_end=False)
    assert keeper.forecast() == Forecast(0, "learned", 150, START)
    bench.clock.move(60)
    assert await keeper.seen(reason="", near_end=False)
    assert keeper.forecast() == Forecast(None, "none", 0, bench.clock.now())
    await bench.shop.store.transact(lambda tx: keeper.printed(tx, slip(PrintVerdict.PRINTED, 150)))
    bench.clock.move(60)
    await keeper.roll_changed()
    said = keeper.forecast()
    assert said is not None and (said.printed_mm, said.since) == (0, bench.clock.now())


async def test_what_cannot_be_read_is_begun_again(bench: Bench) -> None:
    keeper = PaperKeeper(bench.shop.store, bench.clock)
    await bench.shop.store.transact(lambda tx: paper_rolls.put(tx, "TM-T20 A1", b"{"))
    assert not await keeper.attach(INFO)
    assert keeper.forecast() == Forecast(None, "none", 0, START)


def test_a_roll_changed_by_hand_keeps_what_was_learned() -> None:
    at = Printer()
    at.use_up()
    roll = changed(at.roll, START)
    assert (roll.receipts_mm, roll.tails_mm) == (at.roll.receipts_mm, at.roll.tails_mm)

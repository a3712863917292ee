"""No false "printed", no false "failed": every verdict is compared with the emulated paper."""

from __future__ import annotations

import pytest

from tapledger_drivers.emulators.escpos_models import MODELS
from tapledger_drivers.emulators.faults import Verb
from tapledger_drivers.ports import PrintOutcome, PrintVerdict
from tests.drivers import star_verdicts, verdicts
from tests.drivers.verdict_page import OLD, PAGE, Played, head

pytestmark = pytest.mark.alone
WELL = ("none", Verb.SLOW, Verb.NEAR_END)


@pytest.mark.parametrize("model", MODELS)
async def test_every_escpos_verdict_agrees_with_the_paper_and_with_the_page(model: str) -> None:
    played = await verdicts.run(model)
    judge(played, PrintVerdict.PRINTED if verdicts.can_prove(model) else PrintVerdict.UNKNOWN)
    assert verdicts.section(model, played) in PAGE.read_text(encoding="utf-8"), OLD


async def test_every_star_verdict_agrees_with_the_paper_and_with_the_page() -> None:
    played = await star_verdicts.run()
    judge(played, PrintVerdict.PRINTED)
    assert star_verdicts.section(played) in PAGE.read_text(encoding="utf-8"), OLD


def judge(played: list[Played], well: PrintVerdict) -> None:
    assert [one for one in played if one.false_printed] == []
    assert [one for one in played if one.false_failed] == []
    assert [one for one in played if not one.next_printed] == []
    assert {one.outcome.verdict for one in played if one.fault in WELL} == {well}


def test_the_page_says_how_many_slips_were_judged() -> None:
    slips = len(MODELS) * len(verdicts.cases()) + len(star_verdicts.cases())
    assert slips > 1000
    assert PAGE.read_text(encoding="utf-8").startswith(head(slips))


def test_the_check_can_fail() -> None:
    printed, failed = (PrintOutcome(said, "ok", "e") for said in (PrintVerdict.PRINTED, PrintVerdict.FAILED))
    assert Played("tcp", "f", "m", printed, False, False, True).false_printed
    assert Played("tcp", "f", "m", printed, True, False, True).false_printed
    assert Played("tcp", "f", "m", failed, True, False, True).false_failed
    assert not Played("tcp", "f", "m", printed, True, True, True).false_printed

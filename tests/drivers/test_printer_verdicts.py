"""No false "printed", no false "failed": every verdict is compared with the emulated paper."""

from __future__ import annotations

from pathlib import Path

import pytest

from tapledger_drivers.emulators.escpos_models import MODELS
from tapledger_drivers.ports import PrintVerdict
from tests.drivers import verdicts
from tests.drivers.printing import LINES

PAGE = Path(__file__).parents[2] / "docs" / "devices" / "printer-verdicts.md"


@pytest.mark.parametrize("model", MODELS)
async def test_every_verdict_agrees_with_the_paper_and_with_the_page(model: str) -> None:
    results = await verdicts.run(case for line in LINES for case in verdicts.cases(model, line))
    assert len(results) == len(LINES) * len(verdicts.FAULTS) * len(verdicts.MOMENTS)
    assert [result for result in results if result.false_printed] == []
    assert [result for result in results if result.false_failed] == []
    assert [result.case for result in results if not result.next_printed] == []
    well = [r.outcome.verdict for r in results if r.case.fault in ("none", "near_end", "slow")]
    assert set(well) == {PrintVerdict.PRINTED if MODELS[model].gs_r else PrintVerdict.UNKNOWN}
    said = verdicts.section(model, results)
    assert said in PAGE.read_text(encoding="utf-8"), (
        "the page is old: python -m tests.drivers.verdicts > docs/devices/printer-verdicts.md"
    )


def test_the_page_says_how_it_was_made() -> None:
    assert PAGE.read_text(encoding="utf-8").startswith(verdicts.HEAD)

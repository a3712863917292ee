"""Whether a receipt printer is well, for all of them: its own word, or a slip to look at."""

from __future__ import annotations

from tapledger_drivers.device import Finding, HealthLevel, HealthReport
from tapledger_drivers.ports import PrintJob, PrintVerdict, ReceiptPrinter, Rule, Text

_TEST = PrintJob("health", (Rule(), Text("TEST 测试 0123456789"), Rule()))


async def check(printer: ReceiptPrinter, level: HealthLevel) -> HealthReport:
    """Ask how it is, or print a line: a person looks at it for ``interactive``."""
    if level is HealthLevel.INTERNAL:
        status = await printer.status()
        return HealthReport(level, (Finding(status.reason, status.ready, status.evidence),))
    outcome = await printer.print(_TEST)
    printed = outcome.verdict is PrintVerdict.PRINTED
    return HealthReport(HealthLevel.EXTERNAL, (Finding(outcome.reason, printed, outcome.evidence),))

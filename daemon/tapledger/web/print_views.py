"""Slips and the cash drawer, in the words of a language."""

from __future__ import annotations

from tapledger import texts
from tapledger.membership import slips
from tapledger.store import prints
from tapledger.store.prints import Job
from tapledger.web.print_snapshots import DrawerView, PrintView

SETTLED = ("printed", "failed", "unknown", "expired")
TECHNICIAN = "technician"
"""Who stands beside a word that was given at the console, where nobody signs in."""


def print_view(job: Job, language: str) -> PrintView:
    return PrintView(
        job=job.id,
        kind=job.kind,
        state=job.state,  # type: ignore[arg-type]
        reason=job.reason,
        evidence=job.evidence,
        number=slips.name_of(job),
        sentence=_sentence(job, language),
        copies=job.copies,
        word=job.word,
        asks=job.state == "unknown" and job.reason != prints.CANNOT_SAY,
        can_repeat=job.state in SETTLED and job.reason != prints.UNDONE,
    )


def _sentence(job: Job, language: str) -> str:
    match job.state:
        case "unknown" if job.reason == prints.CANNOT_SAY:
            return texts.say(language, "print.cannot_say")
        case "unknown":
            return texts.say(language, "print.asks")
        case "queued" if job.copies and job.reason:
            return texts.say(language, "print.copy_waits")
        case "queued" if job.reason:
            key = f"device.{job.reason}"
            known = texts.catalogue(language)
            return known[key] if key in known else texts.say(language, "print.waits")
        case "expired" if job.reason != prints.UNDONE:
            return texts.say(language, "print.expired")
        case "failed":
            return texts.say(language, "device.bad_job")
        case "printed" if job.word:
            return _said(job.word, language)
        case _:
            return ""


def _said(word: str, language: str) -> str:
    """Tell whose word it is: who gave it, then when."""
    who = word.rpartition(" ")[0]
    if who == TECHNICIAN:
        return texts.say(language, "print.technician_said")
    return texts.say(language, "print.said", who=who)


def drawer_view(last: Job | None, is_open: bool | None, language: str) -> DrawerView | None:
    """Return what the cashier has to know: ``last`` is the slip of the last sale."""
    if last is not None and last.drawer == "failed" and not is_open:
        said = texts.say(language, "print.drawer_failed")
        return DrawerView("failed", said, texts.say(language, "print.drawer_failed.next"))
    if is_open:
        said = texts.say(language, "print.drawer_open")
        return DrawerView("open", said, texts.say(language, "print.drawer_open.next"))
    return None

"""What can be said of an ESC/POS printer in daemon.toml, and how long it may take for what."""

from __future__ import annotations

from dataclasses import dataclass

from tapledger_drivers.device import Value
from tapledger_drivers.printers.code_pages import CODE_PAGES
from tapledger_drivers.printers.proof import Completion
from tapledger_drivers.printers.slip import SlipStyle
from tapledger_drivers.registry import Options

AUTO = "auto"
STATUS_KINDS = (AUTO, "asb", "eot", "none")
COMPLETIONS = (AUTO, *Completion)
DRAWER_PINS = (2, 5)
DRAWER_SWITCHES = ("learn", "high", "low", "none")


@dataclass(frozen=True, slots=True)
class EscposOptions:
    columns: int = 48
    dots: int = 576
    hold_line: bool = True
    """Whether the line stays open; a network printer that other programs print on must be let go."""
    model: str = ""
    """For a printer that does not say its name: what to look up in the table of known models."""
    code_page: str = "gbk"
    switch_runs: bool = False
    inline_pictures: bool = False
    native_qr: bool = True
    """These four as in slip.py."""
    status: str = AUTO
    completion: str = AUTO
    chunk_bytes: int | None = None
    pause_ms: int | None = None
    ask: bool = True
    """Whether a person is asked about slips of which this printer never says that they came out."""
    logo_memory: bool | None = None
    """Whether the printer keeps logos; None: one that answers GS ( H is asked, for it knows such commands."""
    drawer_pin: int = 2
    drawer_switch: str = "learn"
    """Which level of the drawer's switch means open; ``learn`` watches what it does after a kick."""
    answer_timeout_s: float = 2.0
    liveness_timeout_s: float = 1.0
    """An idle printer that does not answer for so long is mute."""
    detect_timeout_s: float = 1.0
    send_timeout_s: float = 10.0
    job_timeout_s: float = 20.0

    def said(self) -> dict[str, Value]:
        """Return the operator's word on what the printer can."""
        said: dict[str, Value] = {}
        if self.status != AUTO:
            said["status"] = self.status
        if self.completion != AUTO:
            said["completion"] = self.completion
        if self.chunk_bytes is not None:
            said["chunk_bytes"] = self.chunk_bytes
        if self.pause_ms is not None:
            said["pause_ms"] = self.pause_ms
        if not self.ask:
            said["ask"] = False
        if self.logo_memory is not None:
            said["logo_memory"] = self.logo_memory
        return said

    def style(self, stored_logos: frozenset[bytes]) -> SlipStyle:
        """Return how slips are written for this printer, which keeps ``stored_logos``."""
        return SlipStyle(
            CODE_PAGES[self.code_page],
            switch_runs=self.switch_runs,
            inline_pictures=self.inline_pictures,
            native_qr=self.native_qr,
            stored_logos=stored_logos,
        )


def read_options(options: Options, *, hold_line: bool) -> EscposOptions:
    """Take the options that every ESC/POS printer has, whatever it hangs on."""
    usual = EscposOptions()
    chunk_bytes = options.integer("chunk_bytes", -1, -1, 65536)
    pause_ms = options.integer("pause_ms", -1, -1, 5000)
    held = options.flag("hold_line", hold_line)
    return EscposOptions(
        columns=options.integer("columns", usual.columns, 24, 96),
        dots=options.integer("dots", usual.dots, 288, 1152),
        hold_line=bool(held),
        model=options.optional_text("model"),
        code_page=options.choice("code_page", usual.code_page, CODE_PAGES),
        switch_runs=bool(options.flag("switch_runs", usual.switch_runs)),
        inline_pictures=bool(options.flag("inline_pictures", usual.inline_pictures)),
        native_qr=bool(options.flag("native_qr", usual.native_qr)),
        status=options.choice("status", usual.status, STATUS_KINDS),
        completion=options.choice("completion", usual.completion, COMPLETIONS),
        chunk_bytes=None if chunk_bytes < 0 else chunk_bytes,
        pause_ms=None if pause_ms < 0 else pause_ms,
        ask=bool(options.flag("ask", usual.ask)),
        logo_memory=options.flag("logo_memory"),
        drawer_pin=int(options.choice("drawer_pin", str(usual.drawer_pin), map(str, DRAWER_PINS))),
        drawer_switch=options.choice("drawer_switch", usual.drawer_switch, DRAWER_SWITCHES),
    )

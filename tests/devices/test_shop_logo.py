"""The shop's logo, from its line in daemon.toml to the paper."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from PIL import Image

from tapledger import settings, texts
from tapledger.devices.receipts.drawing import lay_out
from tapledger.devices.receipts.templates import Templates, load, shipped
from tapledger.errors import Invalid
from tapledger.languages import LANGUAGES
from tapledger.membership import slips
from tapledger.membership.sale import record_sale
from tapledger_drivers.emulators.paper import PrintedPicture
from tapledger_drivers.ports import Logo, PaperItem, PrintJob, PrintVerdict
from tapledger_drivers.printers import logo as logos
from tests.drivers.printing import LINES, driving, emulated, fast
from tests.membership.counter import new_sale
from tests.store.shops import Bench

DAEMON = """
receipts.logo = "{logo}"
shop.name = "Tea Hill"
store.folder = "store"
files = {{ program = "program.toml", catalogue = "catalogue.csv" }}
"""


def png(size: tuple[int, int] = (160, 48)) -> bytes:
    file = io.BytesIO()
    Image.new("1", size, 0).save(file, "PNG")
    return file.getvalue()


def configured(folder: Path, picture: bytes | None) -> Templates:
    """Return the templates of a shop whose logo this is."""
    if picture is not None:
        (folder / "logo.png").write_bytes(picture)
    (folder / "daemon.toml").write_text(DAEMON.format(logo="logo.png"), encoding="utf-8")
    read = settings.read(folder / "daemon.toml")
    assert read.receipts.folder == ""
    return load(None, Path(read.receipts.logo))


async def sale(bench: Bench, templates: Templates) -> tuple[PaperItem, ...]:
    recorded = await record_sale(bench.shop, new_sale(bench, None, 3_557, 3_557))
    job = slips.job_id(recorded)
    slip = await bench.shop.store.transact(lambda tx: slips.stored(tx, bench.shop, job))
    assert slip is not None
    return lay_out(slip, bench.shop, templates)


@pytest.mark.parametrize("line", LINES)
async def test_the_logo_stands_above_every_receipt_and_travels_once(
    line: str, tmp_path: Path, bench: Bench
) -> None:
    templates = configured(tmp_path, png())
    receipts = [await sale(bench, templates) for _ in range(2)]
    taken = []
    async with emulated(line) as printer, driving(printer, query=fast(printer)) as driver:
        for number, items in enumerate(receipts):
            before = printer.wire.bytes_in
            outcome = await driver.print(PrintJob(f"slip-{number}", items))
            assert outcome.verdict is PrintVerdict.PRINTED, outcome
            taken.append(printer.wire.bytes_in - before)
    drawn = logos.load_logo(png(), 576)
    assert taken[0] - taken[1] > len(drawn.bits), "the second receipt is printed from memory"
    for paper in printer.slips:
        assert paper.content[0] == PrintedPicture(drawn.width_bytes, drawn.height, drawn.bits)
        assert paper.cut


async def test_without_a_logo_nothing_stands_there(bench: Bench) -> None:
    assert not [item for item in await sale(bench, shipped()) if isinstance(item, Logo)]


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (None, "CONFIG_MISSING"),
        (b"", "CONFIG_INVALID"),
        (b"GIF89a", "CONFIG_INVALID"),
        (png()[:50], "CONFIG_INVALID"),
        (png() + b"\0" * logos.PNG_BYTES_MAX, "CONFIG_INVALID"),
        (png((8000, 8000)), "CONFIG_INVALID"),
    ],
)
def test_a_logo_that_cannot_be_printed_is_refused_at_the_start(
    tmp_path: Path, picture: bytes | None, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        configured(tmp_path, picture)
    assert refused.value.code == code
    for language in LANGUAGES:
        assert "logo.png" in texts.problem(language, refused.value)[0]

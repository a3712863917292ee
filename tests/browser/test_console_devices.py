"""A technician looks closer at devices: tests that only their page sees, checks, recordings, paper, setup."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tapledger import texts
from tapledger.lab.bench.bench import Bench
from tapledger.lab.chain import Chain
from tapledger.lab.seed import TOWEL
from tapledger_drivers.emulators.escpos_printer import Mute
from tapledger_drivers.scanners import probe
from tests.browser.accessibility import violations
from tests.browser.conftest import KIOSK, PHONE, Face, open_face
from tests.browser.test_console import DESK, PATIENCE_MS, close, is_linked, open_console

pytestmark = pytest.mark.asyncio(loop_scope="session")

READER, SCANNER, PRINTER = "till-reader", "till-scanner", "receipt-printer"


@pytest_asyncio.fixture(loop_scope="session")
async def bench(chain: Chain) -> AsyncIterator[Bench]:
    """Yield the devices of the shop, and leave them as they should be."""
    bench = chain.benches["shop-a"]
    yield bench
    await bench.pull(PRINTER, "cover_open", on=False)
    answer_again(bench)


def fall_silent(bench: Bench) -> None:
    """Let the printer answer nothing any more from the first line of the next slip on."""

    async def silent() -> None:
        bench.printer.set_mute(Mute.SILENT)

    bench.printer.after_line = silent


def answer_again(bench: Bench) -> None:
    bench.printer.after_line = None
    bench.printer.set_mute(Mute.NO)


async def look_at(face: Face, role: str) -> None:
    await face.at(f"look-{role}").click()
    await expect(face.at("device-panel")).to_have_attribute("data-role", role)


async def test_a_test_tap_is_seen_by_its_page_alone(browser: Browser, chain: Chain, bench: Bench) -> None:
    face = await open_console(browser, chain)
    kiosk = await open_face(browser, chain.ports["shop-a"], "kiosk", KIOSK)
    await look_at(face, "kiosk-reader")
    await expect(face.page.locator("#closer-title")).to_be_focused()
    await face.at("claim-device").click()
    await expect(face.at("claim")).to_have_attribute("data-yours", "true")
    await bench.insert("kiosk-reader", "wang")
    outcome = face.at("outcome").first
    await expect(outcome).to_have_attribute("data-what", "card", timeout=PATIENCE_MS)
    tapped = await face.at("tapped").inner_text()
    await expect(kiosk.page.locator('[data-screen="attract"]')).to_be_visible()
    tail = tapped.split("，")[0].split()[-1]
    for event in await face.at("device-event").all():
        assert tail not in (await event.inner_text()).split("=")
    assert await violations(face) == []
    await face.picture("console-device")
    await bench.remove("kiosk-reader")
    await expect(face.at("outcome").first).to_have_attribute("data-what", "removed", timeout=PATIENCE_MS)

    await face.at("release").click()
    await expect(face.at("claim")).to_have_attribute("data-yours", "false")
    await bench.insert("kiosk-reader", "wang")
    await expect(kiosk.page.locator('[data-screen="balance"]')).to_be_visible(timeout=PATIENCE_MS)
    await kiosk.at("finish").click()
    await bench.remove("kiosk-reader")
    await expect(kiosk.page.locator('[data-screen="attract"]')).to_be_visible(timeout=PATIENCE_MS)
    await close(face, kiosk)


async def test_two_pages_and_one_device(browser: Browser, chain: Chain) -> None:
    """Ask, refuse, take by force after a warning; the loser is told, and a closed page lets go."""
    one, other = await open_console(browser, chain), await open_console(browser, chain)
    for face in (one, other):
        await look_at(face, SCANNER)
    await one.at("claim-device").click()
    await expect(one.at("claim")).to_have_attribute("data-yours", "true")
    await other.at("take-over").click()
    await expect(one.at("asked-for")).to_be_visible(timeout=PATIENCE_MS)
    await one.at("refuse").click()
    await expect(other.at("claim-ended")).to_be_visible(timeout=PATIENCE_MS)
    await expect(one.at("claim")).to_have_attribute("data-yours", "true")
    forgive_refusals(other)

    await other.at("override").click()
    await expect(other.at("override-warning")).to_be_visible()
    await other.at("override-no").click()
    await expect(other.at("override-warning")).to_have_count(0)
    await expect(one.at("claim")).to_have_attribute("data-yours", "true")
    await other.at("override").click()
    await other.at("override-yes").click()
    await expect(other.at("claim")).to_have_attribute("data-yours", "true")
    await expect(one.at("claim-ended")).to_be_visible(timeout=PATIENCE_MS)
    await expect(one.at("claim")).to_have_attribute("data-yours", "false")
    forgive_refusals(one)
    await close(other)
    await expect(one.at("claim-device")).to_be_visible(timeout=PATIENCE_MS)
    await close(one)


def forgive_refusals(face: Face) -> None:
    """Take back what Chromium says of the one answer that told this page that it does not hold the device."""
    assert all("409" in said for said in face.complaints)
    face.complaints.clear()


async def test_a_recording_is_made_and_taken_home(
    browser: Browser, chain: Chain, bench: Bench, tmp_path: Path
) -> None:
    face = await open_console(browser, chain)
    await look_at(face, SCANNER)
    opened = int(await face.at("device-panel").get_attribute("data-opened") or 0)
    await face.at("record-start").click()
    await expect(face.at("record-stop")).to_be_visible()
    # A recording begins with the device's next opening.
    await expect(face.at("device-panel")).to_have_attribute(
        "data-opened", str(opened + 1), timeout=PATIENCE_MS
    )
    await is_linked(face, SCANNER, "online")
    await face.at("claim-device").click()
    await expect(face.at("claim")).to_have_attribute("data-yours", "true")
    await bench.scan(TOWEL, SCANNER)
    await expect(face.at("scanned").first).to_have_text(TOWEL, timeout=PATIENCE_MS)
    async with face.page.expect_download() as download:
        await face.at("record-stop").click()
    taken = tmp_path / "taken.jsonl"
    await (await download.value).save_as(taken)
    lines = [json.loads(line) for line in taken.read_text(encoding="utf-8").splitlines()]
    assert TOWEL.encode().hex() in "".join(str(line.get("hex", "")) for line in lines)
    await close(face)


async def test_a_device_is_checked_switched_off_and_on(browser: Browser, chain: Chain) -> None:
    face = await open_console(browser, chain)
    await look_at(face, READER)
    await face.at("health-internal").click()
    await expect(face.at("health-verdict")).to_have_attribute("data-ok", "true", timeout=PATIENCE_MS)
    await expect(face.at("finding-reader")).to_contain_text(texts.say("zh-Hans", "device.check.reader"))
    await expect(face.at("capabilities")).to_contain_text("felica")
    await expect(face.at("statistics")).to_contain_text("HoursPoweredCount")
    for language in ("en", "zh-Hans"):
        await face.at(f"language-{language}").click()
        await expect(face.page.locator("html")).to_have_attribute("lang", language)
        # What was found was said in the language before.
        await expect(face.at("health-verdict")).to_have_count(0)
    await face.at("enable").click()
    await is_linked(face, READER, "disabled")
    await expect(face.at("device-panel")).to_contain_text(texts.say("zh-Hans", "device.disabled"))
    await face.at("enable").click()
    await is_linked(face, READER, "online")
    await face.at("reopen").click()
    await expect(face.at("device-events")).to_contain_text("simulated")
    await is_linked(face, READER, "online")
    await close(face)


async def test_a_repair_says_what_to_do_and_is_acknowledged(
    browser: Browser, chain: Chain, bench: Bench
) -> None:
    face = await open_console(browser, chain)
    await bench.pull(PRINTER, "cover_open")
    await is_linked(face, PRINTER, "degraded")
    item = face.at(f"attention-{PRINTER}")
    for said in ("device.cover_open", "device.cover_open.next", "device.consequence.receipt_printer"):
        await expect(item).to_contain_text(texts.say("zh-Hans", said))
    help_link = item.get_by_role("link").last
    assert await help_link.get_attribute("href") == "/help/devices/problems.md#cover_open"
    await expect(item).to_have_attribute("data-repair", "true")
    assert await violations(face) == []
    await face.at(f"acknowledge-{PRINTER}").click()
    await expect(item).to_have_attribute("data-repair", "false")
    await bench.pull(PRINTER, "cover_open", on=False)
    await is_linked(face, PRINTER, "online")
    await expect(item).to_have_count(0)
    await close(face)


async def test_a_person_says_whether_a_slip_came_out(browser: Browser, chain: Chain, bench: Bench) -> None:
    face = await open_console(browser, chain)
    await look_at(face, PRINTER)
    await expect(face.at("device-panel").get_by_test_id("paper-left")).to_be_visible()
    for answer, state in (("came-out", "printed"), ("not-out", "printed")):
        fall_silent(bench)
        await face.at("device-test-print").click()
        unknown = face.page.locator('[data-kind="test"][data-state="unknown"]')
        await expect(unknown).to_have_count(1, timeout=2 * PATIENCE_MS)
        job = await unknown.get_attribute("data-testid") or ""
        answer_again(bench)
        slips = len(bench.printer.slips)
        await is_linked(face, PRINTER, "online")
        await face.at(job.replace("print-", f"{answer}-", 1)).click()
        await expect(face.at(job)).to_have_attribute("data-state", state, timeout=2 * PATIENCE_MS)
        copies = sum("补打" in slip.text() for slip in bench.printer.slips[slips:])
        assert copies == (answer == "not-out")
        await expect(face.at(job)).to_contain_text("技术人员" if answer == "came-out" else "补打")
    await close(face)


async def test_a_scanner_is_set_up_and_checked_by_a_probe_code(
    browser: Browser, chain: Chain, bench: Bench
) -> None:
    face = await open_face(browser, chain.ports["shop-a"], "console", DESK)
    await face.at("open-setup").click()
    await face.at("sheet-zebra").click()
    await expect(face.at("sheet")).to_have_attribute("data-step", "defaults")
    code = await face.at("setup-code").element_handle()
    await face.page.wait_for_function("image => image.complete && image.naturalWidth > 0", arg=code)
    await face.at("setup-next").click()
    await expect(face.at("sheet")).to_have_attribute("data-step", "aim_id")
    await face.at("probe").get_by_test_id("claim-device").click()
    await expect(face.at("probe-code")).to_be_visible()
    await bench.scan(probe.LINEAR.replace("\x1d", ""), SCANNER)
    await expect(face.at("finding-probe_group_separator")).to_have_attribute(
        "data-ok", "false", timeout=PATIENCE_MS
    )
    await expect(face.at("finding-probe_read")).to_have_attribute("data-ok", "true")
    await expect(face.at("health-verdict")).to_have_attribute("data-ok", "false")
    assert await violations(face) == []
    await face.picture("console-scanner-setup")
    await close(face)


async def test_a_phone_and_a_keyboard_reach_everything(browser: Browser, chain: Chain) -> None:
    face = await open_face(browser, chain.ports["shop-a"], f"console#device={PRINTER}", PHONE)
    await expect(face.at("capabilities")).to_be_visible(timeout=PATIENCE_MS)
    for language in ("ja", "en", "zh-Hant", "zh-Hans"):
        await face.at(f"language-{language}").click()
        await expect(face.page.locator("html")).to_have_attribute("lang", language)
        assert await face.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    await face.picture("console-device-phone")
    assert await violations(face) == []
    await face.page.goto(face.page.url.split("#", maxsplit=1)[0] + "#setup")
    await face.at("sheet-honeywell").focus()
    await face.page.keyboard.press("Enter")
    await expect(face.at("setup-code")).to_be_visible()
    assert await face.page.evaluate("document.documentElement.scrollWidth") <= PHONE[0]
    await face.page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
    await face.at("close-setup").focus()
    await face.page.keyboard.press("Enter")
    await expect(face.at("setup")).to_have_count(0)
    await close(face)

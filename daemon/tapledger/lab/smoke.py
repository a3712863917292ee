"""``tapledger smoke``: the whole path once, on free ports and virtual devices, timed step by step."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from tapledger.lab.chain import Chain
from tapledger.lab.seed import CASHIER, CASHIER_PIN, MEMBERS, TOWEL
from tapledger.lab.visitor import GaveUp, Visitor
from tapledger_drivers.emulators.paper import PaperSlip

MEMBER = MEMBERS[0]
BEFORE, EARNED, SPENT = 897, 12, 80
"""Points of the demo member from the seed, of one towel, and of the coffee."""

Step = Callable[["Walk"], Awaitable[dict[str, Any]]]


class Walk:
    """What the steps share: the chain and three people in front of its faces."""

    def __init__(self, chain: Chain, kiosk: Visitor, till: Visitor, other_till: Visitor) -> None:
        self.chain = chain
        self.bench = chain.benches["shop-a"]
        self.kiosk = kiosk
        self.till = till
        self.other_till = other_till
        self.voucher = ""


async def run() -> dict[str, Any]:
    """Walk the path in a folder of its own; return each step's result and milliseconds."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="tapledger-smoke-") as folder:
        chain = Chain(Path(folder), (0, 0, 0), lambda sentence: None)
        await chain.start()
        try:
            started_ms = _ms_since(begun)
            async with (
                Visitor(chain.ports["shop-a"], "kiosk") as kiosk,
                Visitor(chain.ports["shop-a"], "till") as till,
                Visitor(chain.ports["shop-b"], "till") as other_till,
            ):
                steps = await _walk(Walk(chain, kiosk, till, other_till))
        finally:
            await chain.stop()
    return {
        "ok": all(step["ok"] for step in steps.values()) and len(steps) == len(STEPS),
        "readers": "simulated" if chain.station is None else "pcscd",
        "start_ms": started_ms,
        "steps": steps,
        "total_ms": _ms_since(begun),
    }


async def _walk(walk: Walk) -> dict[str, dict[str, Any]]:
    """Take the steps in order and stop at the first that does not hold."""
    results: dict[str, dict[str, Any]] = {}
    for name, step in STEPS.items():
        begun = time.monotonic()
        try:
            results[name] = {"ok": True, **await step(walk)}
        except (GaveUp, AssertionError) as error:
            results[name] = {"ok": False, "why": str(error)}
        results[name]["ms"] = _ms_since(begun)
        if not results[name]["ok"]:
            break
    return results


async def _tap(walk: Walk) -> dict[str, Any]:
    await walk.kiosk.until_screen("attract")
    await walk.kiosk.until(lambda s: bool(s["reader"] == "ok"), "no reader at the kiosk")
    await walk.bench.insert("kiosk-reader", "wang")
    balance = await walk.kiosk.until_screen("balance")
    _hold(balance["points"] == BEFORE, f"{balance['points']} points instead of {BEFORE}")
    # A shop gives out no points before it has heard from central for the first time (decisions R7).
    await walk.kiosk.until(_can_have_something, "no reward can be had")
    return {"points": balance["points"]}


def _can_have_something(snapshot: dict[str, Any]) -> bool:
    screen = snapshot["screen"]
    return any(reward["available"] for reward in screen.get("rewards", []))


async def _redeem(walk: Walk) -> dict[str, Any]:
    _took(await walk.kiosk.do("choose", reward="coffee"))
    await walk.kiosk.until_screen("confirm")
    _took(await walk.kiosk.do("confirm", reward="coffee"))
    done = await walk.kiosk.until_screen("done")
    walk.voucher = done["voucher"]
    await walk.kiosk.until(lambda s: bool(s["screen"].get("slip") == "printed"), "the voucher is not printed")
    paper = [slip.text() for slip in walk.bench.printer.slips]
    _hold(sum(walk.voucher in text for text in paper) == 1, f"the voucher is not on the paper once: {paper}")
    await walk.bench.remove("kiosk-reader")
    return {"points": done["points"], "touches": 2}


async def _sell(walk: Walk) -> dict[str, Any]:
    till = walk.till
    _took(await till.do("sign-in", staff=CASHIER, pin=CASHIER_PIN))
    await walk.bench.scanner.scan(TOWEL)
    await till.until(lambda s: len(s["lines"]) == 1, "the scan is not on a line")
    await walk.bench.insert("till-reader", "wang")
    await till.until(lambda s: s["member"] is not None, "the card is not seen at the till")
    await walk.bench.scanner.scan(walk.voucher)
    await till.until(
        lambda s: (s["message"] or {}).get("code") == "VOUCHER_TAKEN", "the voucher is not taken"
    )
    _took(await till.do("pay", tender="cash", received_minor=2000))
    sold = await till.until(
        lambda s: not s["lines"] and (s["last_sale"] or {}).get("earned_points") == EARNED, "no sale"
    )
    return {"receipt": sold["last_sale"]["receipt"], "earned": EARNED}


async def _receipt(walk: Walk) -> dict[str, Any]:
    sold = await walk.till.until(
        lambda s: bool(s["last_sale"]["slip"] == "printed"), "the receipt is not printed"
    )
    slip = walk.bench.printer.slips[-1]
    text = slip.text()
    for part in ("¥12.00", "¥20.00", "¥8.00", f"+{EARNED}", sold["last_sale"]["receipt"], "王**"):
        _hold(part.replace("¥", "￥") in text or part in text, f"{part} is not on the receipt: {text}")
    return {"lines": len(slip.lines()), "cut": _is_cut(slip)}


async def _sync(walk: Walk) -> dict[str, Any]:
    expected = BEFORE - SPENT + EARNED
    _took(await walk.other_till.do("sign-in", staff=CASHIER, pin=CASHIER_PIN))
    await walk.other_till.ask_for_member(MEMBER.phone)
    seen = await walk.other_till.until(
        lambda s: (s["member"] or {}).get("points") == expected, f"shop B does not show {expected} points"
    )
    return {"points": seen["member"]["points"]}


STEPS: dict[str, Step] = {
    "tap": _tap,
    "redemption": _redeem,
    "sale": _sell,
    "receipt": _receipt,
    "sync": _sync,
}


def _is_cut(slip: PaperSlip) -> bool:
    _hold(slip.cut, "the receipt is not cut")
    return slip.cut


def _took(problem: dict[str, Any]) -> None:
    _hold(not problem, f"refused: {problem}")


def _hold(holds: bool, why: str) -> None:
    if not holds:
        raise AssertionError(why)


def _ms_since(begun: float) -> int:
    return round((time.monotonic() - begun) * 1000)

"""Everything that the membership room can do is reachable: by name at the desk, or by a face of its own."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.source_tree import text, tree, with_suffix

ROOM = Path("daemon/tapledger/membership")
ELSEWHERE = {
    "alliance.settle_open": "needs a line to the partner; by hand each exchange is settled on its own",
    "basket.keep": "the till keeps its basket",
    "basket.restore": "the till takes its basket up again",
    "cards.ring": "a refused tap rings by itself",
    "coupons.hold_for_sale": "a part of a sale that waits",
    "coupons.release_for_sale": "a part of a sale that waits",
    "coupons.scan_code": "the till's one box",
    "coupons.template_of": "the till's one box",
    "looking_up.look_up": "the till's one box",
    "looking_up.member_code": "the kiosk's scanner",
    "feedback.give": "the kiosk, from whoever likes to say",
    "feedback.add_reason": "the kiosk, after a score",
    "night.run": "the daemon, every hour",
    "occasions.give_due": "every tap",
    "parking.park": "the till, while somebody else is served",
    "parking.recall": "the till's list of baskets that wait",
    "parking.waiting": "the till's list of baskets that wait",
    "permits.close_due": "a part of each round of sync",
    "permits.secure": "a step that use cases are made of",
    "pins.has_pin": "the kiosk's numpad",
    "pins.prove_pin": "the kiosk's numpad",
    "pins.lifts": "the kiosk's numpad",
    "quoting.quote": "the till's basket",
    "received.take": "a part of each round of sync",
    "redemption.give_back_lapsed": "a part of the night's work",
    "redemption.voucher_holder": "the till's one box",
    "return_desk.can_void": "the till, before goods come back",
    "return_desk.preview": "the till, before goods come back",
    "return_desk.recent": "the till's list of receipts",
    "sale.last_sale": "the till after a restart",
    "sale.record_sale": "the till: it prices, asks and is paid",
    "sale.secure": "a step that use cases are made of",
    "sharing.share": "the hub, for a kiosk of its shop",
    "shifts.close_shift": "the till, with its drawer",
    "shifts.current": "the till, with its drawer",
    "shifts.open_shift": "the till, with its drawer",
    "shifts.x_report": "the till, with its drawer",
    "shifts.z_report": "the till, with its drawer",
    "shop.change_member": "a step that use cases are made of",
    "shop.once": "a step that use cases are made of",
    "sign_in.keep_setup_code": "tapledger init",
    "sign_in.set_up_owner": "the till, once",
    "slips.came_out": "till and console, where the paper is looked at",
    "slips.print_again": "till and console, where the paper is looked at",
    "staff_cards.holder": "the kiosk's reader",
    "stock.give_back": "the round of sync",
    "tap.greet_again": "kiosk and till, for who is served",
    "tap.greet_member": "the till's reader",
    "tap.welcome_member": "the readers of kiosk and till",
    "virtual_cards.prove_virtual_card": "the scanner",
}
"""What has a face of its own, and which."""


def use_cases() -> set[str]:
    """Name every public operation on a shop."""
    found = set()
    for path in (path for path in with_suffix(".py") if path.parent == ROOM):
        for node in tree(path).body:
            if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith("_"):
                first = node.args.args[0].annotation if node.args.args else None
                if first is not None and ast.unparse(first) == "Shop":
                    found.add(f"{path.stem}.{node.name}")
    return found


def at_the_desk() -> set[str]:
    """Name what the desk's commands call, by the module it comes from."""
    found = set()
    for path in (path for path in with_suffix(".py") if path.parent == ROOM / "desk"):
        modules = {
            name.asname or name.name: name.name
            for node in ast.walk(tree(path))
            if isinstance(node, ast.ImportFrom) and node.module == "tapledger.membership"
            for name in node.names
        }
        for node in ast.walk(tree(path)):
            match node:
                case ast.Attribute(value=ast.Name(id=module), attr=function) if module in modules:
                    found.add(f"{modules[module]}.{function}")
    return found


def test_every_use_case_is_reachable() -> None:
    known, given = use_cases(), at_the_desk()
    assert {"sale.record_sale", "grants.grant_points", "merging.undo_merge"} <= known
    assert known - given - ELSEWHERE.keys() == set(), "give these a command in membership/desk"
    assert given & ELSEWHERE.keys() == set(), "these have a command: they need no other reason"
    assert ELSEWHERE.keys() - known == set(), "there is no such use case"


def test_every_command_stands_on_the_page_of_the_desk() -> None:
    from tapledger.membership.desk.registry import COMMANDS

    rows = {
        cells[1].strip().strip("`"): [cell.strip() for cell in cells[2:5]]
        for line in text(Path("docs/desk.md")).splitlines()
        if line.startswith("| `") and len(cells := line.split("|")) == 6
    }
    assert rows.keys() == COMMANDS.keys()
    for name, command in COMMANDS.items():
        role, asks, does = rows[name]
        fields = [field for field in command.asks.__struct_fields__ if field != "key"]
        assert (role, asks) == (command.role, ", ".join(f"`{field}`" for field in fields)), name
        assert does == command.does, name

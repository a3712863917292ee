"""The till while goods come back: which sale, which of its lines, and what that would do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from tapledger.errors import Conflict, Invalid, NotFound, TapledgerError
from tapledger.loyalty.ledger import EventBody
from tapledger.loyalty.sales.returning import ReturnedLine
from tapledger.loyalty.sales.sold import WHOLE
from tapledger.membership import receipts, refund, return_desk
from tapledger.membership.receipts import Sales
from tapledger.membership.refund import ReturnCommand, VoidCommand
from tapledger.membership.return_desk import Wanted
from tapledger.membership.shop import Shop
from tapledger.store.journal import Recorded
from tapledger.store.staff import Person

CASHIER = "cashier"
REASONS = ("unwanted", "faulty", "wrong", "other")


@dataclass(frozen=True, slots=True)
class Opened:
    """A sale of which something is to come back. ``taken`` is by line from 0, in thousandths."""

    receipt: str
    sales: Sales
    left: tuple[int, ...]
    can_void: bool
    taken: dict[int, int] = field(default_factory=dict)
    reason: str = REASONS[0]
    shop_fault: bool = False
    void: bool = False
    preview: EventBody | None = None
    """What confirming would record; None while nothing is chosen or it cannot be done."""
    problem: TapledgerError | None = None


@dataclass(slots=True)
class ReturnDesk:
    """Open or not; with a sale or with the list of the last ones."""

    shop: Shop
    is_open: bool = False
    recent: list[Recorded] = field(default_factory=list)
    opened: Opened | None = None

    async def show_recent(self) -> None:
        self.recent = await return_desk.recent(self.shop)
        self.is_open, self.opened = True, None

    def close(self) -> None:
        self.is_open, self.opened, self.recent = False, None, []

    async def open(self, receipt: str) -> None:
        """Show a sale; raise ``Invalid`` or ``NotFound`` for what names none of this shop."""
        sales = await receipts.show(self.shop, receipt)
        self._show(receipt, sales, voidable=await return_desk.can_void(self.shop, sales))

    async def open_number(self, number: int) -> None:
        if not 1 <= number <= len(self.recent):
            raise Invalid("CHOICE_UNKNOWN", number=number)
        await self.open(self.recent[number - 1].receipt)

    def _show(self, receipt: str, sales: Sales, *, voidable: bool) -> None:
        lines, back = sales.sold.facts.lines, sales.sold.milli_back()
        left = tuple(line.quantity_milli - gone for line, gone in zip(lines, back, strict=True))
        self.is_open = True
        self.opened = Opened(receipt.partition(":")[0], sales, left, voidable)

    def _here(self) -> Opened:
        if self.opened is None:
            raise Conflict("NO_RETURN_OPEN")
        return self.opened

    async def take(self, number: int, milli: int, person: Person) -> None:
        """Choose how much of a line comes back, counted from 1; 0 is none of it."""
        here = self._here()
        if not 1 <= number <= len(here.left):
            raise Invalid("LINE_UNKNOWN", line=number)
        taken = {**here.taken, number - 1: milli}
        await self._preview(replace(here, taken={i: m for i, m in taken.items() if m}, void=False), person)

    async def step(self, number: int, by: int, person: Person) -> None:
        """One more or one less of a line, as far as it goes; of what is weighed all or nothing."""
        here, i = self._here(), number - 1
        if not 0 <= i < len(here.left):
            raise Invalid("LINE_UNKNOWN", line=number)
        left = here.left[i]
        unit = left if here.sales.sold.facts.lines[i].weighed or left % WHOLE else WHOLE
        await self.take(number, max(0, min(left, here.taken.get(i, 0) + by * unit)), person)

    async def scan(self, sku: str, person: Person) -> None:
        """One more of an article comes back; raise ``NotFound`` when it was not sold here or all is back."""
        here = self._here()
        for i, line in enumerate(here.sales.sold.facts.lines):
            taken = here.taken.get(i, 0)
            if line.sku == sku and taken < here.left[i]:
                await self.step(i + 1, 1, person)
                return
        raise NotFound("NOT_ON_RECEIPT", sku=sku)

    async def take_all(self, person: Person) -> None:
        here = self._here()
        taken = {i: milli for i, milli in enumerate(here.left) if milli}
        await self._preview(replace(here, taken=taken, void=False), person)

    async def set_void(self, person: Person, *, on: bool) -> None:
        """Undo the whole sale instead, or take goods back after all."""
        await self._preview(replace(self._here(), void=on, taken={}), person)

    async def set_reason(self, reason: str | None, person: Person, *, shop_fault: bool | None) -> None:
        """Say why it comes back and whose fault that is; None leaves it as it is."""
        here = self._here()
        reason = here.reason if reason is None else reason
        if reason not in REASONS:
            raise Invalid("REASON_UNKNOWN", reason=reason)
        fault = here.shop_fault if shop_fault is None else shop_fault
        await self._preview(replace(here, reason=reason, shop_fault=fault), person)

    async def _preview(self, here: Opened, person: Person) -> None:
        """Keep the choice with what it would do; one that is impossible is refused and changes nothing."""
        if not here.taken and not here.void:
            self.opened = replace(here, preview=None, problem=None)
            return
        try:
            body = await return_desk.preview(self.shop, self._wanted(here, person), person.id)
            self.opened = replace(here, preview=body, problem=None)
        except TapledgerError as error:
            if error.code in ("RETURN_TOO_LATE", "VOID_ONLY_SAME_DAY", "SALE_ALREADY_RETURNED"):
                self.opened = replace(here, preview=None, problem=error)
                return
            raise

    def _wanted(self, here: Opened, person: Person) -> Wanted:
        return Wanted(
            sale=here.sales.sold.facts.id,
            lines=tuple(ReturnedLine(i, milli) for i, milli in sorted(here.taken.items())),
            reason=here.reason,
            shop_fault=here.shop_fault,
            late_approved=person.role != CASHIER,
            void=here.void,
        )

    async def confirm(self, person: Person, language: str, refund_minor: int | None = None) -> Recorded:
        """Record what was chosen and close; the same again is refused, for nothing is open then.

        The key counts the returns of the sale: if the answer was lost on the way, the same choice made again
        is the same return. ``refund_minor`` is what was on the screen: a late scan is refused, never paid
        unseen.
        """
        here = self._here()
        wanted, sale = self._wanted(here, person), here.sales.sold.facts.id
        if here.problem is not None:
            raise here.problem
        shown = None if here.preview is None else here.preview.returned
        if refund_minor is not None and (shown is None or shown.refund_minor != refund_minor):
            raise Conflict("RETURN_CHANGED")
        if wanted.void:
            command = VoidCommand(f"{sale}/void", sale, person.id, language, here.reason)
            recorded = await refund.void_sale(self.shop, command)
        else:
            back = ReturnCommand(
                key=f"{sale}/return/{len(here.sales.sold.returns) + 1}",
                sale=sale,
                lines=wanted.lines,
                staff=person.id,
                language=language,
                reason=here.reason,
                shop_fault=here.shop_fault,
                late_approved=wanted.late_approved,
            )
            recorded = await refund.return_sale(self.shop, back)
        self.close()
        return recorded

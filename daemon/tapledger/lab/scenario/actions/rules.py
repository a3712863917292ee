"""Steps of the shop's own: another version of the programme, and what the owner is told."""

from __future__ import annotations

from tapledger.errors import Invalid
from tapledger.lab.scenario import auditing
from tapledger.lab.scenario.document import Step, laid_over
from tapledger.lab.scenario.outcome import Outcome
from tapledger.lab.scenario.world import World, mistakes
from tapledger.membership import explaining, exposure, programs, sign_in

FIRST_PIN = "135790"


async def program(world: World, step: Step) -> Outcome:
    """Another version is put into place, in every shop or in one: ``changes`` are laid over the last one."""
    table = laid_over(world.table, step.table_of("changes"))
    source = programs.of_table(dict(table), "", world.scenario.program_path)
    if source.program is None:
        raise Invalid("PROGRAM_INVALID", where=step.title, why=mistakes(source, world.language))
    places = [world.place(step)] if step.has("shop") else list(world.places.values())
    for place in places:
        shop = place.shop
        shop.program, shop.coming = await programs.choose(shop.store, source, world.clock.now())
    world.table = table
    return Outcome({"version": places[0].shop.program.version})


async def owner(world: World, step: Step) -> Outcome:
    """What the owner may look at: the worst case while shops are away, and what is owed to members."""
    shop, now = world.place(step).shop, world.clock.now()
    away = step.number_of("away", 0)
    risk = await shop.store.transact(lambda tx: exposure.risk(tx, shop.program, away, now))
    owed = await shop.store.transact(lambda tx: exposure.liability(tx, shop.program, now))
    values = {
        "worst_per_member": risk.per_member,
        "worst_in_all": risk.in_all,
        "given_out": risk.given_out,
        "still_possible": risk.still_possible,
        "owed_points": {one.month or "never": one.points for one in owed},
        "owed_principal": world.cash(sum(one.principal_minor for one in owed)),
        "owed_bonus": world.cash(sum(one.bonus_minor for one in owed)),
    }
    return Outcome(values)


async def hire(world: World, step: Step) -> Outcome:
    """Somebody begins to work here and can sign in."""
    name = step.text("staff")
    await sign_in.add_person(world.place(step).shop, name, name, step.text("role", "staff"), FIRST_PIN)
    return Outcome()


async def explain(world: World, step: Step) -> Outcome:
    """Every number of what the step that ``of`` names recorded, as ``tapledger explain`` tells it."""
    recorded, shop = world.left(step, "of").recorded, world.place(step).shop
    if recorded is None:
        raise step.wrong(f"{step.text('of')} recorded nothing")
    body, language = recorded.event.body, step.text("language", world.language)
    told = await shop.store.transact(lambda tx: explaining.explained(tx, body, shop.program, language))
    return Outcome(says=told.sentences)


async def verify(world: World, step: Step) -> Outcome:
    """The shop's chain is walked; one that stands alone is folded again, too, and its books are added up."""
    found = await auditing.look(world.place(step), is_alone=world.central is None)
    return Outcome({"wrong": len(found)}, tuple(found))

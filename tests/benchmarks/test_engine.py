"""The engine's benchmark measures what it says: a known workload, both sides right, a wrong figure told."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from benchmarks import engine, engine_exactness, engine_scaling, engine_workload, plain_loop
from tapledger.loyalty.pricing import price

BASKETS = 40


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("workload")
    engine_workload.write(path, BASKETS)
    return path


def test_the_workload_is_the_same_each_time_and_is_only_files(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert engine_workload.main([str(tmp_path), "--baskets", str(BASKETS)]) == 0
    assert capsys.readouterr().out == ""
    for name in ("promos.json", "baskets.json"):
        assert (folder / name).read_bytes() == (tmp_path / name).read_bytes()
    listed, baskets = engine_workload.read(folder)
    assert (len(listed), len({one["id"] for one in listed}), len(baskets)) == (50, 50, BASKETS)


def test_the_plain_loop_by_hand() -> None:
    lines = [
        {"id": "a", "cat": "x", "price": 1000, "qty": 3},
        {"id": "b", "cat": "y", "price": 7000, "qty": 1},
    ]
    basket = {"lines": lines, "tier": "gold", "codes": ["C"], "dow": 1, "hour": 9, "birthday": False}
    promotions = [
        {"kind": "buyget", "cat": "x", "buy": 2, "get": 1, "max": 3, "value": 50},
        {"kind": "cat_pct", "cat": "x", "value": 10},
        {"kind": "threshold", "lo": 10_000, "hi": 20_000, "value": 11},
        {"kind": "coupon_pct", "code": "C", "min": 10_001, "value": 50},
        {"kind": "points", "days": [1], "h0": 9, "h1": 10, "mult": 3},
        {"kind": "points", "days": [1], "h0": 0, "h1": 9, "mult": 5},
    ]
    off, points = plain_loop.evaluate(promotions, basket)
    # 5.00 and 2.50 off the three, then 11.00 over 22.50 and 70.00.
    assert sum(off.values()) == pytest.approx(500 + 250 + 1100)
    assert off["b"] == pytest.approx(1100 * 7000 / 9250)
    assert points == 81 * 3


def test_every_basket_is_compared_and_a_wrong_one_is_told(folder: Path) -> None:
    listed, baskets = engine_workload.read(folder)
    compiled = engine_workload.programme(listed)
    asked = [engine_workload.asked(listed, basket) for basket in baskets]
    priced = [price(basket, member, compiled, moment) for basket, member, moment in asked]
    right = engine_exactness.compare(listed, baskets, asked, priced)
    assert (right.equal_to_oracle, right.off_the_unrounded, right.points_off) == (BASKETS, 0, 0)
    place = next(i for i, sale in enumerate(priced) if sale.discounts)
    more = priced[place].discounts[0]
    dearer = msgspec.structs.replace(more, amount_minor=more.amount_minor + 50)
    priced[place] = msgspec.structs.replace(
        priced[place], discounts=(dearer, *priced[place].discounts[1:]), earned=priced[place].earned + 1
    )
    wrong = engine_exactness.compare(listed, baskets, asked, priced)
    assert (wrong.equal_to_oracle, wrong.off_the_unrounded) == (BASKETS - 1, 1)


def test_the_copies_apply_to_no_basket(folder: Path) -> None:
    listed, baskets = engine_workload.read(folder)
    many = [*listed, *engine_scaling.copies(listed)]
    assert len(many) > 500
    few, all_of_them = engine_workload.programme(listed), engine_workload.programme(many)
    for one in baskets:
        basket, member, moment = engine_workload.asked(listed, one)
        expected = price(basket, member, few, moment)
        assert price(basket, member, all_of_them, moment) == expected


def test_goals_are_met_at_their_limits() -> None:
    assert [engine.at_most("a", value, 2.0).ok for value in (2.0, 2.001)] == [True, False]
    assert [engine.at_least("a", value, 2.0).ok for value in (2.0, 1.999)] == [True, False]


def test_a_run_ends_with_one_object(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = engine.main(["--workload", str(folder), "--json"])
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    goals = {goal["name"]: goal for goal in result["goals"]}
    assert goals["baskets_equal_to_oracle"]["value"] == BASKETS
    assert code == (0 if all(goal["ok"] for goal in goals.values()) else 1)
    assert 0 < result["engine_over_plain_loop"] < 1


def test_a_folder_without_a_workload_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert engine.main(["--workload", str(tmp_path)]) == 2
    assert "promos.json" in capsys.readouterr().err

"""GS1 element strings, by the examples of the General Specifications and by their grammar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapledger_drivers.scanners import gs1
from tapledger_drivers.scanners.gs1 import GROUP_SEPARATOR as GS
from tapledger_drivers.scanners.gs1 import check_digit, is_gtin, parse

GTIN14 = "06901234567892"
GLN = "690123456789" + "2"
SSCC = "00" + "1" + "0614141" + "123456789" + "0"
VALUES = {
    "00": SSCC[2:],
    "01": GTIN14,
    "02": GTIN14,
    "10": "AB-1/2",
    "11": "260131",
    "13": "260228",
    "15": "261200",
    "17": "261231",
    "20": "07",
    "21": "S9",
    "22": "2A",
    "30": "12",
    "37": "144",
    "3103": "001250",
    "3202": "000350",
    "3922": "1299",
    "3912": "9781299",
    "3932": "15612345",
    "3950": "001299",
    "240": "X-1",
    "241": "CUST-7",
    "250": "S2",
    "251": "SRC",
    "400": "PO 7".replace(" ", "-"),
    "401": "GINC",
    "410": GLN,
    "414": GLN,
    "420": "100000",
    "421": "156100000",
    "422": "156",
    "8003": "0" + GLN + "S1",
    "8005": "001299",
    "8006": GTIN14 + "0102",
    "8008": "260131235959",
    "8018": "690123456789012344",
    "8020": "SLIP-1",
    "8110": "106141416543213150110120",
    "8200": "https://example.com/a",
    "90": "OWN",
    "99": "OWN",
}
VALUES["00"] = "106141411234567897"
VALUES["8018"] = "69012345678901234" + check_digit("69012345678901234")
FIXED = {"00", "01", "02", "11", "13", "15", "17", "20", "3103", "3202", "410", "414"}


@pytest.mark.parametrize("identifier", VALUES)
def test_each_identifier_alone_and_between_others(identifier: str) -> None:
    value = VALUES[identifier]
    assert parse(identifier + value) == ((identifier, value),)
    end = "" if identifier in FIXED else GS
    text = f"01{GTIN14}{identifier}{value}{end}10LOT{GS}17261231"
    assert parse(text) == (("01", GTIN14), (identifier, value), ("10", "LOT"), ("17", "261231"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "01",
        "0106901234567893",  # wrong check digit
        "010690123456789",  # too short
        "17261301",  # the 13th month
        "17260132",
        "10",  # empty
        "10" + "A" * 21,
        "10AB C",  # a blank is not in the set
        "10会员",
        "3103" + "12",
        "05123",  # no such identifier
        "8999123",
        f"10AB{GS}{GS}17261231",
        f"422156{'7'}",  # fixed, but needs its separator
        "6901234567892",
        "https://example.com",
        "²³" * 4,
        f"01{GTIN14}" + "20" + "07" * 40,
    ],
)
def test_what_breaks_a_rule_is_no_gs1_at_all(text: str) -> None:
    assert parse(text) == ()


def test_separators_that_some_scanners_add_are_taken() -> None:
    assert parse(f"{GS}01{GTIN14}{GS}10AB") == (("01", GTIN14), ("10", "AB"))


@given(st.lists(st.sampled_from(sorted(VALUES)), min_size=1, max_size=10))
def test_what_was_joined_is_taken_apart(identifiers: list[str]) -> None:
    ends = ["" if one in FIXED else GS for one in identifiers]
    text = "".join(f"{one}{VALUES[one]}{end}" for one, end in zip(identifiers, ends, strict=True))
    assert parse(text) == tuple((one, VALUES[one]) for one in identifiers)
    assert parse(text.rstrip(GS)) == parse(text)


@given(st.text(max_size=80))
def test_any_text_is_parsed_without_an_exception(text: str) -> None:
    assert parse(text) == () or "".join(f"{a}{v}" for a, v in parse(text)) == text.replace(GS, "")


@pytest.mark.parametrize(
    "number", ["6901234567892", "4006381333931", "96385074", "036000291452", "15400141288763"]
)
def test_check_digits(number: str) -> None:
    assert is_gtin(number)
    assert check_digit(number[:-1]) == number[-1]
    wrong = str((int(number[-1]) + 1) % 10)
    assert not is_gtin(number[:-1] + wrong)
    assert not is_gtin(number[1:])


def test_the_table_knows_what_shops_use() -> None:
    assert set(VALUES) <= set(gs1._RULES)
    assert {f"310{n}" for n in range(6)} <= set(gs1._RULES)

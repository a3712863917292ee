"""Docs as a test: whatever the product has, its page names; whatever a page names, the product has."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import string
import tomllib
from pathlib import Path

import click
import msgspec
import pydantic
import pytest
from babel.messages.pofile import read_po
from packaging.requirements import Requirement

from tapledger.languages import LANGUAGES
from tapledger_drivers.registry import DRIVERS, create_driver
from tests.program_keys import keys
from tests.source_tree import ROOT, SOURCE_ROOTS, files, text, tree, with_suffix

README = Path("README.md")
DAEMON_CATALOGUES = "daemon/tapledger/locales/{language}/*.po"
FACE_CATALOGUES = "kiosk_ui/locales/{language}.po"
ERROR_CLASSES = {"Refused", "NotFound", "Invalid", "Conflict", "Denied", "Unavailable", "Corrupt"}

LINK = re.compile(r"\]\(([^)\s#]+)(?:#[^)]*)?\)")


def _code_of(markdown: str) -> str:
    """Keep what stands in code: fenced blocks and `inline` words."""
    fenced = re.findall(r"```\w*\n(.*?)```", markdown, re.DOTALL)
    inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", markdown, flags=re.DOTALL))
    return "\n".join([*fenced, *inline])


def _table_row(markdown: str, first_cell: str) -> str:
    """Return the table row whose first cell is ``first_cell`` in code; fail when there is none."""
    for line in markdown.splitlines():
        if line.startswith(f"| `{first_cell}` |"):
            return line
    pytest.fail(f"no table row begins with | `{first_cell}` |", pytrace=False)


# ---- README ----------------------------------------------------------------------------------------------
def test_make_commands_in_the_docs_exist() -> None:
    targets = set(re.findall(r"^([a-z]+):", text(Path("Makefile")), re.MULTILINE))
    for path in with_suffix(".md"):
        named = set(re.findall(r"^\s*make ([a-z][a-z ]*[a-z])", _code_of(text(path)), re.MULTILINE))
        words = {word for command in named for word in command.split()}
        assert words <= targets, f"{path}: make {words - targets} is not in the Makefile"


def test_readme_names_the_two_commands() -> None:
    code = _code_of(text(README))
    assert {"make run", "make test"} <= {line.split("#")[0].strip() for line in code.splitlines()}


def test_commands_in_the_docs_exist() -> None:
    from tapledger.cli import main

    known = set(main.list_commands(click.Context(main)))
    for path in with_suffix(".md"):
        named = set(re.findall(r"^(?:sudo )?tapledger ([a-z][a-z-]*)", _code_of(text(path)), re.MULTILINE))
        assert named <= known, f"{path}: tapledger {named - known} is no command"


def test_every_command_is_in_the_readme() -> None:
    from tapledger.cli import main

    code = _code_of(text(README))
    missing = [name for name in main.list_commands(click.Context(main)) if f"tapledger {name}" not in code]
    assert not missing, f"README.md does not show: tapledger {missing}"


def test_links_lead_somewhere() -> None:
    broken = [
        f"{path}: {target}"
        for path in with_suffix(".md")
        for target in LINK.findall(text(path))
        if "://" not in target and not (ROOT / path.parent / target).exists()
    ]
    assert not broken, "\n".join(broken)


def test_the_walks_name_what_the_sources_have() -> None:
    """Every file, module, class and function that docs/architecture.md names in code is there."""
    named = set(re.findall(r"`([A-Za-z_.]+)(?:\(\))?`", text(Path("docs/architecture.md"))))
    known = {"now"} | {part for path in files() for part in (*path.parts, path.stem)}
    for path in with_suffix(".py", under=SOURCE_ROOTS):
        known |= {
            node.name
            for node in ast.walk(tree(path))
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        }
    missing = [name for name in sorted(named - known) if name.split(".")[-1] not in known]
    assert not missing, f"docs/architecture.md names {missing}, which the sources do not have"


# ---- devices ---------------------------------------------------------------------------------------------
def test_every_driver_has_its_page_and_its_row() -> None:
    for name in DRIVERS:
        page = ROOT / "docs" / "devices" / f"{name.replace('_', '-')}.md"
        assert page.is_file(), f"driver {name} has no page {page.relative_to(ROOT)}"
        row = _table_row(text(README), name)
        tested_how = row.strip().strip("|").split("|")[-1].strip()
        assert tested_how, f"README.md does not say how driver {name} is tested"


def test_the_devices_in_the_docs_can_be_configured_so() -> None:
    """What a page shows is taken by the settings and by the driver, option by option."""
    from tapledger.settings import DeviceSettings
    from tapledger_drivers.device import DeviceConfig
    from tapledger_drivers.traffic import Traffic
    from tapledger_drivers.transports.live import LiveIo
    from tests.drivers.cards import TRUST

    shown = [
        (path, DeviceSettings.model_validate(device))
        for path in with_suffix(".md", ".toml", under=("docs", "config"))
        if path.name != "adding-a-driver.md"  # its driver is a toy
        for block in _toml_blocks(path)
        for device in tomllib.loads(block).get("devices", [])
    ]
    assert len(shown) > len(DRIVERS)
    for path, device in shown:
        options: dict[str, object] = {
            name: value for name, value in device.options.items() if name != "match"
        }
        if "match" in device.options:
            options["path"] = "/dev/what-matches"
        config = DeviceConfig(device.role, device.driver, options)
        assert create_driver(config, TRUST, LiveIo(device.role, Traffic(lambda: 0.0))), path
    assert {device.driver for _, device in shown} == set(DRIVERS)


def _toml_blocks(path: Path) -> list[str]:
    content = text(path)
    return [content] if path.suffix == ".toml" else re.findall(r"```toml\n(.*?)```", content, re.DOTALL)


# ---- settings, messages ----------------------------------------------------------------------------------
def _settings(model: type[pydantic.BaseModel], prefix: str = "") -> dict[str, pydantic.fields.FieldInfo]:
    found: dict[str, pydantic.fields.FieldInfo] = {}
    for name, field in model.model_fields.items():
        inner = field.annotation
        arguments = getattr(inner, "__args__", ())
        if arguments and isinstance(arguments[0], type) and issubclass(arguments[0], pydantic.BaseModel):
            inner = arguments[0]
        if isinstance(inner, type) and issubclass(inner, pydantic.BaseModel):
            found |= _settings(inner, f"{prefix}{name}.")
        else:
            found[prefix + name] = field
    return found


def test_every_setting_has_its_line_with_its_default() -> None:
    from tapledger.settings import Settings
    from tapledger_central.settings import CentralSettings

    page = text(Path("docs/settings.md"))
    settings = _settings(Settings) | _settings(CentralSettings)
    for name, field in settings.items():
        default = _table_row(page, name).split("|")[2].strip()
        expected = "required" if field.is_required() else f"`{_toml(field.get_default())}`"
        assert default == expected, f"docs/settings.md: {name} has the default {expected}, not {default}"
    documented = set(re.findall(r"^\| `([a-z_.]+)` \|", page, re.MULTILINE))
    assert documented == set(settings)


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str | Path) else str(value)


PROTOCOL = Path("docs/sync-protocol.md")


def test_every_message_has_its_row_with_its_fields() -> None:
    from tapledger.wire import asking, messages, proofs

    page = text(PROTOCOL)
    structs = [
        item
        for module in (messages, asking, proofs)
        for item in vars(module).values()
        if isinstance(item, type) and issubclass(item, msgspec.Struct) and item.__module__ == module.__name__
    ]
    assert len(structs) > 20
    for struct in structs:
        row = _table_row(page, struct.__name__)
        missing = [name for name in struct.__struct_encode_fields__ if f"`{name}`" not in row]
        assert not missing, f"{PROTOCOL}: the row of {struct.__name__} lacks {missing}"


def test_every_kind_of_news_has_its_row_with_its_fields() -> None:
    from tapledger.wire import news

    page = text(PROTOCOL)
    for kind, struct in news.KINDS.items():
        row = _table_row(page, kind)
        missing = [name for name in (struct.__name__, *struct.__struct_fields__) if f"`{name}`" not in row]
        assert not missing, f"{PROTOCOL}: the row of {kind} lacks {missing}"
    for code in news.DIFFERENCES:
        _table_row(page, code)


def test_the_requests_in_the_docs_are_those_that_central_answers() -> None:
    from tapledger_central.web import openapi
    from tapledger_central.web.handlers import ROUTES

    told = dict.fromkeys([("GET", openapi.HEALTH), ("GET", openapi.PATH), ("POST", openapi.ENROL)], ("", ""))
    for route in ROUTES:
        takes = "" if route.takes is None else f"`{route.takes.__name__}` "
        told[route.method, route.path] = (" ".join(sorted(route.query)), f"{takes}→ `{route.gives.__name__}`")
    rows = re.findall(r"^\| `(GET|POST) ([^?`]+)\??([^`]*)` \| (.*?) \|", text(PROTOCOL), re.MULTILINE)
    assert {(method, path) for method, path, _, _ in rows} == set(told)
    for method, path, query, messages in rows:
        names, bodies = told[method, path]
        if bodies:
            assert (" ".join(sorted(re.findall(r"(\w+)=", query))), messages) == (names, bodies), path


# ---- the programme ---------------------------------------------------------------------------------------
def test_every_key_of_the_programme_has_its_line_with_its_default() -> None:
    page = text(Path("docs/program.md"))
    known = {f"{key.section}.{key.name}".lstrip("."): key.default for key in keys()}
    assert len(known) > 200
    for name, expected in known.items():
        default = _table_row(page, name).split("|")[2].strip()
        assert default == expected, f"docs/program.md: {name} has the default {expected}, not {default}"
    documented = re.findall(r"^\| `([a-zA-Z0-9_.]+)` \|", page, re.MULTILINE)
    assert sorted(documented) == sorted(known)


def test_every_section_of_the_programme_stands_in_the_file_that_we_ship() -> None:
    """At least as an example that begins with a ``#`` of its own."""
    shipped = text(Path("config/program.toml"))
    sections = {key.name for key in keys() if not key.section} - {"holidays", "active_from"}
    missing = [
        name for name in sections if not re.search(rf"^#?(\[+{name}\b|{name} =)", shipped, re.MULTILINE)
    ]
    assert not missing, f"config/program.toml does not show {missing}"


# ---- texts -----------------------------------------------------------------------------------------------
def _catalogue(pattern: str, language: str) -> dict[str, str]:
    """Read all files of a language; fail when a key stands in two of them, or twice in one."""
    said: dict[str, str] = {}
    for path in sorted(ROOT.glob(pattern.format(language=language))):
        with path.open("rb") as file:
            messages = {str(message.id): str(message.string) for message in read_po(file) if message.id}
        where = path.relative_to(ROOT)
        keys = re.findall(r'^msgid "(.+)"$', path.read_text("utf-8"), re.MULTILINE)
        assert sorted(keys) == sorted(messages), f"{where}: a key stands twice"
        assert not said.keys() & messages.keys(), f"{where}: {said.keys() & messages.keys()} elsewhere too"
        said |= messages
    return said


def _blanks(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_catalogues_are_in_the_languages_that_we_speak() -> None:
    assert {path.name for path in (ROOT / "daemon/tapledger/locales").iterdir()} == set(LANGUAGES)
    assert {path.stem for path in (ROOT / "kiosk_ui/locales").iterdir()} == set(LANGUAGES)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_rooms_of_a_language_are_the_rooms_of_all(language: str) -> None:
    folder = ROOT / "daemon/tapledger/locales"
    rooms = {name: {path.name for path in (folder / name).iterdir()} for name in (language, "en")}
    assert rooms[language] == rooms["en"]
    for room in sorted(rooms["en"]):
        here, english = (
            _catalogue(f"daemon/tapledger/locales/{{language}}/{room}", name) for name in (language, "en")
        )
        assert here.keys() == english.keys(), f"{language}/{room} and en/{room} differ in these keys"


@pytest.mark.parametrize("pattern", [DAEMON_CATALOGUES, FACE_CATALOGUES])
@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogues_say_the_same_in_every_language(pattern: str, language: str) -> None:
    english, other = _catalogue(pattern, "en"), _catalogue(pattern, language)
    assert english
    assert other.keys() == english.keys(), f"{language} and en differ in these keys"
    empty = [key for key, sentence in other.items() if not sentence.strip()]
    assert not empty, f"{language}: no text for {empty}"


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_of_the_daemon_fill_the_same_blanks_in_every_language(language: str) -> None:
    english, other = _catalogue(DAEMON_CATALOGUES, "en"), _catalogue(DAEMON_CATALOGUES, language)
    different = [key for key in english if _blanks(english[key]) != _blanks(other.get(key, ""))]
    assert not different


def _codes_given_to(callables: set[str]) -> dict[str, str]:
    """Find the codes that the sources give to these classes, and one place of each."""
    found: dict[str, str] = {}
    for path in with_suffix(".py", under=SOURCE_ROOTS):
        for node in ast.walk(tree(path)):
            if (
                isinstance(node, ast.Call)
                and ast.unparse(node.func).split(".")[-1] in callables
                and node.args
            ):
                for code in _constants(node.args[0]):
                    found[code] = f"{path}:{node.lineno}"
    return found


def _constants(expression: ast.expr) -> list[str]:
    match expression:
        case ast.Constant(value=str() as code):
            return [code]
        case ast.IfExp(body=body, orelse=orelse):
            return [*_constants(body), *_constants(orelse)]
    return []


def test_every_error_has_a_sentence_and_a_next_step() -> None:
    codes = _codes_given_to(ERROR_CLASSES)
    assert codes
    known = _catalogue(DAEMON_CATALOGUES, "en")
    missing = [
        f"{place}: {key}"
        for code, place in codes.items()
        for key in (f"problem.{code}", f"problem.{code}.next")
        if key not in known
    ]
    assert not missing, "\n".join(missing)


def test_every_reason_has_a_sentence() -> None:
    known = _catalogue(DAEMON_CATALOGUES, "en")
    missing = [
        f"{place}: reason.{code}"
        for code, place in _codes_given_to({"Reason"}).items()
        if f"reason.{code}" not in known and f"problem.{code}" not in known
    ]
    assert not missing, "\n".join(missing)


# ---- licences --------------------------------------------------------------------------------------------
def _runtime_packages() -> set[str]:
    """Name every package that the product needs to run, extras included, as the installed metadata say."""
    names: set[str] = set()
    todo = [("tapledger", "devices")]
    while todo:
        name, extra = todo.pop()
        if name.lower().replace("_", "-") in names:
            continue
        names.add(name.lower().replace("_", "-"))
        for line in importlib.metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                todo.append((requirement.name, ""))
    return names - {"tapledger"}


def test_every_package_of_the_running_product_is_acknowledged() -> None:
    notices = text(Path("THIRD_PARTY_NOTICES.md"))
    missing = [name for name in sorted(_runtime_packages()) if f"\n| {name} | " not in notices]
    assert not missing, f"THIRD_PARTY_NOTICES.md lacks {missing}"

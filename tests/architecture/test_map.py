"""The folders of the package are those on the map; who may know whom is in .importlinter."""

import configparser

import pytest

from tests.architecture.sources import PACKAGE, ROOT, modules, place

# A new entry here is a change of the design: it also needs its layer in .importlinter.
ON_THE_MAP = {
    *("domain", "ports", "flows", "bulk", "adapters", "service", "api", "client", "web", "cli", "bootstrap"),
    "simulation",
}
FILES_AT_THE_TOP = {"__init__.py", "__main__.py", "py.typed"}


def test_every_folder_of_the_package_is_on_the_map() -> None:
    folders = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders - ON_THE_MAP == set()


def test_nothing_but_the_front_door_lies_at_the_top() -> None:
    assert {path.name for path in PACKAGE.iterdir() if path.is_file()} - FILES_AT_THE_TOP == set()


def test_every_folder_on_the_map_has_its_layer() -> None:
    contracts = configparser.ConfigParser()
    contracts.read(ROOT / ".importlinter")
    layers = contracts["importlinter:contract:layers"]["layers"]
    assert set(layers.replace("|", " ").replace("(", " ").replace(")", " ").split()) == ON_THE_MAP


def test_every_folder_with_modules_is_a_package_the_import_check_can_see() -> None:
    # Migration scripts are run by Alembic and imported by nobody.
    imported = [path for path in modules() if "migrations" not in path.parts]
    folders = {folder for path in imported for folder in path.parents if folder.is_relative_to(PACKAGE)}
    assert [place(folder) for folder in sorted(folders) if not (folder / "__init__.py").exists()] == []


@pytest.mark.parametrize("name", ["utils", "util", "helpers", "helper", "common", "manager", "base", "misc"])
def test_no_module_has_a_name_that_fits_everything(name: str) -> None:
    assert [place(path) for path in modules() if name in (path.stem, path.parent.name)] == []

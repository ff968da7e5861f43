"""What the documents say exists: paths, links, commands, options, quoted code, folders."""

from __future__ import annotations

import ast
import importlib
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from tests.conftest import REPOSITORY
from train.plan.plan import Upkeep, changed
from train.plan.presets import DEMO

DOCUMENTS = [
    REPOSITORY / "README.md",
    REPOSITORY / "CHANGELOG.md",
    REPOSITORY / "SECURITY.md",
    *sorted((REPOSITORY / "docs").glob("*.md")),
]
_PROJECT = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
PACKAGES: list[str] = _PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
ARCHITECTURE = REPOSITORY / "docs" / "architecture.md"

_TOP = "|".join([*PACKAGES, "tests", "bench", "docs"])
_PATH = re.compile(rf"(?<![\w./-])(?:{_TOP})/[\w./-]*\w")
_FILE = re.compile(r"(?<![\w./-])[A-Za-z][\w-]*\.(?:md|py|sh|toml)\b")


def _script(target: str) -> click.Command:
    module, _, _ = target.partition(":")
    found = importlib.import_module(module).load()
    assert isinstance(found, click.Command)
    return found


SCRIPTS = {name: _script(target) for name, target in _PROJECT["project"]["scripts"].items()}


def _commands() -> Iterator[tuple[str, click.Command]]:
    """Every command with its whole name, the groups among them."""
    for name, script in SCRIPTS.items():
        yield name, script
        for part, command in getattr(script, "commands", {}).items():
            yield f"{name} {part}", command


COMMANDS = dict(_commands())


def _options(command: click.Command) -> set[str]:
    names = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    return names | {"--help"}


ALL_OPTIONS = set[str]().union(*map(_options, COMMANDS.values()))


def _fenced(text: str) -> list[str]:
    """The lines of all fenced blocks."""
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


def _spans(text: str) -> list[str]:
    """What stands between backticks outside fenced blocks, on one line each."""
    outside = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", outside)]


def _said(text: str) -> Iterator[list[str]]:
    """The words of each command that a document tells to type."""
    typed = [line.removeprefix("$ ") for line in _fenced(text) if re.match(r"\$ |make ", line)]
    for line in [*typed, *_spans(text)]:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # an apostrophe: words, no command
            continue
        if words:
            yield words


def documents() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)


@documents()
def test_every_path_that_is_named_exists(path: Path) -> None:
    text = path.read_text("utf-8")
    code = "\n".join([*_spans(text), *_fenced(text)])
    for named in _PATH.findall(code):
        assert (REPOSITORY / named).exists(), named
    for named in _FILE.findall("\n".join(_spans(text))):
        assert (REPOSITORY / named).exists() or (path.parent / named).exists(), named


@documents()
def test_every_test_that_is_named_exists(path: Path) -> None:
    tests = "".join(one.read_text("utf-8") for one in (REPOSITORY / "tests").rglob("test_*.py"))
    for span in _spans(path.read_text("utf-8")):
        if re.fullmatch("test_[a-z_0-9]+", span):
            assert f"def {span}(" in tests, span


@documents()
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", path.read_text("utf-8")):
        assert (path.parent / target).exists(), target


@documents()
def test_every_command_and_option_that_is_named_exists(path: Path) -> None:
    for words in _said(path.read_text("utf-8")):
        # As in --pose=mouth=0 and -o/--out.
        named = [re.split("[=/]-{0,2}", word)[0] for word in words if word.startswith("-")]
        options = {name for name in named if re.fullmatch("--?[a-z][a-z0-9-]*", name)}
        if words[0] in SCRIPTS and len(words) > 1:
            command = COMMANDS.get(" ".join(words[:2]))
            assert command, words
            assert options <= _options(command), (words, options - _options(command))
        elif words[0].startswith("-"):
            assert options <= ALL_OPTIONS, words


@documents()
def test_every_change_of_a_plan_that_is_named_can_be_made(path: Path) -> None:
    for change in re.findall(r"--set ([^`\s)]+)", path.read_text("utf-8")):
        assert changed(DEMO, Upkeep(), [change])  # InputError otherwise


@documents()
def test_every_target_and_variable_of_make_that_is_named_exists(path: Path) -> None:
    makefile = (REPOSITORY / "Makefile").read_text("utf-8")
    targets = set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))
    variables = set(re.findall(r"^(\w+) *\?=", makefile, re.MULTILINE))
    for words in _said(path.read_text("utf-8")):
        if words[0] == "make" and words[1:]:
            given = {word.partition("=")[0] for word in words[2:]}
            assert words[1] in targets and given <= variables, words


@documents()
def test_quoted_code_is_the_code(path: Path) -> None:
    text = path.read_text("utf-8")
    quotes = re.findall(r"From\s+`([^`]+)`:\n\n```python\n(.*?)```", text, re.DOTALL)
    assert len(quotes) == text.count("```python")
    for named, code in quotes:
        assert code in (REPOSITORY / named).read_text("utf-8"), named


def test_the_tables_of_folders_are_whole_and_say_what_the_folders_say() -> None:
    rows = re.findall(r"^\| `([a-z/]+)` \| (.*?) \|", ARCHITECTURE.read_text("utf-8"), re.MULTILINE)
    said = {name: words for name, words in rows if name.split("/")[0] in PACKAGES}
    folders = {folder for package in PACKAGES for folder in _folders(package)}
    assert said == {folder: _docstring(folder).replace("``", "`") for folder in folders}


def _folders(package: str) -> Iterator[str]:
    """A package and the packages in it, as paths below the repository."""
    for path in (REPOSITORY / package).rglob("__init__.py"):
        yield path.parent.relative_to(REPOSITORY).as_posix()


def _docstring(folder: str) -> str:
    text = (REPOSITORY / folder / "__init__.py").read_text("utf-8")
    return " ".join((ast.get_docstring(ast.parse(text)) or "").split())


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    script, *arguments = name.split()
    done = CliRunner().invoke(SCRIPTS[script], [*arguments, "--help"])
    assert done.exit_code == 0
    assert (COMMANDS[name].help or "").split()[0] in done.output


def test_names_of_modules_in_docstrings_are_those_of_modules() -> None:
    """Such as ``contract.pose``: a module that moves takes its mentions along."""
    mention = re.compile(rf"(?<![\w.])(?:{'|'.join(PACKAGES)})(?:\.[A-Za-z_]\w*)+")
    for package in PACKAGES:
        for path in sorted((REPOSITORY / package).rglob("*.py")):
            for named in mention.findall(_prose(path)):
                assert _resolves(named), f"{path}: {named}"


def _prose(path: Path) -> str:
    """The docstrings of a file, of constants too, and its comments."""
    text = path.read_text("utf-8")
    alone = (node.value for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Expr))
    docstrings = [str(one.value) for one in alone if isinstance(one, ast.Constant)]
    return "\n".join([*docstrings, *re.findall(r"#.*", text)])


def _resolves(named: str) -> bool:
    """Whether a dotted name is a module, a folder, or something that a module defines."""
    module, parts = REPOSITORY, named.split(".")
    while parts and (module / parts[0]).is_dir():
        module /= parts.pop(0)
    if parts and (module / f"{parts[0]}.py").is_file():
        text = (module / f"{parts.pop(0)}.py").read_text("utf-8")
        found = (re.search(rf"^\s*(?:def |class )?{part}\b", text, re.MULTILINE) for part in parts)
        return all(found)
    return not parts

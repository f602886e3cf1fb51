"""What the README prints of the code, between marks: the commands, the settings and the tables. `make docs` renews it.

    python -m pipeline.handbook FOLDER      renews FOLDER/README.md
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import typer
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from pipeline import tables
from pipeline.cli import app
from pipeline.formats import bundled
from pipeline.rulebook.vocabulary import NUMBERS, SIGNALS, VOCABULARY
from pipeline.school.settings import Settings
from pipeline.textfiles import put_text, read_texts

PLAIN = (str, int, float, bool)


def commands() -> str:
    """Every command with its help, options included, as Markdown: a row a command."""
    whole = typer.main.get_command(app)
    head = f"Before the command: {_options(whole, ' ')}\n"
    rows = [f"| `{name}{_arguments(command)}` | {_help(command)}{_options(command, '<br>', '<br>')} |"
            for name, command in _leaves("schoolgate", whole)]
    return "\n".join([head, "| command | what it does |", "|---|---|", *rows])


def _leaves(name: str, command: Any) -> Iterator[tuple[str, Any]]:
    """Every command that does something, by the words that call it."""
    inner = getattr(command, "commands", None)
    if inner is None:
        yield name, command
        return
    if command.invoke_without_command:
        yield name, command
    for word, below in inner.items():
        yield from _leaves(f"{name} {word}", below)


def _arguments(command: Any) -> str:
    """The arguments, and the options that must be given, as they are typed."""
    words = [_value(param) if param.param_type_name == "argument" else f"{param.opts[0]} {_value(param)}"
             for param in command.params if param.param_type_name == "argument" or param.required]
    return "".join(f" {word}" for word in words)


def _help(command: Any) -> str:
    return " ".join((command.help or "").split())


def _options(command: Any, between: str, before: str = "") -> str:
    """The options with their help."""
    shown = [f"`{param.opts[0]}{'' if param.is_flag else ' ' + _value(param)}` {param.help}"
             for param in command.params if param.param_type_name == "option"]
    return before + between.join(shown) if shown else ""


def _value(param: Any) -> str:
    word = param.metavar or param.name.upper()
    return word if param.required or param.param_type_name == "option" else f"[{word}]"


def settings() -> str:
    """Every setting of school.toml as Markdown: its name, what holds when it is not given, and what it is."""
    rows = [f"| `{name}` | {default} | {text} |" for name, default, text in _settings(Settings)]
    return "\n".join(["| setting | when not given | what it is |", "|---|---|---|", *rows])


def _settings(model: type[BaseModel], above: str = "") -> Iterator[tuple[str, str, str]]:
    """Name, default and description of each setting of a model, then those of the models inside it."""
    for name, field in model.model_fields.items():
        yield above + name, _default(field), field.description or ""
        for inner in _models(field.annotation):
            yield from _settings(inner, f"{above}{name}.")


def _models(kind: Any) -> list[type[BaseModel]]:
    """The models that a type is, or holds."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [kind]
    return [model for inner in get_args(kind) for model in _models(inner)]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "must be given"
    if isinstance(field.default, tuple) and field.default:
        return ", ".join(f"`{value}`" for value in field.default)
    return f"`{field.default}`" if isinstance(field.default, PLAIN) and field.default != "" else "none"


def formats() -> str:
    """Every bundled log format as Markdown: its name, what writes it, how it is taken apart, and where its zone comes from."""
    rows = [f"| `{form.name}` | {form.title} | {form.file.reader} | {form.time_basis} |" for form in bundled().values()]
    return "\n".join(["| format | what writes it | reader | times |", "|---|---|---|---|", *rows])


RULES_HEAD = """# The rules

This folder holds everything that a school may change: the policy's tables beside the printed policy, and the rules that look for
what it forbids. `schoolgate check` lists every fault at once; `schoolgate trial` says what an edit would have changed over the
last fortnight, before a night runs by it; `schoolgate rules` says how often people found each rule right.

A rule is one file of `detect/`, named as it is called:

    title    = "A web proxy used or tried"        what people read
    clause   = "6.1 UA-10"                        the clause it rests on
    why      = "…"                                why it matters
    mistaken = "…"                                what it can be wrong about
    category = "bypass_web_proxy"                 or several in [ ], or "any"
    watch    = true                               left out of most: what it finds is counted, and not shown

    [when]                                        all of these must hold
    outcome = ["allowed", "mixed"]

    [[fires]]                                     at least one story that must make it fire
    note   = "twelve pages through a new proxy"
    visits = ["10:14 y9 hideaway.example bypass_web_proxy allowed x12 for 6min"]

    [[quiet]]                                     and one that must not
    note   = "a revision site"
    visits = ["10:14 y9 learnwell.example learning allowed x12"]

## The words of [when]

"""
RULES_TAIL = """
`times = { at_least = 3, within = "1 day" }` asks for several such visits of one person on one school day.

## Signals

Instead of `[when]`, or beside it, a rule may name one signal, `signal = "…"`, with its `[numbers]`.

"""
EXCEPTIONS = """
## Exceptions

A row of `exceptions.csv` keeps what one rule finds on one host (and all under it), or of one login, from every page: rule,
site_or_person, reason, owner, approver (somebody else) and until, the last day. It hides and never deletes: each page says how
many detections are hidden, the nightly report by which row. Nothing hides a sealed or a welfare matter.
"""


def rules() -> str:
    """`rules/README.md`: how a rule is written, from its vocabulary."""
    words = [f"| `{name}` | {word.sentence.format('…')} | {', '.join(f'`{one}`' for one in word.holds or ()) or _amounts(name)} |"
             for name, word in VOCABULARY.items()]
    signals = [f"| `{name}` | {word.sentence} | {', '.join(f'`{one}`' for one in NUMBERS.get(name, ()))} |"
               for name, word in SIGNALS.items()]
    return (RULES_HEAD + "\n".join(["| word | a visit | holds |", "|---|---|---|", *words]) + "\n" + RULES_TAIL
            + "\n".join(["| signal | a visit | numbers |", "|---|---|---|", *signals]) + "\n" + EXCEPTIONS)


def _amounts(word: str) -> str:
    return 'a number, or a size such as `"50MB"`' if word.startswith("bytes") else "a number"


PARTS = {"formats": formats, "commands": commands, "settings": settings, "dictionary": tables.dictionary}


def renewed(text: str) -> str:
    """`text` with every part between its marks as the code has it now."""
    for name, part in PARTS.items():
        text = re.sub(rf"(<!-- {name} -->\n).*(<!-- /{name} -->)", _between(part().strip()), text, flags=re.DOTALL)
    return text


def _between(text: str) -> Any:
    return lambda marks: f"{marks[1]}{text}\n{marks[2]}"


def main(folder: Path) -> None:
    """Renew the README of a folder, and that of its rules."""
    put_text(folder / "rules/README.md", rules(), 0o644)
    put_text(folder / "README.md", renewed(read_texts(folder, ["README.md"])["README.md"]), 0o644)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

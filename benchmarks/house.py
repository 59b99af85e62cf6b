"""Measure how easy the code is to read.

Nodes per statement, long lines, comments, imports, names given twice.

    uv run python benchmarks/house.py [FOLDER …]

FOLDER is a working copy, this one if left out; several are printed side by side, so that a change
can be compared with the tree before it. What is counted:

* *Simple statement*: one inside a function that holds no other (an assignment, a call, a return),
  docstrings left out. Its *nodes* are all nodes of the syntax tree, contexts included.
* *Long lines*: share of the lines that are not blank in ``faultxfer/`` and ``flows/``.
* *Files used by one other file*: modules that exactly one other module of the two packages imports
  and uses; what ``__init__`` imports does not count.
* *Uses of the parameter csv*: parameters, keywords and names called so.

A script cannot count nouns that a reader needs. Networks loaded in a transfer are counted by
``tests/test_pipeline.py``, and the time of the tests by ``.ci/run``.
"""

from __future__ import annotations

import argparse
import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles

PACKAGES = ("faultxfer", "flows")
LONG = 100
# Whoever calls all of these has written the main path.
MAIN_PATH = {
    "fetch_models",
    "split_target",
    "adapt_source",
    "evaluate_candidate",
    "ask_gate",
}

_SIMPLE = (
    *(
        ast.Expr,
        ast.Assign,
        ast.AnnAssign,
        ast.AugAssign,
        ast.Return,
        ast.Raise,
        ast.Assert,
        ast.Delete,
    ),
    *(ast.Pass, ast.Break, ast.Continue, ast.Import, ast.ImportFrom, ast.Global, ast.Nonlocal),
)
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
_DOCUMENTED = (*_FUNCTIONS, ast.ClassDef, ast.Module)


@dataclass
class Measured:
    """What one tree holds.

    Attributes:
        nodes: of each simple statement inside a function.
        statements: simple statements of each function.
        lines, long, code, comments: lines that are not blank, those too long, those of code,
            whole-line comments.
        comprehensions, examples: how many.
        classes: how often each public class name is given.
        users: by module, the modules that import and use it.
        main_paths: modules in which the main path is written out.
        csv: uses of a parameter of that name, and the modules that have one.
    """

    nodes: list[int] = field(default_factory=list)
    statements: list[int] = field(default_factory=list)
    lines: int = 0
    long: int = 0
    code: int = 0
    comments: int = 0
    comprehensions: int = 0
    examples: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    users: dict[str, set[str]] = field(default_factory=dict)
    main_paths: list[str] = field(default_factory=list)
    csv: Counter[str] = field(default_factory=Counter)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Measure how easy the code is to read.")
    parser.add_argument("folders", nargs="*", type=Path, metavar="FOLDER")
    folders = parser.parse_args().folders or [Path(__file__).resolve().parents[1]]
    columns = [rows_of(measure(folder)) for folder in folders]
    print("| | " + " | ".join(folder.resolve().name for folder in folders) + " |")
    print("|---|" + "---:|" * len(folders))
    for number, (title, _) in enumerate(columns[0]):
        print(f"| {title} | " + " | ".join(column[number][1] for column in columns) + " |")


def measure(folder: Path) -> Measured:
    """Read every module of a working copy."""
    found = Measured()
    modules = dict(_modules(folder))
    for name, path in modules.items():
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        _count_lines(text, found)
        _count_functions(tree, found)
        found.examples += sum(docstring.count(">>> ") for docstring in _docstrings(tree))
        found.classes.update(_public_classes(tree))
        if uses := _uses_of_csv(tree):
            found.csv[name] = uses
        if called(tree) >= MAIN_PATH:
            found.main_paths.append(name)
        if path.name != "__init__.py":
            for used in _used_modules(tree, set(modules)) - {name}:
                found.users.setdefault(used, set()).add(name)
    return found


def rows_of(found: Measured) -> list[tuple[str, str]]:
    """Title and value of each line of the table."""
    functions = len(found.statements)
    twice = sorted(name for name, times in found.classes.items() if times > 1)
    alone = [name for name, users in found.users.items() if len(users) == 1]
    return [
        ("the main path is written in", ", ".join(found.main_paths) or "–"),
        ("functions", f"{functions:,}"),
        ("simple statements", f"{len(found.nodes):,}"),
        ("nodes in them", f"{sum(found.nodes):,}"),
        (
            "nodes per statement, median / p90",
            f"{median(found.nodes):.0f} / {_p90(found.nodes):.0f}",
        ),
        (
            "statements of a function, median / p90",
            f"{median(found.statements):.0f} / {_p90(found.statements):.0f}",
        ),
        (f"lines over {LONG} characters", f"{found.long / found.lines:.1%}"),
        ("comprehensions per 100 functions", f"{100 * found.comprehensions / functions:.0f}"),
        ("whole-line comments per 100 lines of code", f"{100 * found.comments / found.code:.1f}"),
        ("docstring examples", str(found.examples)),
        ("public class names given twice", f"{len(twice)}: {', '.join(twice)}" if twice else "0"),
        ("files used by one other file", str(len(alone))),
        ("uses of the parameter csv", f"{found.csv.total()} in {len(found.csv)} files"),
    ]


def called(tree: ast.AST) -> set[str]:
    """Names of the steps that a module calls or makes tasks of, whatever it calls them."""
    names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    names |= {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    return names & MAIN_PATH


def nodes_of(statement: ast.stmt) -> int:
    """Nodes of a statement, contexts included.

    >>> nodes_of(ast.parse("x = 1").body[0])
    4
    """
    return sum(1 for _ in ast.walk(statement))


def _modules(folder: Path) -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((folder / package).rglob("*.py")):
            parts = path.relative_to(folder).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def _count_lines(text: str, found: Measured) -> None:
    lines = [line for line in text.splitlines() if line.strip()]
    found.lines += len(lines)
    found.long += sum(len(line) > LONG for line in lines)
    comments = {
        token.start[0]
        for token in tokenize.generate_tokens(io.StringIO(text).readline)
        if token.type == tokenize.COMMENT and token.line.strip().startswith("#")
    }
    found.comments += len(comments)
    found.code += len(lines) - len(comments) - _docstring_lines(ast.parse(text))


def _docstring_lines(tree: ast.AST) -> int:
    count = 0
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
            text = ast.get_docstring(node, clean=False) or ""
            count += sum(1 for line in text.splitlines() if line.strip())
    return count


def _docstrings(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED):
            yield ast.get_docstring(node) or ""


def _count_functions(tree: ast.AST, found: Measured) -> None:
    for node in ast.walk(tree):
        if isinstance(node, _COMPREHENSIONS):
            found.comprehensions += 1
        if isinstance(node, _FUNCTIONS):
            inside = [statement for statement in _inside(node) if isinstance(statement, _SIMPLE)]
            found.statements.append(len(inside))
            found.nodes += [nodes_of(statement) for statement in inside]


def _inside(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[ast.stmt]:
    """Statements of a function, at any depth.

    But for its docstring and those of functions inside it.
    """
    _, *others = function.body
    is_docstring = ast.get_docstring(function, clean=False) is not None
    waiting: list[ast.AST] = list(others if is_docstring else function.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (*_FUNCTIONS, ast.ClassDef)):
            continue
        if isinstance(node, ast.stmt):
            yield node
        waiting += [
            child
            for child in ast.iter_child_nodes(node)
            if isinstance(child, (ast.stmt, ast.excepthandler, ast.match_case))
        ]


def _uses_of_csv(tree: ast.AST) -> int:
    named = {ast.Name: "id", ast.arg: "arg", ast.keyword: "arg"}
    return sum(
        getattr(node, named[type(node)]) == "csv" for node in ast.walk(tree) if type(node) in named
    )


def _public_classes(tree: ast.AST) -> list[str]:
    classes = [node.name for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return [name for name in classes if not name.startswith("_")]


def _used_modules(tree: ast.AST, known: set[str]) -> set[str]:
    """Modules of the packages that a module imports, and whose names it uses."""
    used_names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    used: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            for alias in node.names:
                if (alias.asname or alias.name) in used_names:
                    inner = f"{node.module}.{alias.name}"
                    used.add(inner if inner in known else node.module)
        elif isinstance(node, ast.Import):
            used |= {alias.name for alias in node.names}
    return used & known


def _p90(values: list[int]) -> float:
    return quantiles(values, n=10)[-1]


if __name__ == "__main__":
    main()

"""The house rules as functions from a source file to complaints, so that they can be tested themselves."""

from __future__ import annotations

import ast
import fnmatch
import re

from tests.architecture.sources import Source, dotted, imports_of

MAY_IMPORT = {
    "routing": {"routing"},
    "dispatch": {"dispatch", "routing"},
    "sim": {"sim", "dispatch", "routing"},
    "api": {"api", "dispatch", "routing"},
    "halfhour": {"halfhour", "sim", "api", "dispatch", "routing"},
}
OURS = {*MAY_IMPORT, "benchmarks", "tests"}

# Third-party packages that are kept in one place, and that place.
CONFINED = {
    "numba": ["routing/kernels/*", "*/kernels/*"],
    "ortools": ["routing/plans/ortools/*"],
    "h3": ["routing/cells.py"],
    "shapely": ["routing/cells.py"],
    "osmnx": ["routing/roads/source/*"],
    "osmium": ["routing/roads/source/*"],
    "fastapi": ["api/*", "halfhour/commands/live/serve.py"],
    "starlette": ["api/*"],
    "pydantic": ["api/*"],
    "uvicorn": ["api/*", "halfhour/commands/*"],
    "typer": ["halfhour/*"],
    "psycopg": ["api/ledger/postgres/*"],
}

# The product may say how the house is checked out and measured, from one command.
EXCEPTIONS = {("halfhour/commands/bench.py", "benchmarks")}

BANNED_MODULES = {"random", "uuid", "secrets"}
BANNED_NAMES = re.compile(
    r"(time\.(time|time_ns|monotonic|monotonic_ns|perf_counter|perf_counter_ns|process_time|localtime|gmtime|sleep)"
    r"|(datetime|datetime\.datetime|dt\.datetime)\.(now|utcnow|today)|(date|datetime\.date)\.today"
    r"|os\.(environ|getenv|urandom)(\..*)?|(np|numpy)\.random\.(?!Generator|SeedSequence|PCG64|default_rng).*|print|hash|input)$"
)
CLOCK_FROM = {"time": {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "sleep"}}

# What may be made of a set without its order showing.
ORDERLESS = {"sorted", "len", "any", "all", "sum", "set", "frozenset", "min", "max", "bool"}


def import_complaints(source: Source) -> list[str]:
    """Imports against the house's order of packages, or of a package kept elsewhere."""
    complaints = []
    for item in imports_of(source):
        foreign = item.top in OURS and item.top not in MAY_IMPORT[source.package]
        if foreign and (source.path, item.top) not in EXCEPTIONS:
            complaints.append(f"{item}: {source.package} may not know {item.top}")
        homes = CONFINED.get(item.top)
        if homes and not any(fnmatch.fnmatch(source.path, home) for home in homes):
            complaints.append(f"{item}: only {', '.join(homes)} may")
    return complaints


def purity_complaints(source: Source) -> list[str]:
    """Clocks, chance, environment, output, string hashes: nothing of that in a deterministic package."""
    complaints = []
    for item in imports_of(source):
        if item.top in BANNED_MODULES:
            complaints.append(str(item))
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ImportFrom) and node.module in CLOCK_FROM:
            for alias in node.names:
                if alias.name in CLOCK_FROM[node.module]:
                    complaints.append(f"{source.path}:{node.lineno} imports {node.module}.{alias.name}")
        called = dotted(node.func) if isinstance(node, ast.Call) else ""
        read = dotted(node) if isinstance(node, ast.Attribute) else ""
        name = called or read
        seedless = name.endswith("random.default_rng") and isinstance(node, ast.Call) and not node.args
        if name and (BANNED_NAMES.match(name) or seedless):
            complaints.append(f"{source.path}:{node.lineno} uses {name}")  # type: ignore[attr-defined]
    return sorted(set(complaints))


def set_order_complaints(source: Source) -> list[str]:
    """Loops, lists and tuples made from a set: their order differs from run to run."""
    complaints = []
    for scope in _scopes(source.tree):
        sets = _names_of_sets(scope)
        for node in _own_nodes(scope):
            for place in _ordered_uses(node):
                if _is_set(place, sets):
                    complaints.append(f"{source.path}:{place.lineno} takes the order of a set")  # type: ignore[attr-defined]
    return complaints


def _scopes(tree: ast.Module) -> list[ast.AST]:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [tree, *functions]


def _own_nodes(scope: ast.AST) -> list[ast.AST]:
    """Nodes of a scope without those of functions inside it."""
    found: list[ast.AST] = []
    waiting = list(ast.iter_child_nodes(scope))
    while waiting:
        node = waiting.pop()
        found.append(node)
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += ast.iter_child_nodes(node)
    return found


def _names_of_sets(scope: ast.AST) -> set[str]:
    """Local names that are bound to sets and to nothing else."""
    bound: dict[str, bool] = {}
    for node in _own_nodes(scope):
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        for target in targets:
            if isinstance(target, ast.Name):
                bound[target.id] = bound.get(target.id, True) and _is_set(value, set())
    return {name for name, always in bound.items() if always}


def _is_set(node: ast.AST, names: set[str]) -> bool:
    if isinstance(node, ast.Set | ast.SetComp):
        return True
    if isinstance(node, ast.Name):
        return node.id in names
    if isinstance(node, ast.Call):
        if dotted(node.func) in ("set", "frozenset"):
            return True
        if isinstance(node.func, ast.Attribute):
            chained = {"union", "intersection", "difference", "symmetric_difference", "copy"}
            return node.func.attr in chained and _is_set(node.func.value, names)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr | ast.BitAnd | ast.Sub | ast.BitXor):
        return _is_set(node.left, names) or _is_set(node.right, names)
    return False


def _ordered_uses(node: ast.AST) -> list[ast.AST]:
    """The iterables whose order a node lets out."""
    if isinstance(node, ast.For):
        return [node.iter]
    if isinstance(node, ast.ListComp | ast.DictComp):
        return [part.iter for part in node.generators]
    if isinstance(node, ast.Call):
        name = dotted(node.func)
        if name in ("list", "tuple", "enumerate", "iter", "next", "zip", "map", "np.array", "np.fromiter"):
            return list(node.args)
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("join", "extend") and node.args:
            return [node.args[0], *_generators(node.args[0])]
        if name not in ORDERLESS:
            return [part for argument in node.args for part in _generators(argument)]
    if isinstance(node, ast.Starred):
        return [node.value]
    return []


def _generators(node: ast.AST) -> list[ast.AST]:
    return [part.iter for part in node.generators] if isinstance(node, ast.GeneratorExp) else []

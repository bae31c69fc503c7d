"""SpeechBrain's conventions for a recipe's train.py.

Authors
 * The speechbrain_hrf authors 2026
"""

import ast

BRAIN_METHODS = [
    "compute_forward",
    "compute_objectives",
    "on_stage_start",
    "on_stage_end",
]


def script_violations(script):
    """Brain subclass with its methods, dataio_prep, main, in that order."""
    tree = ast.parse(script)
    brains = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).endswith("Brain") for base in node.bases)
    ]
    functions = {
        node.name: node
        for node in tree.body
        if isinstance(node, ast.FunctionDef)
    }
    guards = [
        node
        for node in tree.body
        if isinstance(node, ast.If)
        and ast.unparse(node.test) == "__name__ == '__main__'"
    ]
    if len(brains) != 1:
        return [f"{len(brains)} subclasses of Brain instead of one"]
    if "dataio_prep" not in functions:
        return ["no function dataio_prep(hparams)"]
    if not guards or guards[0] is not tree.body[-1]:
        return ['does not end in if __name__ == "__main__":']
    found = []
    methods = [n.name for n in brains[0].body if hasattr(n, "name")]
    if [name for name in methods if name in BRAIN_METHODS] != BRAIN_METHODS:
        found.append("the Brain lacks or reorders " + ", ".join(BRAIN_METHODS))
    if brains[0].lineno > functions["dataio_prep"].lineno:
        found.append("dataio_prep stands before the Brain")
    if [a.arg for a in functions["dataio_prep"].args.args] != ["hparams"]:
        found.append("dataio_prep does not take hparams alone")
    return found + _main_violations(guards[0], functions, brains[0].name)


def _main_violations(guard, functions, brain):
    """Whether main calls what every recipe calls, in the usual order."""
    calls = [n for n in ast.walk(guard) if isinstance(n, ast.Call)]
    if "main" in functions and "main" in map(_called, calls):
        body = functions["main"]
        calls = [n for n in ast.walk(body) if isinstance(n, ast.Call)]
    calls.sort(key=lambda call: (call.lineno, call.col_offset))
    names = [_called(call) for call in calls]
    wanted = (
        "parse_arguments ddp_init_group load_hyperpyyaml "
        f"create_experiment_directory run_on_main dataio_prep {brain} "
        "fit evaluate"
    ).split()
    found = [f"main never calls {n}" for n in wanted if n not in names]
    places = [names.index(name) for name in wanted if name in names]
    if places != sorted(places):
        found.append("main does not call in this order: " + ", ".join(wanted))
    keys = {
        keyword.arg
        for call in calls
        if _called(call) == "evaluate"
        for keyword in call.keywords
    }
    if "evaluate" in names and not keys & {"min_key", "max_key"}:
        found.append("evaluate does not say by which key a checkpoint is taken")
    return found


def keys_used_in_script(script):
    """Keys a script names: hparams["k"], hparams.k, hparams.get("k")."""
    keys = set()
    for node in ast.walk(ast.parse(script)):
        literal = None
        if isinstance(node, ast.Subscript) and _is_hparams(node.value):
            literal = node.slice
        elif isinstance(node, ast.Attribute) and _is_hparams(node.value):
            keys.add(node.attr)
        elif isinstance(node, ast.Call) and node.args:
            if _called(node) == "get" and _is_hparams(node.func.value):
                literal = node.args[0]
            elif _called(node) in ("getattr", "hasattr"):
                if _is_hparams(node.args[0]):
                    literal = node.args[1]
        if isinstance(literal, ast.Constant):
            keys.add(literal.value)
    return keys - {"get"}


def _is_hparams(node):
    """Whether an expression is ``hparams`` or ends in ``.hparams``."""
    return getattr(node, "attr", getattr(node, "id", None)) == "hparams"


def _called(call):
    """Name of what a call calls, without the modules in front of it."""
    return getattr(call.func, "attr", getattr(call.func, "id", None))

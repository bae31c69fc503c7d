"""SpeechBrain's conventions for a recipe's YAML files.

Authors
 * The speechbrain_hrf authors 2026
"""

import functools
import re
import shlex

import yaml
from recipe_script import keys_used_in_script
from speechbrain.utils.run_opts import RunOptions

YAML_KEYS = ["output_folder", "save_folder", "train_log", "modules"]


@functools.cache
def yaml_items(text):
    """Top-level (key, line, value node) of a HyperPyYAML text, in order."""
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    return tuple((k.value, k.start_mark.line, v) for k, v in root.value)


def _scalars(node):
    """All scalar nodes below a node."""
    if isinstance(node, yaml.ScalarNode):
        yield node
    for child in node.value if isinstance(node.value, list) else ():
        for part in child if isinstance(child, tuple) else (child,):
            yield from _scalars(part)


def yaml_key_violations(text, script):
    """Keys that nothing uses, and modules that train.py uses undeclared."""
    items = yaml_items(text)
    used = keys_used_in_script(script) | set(RunOptions().keys())
    last_reference = {}
    for _, _, value in items:
        for scalar in _scalars(value):
            if scalar.tag in ("!ref", "!copy"):
                for name in re.findall(r"<(\w+)(?:\[[^\]]*\])?>", scalar.value):
                    last_reference[name] = scalar.start_mark.line
    found = []
    for key, line, value in items:
        # What is applied when the file is read has done its work by then.
        applied = value.tag.startswith("!apply")
        if not (applied or key in used or last_reference.get(key, -1) > line):
            found.append(
                f"line {line + 1}: key '{key}' is neither !ref'ed below nor "
                'named in train.py as hparams["..."] or hparams....'
            )
    values = {key: value for key, _, value in items}
    declared = {k.value for k, _ in getattr(values.get("modules"), "value", ())}
    for name in sorted(set(re.findall(r"self\.modules\.(\w+)", script))):
        if name not in declared | {"parameters", "keys", "eval", "train"}:
            found.append(
                f"train.py uses self.modules.{name}; modules: lacks it"
            )
    return found


def yaml_layout_violations(text):
    """Header box, seed first, spelling of booleans, keys every recipe has."""
    found = []
    box = re.match(r"# ?#{8,}\n((?:#.*\n)*?)# ?#{8,}\n", text)
    if not box or not re.search(r"^# *\*? *Authors?\b", box[1], re.M):
        found.append("no header box of comments with title and authors")
    items = yaml_items(text)
    values = {key: value for key, _, value in items}
    if [key for key, _, _ in items[:2]] != ["seed", "__set_seed"]:
        found.append("seed and __set_seed are not the first two keys")
    elif not re.search(
        r"^__set_seed: !apply:speechbrain\.utils\.seed_everything "
        r"\[!ref <seed>\]$",
        text,
        re.MULTILINE,
    ):
        found.append("__set_seed is not seed_everything [!ref <seed>]")
    for key in YAML_KEYS + ["checkpointer"]:
        if key not in values:
            found.append(f"key '{key}' is missing")
    for key in ("save_folder", "train_log"):
        if key in values and "<output_folder>" not in str(values[key].value):
            found.append(f"{key} does not lie in <output_folder>")
    if "checkpointer" in values:
        inside = [k.value for k, _ in values["checkpointer"].value]
        if "recoverables" not in inside:
            found.append("checkpointer has no recoverables")
    for _, _, value in items:
        for scalar in _scalars(value):
            is_bool = scalar.tag == "tag:yaml.org,2002:bool"
            if is_bool and scalar.value not in ("True", "False"):
                line = scalar.start_mark.line + 1
                found.append(f"line {line}: '{scalar.value}': True or False")
    return found


def unknown_overrides(arguments, text):
    """Names of overrides that neither the YAML nor SpeechBrain knows."""
    known = {key for key, _, _ in yaml_items(text)} | set(RunOptions().keys())
    given = [part for part in shlex.split(arguments) if part.startswith("--")]
    names = [part[2:].split("=")[0] for part in given]
    return [name for name in names if name not in known]

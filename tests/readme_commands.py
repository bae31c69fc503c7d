"""The commands that README files give, found and examined.

Authors
 * The speechbrain_hrf authors 2026
"""

import re
import shlex
from pathlib import Path

from recipe_yaml import unknown_overrides, yaml_items
from speechbrain.utils.run_opts import RunOptions

# What ends a command, or its place in a line of text: a chain, a comment, the
# end of inline code or of a table cell.
COMMAND = re.compile(
    r"(?P<script>[\w./-]*train\.py) +(?P<yaml>\S*\.yaml)"
    r"""(?P<rest>(?:"[^"\n]*"|'[^'\n]*'|[^`|;&#>\n"'])*)"""
)
# An override alone, as a table of variants lists it: `--d_model 80`
OVERRIDES = re.compile(r"`(?P<rest>--[a-z_]+[ =][^`\n]*)`")


def bash_blocks(text):
    """Contents of the fenced bash blocks of a Markdown text, in order."""
    blocks = re.findall(r"^```bash\n(.*?)^```", text, re.M | re.S)
    return [block.strip() for block in blocks]


def recipe_commands(text):
    """(script, YAML, overrides) of each command that starts a recipe."""
    found = []
    folder = ""
    for line in text.replace("\\\n", " ").splitlines():
        if line.startswith("```"):
            folder = ""
        for part in re.split(r"&&|;", line):
            entered = re.match(r"[ `$]*cd (\S+)", part)
            if entered:
                folder = entered[1].strip("`") + "/"
            for match in COMMAND.finditer(part):
                script = match["script"]
                if "/" not in script:
                    script = folder + script
                found.append((script, match["yaml"], match["rest"]))
    return found


def _expand(name):
    """A file name with <placeholder> or {a,b} in it, as glob patterns."""
    name = re.sub(r"<\w+>", "*", name)
    braces = re.search(r"\{([^}]*)\}", name)
    if not braces:
        return [name]
    return [name.replace(braces[0], part) for part in braces[1].split(",")]


def command_violations(readme, root):
    """Recipe commands in a README that could not work as written.

    ``root`` is the repository: scripts are looked for below it, or beside a
    README that lies in a recipe's folder; YAML files beside their script.
    """
    text = Path(readme).read_text(encoding="utf-8")
    beside = Path(readme).parent
    found = []
    for script, hparams, rest in recipe_commands(text):
        near = [folder / script for folder in (root, beside)]
        near = [path for path in near if path.is_file()]
        if not near:
            found.append(f"{script} {hparams}: there is no such script")
            continue
        for pattern in _expand(hparams):
            files = sorted(near[0].parent.glob(pattern))
            if not files:
                found.append(f"{script} {pattern}: there is no such YAML file")
            for path in files:
                for name in unknown_overrides(rest, path.read_text()):
                    found.append(f"{script} {path.name}: no key '{name}'")
    known = set(RunOptions().keys())
    for path in root.glob("recipes/*/hparams/*.yaml"):
        known |= {key for key, _, _ in yaml_items(path.read_text())}
    for match in OVERRIDES.finditer(text):
        for part in shlex.split(match["rest"]):
            name = part.split("=")[0]
            if name.startswith("--") and name[2:] not in known:
                found.append(f"no recipe has a key for {name}")
    return found

"""SpeechBrain's docstrings say "Arguments" where numpy's say "Parameters".

Authors
 * The speechbrain_hrf authors 2026
"""

import re

import griffe

HEADING = re.compile(r"^( *)Arguments\n *-{9}$", re.MULTILINE)
EXAMPLE = re.compile(r"^( *)Example\n *-{7}$", re.MULTILINE)


class Arguments(griffe.Extension):
    """Gives the parser the headings that it knows."""

    def on_instance(self, *, obj, **kwargs):
        """Called for each module, class and function.

        Arguments
        ---------
        obj : griffe.Object
        **kwargs
            Not used.
        """
        if obj.docstring:
            text = HEADING.sub(
                r"\1Parameters\n\1----------", obj.docstring.value
            )
            text = EXAMPLE.sub(r"\1Examples\n\1--------", text)
            obj.docstring.value = text

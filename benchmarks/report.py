"""What benchmarks share: options, and what they print and keep of a run.

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import json
import os
import pathlib
import platform

import speechbrain
import torch
from tabulate import tabulate

from speechbrain_hrf.provenance import cpu_name

RESULTS = pathlib.Path(__file__).resolve().parent / "results"


def machine(device="cpu"):
    """What the figures were measured on.

    Arguments
    ---------
    device : str

    Returns
    -------
    dict
    """
    return {
        "processor": cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "threads": torch.get_num_threads(),
        "device": torch.cuda.get_device_name() if device != "cpu" else "CPU",
        "python": platform.python_version(),
        "torch": torch.__version__,
        "speechbrain": speechbrain.__version__,
    }


def read_options(about, argv=None, **defaults):
    """The command line's options.

    Arguments
    ---------
    about : str
        The script's docstring; its first line is the help.
    argv : list of str, optional
        Default: the command line.
    **defaults
        Option -> default, which gives the type: a list takes several values,
        False is a switch.

    Returns
    -------
    argparse.Namespace
    """
    parser = argparse.ArgumentParser(description=about.partition("\n")[0])
    for name, default in defaults.items():
        how = {"default": default, "type": type(default)}
        if default is False:
            how = {"action": "store_true"}
        elif isinstance(default, list):
            how = {"default": default, "type": type(default[0]), "nargs": "+"}
        parser.add_argument(f"--{name}", **how)
    return parser.parse_args(argv)


def table(head, rows):
    """Markdown.

    Arguments
    ---------
    head : list of str
    rows : list of list
        Cells; anything that ``str`` takes.

    Returns
    -------
    str
    """
    return tabulate(rows, head, tablefmt="github", disable_numparse=True)


def ratio_text(ratio):
    """``1.04 (1.03-1.06)``: median and quartiles.

    Arguments
    ---------
    ratio : dict
        Of ``interleaved.against``.

    Returns
    -------
    str
    """
    digits = 2 if ratio["median"] < 9.95 else 1
    median, low, high = (
        f"{ratio[key]:.{digits}f}" for key in ("median", "low", "high")
    )
    return f"{median} ({low}-{high})"


class Report:
    """A table that grows while it is measured, and figures.

    Arguments
    ---------
    head : list of str
        Of the table's columns.
    """

    def __init__(self, head):
        self.head, self.rows, self.figures = head, [], {}

    def add(self, figures, *cells, key=None):
        """Adds a row and prints it.

        Arguments
        ---------
        figures : object
            What was measured; must fit into JSON.
        *cells : object
            Of the row.
        key : str, optional
            Of the figures; default: the first two cells.
        """
        self.figures[key or f"{cells[0]}, {cells[1]}"] = figures
        self.rows.append(list(cells))
        print(*cells, flush=True)

    def save(self, name, device="cpu", readme=None):
        """Prints the table and writes it with all figures to ``results/``.

        Arguments
        ---------
        name : str
            Of the question.
        device : str
        readme : tuple of (list, list), optional
            Head and rows of a shorter table for README.md; default the same.
        """
        about = machine(device)
        print(table(self.head, self.rows))
        print(", ".join(f"{key} {value}" for key, value in about.items()))
        RESULTS.mkdir(exist_ok=True)
        head, rows = readme or (self.head, self.rows)
        content = {
            "machine": about,
            "head": head,
            "rows": rows,
            "figures": self.figures,
        }
        path = RESULTS / f"{name}.json"
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        print(f"written to {path.relative_to(RESULTS.parent.parent)}")

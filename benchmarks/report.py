"""What every benchmark prints and keeps: a table, and JSON with the machine.

Authors
 * The speechbrain_hrf authors 2026
"""

import json
import os
import pathlib
import platform

import speechbrain
import torch

from speechbrain_hrf.studies.provenance import cpu_name

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


def table(head, rows):
    """Markdown, with aligned columns.

    Arguments
    ---------
    head : list of str
    rows : list of list
        Cells; anything that ``str`` takes.

    Returns
    -------
    str
    """
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(head, *rows, strict=True)]

    def line(cells, fill=" "):
        padded = [
            cell.ljust(width, fill)
            for cell, width in zip(cells, widths, strict=True)
        ]
        return "| " + " | ".join(padded) + " |"

    rule = line(["-" * width for width in widths], "-")
    return "\n".join([line(head), rule, *map(line, rows)])


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


def save(name, head, rows, figures, device="cpu", readme=None):
    """Prints the table and writes it with all figures to ``results/``.

    Arguments
    ---------
    name : str
        Of the question.
    head, rows
        See ``table``.
    figures : dict
        Everything measured; must fit into JSON.
    device : str
    readme : tuple of (list, list), optional
        Head and rows of a shorter table for README.md; default the same.
    """
    about = machine(device)
    print(table(head, rows))
    print(", ".join(f"{key} {value}" for key, value in about.items()))
    RESULTS.mkdir(exist_ok=True)
    short_head, short_rows = readme or (head, rows)
    content = {
        "machine": about,
        "head": short_head,
        "rows": short_rows,
        "figures": figures,
    }
    path = RESULTS / f"{name}.json"
    path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print(f"written to {path.relative_to(RESULTS.parent.parent)}")

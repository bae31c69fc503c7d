"""Writes a study's report from the command line.

    python -m speechbrain_hrf.report <study folder>
    python -m speechbrain_hrf.report <study folder> --readme

Authors
 * The speechbrain_hrf authors 2026
"""

import argparse
import sys

from speechbrain_hrf.report import readme_text, write_report


def main(arguments=None):
    """Writes the report, or prints its short form.

    Arguments
    ---------
    arguments : list of str, optional
        Default those of the command line.

    Returns
    -------
    int
        Exit status: 0, or 1 after an error (2 for wrong arguments).

    Example
    -------
    >>> main(["results/none"])
    1
    """
    parser = argparse.ArgumentParser(
        prog="python -m speechbrain_hrf.report",
        description="Tables, tests and figures of a study's finished trials, "
        "written into its folder: report.html, report.md, report_*.csv and "
        "report_*.png.",
    )
    parser.add_argument("folder", help="of a study, with its trials.jsonl")
    parser.add_argument(
        "--readme",
        action="store_true",
        help="only print the answer and a short table as Markdown",
    )
    options = parser.parse_args(arguments)
    try:
        if options.readme:
            print(readme_text(options.folder))
        else:
            for path in write_report(options.folder):
                print(path)
    except (ImportError, OSError, ValueError) as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Links out of docs/ lead to the repository; pictures come along.

The pages are read in the repository as well, so that they link to its files.
A link to a file that does not exist ends the build.

Authors
 * The speechbrain_hrf authors 2026
"""

import os
import re
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(
    r"(!?)(\[[^\]]*\])\(((?!https?:|#|mailto:)[^)\s#]+)(#[^)\s]*)?\)"
)
PICTURES = "pictures"  # on the site, those of other folders


def on_page_markdown(markdown, page, config, files):
    """Rewrites the links of one page, as mkdocs calls it.

    Arguments
    ---------
    markdown : str
    page : mkdocs.structure.pages.Page
    config : mkdocs.config.Config
    files : mkdocs.structure.files.Files

    Returns
    -------
    str
    """
    docs = Path(config["docs_dir"])
    folder = (docs / page.file.src_path).parent

    def rewrite(link):
        image, text, target, anchor = link.groups()
        path = Path(os.path.normpath(folder / target))
        if not path.exists():
            raise FileNotFoundError(
                f"docs/{page.file.src_path} links to {target}, which is not "
                "there. Correct the link."
            )
        inside = path.relative_to(ROOT).as_posix()
        if path.is_relative_to(docs):
            there = files.get_file_from_path(path.relative_to(docs).as_posix())
            if there is not None and there.inclusion.is_included():
                return link[0]
        elif image:
            place = f"{PICTURES}/{inside}"
            if files.get_file_from_path(place) is None:
                files.append(
                    File.generated(config, place, abs_src_path=str(path))
                )
            return f"{image}{text}({os.path.relpath(docs / place, folder)})"
        url = f"{config['repo_url'].rstrip('/')}"
        view = "tree" if path.is_dir() else "blob"
        return f"{image}{text}({url}/{view}/main/{inside}{anchor or ''})"

    return LINK.sub(rewrite, markdown)

"""Where the audio files of a folder are, whatever the layout above them.

Authors
 * The speechbrain_hrf authors 2026
"""

import os


def audio_paths(top, extensions=(".wav",), depth=4):
    """Paths of the audio files below a folder, in a fixed order.

    `._*` files (leftovers of a Macintosh) and hidden folders are passed over;
    links are followed, but no folder is entered twice.

    Arguments
    ---------
    top : str
        Where to search.
    extensions : tuple of str
        In lower case; files may have them in upper case.
    depth : int
        Folders to go down at most: nobody wants to wait for a search through
        a whole disk.

    Returns
    -------
    list of str

    Example
    -------
    >>> folder = getfixture("tmpdir")
    >>> for name in "b.WAV", "a.wav", "._a.wav", "a.txt":
    ...     folder.join("audio", name).write("", ensure=True)
    >>> [os.path.basename(path) for path in audio_paths(folder.strpath)]
    ['a.wav', 'b.WAV']
    """
    paths, entered = [], set()
    for folder, subfolders, names in os.walk(top, followlinks=True):
        real = os.path.realpath(folder)
        if real in entered:  # by a link
            subfolders.clear()
            continue
        entered.add(real)
        relative = os.path.relpath(folder, top)
        gone_down = 0 if relative == "." else relative.count(os.sep) + 1
        if gone_down >= depth:
            subfolders.clear()
        # In place: this is what os.walk goes through next.
        subfolders[:] = sorted(x for x in subfolders if not x.startswith("."))
        paths += [
            os.path.join(folder, name)
            for name in names
            if name.lower().endswith(extensions) and not name.startswith("._")
        ]
    return sorted(paths)

"""Looks for inputs that break a parser, guided by which lines they reach.

    python fuzz.py "study YAML" corpus_folder seeds_folder -max_total_time=20

A reader of ``readers.py`` is given what atheris invents. It must end with a
result or an error that names the file, as in ``reading.py``. What breaks it is
written to the current folder by libFuzzer, as crash-<digest>.

Authors
 * The speechbrain_hrf authors 2026
"""

import logging
import pathlib
import sys
import tempfile
import types

import atheris

sys.path.insert(0, str(pathlib.Path(__file__).parent))
with atheris.instrument_imports(include=["speechbrain_hrf"]):
    import readers
    import reading
    from preparers import load_preparer
    from readers import READERS, Corpus


def main():
    """The command."""
    logging.disable(logging.CRITICAL)
    # A fast disk: a corpus's reader writes its manifests each time.
    root = tempfile.mkdtemp(prefix="hrf-fuzz-")
    reader = READERS[sys.argv[1]](root)
    if isinstance(reader, Corpus):  # a recipe's file: it is loaded each time
        module = load_preparer(reader.corpus)
        for name, value in vars(module).items():
            if getattr(value, "__module__", None) == module.__name__:
                if isinstance(value, types.FunctionType):
                    setattr(module, name, atheris.instrument_func(value))
        readers.load_preparer = lambda corpus: module
    reader()

    def one(data):
        reader.path.write_bytes(data)
        try:
            reader()
        except Exception as error:
            problem = reading.judge(error, reader.path, reader.root)
            if problem is not None:
                raise AssertionError(
                    f"{problem}: {type(error).__name__}: {str(error)[:300]}"
                ) from error

    atheris.Setup([sys.argv[0], *sys.argv[2:]], one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()

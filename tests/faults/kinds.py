"""Kinds of malformed input: what becomes of a clean file.

``KINDS`` maps a name to a function of the clean content that yields contents,
``PLACES`` to one of a path, which puts something else in the file's place. Of
what ``SAME`` names a reader must make what it makes of the clean file. Kinds
of JSON damage one leaf or key after the other.

Authors
 * The speechbrain_hrf authors 2026
"""

import gzip
import io
import json
import os
import pathlib
import random
import re
import shutil
import socket
import zipfile

import numpy as np
from readers import wav_bytes

# Which kinds make sense for which readers' files.
TEXTS = ("text", "csv", "json", "jsonl", "yaml")
TABLES = ("text", "csv")
KINDS, PLACES, FOR, SAME = {}, {}, {}, set()
MANY = 12  # leaves of one file that are damaged, at most


def kind(name, *files, same=False):
    """Registers a kind, for some files or for all."""

    def register(function):
        KINDS[name] = function
        FOR[name] = files
        if same:
            SAME.add(name)
        return function

    return register


def one(name, change, *files, same=False):
    """A kind with one content."""
    kind(name, *files, same=same)(lambda clean: [change(clean)])


def place(name, same=False):
    """Registers what stands in the place of the file."""

    def register(function):
        PLACES[name] = function
        FOR[name] = ()
        if same:
            SAME.add(name)
        return function

    return register


def _middle(clean, what):
    """Puts something in the middle, behind a line's end if there is one."""
    at = clean.find(b"\n", len(clean) // 2) + 1 or len(clean) // 2
    return clean[:at] + what + clean[at:]


def _noise(size):
    return random.Random(size).randbytes(size)


def _zip(clean):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a", clean)
    return file.getvalue()


# Of all files

one("empty", lambda clean: b"")
one("one byte", lambda clean: clean[:1])
one("half", lambda clean: clean[: len(clean) // 2])
one("all but the last bytes", lambda clean: clean[:-3])
one("random bytes", lambda clean: _noise(1000))
one("as many NULs", lambda clean: bytes(len(clean)))
one(
    "second half NULs",
    lambda c: c[: len(c) // 2] + bytes(len(c) - len(c) // 2),
    *(*TEXTS, "bytes"),
)
one("gzip", gzip.compress)
one("zip", _zip)
one("a page to log in", lambda c: b"<!DOCTYPE html>\n<html><body>Log in\n")
one(
    "Git LFS pointer",
    lambda c: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
)

# Of text

BOM = b"\xef\xbb\xbf"
one("byte order mark", lambda c: BOM + c, *TEXTS, same=True)
one("two byte order marks", lambda c: BOM + BOM + c, *TEXTS)
one("UTF-16", lambda c: c.decode().encode("utf-16"), *TEXTS)
one("UTF-16, bare", lambda c: c.decode().encode("utf-16-be"), *TEXTS)
one("UTF-32", lambda c: c.decode().encode("utf-32"), *TEXTS)
one("no UTF-8", lambda c: _middle(c, b"\xff\xfe\xe9\n"), *TEXTS)
one("a NUL inside", lambda c: _middle(c, b"\0"), *TEXTS)
one("NULs at the end", lambda c: c + bytes(512), *TEXTS)
one("blank", lambda c: b" \n\t\n \n", *TEXTS)
one("CRLF", lambda c: c.replace(b"\n", b"\r\n"), *TEXTS, same=True)
one("CR", lambda c: c.replace(b"\n", b"\r"), *TEXTS)
one("no last line end", lambda c: c.rstrip(b"\n"), *TEXTS)
one("blank lines", lambda c: c + b"\n" * 5, "text", "csv", "json", "yaml")
one("many lines", lambda c: c + b"line\n" * 50_000, *TEXTS)
one("a huge line", lambda c: _middle(c, b"a" * 1_000_000 + b"\n"), *TEXTS)
one("control characters", lambda c: _middle(c, bytes(range(1, 32))), *TEXTS)
one("escape sequences", lambda c: _middle(c, b"\x1b[2J\x1b]0;x\x07\n"), *TEXTS)
one(
    "invisible characters",
    lambda c: _middle(c, "\u200b\u202e\u2028\ufeff\n".encode()),
    *TEXTS,
)
one("conflict markers", lambda c: _middle(c, b"<<<<<<< HEAD\n"), *TEXTS)
one("twice", lambda c: c + c, *TEXTS)
one("garbage at the end", lambda c: c + b"}x\n", *TEXTS)
one("no first line", lambda c: c.partition(b"\n")[2], *TABLES)
one("the last line twice", lambda c: c + c.splitlines(True)[-1], *TABLES)
one("lines reversed", lambda c: b"".join(c.splitlines(True)[::-1]), *TABLES)
one("blanks for tabs", lambda c: c.replace(b"\t", b" "), *TABLES)
one("no separators", lambda c: re.sub(rb"[\t,]", b"", c), *TABLES)
one("an open quotation mark", lambda c: _middle(c, b'"'), *TABLES)
one("many columns", lambda c: _middle(c, b"a,\t" * 10_000 + b"\n"), *TABLES)
one("capitals", lambda c: c.upper(), *TABLES)


@kind("other numbers", *TABLES)
def other_numbers(clean):
    """Each number of a table by each odd one."""
    found = list(re.finditer(rb"(?<![\w.])\d+(?:\.\d+)?(?![\w.])", clean))
    for match in found[:MANY]:
        for odd in ODD_NUMBERS:
            yield clean[: match.start()] + odd + clean[match.end() :]


ODD_NUMBERS = [b"nan", b"inf", b"-1", b"1e400", b"", b"9" * 5000, b"\xd9\xa3"]

# Of JSON and YAML

DEEP = 20_000
one("a list", lambda c: b"[]\n", "json", "jsonl", "yaml")
one("an empty mapping", lambda c: b"{}\n", "json", "jsonl", "yaml")
one("null", lambda c: b"null\n", "json", "jsonl", "yaml")
one("a number", lambda c: b"1e400\n", "json", "jsonl", "yaml")
one("a text", lambda c: b'"text"\n', "json", "jsonl", "yaml")
one("deep lists", lambda c: b"[" * DEEP, "json", "jsonl", "yaml")
one(
    "closed deep lists",
    lambda c: b"[" * 5000 + b"]" * 5000,
    "json",
    "jsonl",
    "yaml",
)
one("deep mappings", lambda c: b'{"a":' * DEEP, "json", "jsonl", "yaml")
one(
    "a huge number",
    lambda c: b"[" + b"9" * 5000 + b"]",
    "json",
    "jsonl",
    "yaml",
)
one(
    "a lone surrogate", lambda c: b'{"a": "\\ud800"}\n', "json", "jsonl", "yaml"
)
one("single quotes", lambda c: c.replace(b'"', b"'"), "json", "jsonl")
one(
    "a comma too many", lambda c: re.sub(rb"}\s*$", b",}\n", c), "json", "jsonl"
)


def _leaves(value, where=()):
    """The places of all leaves and mappings' keys."""
    items = ()
    if isinstance(value, dict):
        items = value.items()
    elif isinstance(value, list):
        items = enumerate(value)
    for key, inner in items:
        yield (*where, key)
        yield from _leaves(inner, (*where, key))


def _changed(document, where, change):
    """A copy of a document in which one place is another."""
    copy = json.loads(json.dumps(document))
    inner = copy
    for key in where[:-1]:
        inner = inner[key]
    change(inner, where[-1])
    return copy


def _documents(clean):
    """JSON in all, or its first line; and what stands after it."""
    try:
        return json.loads(clean), b""
    except ValueError:
        first, _, rest = clean.partition(b"\n")
        return json.loads(first), b"\n" + rest


def leaf(name, value):
    """A kind in which each leaf in turn is something else."""

    @kind(name, "json", "jsonl")
    def damage(clean):
        document, rest = _documents(clean)
        places = list(_leaves(document))
        random.Random(0).shuffle(places)
        for where in places[:MANY]:

            def change(inner, key):
                inner[key] = "HERE"

            text = json.dumps(_changed(document, where, change))
            yield text.replace('"HERE"', value).encode() + rest


for name, value in {
    "null inside": "null",
    "true inside": "true",
    "a text inside": '"text"',
    "an empty text inside": '""',
    "a list inside": "[]",
    "a mapping inside": "{}",
    "NaN inside": "NaN",
    "infinity inside": "Infinity",
    "1e400 inside": "1e400",
    "a negative number inside": "-1",
    "a broken number inside": "1.5",
    "a number of 300 digits inside": "9" * 300,
    "a path inside": '"../../../etc/passwd"',
    "lists of lists inside": "[" * 900 + "]" * 900,
}.items():
    leaf(name, value)


@kind("a key missing", "json", "jsonl")
def missing_key(clean):
    document, rest = _documents(clean)
    places = [x for x in _leaves(document) if isinstance(x[-1], str)]
    random.Random(0).shuffle(places)
    for where in places[:MANY]:
        copy = _changed(document, where, lambda inner, key: inner.pop(key))
        yield json.dumps(copy).encode() + rest


@kind("a key twice", "json", "jsonl")
def double_key(clean):
    """The first value counts nothing, where nobody looks."""
    document, rest = _documents(clean)
    places = [x for x in _leaves(document) if isinstance(x[-1], str)]
    random.Random(0).shuffle(places)
    for where in places[:MANY]:

        def change(inner, key):
            items = [*inner.items()]
            inner.clear()
            for name, value in items:
                inner[name] = value
                if name == key:
                    inner["TWICE"] = {}

        text = json.dumps(_changed(document, where, change))
        name = json.dumps(where[-1])
        yield text.replace('"TWICE"', name, 1).encode() + rest


def _yaml_lines(clean, change):
    lines = clean.splitlines(True)
    for number, line in enumerate(lines[:MANY]):
        if b": " in line and not line.lstrip().startswith(b"#"):
            new = change(line.rstrip(b"\n")) + b"\n"
            yield b"".join([*lines[:number], new, *lines[number + 1 :]])


for name, value in {
    "YAML null": b"null",
    "YAML mapping": b"{a: 1}",
    "YAML list": b"[]",
    "YAML NaN": b".nan",
    "YAML infinity": b"-.inf",
    "YAML tag that runs": b"!apply:os.system [exit]",
    "YAML object": b"!!python/object/apply:os.system [exit]",
    "YAML unknown anchor": b"*nowhere",
    "YAML reference": b"!ref <nowhere>",
    "YAML reference to itself": b"!ref <name>",
    "YAML broken quotes": b'"',
    "YAML tabs": b"\t- a",
    "YAML flow mapping left open": b"{a: [",
}.items():
    kind(name, "yaml")(
        lambda clean, value=value: _yaml_lines(
            clean, lambda line: line.partition(b": ")[0] + b": " + value
        )
    )
kind("YAML key twice", "yaml")(
    lambda clean: _yaml_lines(clean, lambda line: line + b"\n" + line)
)
one(
    "YAML laughs",
    lambda c: c
    + b"a0: &a0 [l, l, l, l, l, l, l, l, l, l]\n"
    + b"".join(
        b"a%d: &a%d [%s]\n" % (k, k, b", ".join([b"*a%d" % (k - 1)] * 10))
        for k in range(1, 10)
    ),
    "yaml",
)

# Of sound: the samples of the clean file, and headers that say something else

for name, how in {
    "WAV of no samples": {"samples": b""},
    "WAV of size 0": {"size": 0},
    "WAV that announces more": {"size": 4000},
    "WAV that announces 4 GB": {"size": 2**32 - 3},
    "WAV of an odd size": {"size": 999},
    "WAV of 0 channels": {"channels": 0},
    "WAV of 65535 channels": {"channels": 65535},
    "WAV of 0 Hz": {"rate": 0},
    "WAV of 1 Hz": {"rate": 1},
    "WAV of 4 GHz": {"rate": 2**32 - 1},
    "WAV of 0 bits": {"bits": 0},
    "WAV of 7 bits": {"bits": 7},
    "WAV of 64 bits": {"bits": 64},
    "WAV of format 0": {"kind": 0},
    "WAV of an unknown format": {"kind": 0x4242},
    "WAV that says ADPCM": {"kind": 2, "bits": 4},
    "WAV that says MP3": {"kind": 85},
    "WAV that says float": {"kind": 3},
    "WAV of an extensible header cut off": {"kind": 0xFFFE},
}.items():
    one(name, lambda c, how=how: wav_bytes(**{"samples": c[44:], **how}), "wav")
for name, number in ("NaN", np.nan), ("infinite", np.inf), ("huge", 3e38):
    samples = np.full(500, number, "<f4").tobytes()
    one(
        f"WAV of {name} samples",
        lambda c, s=samples: wav_bytes(s, kind=3, bits=32),
        "wav",
    )
for name, start in {
    "RIFX": b"RIFX", "RF64": b"RF64", "riff": b"riff", "fLaC": b"fLaC",
    "OggS": b"OggS", "ID3": b"ID3\3", "FORM": b"FORM", ".snd": b".snd",
}.items():  # fmt: skip
    one(f"WAV that begins with {name}", lambda c, s=start: s + c[4:], "wav")
one("WAV of two data chunks", lambda c: c + b"data\x04\0\0\0abcd", "wav")
one("WAV of two fmt chunks", lambda c: c[:36] + c[12:36] + c[36:], "wav")
one("WAV of samples first", lambda c: c[:12] + c[36:] + c[12:36], "wav")
one("WAV without fmt", lambda c: c[:12] + c[36:], "wav")
one(
    "WAV of an odd chunk", lambda c: c[:12] + b"odd \3\0\0\0abc\0" + c[12:], "wav",
    same=True,
)  # fmt: skip
one(
    "WAV of a huge chunk", lambda c: c[:12] + b"odd \xff\xff\xff\x7f" + c[12:],
    "wav",
)  # fmt: skip


@kind("WAV with flipped header bits", "wav")
def flipped(clean):
    for bit in range(0, 44 * 8, 3):
        damaged = bytearray(clean)
        damaged[bit // 8] ^= 1 << bit % 8
        yield bytes(damaged)


# In the place of the file


@place("missing")
def missing(path, clean):
    """Nothing."""


@place("a folder")
def folder(path, clean):
    path.mkdir()


@place("a link to itself")
def loop(path, clean):
    path.symlink_to(path)


@place("a link to nowhere")
def dangling(path, clean):
    path.symlink_to(path.with_name("nowhere"))


@place("a link to the folder")
def upwards(path, clean):
    path.symlink_to(path.parent)


@place("a link to the file", same=True)
def link(path, clean):
    aside = _aside(path)
    aside.write_bytes(clean)
    path.symlink_to(aside)


@place("a hard link", same=True)
def hard_link(path, clean):
    aside = _aside(path)
    aside.write_bytes(clean)
    path.hardlink_to(aside)


@place("a read-only file", same=True)
def read_only(path, clean):
    path.write_bytes(clean)
    path.chmod(0o444)


@place("a file of no rights")
def no_rights(path, clean):
    path.write_bytes(clean)
    path.chmod(0)


@place("a named pipe")
def pipe(path, clean):
    os.mkfifo(path)


@place("a socket")
def a_socket(path, clean):
    # Its path may have no more than 100 characters.
    short = pathlib.Path("/tmp", f"hrf-{os.getpid()}.sock")
    short.unlink(missing_ok=True)
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind(str(short))
    shutil.move(short, path)


@place("the device that never ends")
def endless(path, clean):
    path.symlink_to("/dev/zero")


@place("the device of nothing")
def nothing(path, clean):
    path.symlink_to("/dev/null")


def _aside(path):
    return path.with_name("aside.bin")


def clear(path):
    """Makes room, whatever stands there."""
    _aside(path).unlink(missing_ok=True)
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def fits(name, file_kind):
    """Whether a kind makes sense for a reader's file."""
    return not FOR[name] or file_kind in FOR[name]

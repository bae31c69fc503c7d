"""A small Hugging Face Hub on this machine, for the real client.

It knows what creating, filling and loading a model needs, and refuses as the
real one does: tokens, owners, and the metadata of cards.

Authors
 * The speechbrain_hrf authors 2026
"""

import base64
import hashlib
import json
import re
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

import yaml

WRITES, READS = "hf_writes", "hf_reads"
OWNERS = {"me", "team"}
_LARGE = (".ckpt", ".safetensors", ".onnx")
# What the real one says of metadata that it does not take.
_LICENCES = "mit apache-2.0 cc-by-4.0 cc-by-nc-sa-4.0 cc0-1.0 unknown other"
_DATASET_TYPE = re.compile(r"(?:[\w-]+/)?[\w.-]+", re.ASCII)


@dataclass
class Model:
    """A repository of the Hub."""

    private: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    commits: list[str] = field(default_factory=list)


class Hub:
    """The server; ``models`` is what it holds."""

    def __init__(self):
        self.models: dict[str, Model] = {}
        self.large: dict[str, bytes] = {}
        self.asked: list[str] = []
        handler = type("Handler", (_Handler,), {"hub": self})
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(
            target=self.server.serve_forever, args=[0.02], daemon=True
        ).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


def find_errors(card):
    """What is wrong with a card's metadata, by the real one's rules."""
    data = yaml.safe_load(card.split("---\n")[1])
    errors = []
    if data.get("license") not in _LICENCES.split():
        errors.append('"license" must be one of [...]')
    name = data.get("license_name", "a")
    if not re.fullmatch("[a-z0-9.-]+", name):
        errors.append(f'"license_name" with value "{name}" fails')
    for index in data.get("model-index", ()):
        for result in index["results"]:
            kind = result["dataset"]["type"]
            if not _DATASET_TYPE.fullmatch(kind):
                errors.append(f'"dataset.type" with value "{kind}" fails')
            assert {"type", "value"} <= set(result["metrics"][0])
    return errors


class _Handler(BaseHTTPRequestHandler):
    hub: Hub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def handle_one(self):
        path = unquote(urlsplit(self.path).path)
        size = int(self.headers.get("Content-Length") or 0)
        self.body = self.rfile.read(size)
        self.hub.asked.append(f"{self.command} {path}")
        self.token = (self.headers.get("Authorization") or "")[7:]
        if self.token not in ("", WRITES, READS):
            return self.answer(401, {"error": "Invalid credentials"})
        for method, pattern, act in _ROUTES:
            match = re.fullmatch(pattern, path)
            if method == self.command and match:
                return act(self, *match.groups())
        return self.answer(404, {"error": f"no {self.command} {path}"})

    do_GET = do_POST = do_PUT = do_HEAD = handle_one

    def answer(self, status, content, headers=()):
        body = content if isinstance(content, bytes) else json.dumps(content)
        body = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        for name, value in {
            "Content-Length": len(body),
            **dict(headers),
        }.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def find(self, name):
        """A model that the token may see, or an answer that there is none."""
        model = self.hub.models.get(name)
        if model is not None and (self.token or not model.private):
            return model
        error = {"X-Error-Code": "RepoNotFound"}
        self.answer(404 if self.token else 401, {"error": "not found"}, error)
        return None

    def validate(self):
        errors = find_errors(json.loads(self.body)["content"])
        found = [{"message": error} for error in errors]
        self.answer(400 if errors else 200, {"errors": found})

    def create(self):
        asked = json.loads(self.body)
        name = f"{asked['organization']}/{asked['name']}"
        if not self.token:
            return self.answer(401, {"error": "Invalid username or password."})
        if asked["organization"] not in OWNERS:
            return self.answer(404, {"error": "Organization not found"})
        if self.token != WRITES:
            return self.answer(403, {"error": "You don't have the rights"})
        url = {"url": f"{self.hub.url}/{name}"}
        if name in self.hub.models:
            return self.answer(409, url)
        private = asked.get("private") or asked.get("visibility") == "private"
        self.hub.models[name] = Model(bool(private))
        return self.answer(200, url)

    def describe(self, name):
        if model := self.find(name):
            files = [{"rfilename": file} for file in model.files]
            about = {"id": name, "private": model.private, "siblings": files}
            self.answer(200, about)

    def tree(self, name):
        if model := self.find(name):
            listed = [
                {"type": "file", "path": path, "size": len(data), "oid": "0"}
                for path, data in model.files.items()
            ]
            self.answer(200, listed)

    def preupload(self, name):
        if self.find(name):
            files = [
                {
                    "path": file["path"],
                    "shouldIgnore": False,
                    "uploadMode": "lfs"
                    if file["path"].endswith(_LARGE)
                    else "regular",
                }
                for file in json.loads(self.body)["files"]
            ]
            self.answer(200, {"files": files})

    def batch(self, name):
        if self.find(name):
            objects = [
                {
                    "oid": one["oid"],
                    "size": one["size"],
                    "actions": {
                        "upload": {"href": f"{self.hub.url}/lfs/{one['oid']}"}
                    },
                }
                for one in json.loads(self.body)["objects"]
            ]
            self.answer(200, {"transfer": "basic", "objects": objects})

    def store(self, oid):
        self.hub.large[oid] = self.body
        self.answer(200, {})

    def commit(self, name):
        if not (model := self.find(name)):
            return
        for line in self.body.splitlines():
            operation = json.loads(line)
            value = operation["value"]
            match operation["key"]:
                case "header":
                    model.commits.append(value["summary"])
                case "file":
                    content = base64.b64decode(value["content"])
                    model.files[value["path"]] = content
                case "lfsFile":
                    model.files[value["path"]] = self.hub.large[value["oid"]]
                case "deletedFile":
                    del model.files[value["path"]]
        url = f"{self.hub.url}/{name}/commit/{'0' * 40}"
        self.answer(200, {"commitUrl": url, "commitOid": "0" * 40})

    def resolve(self, name, file):
        if not (model := self.find(name)):
            return
        if file not in model.files:
            missing = {"X-Error-Code": "EntryNotFound"}
            return self.answer(404, {}, missing)
        content = model.files[file]
        etag = f'"{hashlib.sha256(content).hexdigest()}"'
        self.answer(200, content, {"ETag": etag, "X-Repo-Commit": "0" * 40})


_NAME = "([^/]+/[^/]+)"
_ROUTES = [
    ("POST", "/api/validate-yaml", _Handler.validate),
    ("POST", "/api/repos/create", _Handler.create),
    ("GET", f"/api/models/{_NAME}", _Handler.describe),
    ("GET", f"/api/models/{_NAME}/tree/main", _Handler.tree),
    ("POST", f"/api/models/{_NAME}/preupload/main", _Handler.preupload),
    ("POST", f"/api/models/{_NAME}/commit/main", _Handler.commit),
    ("POST", f"/{_NAME}.git/info/lfs/objects/batch", _Handler.batch),
    ("PUT", "/lfs/([0-9a-f]+)", _Handler.store),
    ("GET", f"/{_NAME}/resolve/[^/]+/(.+)", _Handler.resolve),
    ("HEAD", f"/{_NAME}/resolve/[^/]+/(.+)", _Handler.resolve),
]

"""A small Hub on this machine: repositories with branches and pull requests, LFS, tokens; it misbehaves when told to.

    with LocalHub() as hub:
        ... HF_ENDPOINT=hub.url ...
        hub.misbehave("POST", "/commit/", status=503, times=2)

It speaks what huggingface_hub and datasets ask of a real one, without Xet (HF_HUB_DISABLE_XET=1).
"""

import base64
import hashlib
import json
import re
import shutil
import socket
import struct
import tempfile
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

WRITER, READER = "hf_writerwriterwriterwriterwriterwri", "hf_readerreaderreaderreaderreaderrea"


@dataclass(frozen=True)
class File:
    """`data` for what git holds itself; otherwise the sha256 of an object stored apart."""

    blob: str
    size: int
    data: bytes = b""
    sha256: str = ""


@dataclass
class Repository:
    """Branches and pull requests point into `commits`, each of which holds a whole tree by path."""

    name: str
    private: bool = False
    branches: dict = field(default_factory=dict)
    commits: dict = field(default_factory=dict)
    requests: list = field(default_factory=list)
    messages: list = field(default_factory=list)

    def tree(self, revision="main"):
        return self.commits[self.branches.get(revision, revision)]

    def add(self, tree, revision, message):
        sha = hashlib.sha1(json.dumps([len(self.commits), message, sorted(tree)]).encode()).hexdigest()
        self.commits[sha] = tree
        self.branches[revision] = sha
        self.messages.append(message)
        return sha


@dataclass
class Fault:
    method: str
    where: re.Pattern
    times: int
    status: int = 0
    code: str = ""
    headers: dict = field(default_factory=dict)
    late: bool = False  # the call is done first and only its answer is lost
    meanwhile: object = None  # called instead of failing, then the call goes on


class LocalHub:
    """`requests` holds (method, path, Authorization) of every call; `repositories` what there is, by user/name."""

    def __init__(self, limit_lfs=200):
        self.repositories, self.requests, self.limit_lfs = {}, [], limit_lfs
        self.writers, self.readers = {WRITER}, {READER}
        self._faults, self._lock = [], threading.RLock()
        self._folder = Path(tempfile.mkdtemp(prefix="local-hub-"))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"hub": self}))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        shutil.rmtree(self._folder)

    def misbehave(self, method="", where="", *, times=1, meanwhile=None, **how):
        """The next `times` calls that fit are answered with `status`, or dropped where it is 0."""
        self._faults.append(Fault(method, re.compile(where), times, meanwhile=meanwhile, **how))

    def seed(self, name, files, private=False):
        """Make a repository, or change one as a stranger would: contents by path, None for a file to remove."""
        with self._lock:
            repository = self.repositories.setdefault(name, Repository(name, private))
            tree = dict(repository.tree()) if "main" in repository.branches else {}
            for path, data in files.items():
                if data is None:
                    del tree[path]
                else:
                    tree[path] = self._file(path, data)
            return repository.add(tree, "main", "by a stranger")

    def content(self, name, path, revision="main"):
        """The bytes of a file."""
        file = self.repositories[name].tree(revision)[path]
        return self.object(file.sha256).read_bytes() if file.sha256 else file.data

    def writes(self):
        """The calls that change something, as (method, path)."""
        return [(method, path) for method, path, _ in self.requests if method not in ("GET", "HEAD") and "paths-info" not in path]  # fmt: skip

    def object(self, sha256):
        return self._folder / sha256

    def is_lfs(self, path, size):
        return path.endswith(".parquet") and size > self.limit_lfs

    def _file(self, path, data):
        if not self.is_lfs(path, len(data)):
            return File(hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest(), len(data), data)
        sha256 = hashlib.sha256(data).hexdigest()
        self.object(sha256).write_bytes(data)
        return self.pointer(sha256, len(data))

    @staticmethod
    def pointer(sha256, size):
        return File(hashlib.sha1(sha256.encode()).hexdigest(), size, sha256=sha256)

    def fault_for(self, method, path):
        with self._lock:
            for fault in self._faults:
                if fault.times and fault.method in ("", method) and fault.where.search(path):
                    fault.times -= 1
                    return fault
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: LocalHub

    def log_message(self, format, *arguments):
        pass

    def do_GET(self):
        self._handle()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET

    def _handle(self):
        url = urlsplit(self.path)
        self.query = parse_qs(url.query)
        self.hub.requests.append((self.command, url.path, self.headers.get("Authorization", "")))
        fault = self.hub.fault_for(self.command, self.path)
        if fault is not None and fault.meanwhile is not None:
            fault.meanwhile()
            fault = None
        if fault is not None and not fault.status and not fault.late:
            self.rfile.read(int(self.headers.get("Content-Length") or 0) // 2)
            self._drop()
            return
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if fault is not None and not fault.late:
            self._send(fault.status, {"error": "told to"}, {"X-Error-Code": fault.code, **fault.headers})
            return
        self.silent = fault
        parts = [unquote(part) for part in url.path.strip("/").split("/")]
        with self.hub._lock:
            self._route(parts)
        if fault is not None and fault.status == 0:
            self._drop()

    def _drop(self):
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def _send(self, status, body=b"", headers=()):
        fault = getattr(self, "silent", None)
        if fault is not None:  # what was asked is done; the answer is another
            if not fault.status:
                return
            status, body, headers = fault.status, {"error": "told to"}, {}
        if not isinstance(body, (bytes, Path)):
            body = json.dumps(body).encode()
        headers = dict(headers)
        size = body.stat().st_size if isinstance(body, Path) else len(body)
        start, end = 0, size
        if status == 200 and (asked := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))):
            start, end = int(asked[1]), min(int(asked[2] or size - 1) + 1, size)
            status, headers["Content-Range"] = 206, f"bytes {start}-{end - 1}/{size}"
        self.send_response(status)
        headers.setdefault("Content-Type", "application/json")
        headers.setdefault("Content-Length", str(end - start))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        if isinstance(body, Path):
            with body.open("rb") as stream:
                stream.seek(start)
                left = end - start
                while left and (chunk := stream.read(min(left, 1 << 20))):
                    self.wfile.write(chunk)
                    left -= len(chunk)
        else:
            self.wfile.write(body[start:end])

    def _refuse(self, status, code="", message=""):
        self._send(status, {"error": message or code}, {"X-Error-Code": code, "X-Error-Message": message})

    def _token(self):
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _may_write(self):
        if self._token() in self.hub.writers:
            return True
        if self._token() in self.hub.readers:
            self._refuse(403, "", "you have no right to write here")
        else:
            self._refuse(401, "", "Invalid credentials in Authorization header" if self._token() else "Unauthorized")
        return False

    def _repository(self, name):
        if self._token() and self._token() not in self.hub.writers | self.hub.readers:
            self._refuse(401, "", "Invalid credentials in Authorization header")
            return None
        found = self.hub.repositories.get(name)
        if found is None or (found.private and self._token() not in self.hub.writers):
            self._refuse(404 if self._token() else 401, "RepoNotFound", "Repository not found")
            return None
        return found

    def _commit_of(self, repository, revision):
        sha = repository.branches.get(revision, revision)
        if sha not in repository.commits:
            self._refuse(404, "RevisionNotFound", "Invalid rev id")
            return None
        return sha

    # --- what is asked ----------------------------------------------------------------------------

    def _route(self, parts):
        if parts == ["api", "repos", "create"]:
            self._create()
        elif parts == ["api", "validate-yaml"]:
            self._validate()
        elif parts[:1] == ["lfs"]:
            self._store(parts[1])
        elif parts[:2] in (["api", "datasets"], ["api", "models"]) and len(parts) >= 4:
            self._api("/".join(parts[2:4]), parts[4:] or ["revision", "main"])
        elif parts[:1] == ["datasets"] and parts[2].endswith(".git"):
            self._batch()
        elif parts[:1] == ["datasets"] and len(parts) > 4 and parts[3] == "resolve":
            self._resolve("/".join(parts[1:3]), parts[4], "/".join(parts[5:]))
        elif len(parts) > 3 and parts[1].endswith(".git"):  # models have no folder of their own
            self._batch()
        elif len(parts) > 3 and parts[2] == "resolve":
            self._resolve("/".join(parts[:2]), parts[3], "/".join(parts[4:]))
        else:
            self._refuse(404, "EntryNotFound", "no such address")

    def _create(self):
        asked = json.loads(self.body)
        name = f"{asked.get('organization') or 'user'}/{asked['name']}"
        if not self._may_write():
            return
        if name in self.hub.repositories:
            self._refuse(409, "", "You already created this dataset repo")
            return
        private = asked.get("visibility") == "private" or bool(asked.get("private"))
        repository = self.hub.repositories[name] = Repository(name, private)
        attributes = b"*.parquet filter=lfs diff=lfs merge=lfs -text\n"
        repository.add({".gitattributes": self.hub._file(".gitattributes", attributes)}, "main", "initial commit")
        self._send(200, {"url": f"{self.hub.url}/datasets/{name}", "name": name, "id": name})

    def _validate(self):
        import yaml

        content = json.loads(self.body)["content"]
        try:
            head = yaml.safe_load(content.split("---\n")[1])
            problem = "" if isinstance(head, dict) and head else "no metadata"
        except (yaml.YAMLError, IndexError) as error:
            problem = str(error)
        errors = [{"message": problem}] if problem else []
        self._send(400 if problem else 200, {"errors": errors, "warnings": []}, {"X-Error-Code": ""})

    def _api(self, name, rest):
        what = rest[0]
        if what in ("commit", "preupload") and not self._may_write():
            return
        repository = self._repository(name)
        if repository is None:
            return
        if what == "discussions":
            listed = [
                {"title": message, "num": number, "status": "open", "isPullRequest": True, "createdAt": "2025-01-01T00:00:00.000Z",
                 "author": {"name": "user"}, "repo": {"name": name, "type": "dataset"}}
                for number, message in enumerate(repository.requests, 1)
            ]  # fmt: skip
            self._send(200, {"discussions": listed, "count": len(listed), "start": 0})
            return
        sha = self._commit_of(repository, rest[1])
        if sha is None:
            return
        tree = repository.commits[sha]
        if what == "revision":
            siblings = [{"rfilename": path} for path in sorted(tree)]
            about = {
                "_id": "1",
                "id": name,
                "sha": sha,
                "private": repository.private,
                "siblings": siblings,
                "tags": [],
            }
            self._send(200, {**about, "gated": False, "disabled": False, "downloads": 0, "likes": 0})
        elif what == "tree":
            self._tree(tree, "/".join(rest[2:]))
        elif what == "paths-info":
            asked = json.loads(self.body) if self.body[:1] == b"{" else parse_qs(self.body.decode())
            self._send(200, [_entry(path, tree[path]) for path in asked["paths"] if path in tree])
        elif what == "preupload":
            asked = json.loads(self.body)["files"]
            modes = [
                {"path": one["path"], "uploadMode": "lfs" if self.hub.is_lfs(one["path"], one["size"]) else "regular", "shouldIgnore": False,
                 "oid": (tree[one["path"]].sha256 or tree[one["path"]].blob) if one["path"] in tree else None}
                for one in asked
            ]  # fmt: skip
            self._send(200, {"files": modes})
        elif what == "commit":
            self._commit(repository, rest[1], sha)
        else:
            self._refuse(404, "EntryNotFound", "no such address")

    def _tree(self, tree, inside):
        inside = inside.rstrip("/")
        deep = self.query.get("recursive") == ["true"] or self.query.get("recursive") == ["True"]
        folders, entries = set(), []
        for path, file in sorted(tree.items()):
            if inside and not path.startswith(inside + "/"):
                continue
            below = path[len(inside) + 1 if inside else 0 :].split("/")
            for depth in range(1, len(below)):
                if deep or depth == 1:
                    folders.add("/".join(filter(None, [inside, *below[:depth]])))
            if deep or len(below) == 1:
                entries.append(_entry(path, file))
        if inside and not entries and not folders:
            self._refuse(404, "EntryNotFound", f"{inside} does not exist")
            return
        self._send(200, [{"type": "directory", "path": one, "oid": "0" * 40, "size": 0} for one in sorted(folders)] + entries)  # fmt: skip

    def _batch(self):
        if not self._may_write():
            return
        objects = []
        for one in json.loads(self.body)["objects"]:
            actions = {"upload": {"href": f"{self.hub.url}/lfs/{one['oid']}?signature=of-the-store"}}
            there = self.hub.object(one["oid"]).exists()
            objects.append({**one, **({} if there else {"actions": actions})})
        self._send(200, {"transfer": "basic", "objects": objects})

    def _store(self, sha256):
        if hashlib.sha256(self.body).hexdigest() != sha256:
            self._refuse(400, "", "other bytes than were announced")
            return
        self.hub.object(sha256).write_bytes(self.body)
        self._send(200)

    def _commit(self, repository, revision, head):
        lines = [json.loads(line) for line in self.body.splitlines()]
        header = lines[0]["value"]
        asks = self.query.get("create_pr") == ["1"]
        parent = header.get("parentCommit")
        if parent and parent != head and not asks:
            self._refuse(412, "", "A commit has happened since. Please refresh and try again.")
            return
        tree = dict(repository.commits[parent or head])
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                tree[value["path"]] = self.hub._file("", base64.b64decode(value["content"]))
            elif line["key"] == "lfsFile":
                assert self.hub.object(value["oid"]).exists(), "committed before it was uploaded"
                tree[value["path"]] = self.hub.pointer(value["oid"], value["size"])
            elif line["key"] == "deletedFile":
                del tree[value["path"]]
        target, address = revision, None
        if asks:
            repository.requests.append(header["summary"])
            target = f"refs/pr/{len(repository.requests)}"
            address = f"{self.hub.url}/datasets/{repository.name}/discussions/{len(repository.requests)}"
        sha = repository.add(tree, target, header["summary"])
        url = f"{self.hub.url}/datasets/{repository.name}/commit/{sha}"
        self._send(200, {"commitUrl": url, "commitOid": sha, "pullRequestUrl": address, "success": True})

    def _resolve(self, name, revision, path):
        repository = self._repository(name)
        if repository is None:
            return
        sha = self._commit_of(repository, revision)
        if sha is None:
            return
        file = repository.commits[sha].get(path)
        if file is None:
            self._send(404, {}, {"X-Error-Code": "EntryNotFound", "X-Error-Message": "Entry not found", "X-Repo-Commit": sha})  # fmt: skip
            return
        headers = {
            "X-Repo-Commit": sha, "ETag": f'"{file.sha256 or file.blob}"', "Accept-Ranges": "bytes", "Content-Type": "application/octet-stream",
        }  # fmt: skip
        self._send(200, self.hub.object(file.sha256) if file.sha256 else file.data, headers)


def _entry(path, file):
    entry = {"type": "file", "path": path, "size": file.size, "oid": file.blob}
    if file.sha256:
        entry["lfs"] = {"oid": file.sha256, "size": file.size, "pointerSize": 130}
    return entry

"""git as a program: one repository's commits, trees, index and blobs, and clear words when it refuses.

What a repository configures never makes git run another program here: no command compares the working tree (that would run
filters), shows a difference (external diff, textconv) or talks to another machine, and hooks and the file system monitor are off.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping
from hashlib import sha1, sha256

from dbguard.errors import UnreadableSource, UsageError
from dbguard.model.record import Record

LINK, SUBMODULE = "120000", "160000"

LFS = b"version https://git-lfs.github.com/spec/"
MOST_LINKS = 20  # links that lead to links are followed this far
EMPTY = ("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813")
_SAFE = ("-c", "core.fsmonitor=false", "-c", f"core.hooksPath={os.devnull}")
_ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",  # a partial clone would start a transport, which its configuration chooses;
    "GIT_ALLOW_PROTOCOL": "",  # git before 2.44 knows only this
}
# `git rev-parse --local-env-vars`: what a hook is told about its own repository does not hold for another one.
_OF_ONE_REPOSITORY = (
    *("GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_COMMON_DIR", "GIT_CONFIG", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "GIT_DIR"),
    *("GIT_GRAFT_FILE", "GIT_IMPLICIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_INTERNAL_SUPER_PREFIX", "GIT_NO_REPLACE_OBJECTS"),
    *("GIT_OBJECT_DIRECTORY", "GIT_PREFIX", "GIT_REPLACE_REF_BASE", "GIT_SHALLOW_FILE", "GIT_WORK_TREE"),
)
_IN_TREE = re.compile(r"(\d{6}) [a-z]+ ([0-9a-f]+)\t([^\0]+)\0")
_IN_INDEX = re.compile(r"(\d{6}) ([0-9a-f]+) (\d)\t([^\0]+)\0")
_HASH = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_HASHED = re.compile(r"[0-9a-f]{4,64}")
_MAIN = ("origin/HEAD", "origin/main", "origin/master", "main", "master")


class Entry(Record):
    """What a tree or the index says about a path."""

    mode: str
    blob: str


Entries = dict[str, Entry]
"""By path relative to the repository's root, with forward slashes."""


class Repository:
    """A working tree and its git. `root` is its folder without links in it."""

    def __init__(self, root: str, environment: Mapping[str, str], *, is_shallow: bool) -> None:
        self.root = root
        self.is_shallow = is_shallow
        self._environment = environment
        self._blobs: subprocess.Popen[bytes] | None = None

    def output(self, *arguments: str, given: bytes = b"") -> bytes | None:
        """What a command prints; None if it fails."""
        done = _run(self.root, self._environment, arguments, given)
        return None if done.returncode else done.stdout

    def commit(self, name: str) -> str:
        """The commit that a name means, `""` if there is none."""
        if not name or name.startswith("-") or "\0" in name:
            return ""
        found = (self.output("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}") or b"").decode().strip()
        return found if _HASH.fullmatch(found) else ""

    def merge_base(self, one: str, other: str) -> str:
        return (self.output("merge-base", one, other) or b"").decode().split("\n", maxsplit=1)[0]

    def tree(self, commit: str) -> Entries:
        """All files of a commit, and its submodules."""
        listed = self.output("ls-tree", "-r", "-z", "--full-tree", commit)
        if listed is None:
            raise UsageError(f"git cannot read the files of commit {commit[:12]} in {self.root}: `git -C {self.root} fsck` says what is missing")
        return {path: Entry(mode, blob) for mode, blob, path in _IN_TREE.findall(os.fsdecode(listed))}

    def index(self) -> Entries:
        """All files of the index. A path in conflict has an empty blob."""
        listed = self.output("ls-files", "--stage", "-z")
        if listed is None:
            raise UsageError(f"git cannot read the index of {self.root}")
        found = _IN_INDEX.findall(os.fsdecode(listed))
        return {path: Entry(mode, blob if stage == "0" else "") for mode, blob, stage, path in found}

    def staged(self, head: str) -> set[str]:
        """The paths in which the index differs from a commit, or from nothing."""
        options = ("--cached", "--name-only", "-z", "--no-renames", "--no-ext-diff", "--ita-invisible-in-index")
        nothing = b"" if head else self.output("hash-object", "-t", "tree", "--stdin") or b""
        listed = self.output("diff-index", *options, head or nothing.decode().strip())
        return set(os.fsdecode(listed or b"").split("\0"))

    def blob(self, name: str) -> bytes:
        """The content of a file, by its hash. Raises UnreadableSource where the clone does not have it."""
        if self._blobs is None or self._blobs.poll() is not None:
            self._blobs = _started(self.root, self._environment, ("cat-file", "--batch"))
        pipe, answers = self._blobs.stdin, self._blobs.stdout
        assert pipe is not None and answers is not None  # noqa: PT018 - both are pipes
        try:
            pipe.write(name.encode() + b"\n")
            pipe.flush()
            about = answers.readline().split()
        except OSError:
            about = []
        if len(about) != 3:
            raise UnreadableSource("its content is not in this clone of the repository")
        return answers.read(int(about[2]) + 1)[:-1]

    def ignored(self, paths: list[str]) -> set[str]:
        """Those of the paths that are neither tracked nor meant to be."""
        listed = self.output("check-ignore", "-z", "--stdin", given=os.fsencode("".join(f"./{path}\0" for path in paths)))  # `./`: a path, no pattern
        return {path.removeprefix("./") for path in os.fsdecode(listed or b"").split("\0")} - {""}

    def default_branch(self) -> str:
        """The branch that others build on, `""` if that cannot be told."""
        return next((name for name in _MAIN if self.commit(name)), "")

    def close(self) -> None:
        if self._blobs is not None:
            self._blobs.kill()
            self._blobs.communicate()
            self._blobs = None


def hashed(raw: bytes, like: str) -> str:
    """The name that git gives to a content: SHA-1, or SHA-256 in repositories of that format."""
    make = sha1 if len(like) == 40 else sha256
    return make(b"blob %d\0" % len(raw) + raw, usedforsecurity=False).hexdigest()


def open_repository(folder: str, option: str) -> Repository:
    """The repository that `folder` lies in. `option` is what needs it, for the words of a `UsageError`."""
    environment = {**os.environ, **_ENVIRONMENT}
    if "GIT_WORK_TREE" not in environment and _is_below_git(folder):
        environment.pop("GIT_DIR", None)  # hooks of a worktree set it, and git then takes any folder for the root
    for name in ("GIT_DIR", "GIT_WORK_TREE"):
        if name in environment:
            environment[name] = os.path.join(folder, environment[name])
    return _opened(folder, environment, option)


def open_submodule(folder: str, option: str) -> Repository:
    environment = {name: value for name, value in os.environ.items() if name not in _OF_ONE_REPOSITORY}
    return _opened(folder, {**environment, **_ENVIRONMENT}, option)


def _opened(folder: str, environment: dict[str, str], option: str) -> Repository:
    asked = ("rev-parse", "--is-bare-repository", "--is-shallow-repository", "--show-toplevel")
    try:
        done = _run(folder, environment, asked)
    except FileNotFoundError:
        raise UsageError(f"{option} needs git, and there is no program `git` in PATH") from None
    except OSError as error:
        raise UsageError(f"{option} needs git, which cannot be started in {folder}: {(error.strerror or str(error)).lower()}") from error
    words = os.fsdecode(done.stdout).split("\n", 2)
    if done.returncode:
        raise UsageError(f"{option}: {_refusal(folder, words, done.stderr.decode(errors='replace'))}")
    root = os.path.realpath(words[2].removesuffix("\n"))
    if index := environment.get("GIT_INDEX_FILE"):
        environment["GIT_INDEX_FILE"] = os.path.join(root, index)  # hooks are told a path from there
    return Repository(root, environment, is_shallow=words[1] == "true")


def _refusal(folder: str, words: list[str], said: str) -> str:
    if "safe.directory" in said or "dubious ownership" in said:
        owned = re.search(r"repository (?:at |\()'([^'\n]+)'", said)
        where = owned[1] if owned else folder
        return f"git refuses {where}, which belongs to another user. If you trust it: git config --global --add safe.directory {where}"
    if "not a git repository" in said:
        return f"{folder} is not in a git repository"
    if words[0] == "true":
        return f"{folder} is a bare repository, without files: run this in a clone or a worktree of it"
    if "must be run in a work tree" in said:
        return f"{folder} belongs to git itself: run this in the working tree"
    return "git says: " + (said.strip().split("\n")[0] or "nothing, and fails")


def base_of(repository: Repository, since: str) -> str:
    """The merge base of HEAD and a reference. A `UsageError` names the command that mends a clone without it."""
    option = f"--since {since}"
    if not since.strip() or since.startswith("-") or not since.isprintable():
        raise UsageError(f"{option}: give a branch, a tag or a commit, such as origin/main")
    head, commit = repository.commit("HEAD"), repository.commit(since)
    if not head:
        raise UsageError(f"{option}: HEAD has no commit yet")
    if not commit:
        raise UsageError(f"{option}: {_unknown(repository, since)}")
    base = repository.merge_base(head, commit)
    if not base and repository.is_shallow:
        raise UsageError(f"{option}: this clone is shallow and lacks the commit from which HEAD and {since} went apart; {_fetch(repository, since)}")
    if not base:
        raise UsageError(f"{option}: HEAD and {since} have no commit in common")
    return base


def _unknown(repository: Repository, since: str) -> str:
    if repository.is_shallow:
        return f"this clone is shallow and does not have {since}; {_fetch(repository, since)}"
    if "/" not in since and repository.commit(f"origin/{since}"):
        return f"there is no such branch, tag or commit here (did you mean origin/{since}?)"
    if _remote(repository, since) is not None:
        return f"there is no such branch, tag or commit here; {_fetch(repository, since)}"
    from dbguard.config import did_you_mean

    listed = os.fsdecode(repository.output("for-each-ref", "--format=%(refname:short)", "refs/heads", "refs/remotes", "refs/tags") or b"")
    return f"there is no such branch, tag or commit here{did_you_mean(since, listed.splitlines())}"


def _fetch(repository: Repository, since: str) -> str:
    """The command after which the reference and what lies between are there."""
    deepen = "--unshallow " if repository.is_shallow else ""
    remote = _remote(repository, since)
    branch = since if remote is None else since.removeprefix(f"{remote}/")
    remote = remote or "origin"
    named = re.fullmatch(r"[\w./-]+", branch) and not _HASHED.fullmatch(branch) and branch != "HEAD"
    refs = f" +refs/heads/{branch}:refs/remotes/{remote}/{branch}" if named else ""
    instead = f", then --since {remote}/{branch}" if named and branch == since and not repository.commit(since) else ""
    hint = " (in GitHub Actions: `fetch-depth: 0` for actions/checkout)" if repository.is_shallow else ""
    return f"run: git fetch {deepen}{remote}{refs}{instead}{hint}"


def _remote(repository: Repository, since: str) -> str | None:
    """The remote that a reference such as `upstream/main` begins with."""
    remotes = os.fsdecode(repository.output("remote") or b"").splitlines()
    return next((remote for remote in remotes if since.startswith(f"{remote}/")), None)


def _is_below_git(folder: str) -> bool:
    while not os.path.lexists(os.path.join(folder, ".git")):
        above = os.path.dirname(folder)
        if above == folder:
            return False
        folder = above
    return True


def _run(folder: str, environment: Mapping[str, str], arguments: tuple[str, ...], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(["git", *_SAFE, *arguments], cwd=folder, env=environment, input=given, capture_output=True, check=False)  # noqa: S603, S607


def _started(folder: str, environment: Mapping[str, str], arguments: tuple[str, ...]) -> subprocess.Popen[bytes]:
    pipe = subprocess.PIPE
    return subprocess.Popen(  # noqa: S603
        ["git", *_SAFE, *arguments],  # noqa: S607
        cwd=folder,
        env=environment,
        stdin=pipe,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
    )

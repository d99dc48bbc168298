"""The SQL migration tools that dbguard recognises. What goes in is a `Tree`, what comes out is the `Tool` that wrote it.

The order below is the order of asking: what only one tool writes comes before what several share.
"""

from __future__ import annotations

from dbguard.reading.tools.base import Tool, Tree
from dbguard.reading.tools.flyway import FLYWAY, REFINERY
from dbguard.reading.tools.folders import DIESEL, DRIZZLE, HASURA, PRISMA
from dbguard.reading.tools.listed import LIQUIBASE, SQITCH
from dbguard.reading.tools.marked import ATLAS, DBMATE, GOOSE, NODE_PG_MIGRATE, TERN
from dbguard.reading.tools.numbered import EXTENSION, FILES, GOLANG_MIGRATE, PLAIN, POP, SQLX, SUPABASE

ALL: tuple[Tool, ...] = (
    SQITCH,
    LIQUIBASE,
    DRIZZLE,
    GOOSE,
    DBMATE,
    PRISMA,
    HASURA,
    DIESEL,
    REFINERY,
    FLYWAY,
    SUPABASE,
    POP,
    SQLX,
    GOLANG_MIGRATE,
    ATLAS,
    NODE_PG_MIGRATE,
    TERN,
    EXTENSION,
    PLAIN,
)


def recognise(tree: Tree) -> Tool:
    return next(tool for tool in ALL if tool.recognises(tree))


def named(name: str) -> Tool:
    return next(tool for tool in (*ALL, FILES) if tool.name == name)

"""`dbguard capture`: run a command and record what its Python processes send to their databases."""

from __future__ import annotations

import click

from dbguard.errors import UsageError


@click.command("capture", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.option("--with-values", is_flag=True, help="Write values of parameters, too, and literals as they are. They may be secret.")
@click.option("-o", "--output", metavar="FOLDER", default=".dbguard", show_default=True, help="Where the capture files go.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="-- COMMAND ...")
def command(arguments: tuple[str, ...], *, with_values: bool, output: str) -> None:
    """Run a command and record what its Python processes send through SQLAlchemy, Django, psycopg and asyncpg.

    Every process writes a file of its own; child processes are recorded, too. Exit code: that of the command.

    \b
    dbguard capture -- python manage.py runserver --noreload
    dbguard capture -o /tmp/capture -- uvicorn app:app
    pytest --dbguard                          records test by test
    """
    from dbguard.capture.command import run

    if not arguments:
        raise UsageError("give a command: dbguard capture -- python app.py")
    try:
        code, summary = run(arguments, output, with_values=with_values)
    except OSError as error:
        raise UsageError(f"{arguments[0]} cannot be started: {error.strerror or error}") from error
    click.echo(f"dbguard: {summary}", err=True)
    raise click.exceptions.Exit(code)

"""Compares dbguard's SQL with Django's own, migration by migration.

    PYTHONPATH=src python benchmarks/compare_django.py JUDGE_PYTHON [CORPUS] [--only NAME] [--keep FOLDER] [--verbose]

JUDGE_PYTHON is the interpreter of an environment with Django, psycopg and packages that have migrations. CORPUS holds one folder per
project; its migrations are loaded with stubs in place of what they import. Both run on an embedded server.
What Django sent is kept in FOLDER, for the next run.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pglast.parser

from dbguard.model.source import Script, Source
from dbguard.parsing.blocks import parse_blocks
from dbguard.postgres.embedded import start
from dbguard.reading.django.discover import App
from dbguard.reading.django.fields import field_of
from dbguard.reading.django.fields_in_project import resolve_class
from dbguard.reading.django.load import load
from dbguard.reading.django.migration import Settings
from dbguard.reading.django.modules import Modules
from dbguard.reading.django.operations import Project
from dbguard.reading.folders import Disk
from dbguard.reading.python.interpret import Interpreter, Interrupted
from dbguard.reading.python.values import Called, Symbol

PACKAGES = """
django.contrib.contenttypes django.contrib.auth django.contrib.sessions django.contrib.admin django.contrib.sites django.contrib.messages
django.contrib.flatpages django.contrib.redirects django.contrib.postgres
actstream admin_interface colorfield allauth allauth.account allauth.socialaccount allauth.mfa allauth.usersessions allauth.idp.oidc auditlog avatar axes
treebeard sekizai menus cms constance defender django_apscheduler django_cas_ng django_celery_beat django_celery_results django_cron django_dramatiq
django_eventstream django_fsm_log django_otp django_otp.plugins.otp_email django_otp.plugins.otp_hotp django_otp.plugins.otp_static
django_otp.plugins.otp_totp django_q djmoney djmoney.contrib.exchange djstripe easy_thumbnails filer mptt guardian helpdesk hitcount invitations knox
rest_framework rest_framework.authtoken rest_framework_simplejwt.token_blacklist mailer newsletter notifications oauth2_provider organizations
oscar.apps.address oscar.apps.analytics oscar.apps.basket oscar.apps.catalogue oscar.apps.catalogue.reviews oscar.apps.communication
oscar.apps.customer oscar.apps.offer oscar.apps.order oscar.apps.partner oscar.apps.payment oscar.apps.shipping oscar.apps.voucher oscar.apps.wishlists
paypal.pro paypal.standard.ipn paypal.standard.pdt pgtrigger pghistory photologue portlets post_office push_notifications redirects reversion reviews
robots silk social_django taggit two_factor two_factor.plugins.phonenumber two_factor.plugins.webauthn waffle wagtail wagtail.admin
wagtail.contrib.forms wagtail.contrib.redirects wagtail.contrib.search_promotions wagtail.contrib.simple_translation wagtail.documents wagtail.embeds
wagtail.images wagtail.search wagtail.users modelsearch watson simple_history
lfs.addresses lfs.cart lfs.catalog lfs.core lfs.criteria lfs.customer lfs.customer_tax lfs.discounts lfs.export lfs.manufacturer lfs.marketing lfs.order
lfs.page lfs.payment lfs.portlet lfs.shipping lfs.supplier lfs.tax lfs.voucher lfs_order_numbers
""".split()
MOMENT = re.compile(r"\b20\d\d-\d\d-\d\d([ T]\d\d:\d\d:\d\d(\.\d+)?(\+00(:00)?)?)?|\b\d\d:\d\d:\d\d\.\d+")
IDENTIFIER = re.compile(r"\b[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}\b")
FUNCTIONS = re.compile(r"\s+")


def statements(texts: list[str]) -> list[str]:
    """Statements as parse trees without places, constants that differ from run to run masked."""
    found = []
    for text in texts:
        try:
            tree = json.loads(pglast.parser.parse_sql_json(text))
        except pglast.parser.ParseError:
            found.append(" ".join(text.split()))
            continue
        for one in tree.get("stmts", []):
            found.append(masked(json.dumps(_clean(one["stmt"]), sort_keys=True)))
    return found


def _clean(node: Any) -> Any:
    if isinstance(node, dict):
        if "CreateFunctionStmt" in node:
            return {"CreateFunctionStmt": _clean(node["CreateFunctionStmt"].get("funcname"))}
        return {name: _clean(value) for name, value in node.items() if not name.endswith(("location", "_len", "_start", "_end"))}
    if isinstance(node, list):
        return [_clean(one) for one in node]
    return node


def masked(text: str) -> str:
    return IDENTIFIER.sub("<id>", MOMENT.sub("<moment>", text))


def without_defaults(tree: str) -> str:
    """A statement without the values of its constants, to tell differences in values from those in shape."""
    try:
        return json.dumps(_valueless(json.loads(tree)), sort_keys=True)
    except ValueError:
        return tree


def _valueless(node: Any) -> Any:
    if isinstance(node, dict):
        if "A_Const" in node:
            return "constant"
        if "TypeCast" in node and "A_Const" in node["TypeCast"].get("arg", {}):
            return "constant"
        return {name: _valueless(value) for name, value in node.items()}
    return [_valueless(one) for one in node] if isinstance(node, list) else node


class Outcome:
    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.operations = 0
        self.unread: Counter[str] = Counter()
        self.typed = 0


def judge(python: str, config: dict[str, Any], kept: Path | None) -> dict[str, Any]:
    """What Django sends; kept in a file where that is wanted."""
    if kept is not None and kept.exists():
        return json.loads(kept.read_text())
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "config.json").write_text(json.dumps(config))
        here = Path(__file__).with_name("django_judge.py")
        subprocess.run([python, "-W", "ignore", str(here), f"{folder}/config.json", f"{folder}/out.json"], check=True)
        text = Path(folder, "out.json").read_text()
    if kept is not None:
        kept.write_text(text)
    return json.loads(text)


def compare(name: str, result: dict[str, Any], settings: Settings, modules: Modules, *, verbose: bool) -> Outcome:
    project = Project(settings)
    outcome = Outcome()
    for one in result["migrations"]:
        text = Path(one["path"]).read_text(errors="replace")
        source = Source(one["path"], text)
        folder = Path(one["path"]).parent
        dotted = ".".join(folder.parts[len(Path(next((base for base in modules.bases if one["path"].startswith(base + "/")), "/")).parts) :])
        loaded = load(source, App(one["app"], dotted.rpartition(".")[0], str(folder)), one["name"], modules, settings)
        if loaded.reason:
            outcome.counts["not read: " + loaded.reason] += 1
            continue
        members = loaded.module.members
        blocks = project.apply(loaded.module)
        parse_blocks(Script(source, (), blocks=blocks))
        operations = members.get("operations") or []
        outcome.operations += len(operations) if isinstance(operations, list) else 1
        unread = [block for block in blocks if block.unread and not block.unread.startswith("RunPython")]
        for block in unread:
            outcome.unread[block.unread[:150]] += 1
        ours = [block.sql for block in blocks if block.sql]
        verdict, difference = decide(ours, one["sql"])
        if one["error"]:
            verdict = "Django fails"
        elif verdict == "different" and unread:
            verdict = "different, and said so"
        outcome.counts[verdict] += 1
        if one["error"]:
            outcome.unread["Django fails: " + one["error"].splitlines()[-1][:140]] += 1
        if (verbose and verdict not in {"equal", "equal but for order"}) or (verdict == "different" and not one["error"]):
            print(f"--- {verdict}: {name} {one['app']}.{one['name']}  {one['path']}")
            for line in [*(block.unread for block in unread), *one["error"].splitlines()[-2:], *difference, *one["failed"][:2]]:
                print("   ", line[:420])
    return outcome


def decide(ours: list[str], theirs: list[str]) -> tuple[str, list[str]]:
    mine, judged = statements(ours), statements(theirs)
    if mine == judged:
        return "equal", []
    difference = [f"- {text}" for text in _only(judged, mine, theirs)] + [f"+ {text}" for text in _only(mine, judged, ours)]
    if sorted(mine) == sorted(judged):
        return "equal but for order", []
    if sorted(map(without_defaults, mine)) == sorted(map(without_defaults, judged)):
        return "equal but for a value", difference
    return "different", difference


def _only(left: list[str], right: list[str], texts: list[str]) -> list[str]:
    """The texts of statements that the other side does not have."""
    rest = Counter(left) - Counter(right)
    found = []
    for text in texts:
        try:
            parts = pglast.parser.split(text)
        except pglast.parser.ParseError:
            parts = [text]
        for part in parts:
            for tree in statements([part]):
                if rest[tree] > 0:
                    rest[tree] -= 1
                    found.append(part)
    return found


def folders_of(root: Path) -> list[dict[str, str]]:
    """The migration folders of a project, each with the label of its app and the module it is imported as."""
    found = []
    for folder in sorted(root.rglob("migrations")):
        if (
            not any("migrations.Migration" in file.read_text(errors="replace") for file in folder.glob("*.py"))
            or "test" in str(folder.relative_to(root)).lower()
        ):
            continue
        app = folder.parent
        package = app
        while (package.parent / "__init__.py").exists() and package.parent != root:
            package = package.parent
        module = ".".join(folder.relative_to(package.parent).parts)
        label = app.name
        apps = app / "apps.py"
        if apps.exists() and (match := re.search(r"^\s+label\s*=\s*[\"'](\w+)[\"']", apps.read_text(errors="replace"), re.MULTILINE)):
            label = match.group(1)
        found.append({"app": label, "module": module, "folder": str(folder), "root": str(package.parent), "top": module.partition(".")[0]})
    return found


USERS = {
    "TandoorRecipes+recipes": "auth.User", "ansible+awx": "auth.User", "freelawproject+courtlistener": "auth.User", "grafana+oncall": "user_management.User",
    "healthchecks+healthchecks": "auth.User", "makeplane+plane": "db.User", "rapidpro+rapidpro": "auth.User",
}  # fmt: skip
BASE = ["django.contrib.contenttypes", "django.contrib.auth", "django.contrib.sites", "django.contrib.sessions", "django.contrib.postgres"]
MORE = {
    "freelawproject+courtlistener": ["pgtrigger", "pghistory"], "ansible+awx": ["oauth2_provider", "social_django"],
    "TandoorRecipes+recipes": ["rest_framework.authtoken", "oauth2_provider", "allauth.account", "allauth.socialaccount"],
    "grafana+oncall": ["social_django"],
}  # fmt: skip
SETTINGS = {
    "ansible+awx": {
        "OAUTH2_PROVIDER_APPLICATION_MODEL": "main.OAuth2Application", "OAUTH2_PROVIDER_ACCESS_TOKEN_MODEL": "main.OAuth2AccessToken",
        "OAUTH2_PROVIDER_REFRESH_TOKEN_MODEL": "oauth2_provider.RefreshToken", "OAUTH2_PROVIDER_ID_TOKEN_MODEL": "oauth2_provider.IDToken",
    },
}  # fmt: skip
REAL = {"grafana+oncall": ["engine/common/migrations/remove_field.py"]}  # helpers of migrations that are not stubbed
OPTIONS = ["parent_role", "schema", "allow_tags"]  # of the projects' own fields
LEAVE = {"grafana+oncall": {"mobile_app_tests"}}


def corpus_config(root: Path) -> dict[str, Any]:
    folders = [one for one in folders_of(root) if one["app"] not in LEAVE.get(root.name, ())]
    return {
        "folders": folders, "tops": sorted({one["top"] for one in folders}), "apps": [*BASE, *MORE.get(root.name, [])],
        "migration_modules": {one["app"]: one["module"] for one in folders},
        "settings": {"AUTH_USER_MODEL": USERS.get(root.name, "auth.User"), **SETTINGS.get(root.name, {})},
        "real": {one.removesuffix(".py").partition("/")[2].replace("/", "."): str(root / one) for one in REAL.get(root.name, ())},
        "unknown_options": OPTIONS,
    }  # fmt: skip


def own_fields(config: dict[str, Any], roots: list[Path]) -> dict[str, tuple[str, str, dict[str, Any]]]:
    """The field classes of a project, with what dbguard reads of them: Django gets them as stubs of that kind."""
    modules = Modules(Disk(lambda _: False), tuple(map(str, roots)))
    settings = Settings(resolve_class=lambda path: resolve_class(modules, path))
    found = {}
    for one in config.get("folders", ()):
        for path in Path(one["folder"]).glob("*.py"):
            try:
                names = Interpreter(path.read_text(errors="replace")).module
            except Interrupted:
                continue
            imported = {
                alias.name
                for node in ast.walk(names)
                if isinstance(node, ast.Import)
                for alias in node.names
                if alias.name.partition(".")[0] in config["tops"]
            }
            for module in imported:
                for match in re.findall(rf"\b{re.escape(module)}\.([A-Z]\w+)\(", path.read_text(errors="replace")):
                    field = field_of(Called(Symbol(f"{module}.{match}"), (), {}, ast.Pass()), settings)
                    plain = {name: value for name, value in field.options.items() if isinstance(value, str | int | bool) and name != "on_delete"}
                    if field.kind:
                        found[f"{module}.{match}"] = (field.kind, field.type, plain)
    return found


def main() -> None:
    arguments = [one for one in sys.argv[1:] if not one.startswith("--")]
    verbose = "--verbose" in sys.argv
    only = sys.argv[sys.argv.index("--only") + 1] if "--only" in sys.argv else ""
    keep = sys.argv[sys.argv.index("--keep") + 1] if "--keep" in sys.argv else ""
    arguments = [one for one in arguments if one not in {only, keep}]
    total: Counter[str] = Counter()
    with start() as server:
        jobs: list[tuple[str, dict[str, Any], list[Path]]] = [("packages", {"apps": PACKAGES}, [])]
        for corpus in map(Path, arguments[1:]):
            for root in sorted(corpus.iterdir()):
                config = corpus_config(root)
                if config["folders"]:
                    jobs.append((root.name, config, sorted({Path(one["root"]) for one in config["folders"]})))
        for name, config, roots in jobs:
            if only and only not in name:
                continue
            config["fields"] = own_fields(config, roots)
            config |= {"host": str(server.folder), "database": server.create_database()}
            try:
                result = judge(arguments[0], config, Path(keep, f"{name}.json") if keep else None)
            except subprocess.CalledProcessError as error:
                print(f"{name}: the judge fails: {error}")
                continue
            paths = [
                *roots,
                *(
                    {Path(sys.prefix)}
                    if roots
                    else {Path(arguments[0]).parent.parent / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"}
                ),
            ]
            modules = Modules(Disk(lambda _: False), tuple(map(str, paths)))
            settings = Settings(
                default_auto_field=result["default_auto_field"], auth_user_model=result["auth_user_model"], version=tuple(result["version"]),
                resolve_class=lambda path, modules=modules: resolve_class(modules, path), values=SETTINGS.get(name, {}),
            )  # fmt: skip
            outcome = compare(name, result, settings, modules, verbose=verbose)
            total += outcome.counts
            counts = ", ".join(f"{count} {what}" for what, count in outcome.counts.most_common())
            print(
                f"{name}: {sum(outcome.counts.values())} migrations: {counts}; {outcome.operations} operations, {sum(count for reason, count in outcome.unread.items() if not reason.startswith('Django fails'))} unread"
            )
            for reason, count in outcome.unread.most_common(12):
                print(f"    {count} x {reason}")
    print("total:", ", ".join(f"{count} {what}" for what, count in total.most_common()), f"of {sum(total.values())}")


if __name__ == "__main__":
    main()

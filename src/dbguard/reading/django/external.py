"""Models of apps whose migrations are not in the project: what is known of their tables, and what is assumed of the others."""

from __future__ import annotations

from dbguard.reading.django.fields import Field
from dbguard.reading.django.migration import Settings
from dbguard.reading.django.state import Key, ModelState

_SWAPPED = {
    "application": "APPLICATION", "accesstoken": "ACCESS_TOKEN", "refreshtoken": "REFRESH_TOKEN", "idtoken": "ID_TOKEN", "grant": "GRANT",
}  # fmt: skip
SWAPPABLE: dict[str, tuple[str, str]] = {
    f"oauth2_provider.settings.oauth2_settings.{name}_MODEL": (f"OAUTH2_PROVIDER_{name}_MODEL", f"oauth2_provider.{model}")
    for model, name in _SWAPPED.items()
}

_INTEGER_KEYS = frozenset(  # apps whose tables have keys of four bytes
    ["auth", "contenttypes", "sites", "admin", "flatpages", "redirects", "taggit", "wagtailcore", "wagtailimages", "wagtaildocs", "wagtailembeds",
     "wagtailforms", "wagtailredirects", "wagtailsearch", "wagtailusers", "django_celery_beat", "django_celery_results", "easy_thumbnails",
     "reversion", "guardian", "otp_totp", "otp_static", "otp_email", "account", "socialaccount", "axes", "thumbnail", "mailer"]
)  # fmt: skip
_WIDE_KEYS = frozenset(["oauth2_provider", "social_django", "waffle", "silk", "auditlog", "push_notifications"])
_OTHER_KEYS: dict[Key, tuple[str, str, dict[str, object]]] = {
    ("authtoken", "token"): ("key", "CharField", {"max_length": 40}),
    ("sessions", "session"): ("session_key", "CharField", {"max_length": 40}),
}
_TABLES: dict[Key, str] = {
    ("contenttypes", "contenttype"): "django_content_type",
    ("sites", "site"): "django_site",
    ("sessions", "session"): "django_session",
    ("admin", "logentry"): "django_admin_log",
    ("flatpages", "flatpage"): "django_flatpage",
    ("redirects", "redirect"): "django_redirect",
}


def field(kind: str, **options: object) -> Field:
    return Field(f"django.db.models.{kind}", kind, options)


def assumed(key: Key, settings: Settings) -> tuple[ModelState, str]:
    """A model that no migration makes, and what was assumed of it (empty if it is known)."""
    app, name = key
    table = _TABLES.get(key)
    options = {"db_table": table} if table else {}
    if key in _OTHER_KEYS:
        column, kind, more = _OTHER_KEYS[key]
        return ModelState(app, name, {column: field(kind, primary_key=True, **more)}, options, external=True), ""
    if app in _INTEGER_KEYS or app in _WIDE_KEYS:
        kind, note = ("AutoField" if app in _INTEGER_KEYS else "BigAutoField"), ""
    else:
        kind = settings.default_auto_field.rpartition(".")[2]
        note = f"`{app}.{name}` is made by migrations that are not here: its key is taken to be `id`, {kind}"
    fields = {"id": field(kind, primary_key=True, auto_created=True)}
    return ModelState(app, name, fields, options, external=True), note

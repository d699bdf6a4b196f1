"""Postgres: it answers, its schema is the newest, the role may write, the monitor runs."""

from collections.abc import Iterator
from typing import Final

from otel_guard.core.exceptions import OtelGuardError, SettingsError, StoreUnavailableError
from otel_guard.doctor._base import Finding, Look, Status, skipped
from otel_guard.store import fitness
from otel_guard.store.migrate import needed_version

GROUP: Final = "postgres"
UNREACHABLE: Final = "postgres"  # the row's name: alone it is exit code 69
PERIODS: Final = 3
MONITOR: Final = "start `otel-guard monitor`, or run `otel-guard monitor --once` from cron"
MIGRATE: Final = "run `otel-guard migrate`"
SHOWN: Final = 4


def check(look: Look) -> Iterator[Finding]:
    """Ask it, if there is one."""
    dsn = look.settings.dsn
    if dsn is None:
        fix = "set OTEL_GUARD_DSN=postgresql://user@host:5432/database"
        has_sentry = look.settings.sentry != "off" and bool(look.environ.get("SENTRY_DSN"))
        where = "records go to Sentry only" if has_sentry else "records are not stored anywhere"
        yield _row("postgres dsn", "absent" if has_sentry else "warning", f"OTEL_GUARD_DSN is not set: {where}", fix)
        return
    if not look.is_network_allowed:
        yield skipped(GROUP, "postgres")
        return
    try:
        found = fitness.look(dsn)
    except StoreUnavailableError as error:
        yield _row(
            UNREACHABLE, "failed", str(error), "start Postgres, or correct OTEL_GUARD_DSN; records wait till then"
        )
    except SettingsError as error:
        yield _row("postgres dsn", "failed", *_parted(error))
    except OtelGuardError as error:
        yield _row("postgres login", "failed", *_parted(error))
    else:
        yield from _judged(found)


def _judged(found: fitness.Fitness) -> Iterator[Finding]:
    said = f"{found.where} answers {found.role}"
    yield Finding(group=GROUP, name="postgres", version=found.server_version, status="ok", detail=said)
    if not found.has_schema:
        yield _row("postgres schema", "failed", "there is no schema otel_guard", MIGRATE)
        return
    yield from _rights(found)
    if found.version is not None:
        needed = needed_version()
        if found.version < needed:
            detail = f"at version {found.version}, this otel-guard needs {needed}"
            yield _row("postgres schema", "failed", detail, MIGRATE)
            return
        yield _row("postgres schema", "ok", f"at version {found.version:04}")
    if found.has_monitor_rows:
        yield _monitor(found)
    if not found.sees_others:
        fix = f"as a superuser: GRANT pg_monitor TO {found.role}"
        yield _row("pg_monitor", "warning", "waits and statements of other roles are not seen", fix)


def _rights(found: fitness.Fitness) -> Iterator[Finding]:
    lacking = {right for _, right in found.missing}
    grant = (
        f"as its owner: GRANT USAGE ON SCHEMA otel_guard TO {found.role}; "
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA otel_guard TO {found.role}"
    )
    if not found.may_use:
        yield _row("postgres rights", "failed", f"{found.role} may not use the schema otel_guard", grant)
    elif lacking - {"DELETE"}:
        first = ", ".join(f"{right} on {table}" for table, right in found.missing[:SHOWN])
        more = f" and {len(found.missing) - SHOWN} more" if len(found.missing) > SHOWN else ""
        yield _row("postgres rights", "failed", f"{found.role} lacks {first}{more}", grant)
    elif lacking:
        yield _row(
            "postgres rights", "warning", f"{found.role} may not delete: as the monitor it keeps everything", grant
        )
    else:
        yield _row("postgres rights", "ok", f"{found.role} may read and write")


def _monitor(found: fitness.Fitness) -> Finding:
    age_s = found.monitor_age_s
    if age_s is None:
        return _row("monitor", "warning", "it never ran: no rule is judged, no row is deleted", MONITOR)
    detail = f"its last cycle was {age_s:.0f} s ago"
    if age_s > PERIODS * found.monitor_period_s:
        return _row("monitor", "warning", f"{detail}: no rule is judged, no row is deleted", MONITOR)
    return _row("monitor", "ok", detail)


def _parted(error: Exception) -> tuple[str, str]:
    what, _, cure = str(error).rpartition(": ")
    return what, cure


def _row(name: str, status: Status, detail: str, fix: str = "") -> Finding:
    return Finding(group=GROUP, name=name, status=status, detail=detail, fix=fix)

"""Who is told, and when: `[channel.*]`, `[escalation.*]`, and the channels that a variable alone makes."""

from collections.abc import Iterator, Mapping
from typing import Final, Literal, get_args

from msgspec import Struct

from otel_guard.core.record import SEVERITIES
from otel_guard.settings.table import NAME, Table, any_of, is_web_address, near, tables
from otel_guard.settings.tree import Settings

ChannelType = Literal["slack", "webhook"]
TYPES: Final[tuple[ChannelType, ...]] = get_args(ChannelType)
# Without a [channel] table a variable makes a channel: name, type, variables of the address and of the signature.
FROM_VARIABLES: Final[tuple[tuple[str, ChannelType, str, str], ...]] = (
    ("slack", "slack", "SLACK_WEBHOOK_URL", ""),
    ("make", "webhook", "MAKE_WEBHOOK_URL", "MAKE_SIGNING_SECRET"),
)
DEFAULT_S: Final[Mapping[str, tuple[float, ...]]] = {
    "critical": (0.0, 600.0, 1800.0),
    "high": (0.0,),
    "medium": (0.0,),
    "low": (),
}
_KEYS: Final = ("type", "url_env", "secret_env", "api_key_env")
_OFF: Final = "the channel is off till then"


class ChannelConfig(Struct, frozen=True, kw_only=True):
    """Where one channel sends; only `name` and `type` are ever shown."""

    name: str
    type: ChannelType
    url: str
    secret: str | None = None
    api_key: str | None = None

    def __repr__(self) -> str:
        return f"ChannelConfig(name={self.name!r}, type={self.type!r})"

    def __rich_repr__(self) -> list[tuple[str, object]]:
        return [("name", self.name), ("type", self.type)]


class Escalation(Struct, frozen=True):
    """After *after_s* the channels *to* are told, if nobody has acknowledged."""

    after_s: float
    to: tuple[str, ...]


class Alerting(Struct, frozen=True, kw_only=True):
    """The channels that are on, the steps of each severity, and a line `path: what; cure` for each thing wrong."""

    channels: tuple[ChannelConfig, ...]
    escalation: Mapping[str, tuple[Escalation, ...]]
    problems: tuple[str, ...]
    unset: tuple[str, ...] = ()  # those of the problems that are the environment's, not the file's
    off: tuple[str, ...] = ()  # the channels that are written but cannot send


def alerting(settings: Settings, environ: Mapping[str, str]) -> Alerting:
    """Read the channels and the escalation; a bad channel is off, a bad escalation is the default; never raises."""
    found = _Found([], [])
    written = tables(settings.tables, "channel", found.problems)
    if settings.tables.get("channel"):
        read = [_channel(name, keys, environ, found) for name, keys in written.items()]
    else:
        read = list(_from_variables(environ, found.problems))
    channels = tuple(channel for channel in read if channel)
    on = tuple(channel.name for channel in channels)
    names = tuple(written) or on
    escalation = _default(on)
    for severity, values in tables(settings.tables, "escalation", found.problems).items():
        steps = _escalation(severity, values, names, on, found)
        escalation |= {} if steps is None else {severity: steps}
    return Alerting(
        channels=channels,
        escalation=escalation,
        problems=tuple(found.problems),
        unset=tuple(found.unset),
        off=tuple(name for name in names if name not in on),
    )


class _Found(Struct, frozen=True):
    """What is wrong so far."""

    problems: list[str]
    unset: list[str]

    def keep(self, table: Table) -> None:
        self.problems.extend(table.problems)
        self.unset.extend(table.unset)


def _default(on: tuple[str, ...]) -> dict[str, tuple[Escalation, ...]]:
    return {severity: tuple(Escalation(at, on) for at in times if on) for severity, times in DEFAULT_S.items()}


def _from_variables(environ: Mapping[str, str], problems: list[str]) -> Iterator[ChannelConfig]:
    for name, kind, variable, signature in FROM_VARIABLES:
        url = environ.get(variable, "").strip()
        if url and not is_web_address(url):
            problems.append(f"{variable}: not an http or https address; write https://… into it, {_OFF}")
        elif url:
            yield ChannelConfig(name=name, type=kind, url=url, secret=environ.get(signature, "").strip() or None)


def _channel(name: str, keys: Mapping[str, object], environ: Mapping[str, str], found: _Found) -> ChannelConfig | None:
    """Read one channel; None: it cannot send. What is wrong with a signature or an unknown key does not turn it off."""
    if not NAME.fullmatch(name):
        found.problems.append("channel: a name has more than letters, digits, _ and -; write [channel.ops]")
        return None
    table = Table(f"channel.{name}", keys, is_secret=True)
    table.known(_KEYS, {"url": 'a secret stands in no file; write url_env = "SLACK_WEBHOOK_URL"'})
    kind = table.one_of("type", TYPES, "channel type")
    if "type" not in keys:
        table.problem("type", "missing", f"write slack or webhook, {_OFF}")
    url = table.variable("url_env", environ, _OFF)
    if not {"url", "url_env"} & set(keys):
        table.problem("url_env", "missing", f"write the name of the variable that holds the address, {_OFF}")
    if url and not is_web_address(url):
        table.problem("url_env", "the variable holds no http or https address", f"write https://… into it, {_OFF}")
        url = None
    secret = table.variable("secret_env", environ, "messages go unsigned")
    api_key = table.variable("api_key_env", environ, "messages go without it")
    _only_webhook(table, kind)
    found.keep(table)
    return ChannelConfig(name=name, type=kind, url=url, secret=secret, api_key=api_key) if kind and url else None


def _only_webhook(table: Table, kind: ChannelType | None) -> None:
    for key in ("secret_env", "api_key_env"):
        if kind == "slack" and key in table.values:
            table.problem(key, "Slack takes none", "leave it out")


def _escalation(
    severity: str, values: Mapping[str, object], written: tuple[str, ...], on: tuple[str, ...], found: _Found
) -> tuple[Escalation, ...] | None:
    """Read the steps of one severity; None: the default holds."""
    if severity not in SEVERITIES:
        meant = near(severity, SEVERITIES)
        cure = f'did you mean "{meant}"?' if meant else f"write {any_of(SEVERITIES)}"
        found.problems.append(f"escalation.{severity}: not a severity; {cure}")
        return None
    table = Table(f"escalation.{severity}", values)
    steps = _steps(table, written)
    is_good = not table.problems
    told = tuple(Escalation(step.after_s, tuple(name for name in step.to if name in on)) for step in steps)
    told = tuple(step for step in told if step.to)
    if is_good and steps and on and not told:
        cure = "mend its channels; all others are told till then"
        table.unset.append(table.problem("steps", "none of its channels is on", cure))
    found.keep(table)
    return told if is_good and (told or not steps) else None


def _steps(table: Table, written: tuple[str, ...]) -> list[Escalation]:
    table.known(("steps",))
    rows = table.values.get("steps")
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        what = "missing" if rows is None else "not an array of tables"
        table.problem("steps", what, 'write steps = [{ after = "0s", to = ["slack"] }]')
        return []
    steps = [_step(Table(f"{table.path}.steps[{n}]", row), written, table) for n, row in enumerate(rows)]
    times = [step.after_s for step in steps]
    if times != sorted(set(times)) and not table.problems:
        table.problem("steps", "a step is not after the one before", "write them in the order of after")
    return steps


def _step(row: Table, written: tuple[str, ...], table: Table) -> Escalation:
    row.known(("after", "to"))
    names = row.values.get("to")
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        row.problem("to", "missing" if names is None else "not a list of channels", 'write to = ["slack"]')
        names = []
    for name in names:
        if name not in written:
            row.problem("to", f"no channel {row.shown(name)}", _cure(name, written))
    after_s = row.duration("after")
    table.adopt("steps", row.problems)
    return Escalation(after_s or 0.0, tuple(dict.fromkeys(names)))


def _cure(name: str, written: tuple[str, ...]) -> str:
    meant = near(name, written)
    if meant:
        return f'did you mean "{meant}"?'
    variable = next((variable for each, _, variable, _ in FROM_VARIABLES if each == name), None)
    if variable and set(written) <= {each for each, *_ in FROM_VARIABLES}:
        return f"set {variable}, or write [channel.{name}]"
    return f"write [channel.{name}]" if NAME.fullmatch(name) else "write [channel.NAME]"

"""Notices as a Slack message: text, attachment, blocks, within Slack's limits."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from otel_guard.alerts.channels import _slack_text as shown
from otel_guard.core.duration import shown as span
from otel_guard.core.incident import Notice
from otel_guard.core.record import SEVERITIES

NAMED: Final = 3  # rules of a message of several, as a notification shows it
COLOURS: Final = {"low": "#8a9199", "medium": "#e8a317", "high": "#d72b3f", "critical": "#7a0c1c"}
GOOD: Final = "#2eb67d"
WORDS: Final = {
    "fired": "FIRING",
    "raised": "RAISED",
    "escalated": "ESCALATED",
    "resolved": "RESOLVED",
    "held": "HELD",
    "test": "TEST",
}
ASKING: Final = frozenset({"fired", "raised", "escalated"})  # of a person
MOST_LINES: Final = 10
TOP_LINES: Final = 5
# Slack: header 150, section 3000, field 2000, button's URL 3000; ours are shorter, so that their sum stays below 10,000.
TEXT: Final = 3000
HEADER: Final = 150
FIELD: Final = 400
LINE: Final = 300
QUERY: Final = 220
LINK: Final = 250
URL: Final = 3000
_DAY: Final = timedelta(days=1)
_MINUTE_S: Final = 60

Block = dict[str, Any]


def message(notices: Sequence[Notice]) -> Block:
    """One message of one notice, or of several: ten lines "and N more"."""
    worst = _worst(notices)
    if len(notices) == 1:
        text, blocks = headline(notices[0]), list(_blocks(notices[0]))
    else:
        text, blocks = _summary(notices), list(_group_blocks(notices))
    return {"text": shown.cut(text, TEXT), "attachments": [{"color": worst, "blocks": blocks}]}


def plain(notices: Sequence[Notice]) -> Block:
    """The same in text alone, for a Slack that refused the blocks."""
    if len(notices) == 1:
        (notice,) = notices
        lines = [headline(notice), *notice.top[:TOP_LINES], *filter(None, (notice.url, _command(notice)))]
    else:
        lines = [_summary(notices), *map(headline, notices[:MOST_LINES]), *_more(notices)]
    return {"text": shown.joined((shown.cut(line, LINE * 2) for line in lines), TEXT)}


def headline(notice: Notice) -> str:
    """`[FIRING high] error_burst web/production: 37 errors in last 5 minutes (limit 10)`."""
    incident = notice.incident
    if notice.event == "held":
        return f"[HELD] {_counted(notice.held, 'message')} held back, too many in 10 min: see `otel-guard alerts`"
    where = "/".join(filter(None, (incident.service, incident.environment)))
    subject = " ".join(filter(None, (incident.rule or incident.type, where)))
    limit = f" (limit {shown.number(incident.threshold)})" if incident.threshold is not None else ""
    return f"[{WORDS[notice.event]} {incident.severity}] {subject}: {' '.join(incident.message.split())}{limit}{_ending(notice)}"


def _ending(notice: Notice) -> str:
    if notice.event == "escalated":
        return ", not acknowledged yet"
    lasted = _lasted(notice)
    return f", lasted {lasted}" if lasted else ""


def _summary(notices: Sequence[Notice]) -> str:
    firing = sum(notice.event != "resolved" for notice in notices)
    resolved = len(notices) - firing
    counts = [f"{n} {word}" for n, word in ((firing, "firing"), (resolved, "resolved")) if n]
    names = list(dict.fromkeys(notice.incident.rule or notice.incident.type for notice in notices))
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    what = ", ".join([*names[:NAMED], *more])
    return f"[{len(notices)} alerts] {', '.join(counts)}, worst {_severity(notices)}: {what}"


def _blocks(notice: Notice) -> Iterator[Block]:
    yield _header(_title(notice))
    if notice.event == "held":
        return
    if fields := [_mrkdwn(text) for text in _fields(notice)]:
        yield {"type": "section", "fields": fields}
    if text := "\n".join(_body(notice)):
        yield {"type": "section", "text": _mrkdwn(text)}
    if buttons := list(_buttons(notice)):
        yield {"type": "actions", "elements": buttons}
    if command := _command(notice):
        yield {"type": "section", "text": _mrkdwn(f"*Acknowledge*\n{shown.code(command, LINE)}")}


def _group_blocks(notices: Sequence[Notice]) -> Iterator[Block]:
    yield _header(f"{len(notices)} alerts, worst {_severity(notices)}")
    for notice in notices[:MOST_LINES]:
        links = (shown.link(notice.url, "Open", LINK), _acknowledge(notice))
        yield {
            "type": "section",
            "text": _mrkdwn(" · ".join((shown.cut(headline(notice), LINE), *filter(None, links)))),
        }
    for text in _more(notices):
        yield {"type": "section", "text": _mrkdwn(text)}


def _acknowledge(notice: Notice) -> str:
    if notice.event not in ASKING:
        return ""
    linked = shown.link(notice.acknowledge_url, "Acknowledge", LINK)
    command = notice.acknowledge_command
    return linked or (shown.code(command, LINK) if command else "")


def _more(notices: Sequence[Notice]) -> list[str]:
    return [f"and {len(notices) - MOST_LINES} more"] if len(notices) > MOST_LINES else []


def _title(notice: Notice) -> str:
    incident = notice.incident
    if notice.event == "held":
        return f"{_counted(notice.held, 'message')} held back"
    name = (incident.rule or incident.type).replace("_", " ")
    return f"{WORDS[notice.event]} {incident.severity}: {', '.join(filter(None, (name, incident.service)))}"


def _fields(notice: Notice) -> Iterator[str]:
    incident = notice.incident
    if incident.value is not None:
        limit = f" (limit {shown.number(incident.threshold)})" if incident.threshold is not None else ""
        yield f"*Value*\n{shown.number(incident.value)}{limit}"
    elif incident.occurrences > 1:
        yield f"*Times*\n{incident.occurrences}"
    if since := incident.impact_started_at or incident.fired_at:
        yield f"*Since*\n{_date(since, notice.at)}"
    if lasted := _lasted(notice):
        yield f"*Lasted*\n{lasted}"
    if notice.deployed:
        yield f"*Deployment*\n{shown.cut(notice.deployed, FIELD)}"


def _body(notice: Notice) -> Iterator[str]:
    if notice.top:
        yield "*Top*"
        yield from (shown.cut(line, LINE) for line in notice.top[:TOP_LINES])
    elif queries := notice.incident.queries[:TOP_LINES]:
        yield "*Queries*"
        yield from map(_query, queries)
    if notice.runbook and notice.event in ASKING:
        yield "*Runbook*"
        for number, step in enumerate(notice.runbook[:3], 1):
            yield shown.cut(step if step[:1].isdigit() else f"{number}. {step}", LINE)


def _query(query: dict[str, Any]) -> str:
    duration = query.get("duration")
    took = f"{duration:.0f} ms" if isinstance(duration, int | float) else duration
    facts = (took, query.get("table"), query.get("place"))
    rest = " ".join(str(fact) for fact in facts if fact)
    return f"{shown.code(str(query.get('query') or '?'), QUERY)} {shown.cut(rest, LINE // 2)}"


def _buttons(notice: Notice) -> Iterator[Block]:
    links = [("Open", notice.url)]
    if notice.event in ASKING:
        links.append(("Acknowledge", notice.acknowledge_url))
    for word, url in links:
        if url and len(url) <= URL:
            yield {"type": "button", "text": {"type": "plain_text", "text": word}, "url": url}


def _command(notice: Notice) -> str:
    """What to type where there is no link to click."""
    return notice.acknowledge_command if notice.event in ASKING and not notice.acknowledge_url else ""


def _lasted(notice: Notice) -> str:
    incident = notice.incident
    since, until = incident.impact_started_at or incident.fired_at, incident.resolved_at
    if notice.event != "resolved" or since is None or until is None:
        return ""
    lasted_s = max((until - since).total_seconds(), 0.0)
    return span(round(lasted_s / _MINUTE_S) * _MINUTE_S if lasted_s >= 2 * _MINUTE_S else round(lasted_s))


def _date(at: datetime, now: datetime) -> str:
    """In the reader's own time zone; apps that know no dates show the text behind the bar."""
    is_old = now - at >= _DAY
    form, other = ("{date_short} {time_secs}", "%Y-%m-%d %H:%M:%S UTC") if is_old else ("{time_secs}", "%H:%M:%S UTC")
    return f"<!date^{int(at.timestamp())}^{form}|{shown.utc(at).strftime(other)}>"


def _header(text: str) -> Block:
    return {"type": "header", "text": {"type": "plain_text", "text": shown.cut(" ".join(text.split()), HEADER)}}


def _mrkdwn(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}


def _severity(notices: Sequence[Notice]) -> str:
    return max((notice.incident.severity for notice in notices), key=SEVERITIES.index)


def _worst(notices: Sequence[Notice]) -> str:
    bad = [notice for notice in notices if notice.event != "resolved"]
    return COLOURS[_severity(bad)] if bad else GOOD


def _counted(n: int, word: str) -> str:
    return f"{n} {word}{'s' * (n != 1)}"

"""Address: the URIs at which something can change: tickets, incidents, and the lists of open tickets."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from opsai_server.tickets.store_news import News, Stand

_ONE = re.compile(r"opsai://(?P<view>tickets|incidents)/(?P<id>[^/?#]{1,40})")
_OPEN = re.compile(r"opsai://tickets(?:\?cluster=(?P<cluster>[^&#]{1,400}))?")


@dataclass(frozen=True, slots=True)
class Address:
    """What a client knows by a URI."""

    uri: str
    view: Literal["ticket", "incident", "open"]
    what: str
    """The ticket, or the cluster whose open tickets are listed; empty for those of all clusters."""

    def stand(self, news: News) -> Stand | None:
        """Return what is compared; None where there is nothing of a cluster that was looked at."""
        if self.view == "open":
            return tuple(news.open.values()) if not self.what else news.open.get(self.what)
        mark = news.marks.get(self.what)
        if mark is None or mark.cluster not in news.open:
            return None
        return mark.ticket if self.view == "ticket" else mark.family


def address_of(uri: str) -> Address | None:
    """Read a URI; None when nothing changes there."""
    found = _ONE.fullmatch(uri)
    if found is not None:
        return Address(uri, "ticket" if found["view"] == "tickets" else "incident", unquote(found["id"]))
    listed = _OPEN.fullmatch(uri)
    return None if listed is None else Address(uri, "open", unquote(listed["cluster"] or ""))

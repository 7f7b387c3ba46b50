"""Address: the URIs under which a ticket can change. Everything else that this server shows stays as it is."""

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote

from opsai_server.tickets.store_news import Mark, Stand

_CHANGING = re.compile(r"opsai://(?P<view>tickets|incidents)/(?P<id>[^/?#]{1,40})")


@dataclass(frozen=True, slots=True)
class Address:
    """A ticket, or the incident that it belongs to, by the URI that a client knows it by."""

    uri: str
    view: Literal["tickets", "incidents"]
    ticket: str

    def stand(self, mark: Mark) -> Stand:
        """Return what is compared: the ticket's own stand, or its whole family's."""
        return mark.ticket if self.view == "tickets" else mark.family


def address_of(uri: str) -> Address | None:
    """Read a URI; None when it is not of a ticket or incident."""
    found = _CHANGING.fullmatch(uri)
    if found is None:
        return None
    return Address(uri, "tickets" if found["view"] == "tickets" else "incidents", unquote(found["id"]))

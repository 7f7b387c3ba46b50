"""Addresses of members: the host:port of a URL, and its host."""


def address_of(url: str) -> str:
    """Return the host:port of a URL."""
    return url.rpartition("://")[2].rpartition("@")[2].partition("/")[0]


def host_of(address: str) -> str:
    """Return the host of `host:port`, brackets of IPv6 taken off."""
    return address.rpartition(":")[0].strip("[]")

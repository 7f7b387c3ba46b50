"""Every deed, registered."""

from tests.tikv.deeds import clients, members, pressure, processes, resources
from tests.tikv.deeds.register import DEEDS

__all__ = ["DEEDS", "clients", "members", "pressure", "processes", "resources"]

"""Regions, placement rules and region labels read from JSON.

Every function raises ValueError (pydantic's ValidationError among them) for what is not what it should be, and nothing else.
"""

from typing import Annotated

from pydantic import BeforeValidator, TypeAdapter

from opsai_tikv.pd.shapes import Finite, Hex, Id, Json, Name, Names, Text, or_empty_list
from opsai_tikv.pd.values import Constraint, LabelRule, Peer, Region, RegionsFound, Rule


class _Peer(Json):
    id: Id = ""
    store_id: Id = ""
    role_name: Name = "Voter"


class _DownPeer(Json):
    down_seconds: Finite = 0.0
    peer: _Peer = _Peer()


class _Region(Json):
    id: Id
    start_key: Hex = ""
    end_key: Hex = ""
    peers: Annotated[tuple[_Peer, ...], BeforeValidator(or_empty_list)] = ()
    leader: _Peer | None = None
    down_peers: Annotated[tuple[_DownPeer, ...], BeforeValidator(or_empty_list)] = ()
    pending_peers: Annotated[tuple[_Peer, ...], BeforeValidator(or_empty_list)] = ()
    approximate_size: Finite = 0.0
    approximate_keys: int = 0
    written_bytes: Finite = 0.0
    read_bytes: Finite = 0.0


class _Regions(Json):
    count: int = 0
    regions: Annotated[tuple[_Region, ...], BeforeValidator(or_empty_list)] = ()


def read_regions(json: object, check: str) -> RegionsFound:
    """Read what a region check lists, in order of id (PD's own order is random)."""
    found = _Regions.model_validate(json)
    ordered = sorted(found.regions, key=lambda region: int(region.id or "0"))
    return RegionsFound(check=check, count=found.count, regions=tuple(_region(region) for region in ordered))


def _region(region: _Region) -> Region:
    return Region(
        id=region.id,
        peers=tuple(Peer(id=peer.id, store_id=peer.store_id, role=peer.role_name) for peer in region.peers),
        leader_store_id=(region.leader.store_id or None) if region.leader else None,
        down_peers={down.peer.store_id: down.down_seconds for down in region.down_peers},
        pending_store_ids=tuple(peer.store_id for peer in region.pending_peers),
        size_mib=region.approximate_size,
        keys=region.approximate_keys,
        written_bytes=region.written_bytes,
        read_bytes=region.read_bytes,
        start_key=region.start_key,
        end_key=region.end_key,
    )


def read_region(json: object) -> Region | None:
    """Read `/region/id/…` or `/region/key/…`; null is how a PD before v8 says that there is none."""
    return None if json is None else _region(_Region.model_validate(json))


class _Count(Json):
    count: int


def read_count(json: object) -> int:
    """Read `/regions/count`."""
    return _Count.model_validate(json).count


class _Constraint(Json):
    key: Name = ""
    op: Name = ""
    values: Names = ()


class _Rule(Json):
    group_id: Name = ""
    id: Name = ""
    role: Name = ""
    count: int = 0
    location_labels: Names = ()
    isolation_level: Name = ""
    label_constraints: Annotated[tuple[_Constraint, ...], BeforeValidator(or_empty_list)] = ()
    start_key: Text = ""
    end_key: Text = ""


_RULES = TypeAdapter(Annotated[list[_Rule], BeforeValidator(or_empty_list)])


def read_rules(json: object) -> tuple[Rule, ...]:
    """Read `/config/rules`."""
    return tuple(
        Rule(
            group_id=rule.group_id,
            id=rule.id,
            role=rule.role,
            count=rule.count,
            location_labels=tuple(rule.location_labels),
            isolation_level=rule.isolation_level,
            constraints=tuple(
                Constraint(key=one.key, op=one.op, values=tuple(one.values)) for one in rule.label_constraints
            ),
            start_key=rule.start_key,
            end_key=rule.end_key,
        )
        for rule in _RULES.validate_python(json)
    )


class _Label(Json):
    key: Name = ""
    value: Name = ""


class _LabelRule(Json):
    id: Name = ""
    labels: Annotated[tuple[_Label, ...], BeforeValidator(or_empty_list)] = ()
    data: Annotated[tuple[object, ...], BeforeValidator(or_empty_list)] = ()


_LABEL_RULES = TypeAdapter(Annotated[list[_LabelRule], BeforeValidator(or_empty_list)])


def read_label_rules(json: object) -> tuple[LabelRule, ...]:
    """Read `/config/region-label/rules`."""
    return tuple(
        LabelRule(id=rule.id, labels={label.key: label.value for label in rule.labels}, ranges=len(rule.data))
        for rule in _LABEL_RULES.validate_python(json)
    )

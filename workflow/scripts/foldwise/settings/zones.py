"""Zones as a study names them: which columns they are, and which trade places in a mirror.

Standard library only: studies are checked against this when the DAG is built.
"""

from typing import Any

from foldwise.errors import FoldwiseError, nearest

# Lung zones of a chest film as the CSI score names them.
CHEST = ("right_sup", "left_sup", "right_mid", "left_mid", "right_inf", "left_inf")
DEFAULTS = {
    "data": {"columns.zones": list(CHEST), "mirror": [list(CHEST[n : n + 2]) for n in (0, 2, 4)]},
    "folds": {"strata": "unknown_zones"},
    "model": {"name": "small_cnn", "zone_windows": True},
}


def check_zones(settings: dict[str, Any], wanted: bool, where: str) -> None:
    """Raise FoldwiseError for zones where none are scored, pairs that are none, unsafe flips."""
    data = settings["data"]
    zones, mirror = data["columns"]["zones"], data["mirror"]
    if not wanted:
        if zones or mirror:
            key = "columns.zones" if zones else "mirror"
            raise FoldwiseError(
                f"{where}: data.{key}: a {settings['kind']} study scores no zones. Leave it out, "
                "or set kind: zones."
            )
        return
    if not zones:
        raise FoldwiseError(f"{where}: data.columns.zones is empty. Name a column each zone.")
    if data["classes"]["mapping"] or data["classes"]["order"]:
        raise FoldwiseError(
            f"{where}: data.classes: a zone's scores are 0 to 3, and 4 or an empty cell for "
            "unknown; they cannot be renamed. Leave data.classes out."
        )
    _check_mirror(mirror or [], zones, where)
    if mirror is None and settings["augment"]["flip_horizontal"]:
        raise FoldwiseError(
            f"{where}: augment.flip_horizontal: a flipped image has its zones on the other side, "
            "and data.mirror does not say which. Name the pairs, such as [[A, D], [B, E]], or set "
            "augment.flip_horizontal to 0."
        )


def _check_mirror(pairs: list[list[str]], zones: list[str], where: str) -> None:
    named = [zone for pair in pairs for zone in pair]
    for zone in named:
        if zone not in zones and pairs == DEFAULTS["data"]["mirror"]:
            # The study names no pairs: what it misspelt is its own zone, not ours.
            odd = [own for own in zones if own not in named]
            raise FoldwiseError(
                f"{where}: data.columns.zones lacks '{zone}', which data.mirror pairs by default, "
                f"and has {', '.join(odd) or 'no other'}. Correct the spelling, or name the pairs "
                "of your zones in data.mirror."
            )
        if zone not in zones:
            raise FoldwiseError(
                f"{where}: data.mirror: '{zone}' is no zone.{nearest(zone, zones)} Zones: "
                f"{', '.join(zones)} (data.columns.zones)."
            )
        if named.count(zone) > 1:
            raise FoldwiseError(
                f"{where}: data.mirror: '{zone}' is in two pairs. A zone has one partner."
            )

"""A box in layers to a Gmsh model."""

from __future__ import annotations

from collections import defaultdict

import gmsh
import numpy as np

from fem_spe.geometry import Box
from fem_spe.geometry.faces import BOX_FACES, interface_name


def add_box(box: Box, scale: float) -> None:
    """Add `box` to the current model, with physical groups for every name."""
    layers = box.layers or {"matrix": box.size[-1]}
    dimension = len(box.size)
    extent = [s * scale for s in box.size]
    entities, names, low = [], [], 0.0
    for name, thickness in layers.items():
        height = thickness * scale
        if dimension == 2:
            tag = gmsh.model.occ.addRectangle(0, low, 0, extent[0], height)
        else:
            tag = gmsh.model.occ.addBox(0, 0, low, extent[0], extent[1], height)
        entities.append((dimension, tag))
        names.append(name)
        low += height
    if len(entities) > 1:
        gmsh.model.occ.fragment(entities[:1], entities[1:])
    gmsh.model.occ.synchronize()

    groups: dict[str, list[int]] = defaultdict(list)
    for name, (_, tag) in zip(names, entities, strict=True):
        groups[name].append(tag)
    for name, tags in groups.items():
        gmsh.model.addPhysicalGroup(dimension, tags, name=name)
    name_faces(dimension, np.zeros(dimension), np.array(extent))


def name_faces(dimension: int, low: np.ndarray, high: np.ndarray) -> list[int]:
    """Name the model's facets that lie on the box sides, and those between two regions.

    Returns:
        The facets that bound a region but are neither.
    """
    region_of = {
        entity: gmsh.model.getPhysicalName(dimension, tag)
        for _, tag in gmsh.model.getPhysicalGroups(dimension)
        for entity in gmsh.model.getEntitiesForPhysicalGroup(dimension, tag)
    }
    tolerance = 1e-6 * float(np.max(high - low))
    faces: dict[str, list[int]] = defaultdict(list)
    unnamed: list[int] = []
    for _, entity in gmsh.model.getEntities(dimension - 1):
        box = np.array(gmsh.model.getBoundingBox(dimension - 1, entity)).reshape(2, 3)
        around, _ = gmsh.model.getAdjacencies(dimension - 1, entity)
        both = {region_of[a] for a in around if a in region_of}
        if len(both) == 2:
            faces[interface_name(*both)].append(entity)
        named = len(both) == 2
        for axis, ends in enumerate(BOX_FACES[dimension]):
            for name, side in zip(ends, (low[axis], high[axis]), strict=True):
                if np.all(np.abs(box[:, axis] - side) < tolerance):
                    faces[name].append(entity)
                    named = True
        if both and not named:
            unnamed.append(entity)
    for name, tags in faces.items():
        gmsh.model.addPhysicalGroup(dimension - 1, tags, name=name)
    return unnamed

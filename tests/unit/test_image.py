"""Images: read as they were written, nothing dropped without a word, surfaces in their place."""

from __future__ import annotations

import numpy as np
import pytest

from fem_spe.case import load
from fem_spe.errors import CaseError, GeometryError
from fem_spe.geometry import Box, FiberNetwork, ImageFile, Voxels
from fem_spe.geometry.image import ImageFilter
from fem_spe.geometry.image_file import write
from fem_spe.geometry.image_sample import voxelize
from fem_spe.measure.texture import order_of_image

EDGE = 2.5e-7


def half(shape=(12, 10, 8)):
    """Fibre below the middle of x, and one voxel elsewhere: every axis can be told apart."""
    labels = np.zeros(shape, dtype=np.uint8)
    labels[: shape[0] // 2] = 1
    labels[-1, 1, 2] = 1
    return labels


@pytest.mark.parametrize("name", ["a.tif", "a.npy", "a.raw"])
def test_an_image_is_read_as_it_was_written(tmp_path, name):
    labels, file, raw = half(), tmp_path / name, {}
    if name == "a.raw":
        labels.ravel(order="F").tofile(file)
        raw = {"shape": labels.shape, "dtype": "uint8"}
    else:
        write(file, labels, (EDGE, EDGE, 2 * EDGE))
    image = ImageFile(file=str(file), voxel_size=(EDGE, EDGE, 2 * EDGE), **raw)
    assert image.size == pytest.approx((12 * EDGE, 10 * EDGE, 16 * EDGE))
    voxels = image.build()
    np.testing.assert_array_equal(voxels.labels, labels)
    assert voxels.fraction == pytest.approx(0.5 + 1 / 960)


def test_otsu_parts_grey_values_and_a_filter_takes_the_noise(tmp_path):
    rng = np.random.default_rng(0)
    true = half((24, 24, 24))
    grey = np.clip(60 + 120 * true + 25 * rng.standard_normal(true.shape), 0, 255).astype(np.uint8)
    np.save(tmp_path / "a.npy", grey)
    file, wrong = str(tmp_path / "a.npy"), {}
    for name, how in (("none", None), ("median", ImageFilter(median=3))):
        image = ImageFile(file=file, voxel_size=EDGE, threshold="otsu", filter=how)
        wrong[name] = np.mean(image.build().labels != true)
    assert wrong["none"] < 0.03
    assert wrong["median"] < 0.2 * wrong["none"]


def test_specks_are_told_and_dropped_only_when_asked(tmp_path, told):
    np.save(tmp_path / "a.npy", half())
    file = str(tmp_path / "a.npy")
    kept = ImageFile(file=file, voxel_size=EDGE).build()
    assert kept.labels[-1, 1, 2] == 1
    assert "1 of 2 connected parts" in told.text
    dropped = ImageFile(file=file, voxel_size=EDGE, drop=5).build()
    assert dropped.labels[-1, 1, 2] == 0
    assert dropped.dropped == pytest.approx(1 / 960)
    assert np.count_nonzero(dropped.labels != kept.labels) == 1


@pytest.mark.parametrize(
    ("values", "keys", "words"),
    [
        (np.zeros((4, 4, 4), np.uint8), {}, "all matrix"),
        (np.full((4, 4, 4), 9, np.uint8), {"threshold": "otsu"}, "all matrix"),
        (np.arange(64, dtype=np.uint8).reshape(4, 4, 4), {}, "which phases does not name"),
        (np.zeros((4, 4), np.uint8), {}, "three axes"),
    ],
)
def test_an_image_that_is_no_structure_is_an_error(tmp_path, values, keys, words):
    np.save(tmp_path / "a.npy", values)
    with pytest.raises(GeometryError, match=words):
        ImageFile(file=str(tmp_path / "a.npy"), voxel_size=EDGE, **keys).build()


def test_bad_files_and_keys_are_one_line(tmp_path):
    (tmp_path / "a.tif").write_text("no picture")
    (tmp_path / "a.raw").write_bytes(b"123")
    for keys, words in (
        ({"file": "none.tif"}, "there is no image"),
        ({"file": "a.tif"}, "cannot be read"),
        ({"file": "a.raw"}, "unknown image format"),
        ({"file": "a.raw", "shape": (2, 2, 2), "dtype": "uint8"}, "8 bytes"),
        ({"file": "a.raw", "shape": (2, 2, 2), "dtype": "grey"}, "numpy's name"),
        ({"file": "a.raw", "shape": (2, 2, 2)}, "both shape"),
        ({"file": "a.tif", "phases": {"matrix": 0, "fiber": 0}}, "same value"),
        ({"file": "a.tif", "filter": ImageFilter(median=3)}, "before a threshold"),
    ):
        with pytest.raises(GeometryError, match=words) as caught:
            ImageFile(**{"voxel_size": EDGE, **keys, "file": str(tmp_path / keys["file"])}).build()
        assert "\n" not in str(caught.value)


def test_the_case_finds_its_image_beside_it(tmp_path):
    np.save(tmp_path / "a.npy", half())
    file = tmp_path / "case.toml"
    text = 'study = "structure"\n[geometry]\nkind = "image"\nfile = "a.npy"\nvoxel_size = '
    file.write_text(text + '["0.25 um", "0.25 um", "0.5 um"]\n')
    case = load(file)
    assert case.geometry.size == pytest.approx((3e-6, 2.5e-6, 4e-6))
    file.write_text(text + '"0.25 kg"\n')
    with pytest.raises(CaseError, match="voxel_size"):
        load(file)


def test_planes_and_spheres_are_where_they_were():
    axes = np.meshgrid(*[np.arange(24) + 0.5] * 3, indexing="ij")
    for normal, at in (((1.0, 0.0, 0.0), 12.0), ((0.94, 0.28, 0.19), 16.9)):
        unit = np.array(normal) / np.linalg.norm(normal)
        exact = sum(n * x for n, x in zip(unit, axes, strict=True)) - at
        found = Voxels((exact < 0).astype(np.uint8), (1.0, 1.0, 1.0))
        inner = (slice(4, -4),) * 3
        values = found.distance((49, 49, 49))[1::2, 1::2, 1::2]
        near = np.abs(exact[inner]) < 1.2
        assert np.abs(values[inner] - exact[inner])[near].max() < 0.25
        assert abs((values[inner] - exact[inner])[near].mean()) < 0.05


def test_every_voxel_keeps_its_side_of_the_surface():
    labels = (np.random.default_rng(1).random((16, 16, 16)) < 0.3).astype(np.uint8)
    found = Voxels(labels, (1.0, 1.0, 2.0)).distance((33, 33, 33))[1::2, 1::2, 1::2]
    np.testing.assert_array_equal(found < 0, labels == 1)


def test_a_network_as_voxels_has_its_fraction_and_its_order():
    network = FiberNetwork(
        size=(2e-5, 2e-5, 1e-5), fiber_count=30, fiber_diameter=1.5e-6, kappa=4.0, seed=3
    ).build()
    coarse, fine = (voxelize(network, 1.5e-6 / n) for n in (8, 16))
    assert coarse.fraction == pytest.approx(fine.fraction, rel=0.01)
    order = order_of_image(coarse.labels == 1, coarse.voxel_size, 1.5e-6)
    assert order.plane == pytest.approx(network.order_parameter_plane, abs=0.08)
    assert order.space == pytest.approx(network.order_parameter, abs=0.12)
    with pytest.raises(GeometryError, match="loses parts"):
        voxelize(network, 2e-6)


def test_layers_as_voxels_and_what_has_no_voxels():
    box = Box(size=(4e-6, 4e-6, 8e-6), layers={"matrix": 6e-6, "fiber": 2e-6})
    voxels = voxelize(box, 5e-7)
    assert voxels.fractions == pytest.approx({"matrix": 0.75, "fiber": 0.25})
    assert voxels.size == pytest.approx(box.size)
    with pytest.raises(GeometryError, match="for a mesh alone"):
        voxelize(Box(size=(4e-6, 4e-6)), 5e-7)

"""Pictures of patients, and the ways in which a copy changes on its way."""

import cv2
import numpy as np

from foldwise.pixels.likeness import unit

SIZE = 128


def film(seed):
    """Texture on several scales in an oval on black, as a film of one patient might be."""
    random = np.random.default_rng(seed)
    image = np.zeros((SIZE, SIZE), np.float32)
    for scale in (2, 4, 8, 20):
        noise = random.normal(size=(SIZE, SIZE)).astype(np.float32)
        image += unit(cv2.GaussianBlur(noise, (0, 0), scale).ravel()).reshape(SIZE, SIZE)
    image = (image - image.min()) / np.ptp(image) * 200 + 40
    y, x = np.mgrid[-1 : 1 : SIZE * 1j, -1 : 1 : SIZE * 1j]
    wide, high = random.uniform(0.7, 0.95, 2)
    return np.where((x / wide) ** 2 + (y / high) ** 2 < 1, image, 0).astype(np.uint8)


def rescaled(image, random):
    return cv2.resize(image, None, fx=random.uniform(0.4, 0.9), fy=random.uniform(0.4, 0.9))


def recompressed(image, random):
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(random.integers(40, 80))]
    return cv2.imdecode(cv2.imencode(".jpg", image, quality)[1], cv2.IMREAD_GRAYSCALE)


def rewindowed(image, random):
    low, high = np.quantile(image, [random.uniform(0, 0.3), random.uniform(0.97, 1)])
    grey = np.clip((image - low) / (high - low), 0, 1) ** random.uniform(0.6, 1.6)
    return (255 * grey).astype(np.uint8)


def mirrored(image, random):
    return np.ascontiguousarray(image[:, ::-1])


def cut(image, random):
    top, bottom, left, right = (random.uniform(0, 0.1, 4) * len(image)).astype(int)
    return image[top : len(image) - bottom, left : len(image[0]) - right]


def letterboxed(image):
    """As a cache holds it: padded to a square."""
    high, wide = image.shape
    share = SIZE / max(high, wide)
    small = cv2.resize(image, (round(wide * share), round(high * share)))
    out = np.zeros((SIZE, SIZE), np.uint8)
    top, left = ((SIZE - side) // 2 for side in small.shape)
    out[top : top + small.shape[0], left : left + small.shape[1]] = small
    return out


CHANGES = [rescaled, recompressed, rewindowed, mirrored, cut]

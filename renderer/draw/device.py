"""Open OpenGL without a window, on the device asked for, and say what was found."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import moderngl

from contract.errors import DeviceError

REQUIRED_VERSION = 330
MAX_DEVICES = 16
INSTALL_HINT = "on Debian or Ubuntu: apt-get install -y libegl1 libgl1 libgl1-mesa-dri"
_SOFTWARE_RENDERERS = ("llvmpipe", "softpipe", "swrast", "software")


@dataclass(frozen=True)
class DeviceReport:
    """What one OpenGL device says of itself."""

    number: int
    renderer: str
    vendor: str
    version: str
    max_samples: int
    max_texture_side: int
    software: bool


def open_context(device: str = "auto") -> moderngl.Context:
    """An OpenGL 3.3 core context without a window.

    ``device``: "auto" is the first that opens (drivers list hardware before software), "software"
    the first software renderer, a number that EGL device.

    Raises:
        DeviceError: none opens; the message holds the command that installs a software renderer.
    """
    if not sys.platform.startswith("linux"):
        return _open_native()
    if device.isdecimal():
        return _open_egl(int(device))
    if device not in ("auto", "software"):
        raise DeviceError(f"OpenGL: no device is called {device!r}; say auto, software or a number")
    first_error: DeviceError | None = None
    for number in range(MAX_DEVICES):
        try:
            context = _open_egl(number)
        except DeviceError as error:
            first_error = first_error or error
            if _is_past_the_last(error):
                break
            continue
        if device == "auto" or is_software(context):
            return context
        context.release()
    raise first_error or DeviceError(f"OpenGL: no software renderer; {INSTALL_HINT}")


def _open_native() -> moderngl.Context:
    try:
        return moderngl.create_standalone_context(require=REQUIRED_VERSION)
    except Exception as error:  # the platforms' backends raise bare Exceptions
        raise DeviceError(f"OpenGL: no context ({error}); install a graphics driver") from error


def _open_egl(number: int) -> moderngl.Context:
    settings: dict[str, Any] = {"backend": "egl", "device_index": number}
    try:
        return moderngl.create_context(require=REQUIRED_VERSION, standalone=True, **settings)
    except Exception as error:  # glcontext raises bare Exceptions
        raise DeviceError(
            f"OpenGL: EGL device {number} does not open ({error}); {INSTALL_HINT}"
        ) from error


def _is_past_the_last(error: DeviceError) -> bool:
    return "requested device index" in str(error) or "not loaded" in str(error)


def is_software(context: moderngl.Context) -> bool:
    """Whether a context draws on the CPU."""
    return any(word in context.info["GL_RENDERER"].lower() for word in _SOFTWARE_RENDERERS)


def report_devices() -> tuple[DeviceReport, ...]:
    """Every device that opens; ``DeviceError`` when none does."""
    if not sys.platform.startswith("linux"):
        return (_report(0, _open_native()),)
    reports: list[DeviceReport] = []
    first_error: DeviceError | None = None
    for number in range(MAX_DEVICES):
        try:
            reports.append(_report(number, _open_egl(number)))
        except DeviceError as error:
            first_error = first_error or error
            if _is_past_the_last(error):
                break
    if not reports and first_error:
        raise first_error
    return tuple(reports)


def _report(number: int, context: moderngl.Context) -> DeviceReport:
    info = context.info
    report = DeviceReport(
        number,
        str(info["GL_RENDERER"]),
        str(info["GL_VENDOR"]),
        str(info["GL_VERSION"]),
        int(context.max_samples),
        int(info["GL_MAX_TEXTURE_SIZE"]),
        is_software(context),
    )
    context.release()
    return report

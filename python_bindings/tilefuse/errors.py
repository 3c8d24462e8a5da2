"""What the package raises. Every message is the compiler's or runtime's own text."""

from __future__ import annotations

__all__ = [
    "ArgumentError", "CompileError", "DeviceError", "Error", "InternalError", "NotFoundError",
    "OutOfMemoryError", "ProgramError", "UnsupportedError",
]


class Error(RuntimeError):
    """An error of tilefuse.

    ``diagnostic`` is the message alone, ``location`` is ``file:line:column`` or empty;
    ``str(error)`` has both, as the tools print them.
    """

    def __init__(self, diagnostic: str, location: str = "") -> None:
        super().__init__(f"{location}: {diagnostic}" if location else diagnostic)
        self.diagnostic = diagnostic
        self.location = location


class ArgumentError(Error, ValueError):
    """A call's arguments do not fit the program: count, dtype, shape, device or option."""


class CompileError(Error):
    """The source does not parse, verify or compile."""


class ProgramError(Error):
    """A program file is damaged, foreign or of a newer version."""


class UnsupportedError(Error):
    """Valid, but not for this target, device or build."""


class NotFoundError(Error):
    """A file, device, driver or library that is not there."""


class OutOfMemoryError(Error, MemoryError):
    """The device or the host has too little memory."""


class DeviceError(Error):
    """The CUDA driver reported an error, or a kernel's assertion failed."""


class InternalError(Error):
    """A defect of tilefuse."""


# By tilefuse::ErrorCode.
BY_CODE: dict[int, type[Error]] = {
    1: ArgumentError, 2: CompileError, 3: ProgramError, 4: UnsupportedError,
    5: NotFoundError, 6: OutOfMemoryError, 7: DeviceError, 8: InternalError,
}

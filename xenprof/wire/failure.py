"""What the service answers where a call has failed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call has failed: the name of the error's class, and what the caller is told."""

    message: str = ""
    type: str = "ServiceError"
    exit_code: int = 1

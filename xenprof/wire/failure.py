"""What the service answers where a call has failed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a call has failed: the name of the error's class, and what the caller is told."""

    type: str = "ServiceError"
    message: str = ""
    exit_code: int = 1

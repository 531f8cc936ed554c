"""A client without a service: requests and answers are JSON, as over the socket."""

import json
from abc import ABC, abstractmethod
from typing import Any, TypeVar

from xenprof.wire.codec import decode, encode
from xenprof.wire.requests import Request

T = TypeVar("T")


class JsonService(ABC):
    """A client that is its own service: both answers are JSON, or raise as a client would."""

    @abstractmethod
    def answer_get(self, path: str) -> Any:
        """Return what the service answers at `path`."""

    @abstractmethod
    def answer_post(self, path: str, body: dict[str, Any]) -> Any:
        """Return what the service answers to a request."""

    def get(self, path: str, kind: type[T]) -> T:
        return decode(kind, json.loads(encode(self.answer_get(path))))

    def do(self, request: Request, about: str = "") -> None:
        self.answer_post(request.url(about), json.loads(encode(request.body())))

    def ask(self, request: Request, kind: type[T], about: str = "") -> T:
        body = json.loads(encode(request.body()))
        return decode(kind, json.loads(encode(self.answer_post(request.url(about), body))))

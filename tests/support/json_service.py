"""A client without a service: requests and answers are JSON, as over the socket."""

import json
from typing import Any, TypeVar

from xenprof.wire.codec import decode, encode
from xenprof.wire.requests import Request

T = TypeVar("T")


class JsonService:
    """A client; subclasses define `answer_get` and `answer_post`, which return JSON or raise."""

    def answer_get(self, path: str) -> Any:
        raise NotImplementedError

    def answer_post(self, path: str, body: dict[str, Any]) -> Any:
        raise NotImplementedError

    def get(self, path: str, kind: type[T]) -> T:
        return decode(kind, json.loads(encode(self.answer_get(path))))

    def do(self, request: Request, about: str = "") -> None:
        self.answer_post(request.url(about), json.loads(encode(request.body())))

    def ask(self, request: Request, kind: type[T], about: str = "") -> T:
        body = json.loads(encode(request.body()))
        return decode(kind, json.loads(encode(self.answer_post(request.url(about), body))))

"""Every error as problem+json (RFC 9457): what happened, to what, and what to do next, in one form."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that is not what was asked for."""

    def __init__(
        self, status: int, code: str, title: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        """Keep the HTTP *status*, a *code* for programs, and words for people."""
        super().__init__(detail)
        self.status, self.code, self.title, self.detail = status, code, title, detail
        self.headers, self.more = dict(headers or {}), more


def answer(problem: Problem) -> JSONResponse:
    """Return the problem as it is sent."""
    body = {
        "type": f"urn:gal-friday:problem:{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        **problem.more,
    }
    return JSONResponse(body, problem.status, headers=problem.headers, media_type=MEDIA_TYPE)


def answer_problems(app: FastAPI) -> None:
    """Have *app* answer every ``Problem`` that a handler raises."""

    async def handle(_request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, Problem)
        return answer(error)

    app.add_exception_handler(Problem, handle)

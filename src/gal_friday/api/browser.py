"""What a browser shows: its session, and that the call comes from a page of ours and not from another site.

Three things together, each of which would do in a browser of today: the cookie is not sent with another site's posts
(SameSite), the browser says itself which site a call comes from (Sec-Fetch-Site, Origin), and the page adds a token
that another site cannot read.
"""

from fastapi import Request, Response

from gal_friday.api.problem import Problem
from gal_friday.api.reception import LOOPBACK, Front, host_of
from gal_friday.domain.credentials import Refusal
from gal_friday.domain.token_text import same_digest
from gal_friday.flows.door import NotAdmitted, form_token

SECURE_COOKIE = "__Host-gal-friday"
"""Over TLS. Browsers take a cookie of this name from this very host alone, over TLS, for every path (RFC 6265bis)."""
PLAIN_COOKIE = "gal-friday-local"
"""On this machine without TLS, where not every browser takes the other."""
FORM_TOKEN = "X-Form-Token"  # noqa: S105 - the header's name
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def session_of(request: Request) -> str | None:
    """Return the secret of the session that the browser shows; None where it shows none.

    Raises:
        NotAdmitted: it shows two, of which one may have been planted.
    """
    name = _cookie_name(request)
    if name is None:
        return None
    found = {value for header in request.headers.getlist("cookie") for value in _values(header, name)}
    if len(found) > 1:
        raise NotAdmitted(Refusal.MALFORMED, "the browser shows two sessions; delete the cookies, and sign in again")
    return next(iter(found), None)


def keep_session(request: Request, response: Response, secret: str) -> None:
    """Have the browser keep the session."""
    name = _cookie_name(request)
    if name is None:
        detail = "sign in over https or on the machine itself; a proxy has to say X-Forwarded-Proto: https"
        raise Problem(403, "not-secure", "Not over this connection", detail)
    secure = name == SECURE_COOKIE
    response.set_cookie(name, secret, path="/", secure=secure, httponly=True, samesite="lax")


def forget_session(request: Request, response: Response) -> None:
    """Have the browser forget it."""
    if (name := _cookie_name(request)) is not None:
        response.delete_cookie(name, path="/", secure=name == SECURE_COOKIE, httponly=True, samesite="lax")


def check_own_page(request: Request, front: Front) -> None:
    """Check that a browser sends this from a page of ours.

    Raises:
        Problem: from another site, or it does not say; programs send a token instead.
    """
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is None and origin is None:
        raise _foreign("the call does not say which page it comes from; programs send an API token instead")
    if site not in {None, "same-origin", "none"}:
        raise _foreign("the call comes from a page of another site")
    if origin is not None and origin not in _origins(request, front):
        raise _foreign("the call comes from a page of another address; open the one that the service goes by")


def check_form(request: Request, secret: str) -> None:
    """Check that the page has read its token from us.

    Raises:
        Problem: it has not.
    """
    if not same_digest(request.headers.get(FORM_TOKEN, ""), form_token(secret)):
        raise _foreign(f"send the form_token of GET /api/me in the header {FORM_TOKEN}")


def _origins(request: Request, front: Front) -> set[str]:
    own = {f"{request.url.scheme}://{request.headers.get('host', '').lower()}"}
    return own if front.public_url is None else own | {front.public_url.rstrip("/").lower()}


def _cookie_name(request: Request) -> str | None:
    if request.url.scheme == "https":
        return SECURE_COOKIE
    return PLAIN_COOKIE if host_of(request.headers.get("host", "")) in LOOPBACK else None


def _values(header: str, name: str) -> list[str]:
    pairs = (part.strip().partition("=") for part in header.split(";"))
    return [value for key, _, value in pairs if key == name and value]


def _foreign(detail: str) -> Problem:
    return Problem(403, "cross-site", "Not from a page of ours", detail)

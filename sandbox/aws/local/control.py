"""Routes below /_sandbox: how the rest of the sandbox looks at this process and moves it. Loopback only."""

import hmac
import json
import logging
import os
from ipaddress import ip_address

logger = logging.getLogger("sandbox")

LARGEST_BODY = 64 * 1024
_routes = {}


class Refused(Exception):
    """A request that can't be carried out as it is."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


def route(method, path, handler):
    """@param handler: takes body and query, both as dictionaries; what it returns is answered as JSON"""
    _routes[path, method] = handler


def _header(scope, name):
    return next((value.decode("latin-1") for key, value in scope["headers"] if key.lower() == name), "")


def _allow(scope):
    client = (scope.get("client") or ("",))[0]
    try:
        here = ip_address(client).is_loopback
    except ValueError:
        here = False
    if not here:
        raise Refused(403, "only this machine may ask here")
    if scope["method"] == "GET":
        return
    token = os.environ.get("USC_PIS_SANDBOX_TOKEN", "")
    given = _header(scope, b"authorization").removeprefix("Bearer ")
    if token and not hmac.compare_digest(given.encode(), token.encode()):
        raise Refused(401, "what changes something needs the sandbox's token: Authorization: Bearer TOKEN")


async def _body(receive):
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > LARGEST_BODY:
            raise Refused(413, f"the body has more than {LARGEST_BODY} bytes")
        if message["type"] == "http.disconnect" or not message.get("more_body"):
            break
    try:
        parsed = json.loads(body or b"{}")
    except ValueError as error:
        raise Refused(400, f"the body is not JSON: {error}") from error
    if not isinstance(parsed, dict):
        raise Refused(400, "the body is not a JSON object")
    return parsed


async def _answer(scope, receive):
    _allow(scope)
    handler = _routes.get((scope["path"], scope["method"]))
    if handler is None:
        known = sorted(f"{method} {path}" for path, method in _routes)
        raise Refused(404, f"there is no {scope['method']} {scope['path']}; there is {', '.join(known)}")
    return await handler(await _body(receive))


async def handle(scope, receive, send):
    try:
        status, answer = 200, await _answer(scope, receive)
    except Refused as refused:
        status, answer = refused.status, {"error": str(refused)}
    except Exception as error:
        logger.exception("%s %s broke off", scope["method"], scope["path"])
        status, answer = 500, {"error": f"{type(error).__name__}: {error}"}
    body = json.dumps(answer).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

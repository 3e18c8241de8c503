"""Devices that show offline: give one its licences, list them, end one."""

from __future__ import annotations

from typing import Any

from flask import Response, request
from flask_smorest import Blueprint

from idservice.call import Call
from idservice.http.endpoint import endpoint
from idservice.login import whereabouts
from licences.detail_types import LICENCE_SHOW
from licences.showing import device_codes
from licences.showing.device_codes import Enrolled
from licences.showing.schemas import DeviceBody, DeviceEnrolledSchema, DevicesSchema

blueprint = Blueprint("devices", __name__, url_prefix="/v1", description="Devices that show licences offline")


@endpoint(
    blueprint,
    "POST",
    "/device-credentials",
    scope="licences.show",
    body=DeviceBody,
    answer=DeviceEnrolledSchema,
    status=201,
    write=True,
    limit="60/hour",
    detail=LICENCE_SHOW.name,
)
def enrol_device(call: Call, body: dict[str, Any]) -> Enrolled:
    """Give a device minimal licences bound to its key; they live a week and are given anew by the same request."""
    return device_codes.enrol(call, body, title=whereabouts.device(request.headers.get("User-Agent")))


@endpoint(blueprint, "GET", "/device-credentials", scope="licences.show", answer=DevicesSchema)
def list_devices(call: Call) -> dict[str, Any]:
    """List the holder's devices that can show offline now."""
    return {"items": device_codes.listed(call), "next_cursor": None}


@endpoint(blueprint, "DELETE", "/device-credentials/<device>", scope="licences.show", status=204, write=True)
def end_device(call: Call, device: str) -> Response:
    """End a device: its codes are refused here at once, and offline as soon as a verifier has the next status list."""
    device_codes.end(call, device)
    return Response(status=204)

"""Credential configurations (凭证配置): each licence type in each form that wallets take, OpenID4VCI 1.0 appendix A.

A configuration is named by type code and form, such as `...001.sd-jwt`. All of them follow from the catalogue.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from keys.signer import Algorithm
from licences import catalogue

if TYPE_CHECKING:
    from collections.abc import Mapping

    from idservice.call import Call
    from licences.definition import LicenceType


class Format(StrEnum):
    """The credential formats, by their identifiers in appendix A."""

    SD_JWT = "dc+sd-jwt"
    MDOC = "mso_mdoc"
    JWT_VC = "jwt_vc_json"


SUFFIXES: Final = {"sd-jwt": Format.SD_JWT, "mdoc": Format.MDOC, "jwt": Format.JWT_VC}
#: Which keys copies of a format can be bound to; a device's answer in ISO/IEC 18013-5 is made with P-256 here.
KEYS: Final = {
    Format.SD_JWT: (Algorithm.ES256, Algorithm.EDDSA),
    Format.MDOC: (Algorithm.ES256,),
    Format.JWT_VC: (Algorithm.ES256, Algorithm.EDDSA),
}
#: What the High Assurance Interoperability Profile 1.0 (sections 5 and 6) knows.
OF_HAIP: Final = frozenset({Format.SD_JWT, Format.MDOC})
TITLES: Final = {
    Format.SD_JWT: ("可选择披露凭证", "SD-JWT VC"),
    Format.MDOC: ("移动证件", "mdoc"),
    Format.JWT_VC: ("可验证凭证", "JWT VC"),
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """One licence type in one format."""

    name: str
    type: LicenceType
    format: Format


def listed(call: Call) -> list[Configuration]:
    """Return all configurations, by type code."""
    return [
        Configuration(f"{code}.{suffix}", entry.type, form)
        for code, entry in sorted(catalogue.entries(call).items())
        for suffix, form in SUFFIXES.items()
    ]


def find(call: Call, name: str) -> Configuration | None:
    """Return the configuration of that name, or None."""
    code, _, suffix = name.rpartition(".")
    entry = catalogue.entries(call).get(code)
    if entry is None or suffix not in SUFFIXES:
        return None
    return Configuration(name, entry.type, SUFFIXES[suffix])


def of_type(call: Call, type_code: str) -> list[Configuration]:
    """Return the configurations of one licence type."""
    found = (find(call, f"{type_code}.{suffix}") for suffix in SUFFIXES)
    return [configuration for configuration in found if configuration is not None]


def title(configuration: Configuration) -> tuple[str, str]:
    """Return what people read, Chinese and English: the licence's name and the form."""
    zh, en = TITLES[configuration.format]
    return f"{configuration.type.name}（{zh}）", f"{configuration.type.name_en} ({en})"


def names(call: Call) -> Mapping[str, tuple[str, str]]:
    """Return the names of all configurations with what people read."""
    return {configuration.name: title(configuration) for configuration in listed(call)}

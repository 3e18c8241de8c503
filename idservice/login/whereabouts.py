"""Where a session is used (登录设备): words by which a person knows his own devices again, and nothing finer.

What a browser says of itself is made into a few words, an address is cut to its network (GB/T 35273-2020 clause 5.2,
minimum necessary 最小必要), and only these are kept. Pure.
"""

from __future__ import annotations

import ipaddress

# The first that fits counts: browsers name their ancestors too.
BROWSERS = (
    ("MicroMessenger/", "微信 WeChat"),
    ("DingTalk/", "钉钉 DingTalk"),
    ("Edg", "Edge"),
    ("HuaweiBrowser/", "华为浏览器 Huawei Browser"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrome/", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
SYSTEMS = (
    ("OpenHarmony", "HarmonyOS"),
    ("HarmonyOS", "HarmonyOS"),
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Macintosh", "macOS"),
    ("Linux", "Linux"),
)


def device(user_agent: str | None) -> str | None:
    """Return words for browser and system, such as `Chrome · Windows`; None where neither is known."""
    text = (user_agent or "")[:512]
    words = [next((word for mark, word in table if mark in text), None) for table in (BROWSERS, SYSTEMS)]
    return " · ".join(word for word in words if word) or None


def network(address: str | None) -> str | None:
    """Return an address without its end: `203.0.113.*` of IPv4, the first 48 bits of IPv6."""
    try:
        ip = ipaddress.ip_address((address or "").partition("%")[0])
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return network(str(ip.ipv4_mapped))
        return f"{ipaddress.IPv6Network((int(ip) >> 80 << 80, 48)).network_address}*"
    return f"{str(ip).rpartition('.')[0]}.*"

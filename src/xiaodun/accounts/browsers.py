"""The browser of a session in words that its owner recognises."""

# The first that the header names: browsers name their ancestors too, so the youngest come first.
_BROWSERS = (
    ("wxwork/", "WeCom"),
    ("micromessenger/", "WeChat"),
    ("dingtalk/", "DingTalk"),
    ("edg/", "Edge"),
    ("huaweibrowser/", "Huawei Browser"),
    ("miuibrowser/", "Xiaomi Browser"),
    ("qqbrowser/", "QQ Browser"),
    ("firefox/", "Firefox"),
    ("chrome/", "Chrome"),
    ("safari/", "Safari"),
)
_SYSTEMS = (
    ("harmonyos", "HarmonyOS"),
    ("android", "Android"),
    ("iphone", "iPhone"),
    ("ipad", "iPad"),
    ("windows", "Windows"),
    ("mac os x", "macOS"),
    ("linux", "Linux"),
)


def browser_of(header: str) -> str:
    """ "Chrome, Android" of a ``User-Agent`` header; "" where it names neither program nor system."""
    header = header.lower()
    found = (next((name for sign, name in signs if sign in header), None) for signs in (_BROWSERS, _SYSTEMS))
    return ", ".join(name for name in found if name)

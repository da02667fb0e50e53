"""The inspection finds what it should: a page with every fault, and one with none."""

import pytest
from playwright.sync_api import Browser

from tests.architecture.source import none
from tests.browser.inspection import Watched, Words
from tools.chromium import PHONE, open_context

pytestmark = pytest.mark.browser

ADDRESS = "http://localhost/"
WORDS = Words(data=["王小明"], english=["Signals", "Illness files"])

HEAD = (
    '<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{title}</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head>'
)
GOOD = (
    HEAD.format(lang="zh-hans", title="今日")
    + """<body><main><h1>今日</h1><p>王小明 · 3 例 · <code>norm-2006</code></p>
<a href="/" style="display:inline-block;padding:14px 20px">打开预警</a></main></body></html>"""
)
BAD = (
    HEAD.format(lang="en", title="今日")
    + """<body><main><h1>Signals</h1><h1>Second</h1>
<div style="width:700px">宽</div><button style="width:20px;height:20px"></button>
<img src="/missing.png"><p>Illness files</p>
<script>console.error("broken"); throw new Error("lost")</script></main></body></html>"""
)


def inspect(browser: Browser, html: str, *, language: str) -> list[str]:
    context = open_context(browser, base_url=ADDRESS, language=language, width=PHONE)

    def answer(route) -> None:
        if route.request.url == ADDRESS:
            route.fulfill(body=html, content_type="text/html")
        else:
            route.abort()

    context.route("**/*", answer)
    found = Watched(context).faults(ADDRESS, language=language, width=PHONE, words=WORDS)
    context.close()
    return found


def test_a_sound_page_has_no_fault(browser: Browser):
    assert inspect(browser, GOOD, language="zh") == []


FAULTS = (
    "console error: broken",
    "script failed: lost",
    "request failed",
    "page is ",
    "too small to hit",
    "not in zh: “Illness files”",
    "not in zh: “Second”",
    "html lang is en",
    "2 h1 elements",
    "axe image-alt",
    "axe button-name",
)


def test_each_fault_is_found(browser: Browser):
    found = inspect(browser, BAD, language="zh")
    none([f"not found: {fault}" for fault in FAULTS if not any(fault in line for line in found)])


def test_chinese_on_an_english_page_is_found_unless_it_is_a_name_or_marked(browser: Browser):
    page = HEAD.format(lang="en", title="Today") + (
        '<body><main><h1>Today</h1><p>王小明</p><p lang="zh-hans">中文</p><p>未译</p></main></body></html>'
    )
    assert inspect(browser, page, language="en") == ["not in en: “未译” in <p> 未译"]

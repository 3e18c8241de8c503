"""A clerk without a scanner gun holds the citizen's telephone before his camera."""

import os
import shutil
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from PIL import Image
from playwright.sync_api import expect

from licences import qr
from tests.browser.conftest import Visit
from tests.browser.live import Live, Visitor
from tests.conftest import CHROMIUM_FLAGS, CHROMIUM_NAMES

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SIZE = (640, 480)


def write_video(path: Path, text: str) -> None:
    """Write what a camera sees that is held before a code: two frames of YUV4MPEG2, without colour."""
    picture = Image.new("L", SIZE, 255)
    code = Image.open(BytesIO(qr.png(text))).convert("L").resize((400, 400))
    picture.paste(code, (120, 40))
    grey = bytes([128]) * (SIZE[0] * SIZE[1] // 2)
    frame = b"FRAME\n" + picture.tobytes() + grey
    path.write_bytes(b"YUV4MPEG2 W%d H%d F10:1 Ip A1:1 C420jpeg\n" % SIZE + 2 * frame)


@pytest.fixture
def camera(chromium: "Browser", tmp_path: Path) -> Iterator[tuple["Browser", Path]]:
    """A Chromium whose camera plays a file, read when the camera is opened."""
    program = os.environ.get("ONA_TEST_CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)))
    video = tmp_path / "camera.y4m"
    fake = ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"]
    flags = [*CHROMIUM_FLAGS, *fake, f"--use-file-for-fake-video-capture={video}"]
    browser = chromium.browser_type.launch(executable_path=program, headless=True, args=flags)
    yield browser, video
    browser.close()


def test_a_code_before_the_camera_is_verified(live: Live, visit: Visit, camera: tuple["Browser", Path]) -> None:
    browser, video = camera
    clerk = Visitor.arrive(live, browser)
    clerk.log_in(live.clerk(2), "/counter")
    clerk.page.select_option("#purpose", label="核对身份")
    clerk.page.get_by_label("用声音提示结果").check()

    citizen = visit(width=320)
    citizen.log_in(live.citizen(12))
    for pressed in (citizen.page.locator(".ona-card").first, citizen.page.get_by_role("button", name="出示这份证照")):
        with citizen.page.expect_navigation():
            pressed.click()
    shown = citizen.page.locator(".ona-show__code > span:not([class])")
    write_video(video, "".join(shown.all_inner_texts()))

    with clerk.page.expect_navigation():
        clerk.page.keyboard.press("F2")
    expect(clerk.page.locator(".ona-band__word")).to_have_text("有效")
    expect(clerk.page.get_by_label("用声音提示结果")).to_be_checked()
    clerk.assert_sound(320, 1280)
    clerk.leave()

import io

import resvg_py
import zxingcpp
from PIL import Image

from idservice.login import totp, totp_qr


def test_a_reader_of_another_making_reads_the_address() -> None:
    address = totp.address("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "王**")
    drawn = str(totp_qr.svg(address))
    assert "style" not in drawn
    picture = Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=drawn, width=600)))).convert("L")
    assert [found.text for found in zxingcpp.read_barcodes(picture)] == [address]

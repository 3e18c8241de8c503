"""An OFD's seals are judged by the function that is handed in, one by one; what cannot be read is named."""

from keys.verdict import Reason
from seals.check_ofd import check_archive
from seals.report import Format, SignatureReport
from seals.structure import SealSignature
from seals.trust import Trust
from tests.unit.seals.made import NOW, City, pack, plain_files


def test_every_seal_is_handed_to_the_judge(city: City) -> None:
    asked = []

    def judge(signed: SealSignature, trust: Trust, *, digest: bytes | None) -> SignatureReport:
        asked.append((signed.property_info, digest == signed.data_hash, trust.now))
        return SignatureReport(checks=())

    trust = Trust(anchors=city.anchors, now=NOW)
    report = check_archive(city.stamp_ofd(plain_files()), trust, judge)
    assert (report.format, len(report.signatures)) == (Format.OFD, 1)
    assert asked == [("/Doc_0/Signs/Sign_0/Signature.xml", True, NOW)]
    assert check_archive(pack({"a": b"b"}), trust, judge).problems == (Reason.NOT_SEALED,)

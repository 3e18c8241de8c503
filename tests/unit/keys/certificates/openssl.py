"""A certificate authority kept by the `openssl` command: another implementation's certificates and lists."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from keys.certificates import Certificate, parse_pem

_CONFIG = """[ca]
default_ca = own
[own]
database = {folder}/index.txt
crlnumber = {folder}/number
default_crl_days = 30
default_md = {digest}
certificate = {folder}/ca.pem
private_key = {folder}/ca.key
[signer]
basicConstraints = CA:FALSE
keyUsage = digitalSignature,nonRepudiation
[authority]
basicConstraints = critical,CA:TRUE
keyUsage = keyCertSign,cRLSign
[times]
keyUsage = digitalSignature
extendedKeyUsage = critical,timeStamping
"""
_KEYS = {
    "SM2": ["ecparam", "-name", "SM2", "-genkey", "-noout"],
    "P-256": ["ecparam", "-name", "prime256v1", "-genkey", "-noout"],
    "RSA": ["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
}


@dataclass
class OpenSSL:
    """An authority in a folder of its own; its algorithm is that of all it makes.

    `program` comes from the fixture `openssl`, which skips where there is none, so that no test can forget to ask.
    """

    program: str
    folder: Path
    algorithm: str

    def __post_init__(self) -> None:
        (self.folder / "index.txt").touch()
        (self.folder / "number").write_text("01")
        config = _CONFIG.format(folder=self.folder, digest=self.digest)
        (self.folder / "ca.cnf").write_text(config)
        self.key("ca")
        self.run("req", "-x509", "-new", "-key", "ca.key", f"-{self.digest}", *self.identity(), "-config", "/dev/null",
                 "-subj", f"/C=CN/CN=openssl {self.algorithm}", "-days", "3650", "-out", "ca.pem",
                 "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=keyCertSign,cRLSign")  # fmt: skip

    @property
    def digest(self) -> str:
        return "sm3" if self.algorithm == "SM2" else "sha256"

    @property
    def root(self) -> Certificate:
        return self.certificate("ca")

    def identity(self, option: str = "-sigopt") -> list[str]:
        return [option, "distid:1234567812345678"] if self.algorithm == "SM2" else []

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.program, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def key(self, name: str) -> None:
        self.run(*_KEYS[self.algorithm], "-out", f"{name}.key")

    def issue(self, name: str, serial: int, *, section: str = "signer", days: int = 365) -> Certificate:
        self.key(name)
        self.run("req", "-new", "-key", f"{name}.key", f"-{self.digest}", *self.identity(), "-config", "/dev/null",
                 "-subj", f"/C=CN/CN={name}", "-out", f"{name}.csr")  # fmt: skip
        self.run("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", f"-{self.digest}",
                 *self.identity(), *self.identity("-vfyopt"), "-set_serial", str(serial), "-days", str(days),
                 "-extfile", "ca.cnf", "-extensions", section, "-out", f"{name}.pem")  # fmt: skip
        return self.certificate(name)

    def certificate(self, name: str) -> Certificate:
        (found,) = parse_pem((self.folder / f"{name}.pem").read_bytes())
        return found

    def revoke(self, name: str, reason: str) -> None:
        self.run("ca", "-config", "ca.cnf", "-revoke", f"{name}.pem", "-crl_reason", reason)

    def list(self) -> bytes:
        """Return the revocation list of this moment, in PEM."""
        self.run("ca", "-config", "ca.cnf", "-gencrl", *self.identity(), "-out", "crl.pem")
        return (self.folder / "crl.pem").read_bytes()

"""The commands of the certificate authority are where an operator looks for them."""

from seals import ca_cli, operator
from seals.cli import seals


def test_the_groups_hang_below_flask_seals() -> None:
    assert {"ca", "crl", "makers"} <= seals.commands.keys()
    assert ca_cli.ca.commands.keys() == {"root", "maker", "signer", "list", "show", "revoke", "crl"}
    assert ca_cli.crl.commands.keys() == {"add", "list"}
    assert ca_cli.makers.commands.keys() == {"add", "remove", "list"}
    assert operator.COULD_NOT_TELL == 2

import socket
import threading
from pathlib import Path

import pytest

from licences.demo.supervisor import PortTakenError, Supervisor, WorkersFailedError, refuse_taken
from licences.demo.worker import HOST
from tests.ports import free_port


@pytest.mark.parametrize("sharing", [False, True])
def test_a_port_on_which_somebody_listens_is_taken(sharing: bool) -> None:
    with socket.socket() as somebody:
        if sharing:
            somebody.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        somebody.bind((HOST, 0))
        somebody.listen()
        port = somebody.getsockname()[1]
        with pytest.raises(PortTakenError):
            refuse_taken(port)
        with Supervisor(port=port, environment={}) as supervisor, pytest.raises(PortTakenError):
            supervisor.start(threading.Event())


def test_a_port_where_a_connection_has_just_ended_is_free() -> None:
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        server.bind((HOST, 0))
        server.listen()
        port = server.getsockname()[1]
        with socket.create_connection((HOST, port)) as client:
            accepted, _address = server.accept()
            accepted.close()  # who closes first keeps the port in TIME_WAIT
            assert client.recv(1) == b""
    with pytest.raises(OSError), socket.socket() as strict:
        strict.bind((HOST, port))
    refuse_taken(port)


def test_workers_that_cannot_start_are_given_up(tmp_path: Path) -> None:
    port = free_port()
    settings = {"ONA_KEYS_DIR": str(tmp_path / "none"), "ONA_INSECURE_LOOPBACK": "1"}
    with (
        Supervisor(port=port, environment=settings, workers=1) as supervisor,
        pytest.raises(WorkersFailedError),
    ):
        supervisor.start(threading.Event())

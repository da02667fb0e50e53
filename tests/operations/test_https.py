"""Two ways to HTTPS: by the server itself with a certificate of the school's own, and behind a proxy."""

import contextlib
import datetime
import http.client
import http.server
import re
import signal
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.operations.conftest import XIAODUN

HOST = "xd.example.org"


def name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def signed(subject, key, issuer, issuer_key, *extensions):
    now = datetime.datetime.now(datetime.UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name(subject))
        .issuer_name(name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(minutes=5))
        .not_valid_after(now + datetime.timedelta(days=90))
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    return builder.sign(issuer_key, hashes.SHA256())


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """An authority of the school's own, and the server's certificate and key signed by it."""
    folder = tmp_path_factory.mktemp("tls")
    root_key, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    root = signed(
        "School CA", root_key, "School CA", root_key, (x509.BasicConstraints(ca=True, path_length=0), True)
    )
    leaf = signed(
        HOST,
        key,
        "School CA",
        root_key,
        (x509.SubjectAlternativeName([x509.DNSName(HOST)]), False),
        (x509.BasicConstraints(ca=False, path_length=None), True),
    )
    pem = serialization.Encoding.PEM
    (folder / "ca.pem").write_bytes(root.public_bytes(pem))
    (folder / "server.pem").write_bytes(leaf.public_bytes(pem))
    (folder / "key.pem").write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    (folder / "key.pem").chmod(0o600)
    return folder


@contextlib.contextmanager
def serving(installation, *arguments, **environment):
    """``xiaodun serve`` on a port of its own; it must end well at SIGTERM."""
    command = [*XIAODUN, "serve", "--port", "0", "--no-jobs", *arguments]
    with subprocess.Popen(
        command,
        env=installation.environment | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            line = process.stdout.readline()
            found = re.search(r":(\d+),", line)
            assert found, process.stderr.read()
            yield int(found.group(1))
            process.send_signal(signal.SIGTERM)
            assert process.wait(timeout=60) == 0
        finally:
            process.kill()


def trusted(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=folder / "ca.pem")


def ask(port, path, *, context=None, headers=None):
    """One request to the public name, which this machine's resolver does not know."""
    plain = socket.create_connection(("127.0.0.1", port), timeout=60)
    connection = http.client.HTTPConnection(HOST, port, timeout=60)
    connection.sock = context.wrap_socket(plain, server_hostname=HOST) if context else plain
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Host": HOST, **(headers or {})})
        answer = connection.getresponse()
        answer.read()
        return answer


def test_the_server_speaks_https_with_a_certificate_of_the_schools_own(installation, certificate):
    options = ("--certificate", str(certificate / "server.pem"), "--key", str(certificate / "key.pem"))
    with serving(installation, *options) as port:
        # Somebody who opens a connection and says nothing keeps nobody else waiting.
        with socket.create_connection(("127.0.0.1", port)):
            answer = ask(port, "/sign-in/", context=trusted(certificate))
        assert answer.status == 200
        assert answer.getheader("Strict-Transport-Security").startswith("max-age=31536000")
        assert answer.getheader("Server") is None
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(port, "/healthz", context=ssl.create_default_context())
        with pytest.raises((http.client.HTTPException, OSError)):
            ask(port, "/healthz")


def test_a_key_that_others_may_read_or_that_is_another_is_refused(installation, certificate, tmp_path):
    loose = tmp_path / "key.pem"
    loose.write_bytes((certificate / "key.pem").read_bytes())
    loose.chmod(0o644)
    certificate_option = ("--certificate", str(certificate / "server.pem"), "--key")
    done = installation.run("serve", *certificate_option, str(loose))
    assert (done.returncode, "0600" in done.stderr) == (2, True), done.stderr
    done = installation.run("serve", "--certificate", str(certificate / "server.pem"))
    assert (done.returncode, "Give both" in done.stderr) == (2, True), done.stderr


class Proxy(http.server.BaseHTTPRequestHandler):
    """Ends HTTPS and passes the request on as nginx does; ``target`` is the server's port."""

    target = 0

    def do_GET(self):
        headers = {"X-Forwarded-Proto": "https", "X-Forwarded-For": self.client_address[0]}
        answer = ask(self.target, self.path, headers=headers)
        self.send_response(answer.status)
        for header in ("Strict-Transport-Security", "Location"):
            if answer.getheader(header):
                self.send_header(header, answer.getheader(header))
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *arguments):
        pass


def test_behind_a_proxy_pages_work_and_only_the_proxys_word_counts(installation, certificate):
    with serving(installation) as port:
        Proxy.target = port
        proxy = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate / "server.pem", certificate / "key.pem")
        proxy.socket = context.wrap_socket(proxy.socket, server_side=True)
        thread = threading.Thread(target=proxy.serve_forever)
        thread.start()
        try:
            answer = ask(proxy.server_port, "/sign-in/", context=trusted(certificate))
            assert answer.status == 200
            assert answer.getheader("Strict-Transport-Security")
        finally:
            proxy.shutdown()
            thread.join()
            proxy.server_close()
        # Without the proxy: plain HTTP is led to HTTPS.
        assert ask(port, "/sign-in/").status == 301
    with serving(installation, XIAODUN_TRUSTED_PROXY="192.0.2.1") as port:
        assert ask(port, "/sign-in/", headers={"X-Forwarded-Proto": "https"}).status == 301

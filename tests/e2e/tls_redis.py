"""tls_redis: a Redis behind TLS, and the certificates that it shows, made by the openssl command in the test's folder."""
import os
import subprocess

from private_cluster import PrivateCluster
from private_redis import PrivateRedis, RedisNode
from private_sentinel import NAME, PrivateSentinel, Sentinel
from support import free_port, need

CONFIG = """
[ca]
default_ca = it
[it]
new_certs_dir = {folder}
database = {folder}/{name}.index
serial = {folder}/{name}.serial
default_md = sha256
default_days = 2
policy = any
unique_subject = no
copy_extensions = copy
email_in_dn = no
[any]
commonName = supplied
"""


def openssl(*words):
    need("openssl")
    ran = subprocess.run(["openssl", *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert ran.returncode == 0, ran.stdout.decode()


class Certificate:
    def __init__(self, folder, name):
        self.pem = os.path.join(folder, name + ".pem")
        self.key = os.path.join(folder, name + ".key")

    def make_request(self, subject, alternatives, *more):
        openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", self.key,
                "-subj", f"/CN={subject}", *(["-addext", f"subjectAltName={alternatives}"] if alternatives else []), *more)


class Authority(Certificate):
    """Its own certificate is `pem`."""

    def __init__(self, folder, name="ca"):
        super().__init__(folder, name)
        self.folder, self.name = folder, name
        self.make_request(name, None, "-x509", "-days", "2", "-out", self.pem)
        for ending, text in (("index", ""), ("serial", "01\n"), ("conf", CONFIG.format(folder=folder, name=name))):
            with open(os.path.join(folder, f"{name}.{ending}"), "w", encoding="ascii") as file:
                file.write(text)

    def issue(self, name, alternatives="DNS:localhost,IP:127.0.0.1", start=None, end=None):
        """start and end as YYYYMMDDhhmmssZ."""
        made = Certificate(self.folder, name)
        request = os.path.join(self.folder, name + ".csr")
        made.make_request(name, alternatives, "-out", request)
        times = [word for option, time in (("-startdate", start), ("-enddate", end)) if time for word in (option, time)]
        openssl("ca", "-batch", "-notext", "-config", os.path.join(self.folder, self.name + ".conf"), "-keyfile", self.key,
                "-cert", self.pem, "-in", request, "-out", made.pem, *times)
        return made


def self_signed(folder, name="self", alternatives="DNS:localhost,IP:127.0.0.1"):
    made = Certificate(folder, name)
    made.make_request(name, alternatives, "-x509", "-days", "2", "-out", made.pem)
    return made


class TlsRedis(PrivateRedis):
    """Over TCP with TLS alone; the unix socket of the test itself is plain. The default user has a password there too,
    once `user` was called."""

    def __init__(self, folder, certificate, *settings, clients="no"):
        self.port = free_port()
        super().__init__(folder, "--bind", "127.0.0.1", "--tls-port", str(self.port), "--tls-auth-clients", clients,
                         "--tls-cert-file", certificate.pem, "--tls-key-file", certificate.key,
                         "--tls-ca-cert-file", certificate.pem, *settings)

    def address(self, host="localhost", scheme="rediss", user=""):
        return f"{scheme}://{user}{host}:{self.port}/0"


def tls_settings(certificate, authority, port):
    """For a server that speaks nothing but TLS over TCP, at that port, with all others of its kind, too."""
    return ("--port", "0", "--tls-port", str(port), "--tls-cluster", "yes", "--tls-replication", "yes", "--tls-auth-clients", "no",
            "--tls-cert-file", certificate.pem, "--tls-key-file", certificate.key, "--tls-ca-cert-file", authority.pem)


class TlsCluster(PrivateCluster):
    """A Cluster whose nodes speak TLS alone, with each other, too."""

    def __init__(self, folder, certificate, authority, **options):
        self.certificate, self.authority = certificate, authority
        super().__init__(folder, **options)

    def _start(self, folder, member, members, settings):
        settings = (*settings, *tls_settings(self.certificate, self.authority, member.port))
        return PrivateCluster._start(folder, member, members, settings)

    @property
    def url(self):
        return super().url.replace("redis://", "rediss://")


class TlsSentinel(PrivateSentinel):
    """Nodes that speak TLS alone, and sentinels that are asked by TLS; the test itself asks them without."""

    def __init__(self, folder, certificate, authority, **options):
        self.certificate, self.authority = certificate, authority
        super().__init__(folder, **options)

    def _start_node(self, folder, settings):
        port = free_port()
        return RedisNode(folder, *settings, *tls_settings(self.certificate, self.authority, port), port=port)

    def _start_sentinel(self, *words):
        port = free_port()
        settings = tls_settings(self.certificate, self.authority, port)[2:]
        lines = [f"{name[2:]} {value}" for name, value in zip(settings[::2], settings[1::2]) if name != "--tls-cluster"]
        started = Sentinel(*words, settings=lines)
        started.tls_port = port
        return started

    @property
    def url(self):
        return f"rediss+sentinel://{','.join(f'127.0.0.1:{one.tls_port}' for one in self.sentinels)}/{NAME}/0"

# SPDX-License-Identifier: Apache-2.0
"""A real redis-server on a port and in a folder of its own."""
import os
import shutil
import subprocess
import tempfile

from .ports import free_port, wait_for_port


class Redis:
    """`tls`: it takes TLS alone, with a certificate for localhost, whose authority is `ca`."""

    def __init__(self, tls=False):
        self.dir, self.port, self.tls = tempfile.mkdtemp(prefix="sallyport-redis-"), free_port(), tls
        self.ca = os.path.join(self.dir, "cert.pem")
        self.url = f"rediss://localhost:{self.port}" if tls else f"redis://127.0.0.1:{self.port}"
        if tls:
            subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                            "-days", "2", "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
                            "-keyout", os.path.join(self.dir, "key.pem"), "-out", self.ca],
                           check=True, capture_output=True)
        self.start()

    def start(self):
        ports = ["--port", str(self.port)]
        if self.tls:
            ports = ["--port", "0", "--tls-port", str(self.port), "--tls-cert-file", self.ca,
                     "--tls-key-file", os.path.join(self.dir, "key.pem"), "--tls-auth-clients", "no"]
        self.process = subprocess.Popen(["redis-server", *ports, "--bind", "127.0.0.1", "--dir", self.dir, "--save", "",
                                         "--appendonly", "yes", "--appendfsync", "always"], stdout=subprocess.DEVNULL)
        wait_for_port(self.port)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.kill()
        shutil.rmtree(self.dir)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

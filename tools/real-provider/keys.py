# SPDX-License-Identifier: Apache-2.0
"""Keys and certificates, made by openssl. Python 3 standard library only."""
import base64
import os
import subprocess

_KINDS = {
    "RS256": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "PS256": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "RSA-OAEP": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
    "ES256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
}
_DAYS = "30"


def openssl(*arguments):
    done = subprocess.run(["openssl", *arguments], capture_output=True)
    if done.returncode:
        raise SystemExit(f"openssl {arguments[0]}: {done.stderr.decode()}")
    return done.stdout


def write_private(path, text):
    """Writes a file that only its owner can read."""
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
        out.write(text)


def make_key(algorithm, key_id, path=None):
    """A new private key as a JSON Web Key; also as PEM (PKCS #8) in a private file."""
    pem = openssl("genpkey", *_KINDS[algorithm]).decode()
    if path:
        write_private(path, pem)
    use = "enc" if algorithm.startswith("RSA-") else "sig"
    return dict(_private_members(pem), alg=algorithm, use=use, kid=key_id)


def public_key(key):
    """What of a JSON Web Key may be published."""
    return {name: value for name, value in key.items()
            if name not in ("d", "p", "q", "dp", "dq", "qi")}


class Authority:
    """A certificate authority of its own, and what it signs, in a directory."""

    def __init__(self, directory):
        self.directory = directory
        self.certificate = self.at("ca.pem")
        self.self_signed(
            "ca", "/CN=AuthLedger test authority", "basicConstraints=critical,CA:TRUE",
            "keyUsage=critical,keyCertSign,cRLSign")

    def at(self, name):
        return os.path.join(self.directory, name)

    def issue(self, name, subject, *extensions):
        """Signs a certificate; gives its paths and its key."""
        key = make_key("ES256", name, self.at(name + ".key"))
        openssl("req", "-new", "-key", self.at(name + ".key"), "-subj", subject,
                "-out", self.at(name + ".csr"))
        with open(self.at(name + ".ext"), "w") as out:
            out.write("\n".join(_END_ENTITY + extensions) + "\n")
        openssl("x509", "-req", "-in", self.at(name + ".csr"), "-CA", self.certificate,
                "-CAkey", self.at("ca.key"), "-set_serial", "0x" + os.urandom(15).hex(),
                "-sha256", "-days", _DAYS, "-extfile", self.at(name + ".ext"),
                "-out", self.at(name + ".pem"))
        return self._paths(name), key

    def self_signed(self, name, subject, *extensions):
        """Makes a certificate that is signed by its own key; gives its paths and its key."""
        key = make_key("ES256", name, self.at(name + ".key"))
        added = [part for line in extensions for part in ("-addext", line)]
        openssl("req", "-x509", "-new", "-key", self.at(name + ".key"), "-sha256", "-days", _DAYS,
                "-subj", subject, "-out", self.at(name + ".pem"), *added)
        return self._paths(name), key

    def _paths(self, name):
        return {"certificateFile": self.at(name + ".pem"), "privateKeyFile": self.at(name + ".key")}


_END_ENTITY = ("basicConstraints=critical,CA:FALSE", "keyUsage=critical,digitalSignature")


def subject_of(certificate):
    """The subject as RFC 4514 writes it, last name first."""
    line = openssl("x509", "-in", certificate, "-noout", "-subject", "-nameopt", "RFC2253")
    return line.decode().partition("=")[2].strip()


def certificate_body(certificate):
    """The base64 of a certificate's DER, as `x5c` has it."""
    with open(certificate) as source:
        return _body(source.read())


def _body(pem):
    return "".join(line for line in pem.splitlines() if not line.startswith("-"))


# DER: what of PKCS #8 (RFC 5208), PKCS #1 and RFC 5915 is needed.


def _private_members(pem):
    _, _, inner = _elements(base64.b64decode(_body(pem)))
    parts = _elements(inner[1])
    if len(parts) >= 9:
        names = ("n", "e", "d", "p", "q", "dp", "dq", "qi")
        return {"kty": "RSA", **{
            name: _base64url(number.lstrip(b"\0"))
            for name, (_, number) in zip(names, parts[1:])}}
    # The tag [1] holds the public point, uncompressed.
    point = next(content for tag, content in parts if tag == 0xA1)
    x, y = point[-64:-32], point[-32:]
    return {"kty": "EC", "crv": "P-256", "x": _base64url(x), "y": _base64url(y),
            "d": _base64url(parts[1][1].rjust(32, b"\0"))}


def _elements(der):
    """Tags and contents of the elements of one sequence."""
    _, content, _ = _element(der, 0)
    found, at = [], 0
    while at < len(content):
        tag, inner, at = _element(content, at)
        found.append((tag, inner))
    return found


def _element(der, at):
    """Tag and content of the element that begins there, and where it ends."""
    tag, length, at = der[at], der[at + 1], at + 2
    if length & 0x80:
        size = length & 0x7F
        length, at = int.from_bytes(der[at:at + size], "big"), at + size
    return tag, der[at:at + length], at + length


def _base64url(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()

"""tickets: signed tokens, made by hand, by PHP, by Perl and by Node; and the keys for them."""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import time

from support import missing, need

SECRET = "a-secret-for-tests-of-42-bytes-all-printed"
OTHER = "0123456789abcdef0123456789abcdef"


def b64(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def claims(*topics, seconds=60, **more):
    """Good for so many seconds, a fraction of one included."""
    return {"topics": list(topics), "exp": time.time() + seconds, **more}


def sign(said, secret=SECRET, **header):
    """HS256 by hand; the header may say something else."""
    signed = b64(json.dumps({"alg": "HS256", **header}).encode()) + "." + b64(json.dumps(said).encode())
    return signed + "." + b64(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())


def ticket(*topics, seconds=60, **more):
    return sign(claims(*topics, seconds=seconds, **more))


class Keys:
    """A keys file with a secret and two public keys; folder/rsa.pem and ec.pem are their private halves."""

    def __init__(self, folder):
        need("openssl")
        self.folder, self.path = folder, os.path.join(folder, "ticket-keys")
        self.make("rsa", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        self.make("ec", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
        self.write(f"main HS256 {SECRET}", f"web RS256 {folder}/rsa.pub", f"app ES256 {folder}/ec.pub")

    def make(self, name, *options):
        private = os.path.join(self.folder, name + ".pem")
        subprocess.run(["openssl", "genpkey", *options, "-out", private], check=True, stderr=subprocess.DEVNULL)
        subprocess.run(["openssl", "pkey", "-in", private, "-pubout", "-out", os.path.join(self.folder, name + ".pub")],
                       check=True)

    def write(self, *lines):
        """As a careful administrator does: the file is there whole, or as before."""
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        os.rename(self.path + ".new", self.path)

    def read(self, name):
        with open(os.path.join(self.folder, name), encoding="utf-8") as file:
            return file.read()


PHP = r"""<?php
[$alg, $kid, $key, $claims] = json_decode(getenv('TICKET'));
function b64(string $s): string { return rtrim(strtr(base64_encode($s), '+/', '-_'), '='); }
$signed = b64(json_encode(['alg' => $alg, 'kid' => $kid, 'typ' => 'JWT'])) . '.' . b64($claims);
if ($alg === 'HS256') {
    $signature = hash_hmac('sha256', $signed, $key, true);
} else {
    openssl_sign($signed, $signature, $key, OPENSSL_ALGO_SHA256) or exit(1);
}
echo $signed, '.', b64($signature);
"""

PERL = r"""
use strict; use warnings; use Crypt::JWT qw(encode_jwt); use JSON::PP;
my ($alg, $kid, $key, $claims) = @{decode_json($ENV{TICKET})};
print encode_jwt(payload => $claims, alg => $alg, key => $alg eq 'HS256' ? $key : \$key, extra_headers => {kid => $kid});
"""

NODE = r"""
const crypto = require('crypto');
const [alg, kid, key, claims] = JSON.parse(process.env.TICKET);
const b64 = (text) => Buffer.from(text).toString('base64url');
const signed = b64(JSON.stringify({alg, kid})) + '.' + b64(claims);
const signature = alg === 'HS256' ? crypto.createHmac('sha256', key).update(signed).digest()
    : crypto.sign('sha256', Buffer.from(signed), {key, dsaEncoding: 'ieee-p1363'});
process.stdout.write(signed + '.' + signature.toString('base64url'));
"""


def run(command, text, asked):
    made = subprocess.run([*command], input=text, env={**os.environ, "TICKET": json.dumps(asked)}, check=True,
                          stdout=subprocess.PIPE, encoding="utf-8")
    return made.stdout


def by_php(*asked):
    need("php-cgi")
    return run(["php-cgi", "-q"], PHP, asked)


def by_perl(*asked):
    need("perl")
    if subprocess.run(["perl", "-MCrypt::JWT", "-e1"], stderr=subprocess.DEVNULL, check=False).returncode:
        missing("libcrypt-jwt-perl is not installed")
    return run(["perl", "-"], PERL, asked)


def by_node(*asked):
    need("node")
    return run(["node", "-"], NODE, asked)

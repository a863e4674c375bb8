# SPDX-License-Identifier: Apache-2.0
"""Shared by `compare` and `forward`: the programs, their cores, and what is said and saved."""

import json
import os
import pathlib
import random
import socket
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
DEV = ROOT / "build/dev"
RELEASE = ROOT / "build/release"
DTLS_BENCH = os.environ.get("DTLS_BENCH_BINARY", str(DEV / "tests/bench/dtls-bench/dtls-bench"))
DTLSD = os.environ.get("DTLSD_BINARY", str(RELEASE / "src/dtlsd"))
WORKERS = os.environ.get("WORKERS", "1")
WRONG_USAGE = 64


def fail(message, status):
    print(f"{pathlib.Path(sys.argv[0]).name}: {message}", file=sys.stderr)
    sys.exit(status)


def parse(usage):
    """--quick or not, and the other words of the command line; there is at least one."""
    words = sys.argv[1:]
    if "--help" in words:
        print(usage)
        sys.exit(0)
    quick = "--quick" in words
    words = [word for word in words if word != "--quick"]
    if not words or any(word.startswith("-") for word in words):
        print(usage, file=sys.stderr)
        sys.exit(WRONG_USAGE)
    if not WORKERS.isdecimal() or int(WORKERS) == 0:
        fail(f"WORKERS is {WORKERS!r}; a number from 1 on is accepted", WRONG_USAGE)
    return quick, words


def check(kind, given, known):
    for word in given:
        if word not in known:
            fail(f"{word} is no {kind}; {', '.join(known)} are", WRONG_USAGE)


def build(yardsticks, with_dtlsd=True):
    """Builds the programs that the environment does not name; silent unless that fails."""

    def run(*command):
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
        if done.returncode != 0:
            fail(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}", 1)

    def preset(name, *targets):
        run("cmake", "--preset", name)
        run("cmake", "--build", "--preset", name, "--target", *targets)

    programs = list(yardsticks)
    if "DTLS_BENCH_BINARY" not in os.environ:
        programs.append("dtls-bench")
    if programs:
        preset("dev", *programs)
    if with_dtlsd and "DTLSD_BINARY" not in os.environ:
        preset("release", "dtlsd")


def yardstick(name):
    return str(DEV / "tests/bench/yardsticks" / name)


def cores():
    """The cores of a server, and of the load."""
    available = sorted(os.sched_getaffinity(0))
    count = int(WORKERS)
    if count >= len(available):
        return available, available
    return available[:count], available[count:]


def cores_in_words(load="the load"):
    of_server, of_load = cores()

    def words(some):
        return f"{len(some)} core{'s' if len(some) > 1 else ''}"

    if of_server == of_load:
        return f"{words(of_server)} for server and load together"
    return f"{words(of_server)} for the server and {words(of_load)} for {load}"


def on(some_cores):
    return ["taskset", "--cpu-list", ",".join(str(core) for core in some_cores)]


def mortal(command):
    """A command that does not outlive this process in any case."""
    return ["setpriv", "--pdeathsig", "KILL", *command]


def free_port():
    """A port that nobody has, and below those that the kernel gives to who asks for any."""
    while True:
        port = random.randrange(10_000, 30_000)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return str(port)
            except OSError:
                continue


def load(what, port, server, words):
    """The figures of dtls-bench, with the load that @words say, for a process at @port."""
    command = [*on(cores()[1]), DTLS_BENCH, "--port", port, "--pid", str(server.pid)]
    command += ["--timeout", "60s", *words]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        fail(f"{what} failed", done.returncode)
    return json.loads(done.stdout)


def make_keys(work):
    """The path of a new file with one key."""
    keys = pathlib.Path(work) / "keys"
    keys.touch(mode=0o600)
    save(keys, f"bench:{os.urandom(16).hex()}\n")
    return str(keys)


def save(path, text):
    path.write_text(text, encoding="utf-8")

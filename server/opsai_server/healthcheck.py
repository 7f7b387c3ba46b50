"""Say whether the service of this container is well: `python -m opsai_server.healthcheck`. Loads nothing but Python's own."""

import sys
import urllib.error
import urllib.request

PORTS = (9464, 8765)
"""Of opsai-watch --metrics and of opsai-mcp --http, as docs/operator.md has them; others are given as arguments."""
WAIT_SECONDS = 4.0


def health(ports: tuple[int, ...]) -> tuple[bool, str]:
    """Ask `/healthz` at the first of these ports at which something listens; return whether it is well, and what it says."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    for port in ports:
        try:
            with opener.open(f"http://127.0.0.1:{port}/healthz", timeout=WAIT_SECONDS) as reply:
                return True, reply.read().decode()
        except urllib.error.HTTPError as error:
            return False, error.read().decode()
        except OSError:
            continue
    return False, f"nothing answers at port {' or '.join(map(str, ports))} of this container"


def main() -> None:
    """Run the program: exit 0 when it is well, else 1."""
    well, says = health(tuple(int(port) for port in sys.argv[1:]) or PORTS)
    sys.stdout.write(says + "\n")
    sys.exit(0 if well else 1)


if __name__ == "__main__":
    main()

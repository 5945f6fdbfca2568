# What scripts/servers and scripts/cluster share: private servers on the loopback interface, in a
# temporary folder that is removed afterwards. To be sourced by bash.
#
# Every server has a name; in the folder `home` there are NAME.log and NAME.pid.

find_command() { # Debian keeps PostgreSQL's server programs out of PATH
    command -v "$1" 2>/dev/null || ls -d /usr/lib/postgresql/*/bin/"$1" 2>/dev/null | sort -V | tail -n 1
}

install() { # install COMMAND PACKAGE...
    local command=$1
    shift
    [ -n "$(find_command "$command")" ] && return
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "$0: installing $*" >&2
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$@" >/dev/null
    else
        echo "$0: '$command' is missing: sudo apt-get install $*" >&2
        exit 1
    fi
}

free_ports() { # free_ports COUNT; below those that outgoing connections get, so they stay free
    python3 - "$1" <<'PYTHON'
import random, socket, sys
held = []
while len(held) < int(sys.argv[1]):
    s = socket.socket()
    try:
        s.bind(("127.0.0.1", random.randrange(15000, 32000)))
        held.append(s)
    except OSError:
        pass
print(*(s.getsockname()[1] for s in held))
PYTHON
}

# The servers refuse to run as root. A prefix and not a function, so that `$!` is the server itself.
as_user=()

use_home() { # use_home FOLDER
    home=$1
    if [ "$(id -u)" = 0 ]; then
        as_user=(setpriv --reuid=nobody --regid=nogroup --clear-groups env "HOME=$home")
    fi
}

new_home() { # makes the folder, and removes it with all servers when the script ends
    use_home "$(mktemp -d "${TMPDIR:-/tmp}/onramp-servers.XXXXXX")"
    [ "$(id -u)" != 0 ] || chown nobody:nogroup "$home"
    trap cleanup EXIT
    trap 'exit 130' INT TERM
}

serve() { # serve NAME COMMAND...: starts a server, which outlives a script that did not make the folder
    local name=$1
    shift
    "${as_user[@]}" "$@" </dev/null >>"$home/$name.log" 2>&1 &
    echo $! >"$home/$name.pid"
    disown # or bash would report that it was killed
}

alive() { # alive PID; one that nobody has waited for does not count
    case $(ps -o stat= -p "$1" 2>/dev/null) in "" | Z*) return 1 ;; esac
}

signal() { # signal NAME SIGNAL: to the server's processes, for PostgreSQL has many
    local pid
    pid=$(cat "$home/$1.pid")
    # Word by word; one that has gone meanwhile is no failure.
    kill "-$2" "$pid" $(pgrep -P "$pid") 2>/dev/null || true
}

end() { # end NAME SIGNAL: sends it, and waits until the server is gone; kills it after 10 seconds
    local pid
    pid=$(cat "$home/$1.pid" 2>/dev/null) || return 0
    kill "-$2" "$pid" 2>/dev/null || true
    signal "$1" CONT # it may have been paused
    rm -f "$home/$1.pid"
    for _ in $(seq 1 100); do
        alive "$pid" || return 0
        sleep 0.1
    done
    kill -KILL "$pid" 2>/dev/null || true
}

wait_for() { # wait_for WHAT COMMAND...
    local what=$1
    shift
    for _ in $(seq 1 300); do
        "$@" >/dev/null 2>&1 && return
        sleep 0.2
    done
    echo "$0: $what did not get ready; the logs:" >&2
    tail -n 20 "$home"/*.log >&2
    exit 1
}

cleanup() {
    local pid
    for pid in "$home"/*.pid; do
        [ ! -e "$pid" ] || end "$(basename "$pid" .pid)" TERM
    done
    rm -rf "$home"
}

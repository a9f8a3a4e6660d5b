#!/bin/sh
# The sandbox as a whole program: other people's clients, faults on the wire, its page in a browser, a kill and a restart.
# usage: tests/sandbox/run.sh [PROGRAM ARGUMENT...]   default: build/spelter sandbox
# Prints "ok NAME" or "not ok NAME: why" a line; what is not installed is "ok NAME # SKIP why".
set -u
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
failed=0
sandbox=

say() {
    printf '%s\n' "$1"
    case $1 in "not ok"*) failed=1 ;; esac
}

# start NAME OPTIONS...: runs the program; $url and $sandbox (its process) tell where.
start() {
    name=$1
    shift
    : >"$scratch/ready"
    # shellcheck disable=SC2086 # the program may be two words
    $program --listen 127.0.0.1:0 --json --workspace "$here/workspace.json" "$@" >"$scratch/ready" 2>"$scratch/errors" &
    sandbox=$!
    tries=0
    while ! grep -q address "$scratch/ready" 2>/dev/null; do
        tries=$((tries + 1))
        if [ $tries -gt 200 ] || ! kill -0 "$sandbox" 2>/dev/null; then
            say "not ok $name: did not start: $(cat "$scratch/errors")"
            return 1
        fi
        sleep 0.05
    done
    url=http://$(sed 's/.*"address":"\([^"]*\)".*/\1/' "$scratch/ready")
}

# stop NAME: SIGTERM must end it with 0.
stop() {
    kill -TERM "$sandbox" 2>/dev/null
    wait "$sandbox"
    code=$?
    sandbox=
    if [ $code -eq 0 ]; then say "ok $1"; else say "not ok $1: exit $code: $(cat "$scratch/errors")"; fi
}

finish() {
    [ -n "$sandbox" ] && kill -KILL "$sandbox" 2>/dev/null
    rm -rf "$scratch"
}
trap finish EXIT

# post BODY: one /users/track; prints the status.
post() {
    curl -s -o "$scratch/answer" -w '%{http_code}' "$url/users/track" -H 'Authorization: Bearer all' \
        -H 'Content-Type: application/json' -d "$1"
}

expect() {
    if [ "$2" = "$3" ]; then say "ok $1"; else say "not ok $1: $2, expected $3"; fi
}

# browse OPTIONS...: the sandbox's page in a browser without a window.
browse() {
    chromium --headless --no-sandbox --disable-gpu --user-data-dir="$scratch/chromium" --virtual-time-budget=5000 "$@" \
        "$url/sandbox" 2>/dev/null
}

program=${*:-build/spelter sandbox}

if start "starts"; then
    expect "answers over HTTP" "$(post '{"attributes":[{"external_id":"u"}]}')" 201
    printf '{"attributes":[{"external_id":"zipped"}]}' | gzip >"$scratch/body.gz"
    expect "takes gzip" "$(curl -s -o /dev/null -w '%{http_code}' "$url/users/track" -H 'Authorization: Bearer all' \
        -H 'Content-Type: application/json' -H 'Content-Encoding: gzip' --data-binary @"$scratch/body.gz")" 201
    head -c 4300000 /dev/zero | tr '\0' ' ' >"$scratch/large"
    expect "refuses 4 MB and more" "$(curl -s -o "$scratch/answer" -w '%{http_code}' "$url/users/track" -H 'Authorization: Bearer all' \
        -H 'Content-Type: application/json' -H 'Expect:' --data-binary @"$scratch/large")" 413
    expect "says so in JSON" "$(cat "$scratch/answer")" '{"message":"Request Entity Too Large"}'
    if command -v node >/dev/null && [ -d "$here/client/node_modules/braze-api" ]; then
        node "$here/client/client.mjs" "$url" all || failed=1
        node "$here/client/faults.mjs" "$url" all || failed=1
    else
        say "ok the braze-api package # SKIP node or its packages are missing (npm ci in tests/sandbox/client)"
    fi
    if command -v chromium >/dev/null; then
        post '{"attributes":[{"external_id":"shown-on-the-page"}],"events":[{"name":"nobody"}]}' >/dev/null
        # A busy machine may spend the browser's time before the page has its data: then once more.
        for try in 1 2 3 4 5; do
            browse --dump-dom >"$scratch/page.html"
            grep -q 'data-ready="yes"' "$scratch/page.html" && break
        done
        for try in 1 2 3 4 5; do
            browse --window-size=1400,1200 --screenshot="$scratch/page.png" >/dev/null
            [ "$(wc -c <"$scratch/page.png" 2>/dev/null || echo 0)" -gt 20000 ] && break
        done
        bytes=$(wc -c <"$scratch/page.png" 2>/dev/null || echo 0)
        if [ "$bytes" -gt 20000 ]; then say "ok the page is painted"; else say "not ok the page is painted: $bytes bytes"; fi
        for text in 'data-ready="yes"' 'shown-on-the-page' 'POST /users/track' 'events\[0\]' 'export-ids'; do
            if grep -q "$text" "$scratch/page.html"; then say "ok the page shows $text"; else say "not ok the page shows $text: missing"; fi
        done
    else
        say "ok the page # SKIP chromium is missing"
    fi
    stop "SIGTERM ends it with 0"
fi

if start "starts with slow reading" --fault read-bytes-per-s=100000; then
    { printf '{"attributes":[{"external_id":"large"}]'; head -c 200000 /dev/zero | tr '\0' ' '; printf '}'; } >"$scratch/slow"
    curl -s -o /dev/null -w '%{http_code}' "$url/users/track" -H 'Authorization: Bearer all' -H 'Content-Type: application/json' \
        -H 'Expect:' --data-binary @"$scratch/slow" >"$scratch/slow.status" &
    slow=$!
    expect "answers others while it reads slowly" "$(post '{"attributes":[{"external_id":"small"}]}')" 201
    expect "whose body is not here yet" "$(cat "$scratch/slow.status")" ""
    wait $slow
    expect "a body that is read slowly succeeds" "$(cat "$scratch/slow.status")" 201
    expect "it arrives whole" "$(curl -s "$url/sandbox/profiles/large" | grep -c '"external_id":"large"')" 1
    stop "SIGTERM ends it with 0, with slow reading"
fi

if start "starts with --data" --data "$scratch/data"; then
    i=0
    while [ $i -lt 50 ]; do
        status=$(post "{\"events\":[{\"external_id\":\"durable\",\"name\":\"e$i\",\"time\":\"2026-01-05T10:00:00Z\"}]}")
        [ "$status" = 201 ] || break
        i=$((i + 1))
    done
    kill -KILL "$sandbox"
    wait "$sandbox" 2>/dev/null
    sandbox=
    if start "starts again after kill -9" --data "$scratch/data"; then
        found=$(curl -s "$url/sandbox/profiles/durable" | grep -o '"name":"e[0-9]*","time"' | sort -u | wc -l)
        expect "every acknowledged event survives kill -9" "$found" "$i"
        stop "SIGTERM ends it with 0, with --data"
    fi
fi

# events: the names of the events that the profile `late` has received, each once.
events() {
    curl -s "$url/sandbox/profiles/late" | grep -o '"name":"[a-z]*","time"' | sort | uniq -c | sed 's/^ *\([0-9]*\) "name":"\([a-z]*\)".*/\1 \2/' | tr '\n' ';'
}

late() {
    post "{\"events\":[{\"external_id\":\"late\",\"name\":\"$1\",\"time\":\"2026-01-05T10:00:00Z\"}]}"
}

if start "starts with --data and consistency-ms" --data "$scratch/late" --choose consistency-ms=600000; then
    expect "a write that is held back is answered" "$(late stopped)" 201
    expect "a write that is held back is not seen" "$(events)" ""
    stop "SIGTERM ends it with 0, with a write held back"
fi
if start "starts again with --data and consistency-ms" --data "$scratch/late" --choose consistency-ms=600000; then
    expect "what was held back at the stop was carried out, and once" "$(events)" "1 stopped;"
    expect "the next write is held back again" "$(late killed) $(events)" "201 1 stopped;"
    kill -KILL "$sandbox"
    wait "$sandbox" 2>/dev/null
    sandbox=
fi
if start "starts again after kill -9 with a write held back" --data "$scratch/late"; then
    expect "what was held back at kill -9 is gone, what was carried out is not" "$(events)" "1 stopped;"
    expect "without consistency-ms a write is seen at once" "$(late plain) $(events)" "201 1 plain;1 stopped;"
    stop "SIGTERM ends it with 0, after writes held back"
fi

for wrong in "--objct-limit=combined" "--choose array-max=x" "--fault status=5" "--listen" "--workspace $scratch/none.json" "--workspace $scratch"; do
    # shellcheck disable=SC2086
    $program $wrong >/dev/null 2>"$scratch/errors"
    expect "$wrong is the user's mistake" $? 1
done
exit $failed

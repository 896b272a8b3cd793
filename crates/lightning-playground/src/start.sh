#!/bin/sh
# Starts a node of the playground that has ended: start NODE [OPTIONS OF LIGHTNINGD]
dir=@DIR@
name=${1-}
if [ -z "$name" ] || [ ! -x "$dir/bin/$name" ] || [ ! -d "$dir/$name" ] || [ "$name" = btc ]; then
    echo "usage: start NODE [OPTIONS OF LIGHTNINGD]" >&2
    exit 1
fi
shift
request=$dir/start/$name
tries=0
while :; do
    rm -f "$request.pid"
    for word; do
        printf '%s\n' "$word"
    done >"$request.$$"
    mv "$request.$$" "$request"
    until [ -e "$request.pid" ]; do
        if ! kill -0 @PID@ 2>/dev/null; then
            echo "the playground has ended" >&2
            exit 1
        fi
        sleep 0.05
    done
    pid=$(cat "$request.pid")
    [ "$pid" = runs ] || break
    # One that was told to stop needs a moment: it runs and does not answer any more.
    tries=$((tries + 1))
    if [ "$tries" -gt 300 ] || "$dir/bin/$name" getinfo >/dev/null 2>&1; then
        echo "$name runs already" >&2
        exit 1
    fi
    sleep 0.1
done
until "$dir/bin/$name" getinfo >/dev/null 2>&1; do
    if ! kill -0 "$pid" 2>/dev/null; then
        tail -n 5 "$dir/$name.output" "$dir/$name/log" >&2
        exit 1
    fi
    sleep 0.1
done

#!/bin/sh
# hello.sh: a plugin in nothing but shell.
#
#   lightning-cli plugin start $PWD/hello.sh
#   lightning-cli hello you
#
# It shows what goes over the wire: lightningd writes JSON objects to our standard input, each in one line and followed by an empty
# one, and reads our answers from standard output. Enough for a small thing; a larger one wants a language that reads JSON.

greeting=Hello

# An answer carries the id of its request.
reply() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n\n' "$id" "$1"; }
refuse() { printf '{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"%s"}}\n\n' "$id" "$1"; }

# A line for lightningd's log: nobody asked, so it has no id.
log() { printf '{"jsonrpc":"2.0","method":"log","params":{"level":"info","message":"%s"}}\n\n' "$1"; }

# Prints what is between $1 and $2 (patterns) in the parameters, if it is the inside of a JSON string. Escapes stay as they are: it
# goes back into a JSON string.
between() { printf '%s\n' "$params" | sed -nE "s/^.*$1(([^\"\\\\]|\\\\.)*)$2.*\$/\1/p"; }

manifest='{
  "options": [{"name": "greeting", "type": "string", "default": "Hello", "description": "What hello says."}],
  "rpcmethods": [{"name": "hello", "usage": "[name]", "description": "Says hello to {name}."}],
  "subscriptions": ["connect", "disconnect"],
  "dynamic": true
}'

hello() {
    case $params in
    '[]}' | '{}}') name=world ;;
    '['*) name=$(between '^\[ *"' '" *\]\}$') ;;
    *) name=$(between '^\{ *"name" *: *"' '" *\}\}$') ;;
    esac
    if [ -n "$name" ]; then
        reply "\"$greeting $name\""
    else
        refuse 'hello takes one parameter: name, a text'
    fi
}

# A request is {"jsonrpc":"2.0","id":..,"method":"..","params":..}; a notification the same without id.
while IFS= read -r line; do
    id=${line#*'"id":'} id=${id%%',"method":'*}
    method=${line#*'"method":"'} method=${method%%'"'*}
    params=${line#*'"params":'}
    case $method in
    getmanifest) reply "$manifest" ;;
    init)
        given=$(between '"greeting":"' '"')
        greeting=${given:-$greeting}
        log 'hello.sh is ready'
        reply '{}'
        ;;
    hello) hello ;;
    connect | disconnect) log "$method: $(between '"id":"' '"')" ;;
    esac
done

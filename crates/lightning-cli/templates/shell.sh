#!/bin/sh
# @NAME@.sh: a lightning plugin in nothing but shell.
#
#   lightning-cli plugin start $PWD/@NAME@.sh
#   lightning-cli @NAME@-hello you
#
# lightningd writes JSON objects to our standard input, each in one line and followed by an empty one, and reads our answers from standard
# output. What you want to look at yourself goes to standard error.

greeting=Hello

# An answer carries the id of its request.
reply() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n\n' "$id" "$1"; }

# A line for lightningd's log: nobody asked, so it has no id.
log() { printf '{"jsonrpc":"2.0","method":"log","params":{"level":"info","message":"%s"}}\n\n' "$1"; }

# Prints what is between $1 and $2 (patterns) in the parameters, if it is the inside of a JSON string.
between() { printf '%s\n' "$params" | sed -nE "s/^.*$1(([^\"\\\\]|\\\\.)*)$2.*\$/\1/p"; }

# What this plugin offers: options, methods, what it wants to hear of, where it wants to be asked.
manifest='{
  "options": [{"name": "@NAME@-greeting", "type": "string", "default": "Hello", "description": "What @NAME@-hello says."}],
  "rpcmethods": [{"name": "@NAME@-hello", "usage": "[name]", "description": "Says hello to {name}."}],
  "subscriptions": ["connect", "shutdown"],
  "hooks": ["invoice_payment"],
  "dynamic": true
}'

while IFS= read -r line; do
    # A request is {"jsonrpc":"2.0","id":..,"method":"..","params":..}; a notification the same without id.
    id=${line#*'"id":'} id=${id%%',"method":'*}
    method=${line#*'"method":"'} method=${method%%'"'*}
    params=${line#*'"params":'}
    case $method in
    getmanifest) reply "$manifest" ;;
    init)
        given=$(between '"@NAME@-greeting":"' '"')
        greeting=${given:-$greeting}
        log 'ready'
        reply '{}'
        ;;
    @NAME@-hello)
        # Parameters come by position or by name.
        case $params in
        '['*) name=$(between '^\[ *"' '" *\]\}$') ;;
        *) name=$(between '^\{ *"name" *: *"' '" *\}\}$') ;;
        esac
        reply "{\"text\":\"$greeting ${name:-world}\"}"
        ;;
    # A hook: lightningd waits for the answer. {"result":"reject"} would refuse the payment.
    invoice_payment)
        log "paid: $(between '"label":"' '"')"
        reply '{"result":"continue"}'
        ;;
    # A notification: nobody waits.
    connect) log "connect: $(between '"id":"' '"')" ;;
    shutdown) exit 0 ;;
    esac
done

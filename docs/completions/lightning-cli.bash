# Completion of lightning-cli for bash. Written by `cargo xtask gen`.
_lightning_cli() {
    local current=${COMP_WORDS[COMP_CWORD]}
    local method= option= word i
    local -a node=()
    COMPREPLY=()
    # bash makes a word of each '='.
    [[ $current == "=" ]] && current=
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        case $word in
        --lightning-dir | --network | --conf | --rpc-file | --filter | -l | --commando | -c | --notifications | -N)
            option=$word
            [[ ${COMP_WORDS[i + 1]} == "=" ]] && i=$((i + 1))
            i=$((i + 1))
            if ((i < COMP_CWORD)); then
                node+=("$option" "${COMP_WORDS[i]}")
                option=
            fi
            ;;
        -*) node+=("$word") ;;
        *)
            method=$word
            break
            ;;
        esac
    done
    if [[ -n $option ]]; then
        case $option in
        --lightning-dir) mapfile -t COMPREPLY < <(compgen -d -- "$current") ;;
        --network) mapfile -t COMPREPLY < <(compgen -W "bitcoin testnet testnet4 signet regtest" -- "$current") ;;
        --conf) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
        --rpc-file) mapfile -t COMPREPLY < <(compgen -f -- "$current") ;;
        --notifications | -N) mapfile -t COMPREPLY < <(compgen -W "io trace debug info unusual broken none" -- "$current") ;;
        esac
        return
    fi
    if [[ -z $method && $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "--lightning-dir --network --conf --rpc-file --filter --commando --notifications --mainnet --testnet --testnet4 --signet --regtest --keywords --order --json --raw --human-readable --flat --help --version" -- "$current")
        return
    fi
    local known="addgossip batching check checkmessage close connect datastore datastoreusage decode deldatastore delforward delinvoice delpay deprecations disconnect feerates fundchannel fundchannel_cancel fundchannel_complete fundchannel_start fundpsbt getinfo getlog getroute graceful help invoice listaddresses listchainmoves listchannelmoves listchannels listclosedchannels listconfigs listdatastore listforwards listfunds listinvoices listnodes listpays listpeerchannels listpeers listsendpays listtransactions makesecret newaddr notifications parsefeerate pay ping plugin preapproveinvoice reserveinputs sendcustommsg sendpay sendpsbt setchannel setconfig signmessage signpsbt stop txdiscard txprepare txsend unreserveinputs utxopsbt wait waitanyinvoice waitblockheight waitinvoice waitsendpay withdraw xpay"
    case $method in
    "" | help | check)
        # Commands of plugins are known to the running node only.
        known+=" $(lightning-cli "${node[@]}" --raw help 2>/dev/null | grep -o '"command": *"[A-Za-z0-9_-]*' | sed 's/.*"//')"
        mapfile -t COMPREPLY < <(compgen -W "$known" -- "$current" | sort -u)
        ;;
    plugin) mapfile -t COMPREPLY < <(compgen -f -W "start stop startdir rescan list reload" -- "$current") ;;
    addgossip) mapfile -t COMPREPLY < <(compgen -W "message=" -- "$current") ;;
    batching) mapfile -t COMPREPLY < <(compgen -W "enable=" -- "$current") ;;
    checkmessage) mapfile -t COMPREPLY < <(compgen -W "message= zbase= pubkey=" -- "$current") ;;
    close) mapfile -t COMPREPLY < <(compgen -W "id= unilateraltimeout= destination= fee_negotiation_step= wrong_funding= force_lease_closed= feerange=" -- "$current") ;;
    connect) mapfile -t COMPREPLY < <(compgen -W "id= host= port=" -- "$current") ;;
    datastore) mapfile -t COMPREPLY < <(compgen -W "key= string= hex= mode= generation=" -- "$current") ;;
    datastoreusage) mapfile -t COMPREPLY < <(compgen -W "key=" -- "$current") ;;
    decode) mapfile -t COMPREPLY < <(compgen -W "string=" -- "$current") ;;
    deldatastore) mapfile -t COMPREPLY < <(compgen -W "key= generation=" -- "$current") ;;
    delforward) mapfile -t COMPREPLY < <(compgen -W "in_channel= in_htlc_id= status=" -- "$current") ;;
    delinvoice) mapfile -t COMPREPLY < <(compgen -W "label= status= desconly=" -- "$current") ;;
    delpay) mapfile -t COMPREPLY < <(compgen -W "payment_hash= status= partid= groupid=" -- "$current") ;;
    deprecations) mapfile -t COMPREPLY < <(compgen -W "enable=" -- "$current") ;;
    disconnect) mapfile -t COMPREPLY < <(compgen -W "id= force=" -- "$current") ;;
    feerates) mapfile -t COMPREPLY < <(compgen -W "style=" -- "$current") ;;
    fundchannel) mapfile -t COMPREPLY < <(compgen -W "id= amount= feerate= announce= minconf= utxos= push_msat= close_to= request_amt= compact_lease= mindepth= reserve= channel_type=" -- "$current") ;;
    fundchannel_cancel) mapfile -t COMPREPLY < <(compgen -W "id=" -- "$current") ;;
    fundchannel_complete) mapfile -t COMPREPLY < <(compgen -W "id= psbt= withhold=" -- "$current") ;;
    fundchannel_start) mapfile -t COMPREPLY < <(compgen -W "id= amount= feerate= announce= close_to= push_msat= mindepth= reserve= channel_type=" -- "$current") ;;
    fundpsbt) mapfile -t COMPREPLY < <(compgen -W "satoshi= feerate= startweight= minconf= reserve= locktime= min_witness_weight= excess_as_change= nonwrapped= opening_anchor_channel=" -- "$current") ;;
    getlog) mapfile -t COMPREPLY < <(compgen -W "level=" -- "$current") ;;
    getroute) mapfile -t COMPREPLY < <(compgen -W "id= amount_msat= riskfactor= cltv= fromid= fuzzpercent= exclude= maxhops=" -- "$current") ;;
    graceful) mapfile -t COMPREPLY < <(compgen -W "timeout=" -- "$current") ;;
    invoice) mapfile -t COMPREPLY < <(compgen -W "amount_msat= label= description= expiry= fallbacks= preimage= exposeprivatechannels= cltv= deschashonly=" -- "$current") ;;
    listaddresses) mapfile -t COMPREPLY < <(compgen -W "address= start= limit=" -- "$current") ;;
    listchainmoves) mapfile -t COMPREPLY < <(compgen -W "index= start= limit=" -- "$current") ;;
    listchannelmoves) mapfile -t COMPREPLY < <(compgen -W "index= start= limit=" -- "$current") ;;
    listchannels) mapfile -t COMPREPLY < <(compgen -W "short_channel_id= source= destination=" -- "$current") ;;
    listclosedchannels) mapfile -t COMPREPLY < <(compgen -W "id=" -- "$current") ;;
    listconfigs) mapfile -t COMPREPLY < <(compgen -W "config=" -- "$current") ;;
    listdatastore) mapfile -t COMPREPLY < <(compgen -W "key=" -- "$current") ;;
    listforwards) mapfile -t COMPREPLY < <(compgen -W "status= in_channel= out_channel= index= start= limit=" -- "$current") ;;
    listfunds) mapfile -t COMPREPLY < <(compgen -W "spent=" -- "$current") ;;
    listinvoices) mapfile -t COMPREPLY < <(compgen -W "label= invstring= payment_hash= offer_id= index= start= limit=" -- "$current") ;;
    listnodes) mapfile -t COMPREPLY < <(compgen -W "id=" -- "$current") ;;
    listpays) mapfile -t COMPREPLY < <(compgen -W "bolt11= payment_hash= status= index= start= limit=" -- "$current") ;;
    listpeerchannels) mapfile -t COMPREPLY < <(compgen -W "id= short_channel_id= channel_id=" -- "$current") ;;
    listpeers) mapfile -t COMPREPLY < <(compgen -W "id= level=" -- "$current") ;;
    listsendpays) mapfile -t COMPREPLY < <(compgen -W "bolt11= payment_hash= status= index= start= limit=" -- "$current") ;;
    makesecret) mapfile -t COMPREPLY < <(compgen -W "hex= string=" -- "$current") ;;
    newaddr) mapfile -t COMPREPLY < <(compgen -W "addresstype=" -- "$current") ;;
    notifications) mapfile -t COMPREPLY < <(compgen -W "enable=" -- "$current") ;;
    parsefeerate) mapfile -t COMPREPLY < <(compgen -W "feerate=" -- "$current") ;;
    pay) mapfile -t COMPREPLY < <(compgen -W "bolt11= amount_msat= label= riskfactor= maxfeepercent= retry_for= maxdelay= exemptfee= localinvreqid= exclude= maxfee= description= partial_msat=" -- "$current") ;;
    ping) mapfile -t COMPREPLY < <(compgen -W "id= len= pongbytes=" -- "$current") ;;
    preapproveinvoice) mapfile -t COMPREPLY < <(compgen -W "bolt11=" -- "$current") ;;
    reserveinputs) mapfile -t COMPREPLY < <(compgen -W "psbt= exclusive= reserve=" -- "$current") ;;
    sendcustommsg) mapfile -t COMPREPLY < <(compgen -W "node_id= msg=" -- "$current") ;;
    sendpay) mapfile -t COMPREPLY < <(compgen -W "route= payment_hash= label= amount_msat= bolt11= payment_secret= partid= localinvreqid= groupid= payment_metadata= description=" -- "$current") ;;
    sendpsbt) mapfile -t COMPREPLY < <(compgen -W "psbt= reserve=" -- "$current") ;;
    setchannel) mapfile -t COMPREPLY < <(compgen -W "id= feebase= feeppm= htlcmin= htlcmax= enforcedelay= ignorefeelimits=" -- "$current") ;;
    setconfig) mapfile -t COMPREPLY < <(compgen -W "config= val= transient=" -- "$current") ;;
    signmessage) mapfile -t COMPREPLY < <(compgen -W "message=" -- "$current") ;;
    signpsbt) mapfile -t COMPREPLY < <(compgen -W "psbt= signonly=" -- "$current") ;;
    txdiscard) mapfile -t COMPREPLY < <(compgen -W "txid=" -- "$current") ;;
    txprepare) mapfile -t COMPREPLY < <(compgen -W "outputs= feerate= minconf= utxos=" -- "$current") ;;
    txsend) mapfile -t COMPREPLY < <(compgen -W "txid=" -- "$current") ;;
    unreserveinputs) mapfile -t COMPREPLY < <(compgen -W "psbt= reserve=" -- "$current") ;;
    utxopsbt) mapfile -t COMPREPLY < <(compgen -W "satoshi= feerate= startweight= utxos= reserve= reservedok= locktime= min_witness_weight= excess_as_change= opening_anchor_channel=" -- "$current") ;;
    wait) mapfile -t COMPREPLY < <(compgen -W "subsystem= indexname= nextvalue=" -- "$current") ;;
    waitanyinvoice) mapfile -t COMPREPLY < <(compgen -W "lastpay_index= timeout=" -- "$current") ;;
    waitblockheight) mapfile -t COMPREPLY < <(compgen -W "blockheight= timeout=" -- "$current") ;;
    waitinvoice) mapfile -t COMPREPLY < <(compgen -W "label=" -- "$current") ;;
    waitsendpay) mapfile -t COMPREPLY < <(compgen -W "payment_hash= timeout= partid= groupid=" -- "$current") ;;
    withdraw) mapfile -t COMPREPLY < <(compgen -W "destination= satoshi= feerate= minconf= utxos=" -- "$current") ;;
    xpay) mapfile -t COMPREPLY < <(compgen -W "invstring= amount_msat= maxfee= layers= retry_for= partial_msat= maxdelay= payer_note= label= localinvreqid=" -- "$current") ;;
    esac
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -F _lightning_cli lightning-cli

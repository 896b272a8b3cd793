//! The list of all methods.

use super::{
    Method, MethodInfo, accounts, channels, control, datastore, developer, gossip, invoices,
    payments, peers, plugins, wallet,
};

/// Every method declared in this crate, by name.
pub fn registry() -> &'static [MethodInfo] {
    REGISTRY
}

/// The method with this name.
pub fn find(name: &str) -> Option<&'static MethodInfo> {
    let index = REGISTRY.binary_search_by(|info| info.name.cmp(name)).ok()?;
    REGISTRY.get(index)
}

const REGISTRY: &[MethodInfo] = &[
    gossip::addgossip::Addgossip::INFO,
    control::batching::Batching::INFO,
    control::check::Check::INFO,
    control::checkmessage::Checkmessage::INFO,
    channels::close::Close::INFO,
    peers::connect::Connect::INFO,
    datastore::datastore::Datastore::INFO,
    datastore::datastoreusage::Datastoreusage::INFO,
    invoices::decode::Decode::INFO,
    datastore::deldatastore::Deldatastore::INFO,
    payments::delforward::Delforward::INFO,
    invoices::delinvoice::Delinvoice::INFO,
    payments::delpay::Delpay::INFO,
    control::deprecations::Deprecations::INFO,
    developer::dev::Dev::INFO,
    developer::dev_compact_gossip_store::DevCompactGossipStore::INFO,
    developer::dev_connectd_exhaust_fds::DevConnectdExhaustFds::INFO,
    developer::dev_fail::DevFail::INFO,
    developer::dev_feerate::DevFeerate::INFO,
    developer::dev_forget_channel::DevForgetChannel::INFO,
    developer::dev_ignore_htlcs::DevIgnoreHtlcs::INFO,
    developer::dev_listaddrs::DevListaddrs::INFO,
    developer::dev_memleak::DevMemleak::INFO,
    developer::dev_reenable_commit::DevReenableCommit::INFO,
    developer::dev_report_fds::DevReportFds::INFO,
    developer::dev_rescan_outputs::DevRescanOutputs::INFO,
    developer::dev_sign_last_tx::DevSignLastTx::INFO,
    developer::dev_suppress_gossip::DevSuppressGossip::INFO,
    peers::disconnect::Disconnect::INFO,
    control::feerates::Feerates::INFO,
    channels::fundchannel::Fundchannel::INFO,
    channels::fundchannel_cancel::FundchannelCancel::INFO,
    channels::fundchannel_complete::FundchannelComplete::INFO,
    channels::fundchannel_start::FundchannelStart::INFO,
    wallet::fundpsbt::Fundpsbt::INFO,
    control::getinfo::Getinfo::INFO,
    control::getlog::Getlog::INFO,
    gossip::getroute::Getroute::INFO,
    control::graceful::Graceful::INFO,
    control::help::Help::INFO,
    invoices::invoice::Invoice::INFO,
    wallet::listaddresses::Listaddresses::INFO,
    accounts::listchainmoves::Listchainmoves::INFO,
    accounts::listchannelmoves::Listchannelmoves::INFO,
    gossip::listchannels::Listchannels::INFO,
    channels::listclosedchannels::Listclosedchannels::INFO,
    control::listconfigs::Listconfigs::INFO,
    datastore::listdatastore::Listdatastore::INFO,
    payments::listforwards::Listforwards::INFO,
    wallet::listfunds::Listfunds::INFO,
    invoices::listinvoices::Listinvoices::INFO,
    gossip::listnodes::Listnodes::INFO,
    payments::listpays::Listpays::INFO,
    channels::listpeerchannels::Listpeerchannels::INFO,
    peers::listpeers::Listpeers::INFO,
    payments::listsendpays::Listsendpays::INFO,
    wallet::listtransactions::Listtransactions::INFO,
    control::makesecret::Makesecret::INFO,
    wallet::newaddr::Newaddr::INFO,
    control::notifications::Notifications::INFO,
    control::parsefeerate::Parsefeerate::INFO,
    payments::pay::Pay::INFO,
    peers::ping::Ping::INFO,
    plugins::plugin::Plugin::INFO,
    payments::preapproveinvoice::Preapproveinvoice::INFO,
    wallet::reserveinputs::Reserveinputs::INFO,
    peers::sendcustommsg::Sendcustommsg::INFO,
    payments::sendpay::Sendpay::INFO,
    wallet::sendpsbt::Sendpsbt::INFO,
    channels::setchannel::Setchannel::INFO,
    control::setconfig::Setconfig::INFO,
    control::signmessage::Signmessage::INFO,
    wallet::signpsbt::Signpsbt::INFO,
    control::stop::Stop::INFO,
    wallet::txdiscard::Txdiscard::INFO,
    wallet::txprepare::Txprepare::INFO,
    wallet::txsend::Txsend::INFO,
    wallet::unreserveinputs::Unreserveinputs::INFO,
    wallet::utxopsbt::Utxopsbt::INFO,
    control::wait::Wait::INFO,
    invoices::waitanyinvoice::Waitanyinvoice::INFO,
    control::waitblockheight::Waitblockheight::INFO,
    invoices::waitinvoice::Waitinvoice::INFO,
    payments::waitsendpay::Waitsendpay::INFO,
    wallet::withdraw::Withdraw::INFO,
    payments::xpay::Xpay::INFO,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_and_every_method_is_found() {
        assert!(REGISTRY.is_sorted_by(|a, b| a.name < b.name));
        for info in REGISTRY {
            assert_eq!(find(info.name).map(|found| found.name), Some(info.name));
        }
        assert!(find("no-such-method").is_none());
    }

    #[test]
    fn methods_for_developers_are_named_so() {
        for info in REGISTRY {
            let named = info.name == "dev" || info.name.starts_with("dev-");
            assert_eq!(info.developer, named, "{}", info.name);
        }
    }

    #[test]
    fn every_method_has_a_manual() {
        for info in REGISTRY {
            assert!(!info.summary().is_empty(), "{}", info.name);
            for param in info.params {
                assert!(!param.doc.is_empty(), "{} {}", info.name, param.name);
            }
            let optional = info.params.iter().skip_while(|param| param.required);
            for param in optional {
                assert!(
                    !param.required,
                    "{}: {} after optional ones",
                    info.name, param.name
                );
            }
        }
    }
}

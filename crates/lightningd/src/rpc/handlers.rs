//! The methods this node has, by name.

use ln_rpc::methods::accounts::listchainmoves::Listchainmoves;
use ln_rpc::methods::accounts::listchannelmoves::Listchannelmoves;
use ln_rpc::methods::channels::close::Close;
use ln_rpc::methods::channels::fundchannel::Fundchannel;
use ln_rpc::methods::channels::fundchannel_cancel::FundchannelCancel;
use ln_rpc::methods::channels::fundchannel_complete::FundchannelComplete;
use ln_rpc::methods::channels::fundchannel_start::FundchannelStart;
use ln_rpc::methods::channels::listclosedchannels::Listclosedchannels;
use ln_rpc::methods::channels::listpeerchannels::Listpeerchannels;
use ln_rpc::methods::channels::setchannel::Setchannel;
use ln_rpc::methods::control::batching::Batching;
use ln_rpc::methods::control::check::Check;
use ln_rpc::methods::control::checkmessage::Checkmessage;
use ln_rpc::methods::control::deprecations::Deprecations;
use ln_rpc::methods::control::feerates::Feerates;
use ln_rpc::methods::control::getinfo::Getinfo;
use ln_rpc::methods::control::getlog::Getlog;
use ln_rpc::methods::control::graceful::Graceful;
use ln_rpc::methods::control::help::Help;
use ln_rpc::methods::control::listconfigs::Listconfigs;
use ln_rpc::methods::control::makesecret::Makesecret;
use ln_rpc::methods::control::notifications::Notifications;
use ln_rpc::methods::control::parsefeerate::Parsefeerate;
use ln_rpc::methods::control::setconfig::Setconfig;
use ln_rpc::methods::control::signmessage::Signmessage;
use ln_rpc::methods::control::stop::Stop;
use ln_rpc::methods::control::wait::Wait;
use ln_rpc::methods::control::waitblockheight::Waitblockheight;
use ln_rpc::methods::datastore::datastore::Datastore;
use ln_rpc::methods::datastore::datastoreusage::Datastoreusage;
use ln_rpc::methods::datastore::deldatastore::Deldatastore;
use ln_rpc::methods::datastore::listdatastore::Listdatastore;
use ln_rpc::methods::developer::dev::Dev;
use ln_rpc::methods::developer::dev_compact_gossip_store::DevCompactGossipStore;
use ln_rpc::methods::developer::dev_connectd_exhaust_fds::DevConnectdExhaustFds;
use ln_rpc::methods::developer::dev_fail::DevFail;
use ln_rpc::methods::developer::dev_feerate::DevFeerate;
use ln_rpc::methods::developer::dev_forget_channel::DevForgetChannel;
use ln_rpc::methods::developer::dev_ignore_htlcs::DevIgnoreHtlcs;
use ln_rpc::methods::developer::dev_listaddrs::DevListaddrs;
use ln_rpc::methods::developer::dev_memleak::DevMemleak;
use ln_rpc::methods::developer::dev_reenable_commit::DevReenableCommit;
use ln_rpc::methods::developer::dev_report_fds::DevReportFds;
use ln_rpc::methods::developer::dev_rescan_outputs::DevRescanOutputs;
use ln_rpc::methods::developer::dev_sign_last_tx::DevSignLastTx;
use ln_rpc::methods::developer::dev_suppress_gossip::DevSuppressGossip;
use ln_rpc::methods::gossip::addgossip::Addgossip;
use ln_rpc::methods::gossip::getroute::Getroute;
use ln_rpc::methods::gossip::listchannels::Listchannels;
use ln_rpc::methods::gossip::listnodes::Listnodes;
use ln_rpc::methods::invoices::decode::Decode;
use ln_rpc::methods::invoices::delinvoice::Delinvoice;
use ln_rpc::methods::invoices::invoice::Invoice;
use ln_rpc::methods::invoices::listinvoices::Listinvoices;
use ln_rpc::methods::invoices::waitanyinvoice::Waitanyinvoice;
use ln_rpc::methods::invoices::waitinvoice::Waitinvoice;
use ln_rpc::methods::payments::delforward::Delforward;
use ln_rpc::methods::payments::delpay::Delpay;
use ln_rpc::methods::payments::listforwards::Listforwards;
use ln_rpc::methods::payments::listpays::Listpays;
use ln_rpc::methods::payments::listsendpays::Listsendpays;
use ln_rpc::methods::payments::pay::Pay;
use ln_rpc::methods::payments::preapproveinvoice::Preapproveinvoice;
use ln_rpc::methods::payments::sendpay::Sendpay;
use ln_rpc::methods::payments::waitsendpay::Waitsendpay;
use ln_rpc::methods::payments::xpay::Xpay;
use ln_rpc::methods::peers::connect::Connect;
use ln_rpc::methods::peers::disconnect::Disconnect;
use ln_rpc::methods::peers::listpeers::Listpeers;
use ln_rpc::methods::peers::ping::Ping;
use ln_rpc::methods::peers::sendcustommsg::Sendcustommsg;
use ln_rpc::methods::plugins::plugin::Plugin;
use ln_rpc::methods::wallet::fundpsbt::Fundpsbt;
use ln_rpc::methods::wallet::listaddresses::Listaddresses;
use ln_rpc::methods::wallet::listfunds::Listfunds;
use ln_rpc::methods::wallet::listtransactions::Listtransactions;
use ln_rpc::methods::wallet::newaddr::Newaddr;
use ln_rpc::methods::wallet::reserveinputs::Reserveinputs;
use ln_rpc::methods::wallet::sendpsbt::Sendpsbt;
use ln_rpc::methods::wallet::signpsbt::Signpsbt;
use ln_rpc::methods::wallet::txdiscard::Txdiscard;
use ln_rpc::methods::wallet::txprepare::Txprepare;
use ln_rpc::methods::wallet::txsend::Txsend;
use ln_rpc::methods::wallet::unreserveinputs::Unreserveinputs;
use ln_rpc::methods::wallet::utxopsbt::Utxopsbt;
use ln_rpc::methods::wallet::withdraw::Withdraw;

use super::dispatch::Entry;

/// The methods this node has, by name.
pub(super) const HANDLERS: &[Entry] = &[
    Entry::of::<Addgossip>(),
    Entry::of::<Batching>(),
    Entry::of::<Check>(),
    Entry::of::<Checkmessage>(),
    Entry::of::<Close>(),
    Entry::of::<Connect>(),
    Entry::of::<Datastore>(),
    Entry::of::<Datastoreusage>(),
    Entry::of::<Decode>(),
    Entry::of::<Deldatastore>(),
    Entry::of::<Delforward>(),
    Entry::of::<Delinvoice>(),
    Entry::of::<Delpay>(),
    Entry::of::<Deprecations>(),
    Entry::of::<Dev>(),
    Entry::of::<DevCompactGossipStore>(),
    Entry::of::<DevConnectdExhaustFds>(),
    Entry::of::<DevFail>(),
    Entry::of::<DevFeerate>(),
    Entry::of::<DevForgetChannel>(),
    Entry::of::<DevIgnoreHtlcs>(),
    Entry::of::<DevListaddrs>(),
    Entry::of::<DevMemleak>(),
    Entry::of::<DevReenableCommit>(),
    Entry::of::<DevReportFds>(),
    Entry::of::<DevRescanOutputs>(),
    Entry::of::<DevSignLastTx>(),
    Entry::of::<DevSuppressGossip>(),
    Entry::of::<Disconnect>(),
    Entry::of::<Feerates>(),
    Entry::of::<Fundchannel>(),
    Entry::of::<FundchannelCancel>(),
    Entry::of::<FundchannelComplete>(),
    Entry::of::<FundchannelStart>(),
    Entry::of::<Fundpsbt>(),
    Entry::of::<Getinfo>(),
    Entry::of::<Getlog>(),
    Entry::of::<Getroute>(),
    Entry::of::<Graceful>(),
    Entry::of::<Help>(),
    Entry::of::<Invoice>(),
    Entry::of::<Listaddresses>(),
    Entry::of::<Listchainmoves>(),
    Entry::of::<Listchannelmoves>(),
    Entry::of::<Listchannels>(),
    Entry::of::<Listclosedchannels>(),
    Entry::of::<Listconfigs>(),
    Entry::of::<Listdatastore>(),
    Entry::of::<Listforwards>(),
    Entry::of::<Listfunds>(),
    Entry::of::<Listinvoices>(),
    Entry::of::<Listnodes>(),
    Entry::of::<Listpays>(),
    Entry::of::<Listpeerchannels>(),
    Entry::of::<Listpeers>(),
    Entry::of::<Listsendpays>(),
    Entry::of::<Listtransactions>(),
    Entry::of::<Makesecret>(),
    Entry::of::<Newaddr>(),
    Entry::of::<Notifications>(),
    Entry::of::<Parsefeerate>(),
    Entry::of::<Pay>(),
    Entry::of::<Ping>(),
    Entry::of::<Plugin>(),
    Entry::of::<Preapproveinvoice>(),
    Entry::of::<Reserveinputs>(),
    Entry::of::<Sendcustommsg>(),
    Entry::of::<Sendpay>(),
    Entry::of::<Sendpsbt>(),
    Entry::of::<Setchannel>(),
    Entry::of::<Setconfig>(),
    Entry::of::<Signmessage>(),
    Entry::of::<Signpsbt>(),
    Entry::of::<Stop>(),
    Entry::of::<Txdiscard>(),
    Entry::of::<Txprepare>(),
    Entry::of::<Txsend>(),
    Entry::of::<Unreserveinputs>(),
    Entry::of::<Utxopsbt>(),
    Entry::of::<Wait>(),
    Entry::of::<Waitanyinvoice>(),
    Entry::of::<Waitblockheight>(),
    Entry::of::<Waitinvoice>(),
    Entry::of::<Waitsendpay>(),
    Entry::of::<Withdraw>(),
    Entry::of::<Xpay>(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_by_name() {
        assert!(HANDLERS.is_sorted_by(|a, b| a.info.name < b.info.name));
    }
}

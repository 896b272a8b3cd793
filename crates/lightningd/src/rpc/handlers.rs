//! The methods this node has, by name.

use ln_rpc::methods::control::{check::Check, getinfo::Getinfo, help::Help, stop::Stop};
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
    Entry::of::<Check>(),
    Entry::of::<Fundpsbt>(),
    Entry::of::<Getinfo>(),
    Entry::of::<Help>(),
    Entry::of::<Listaddresses>(),
    Entry::of::<Listfunds>(),
    Entry::of::<Listtransactions>(),
    Entry::of::<Newaddr>(),
    Entry::of::<Reserveinputs>(),
    Entry::of::<Sendpsbt>(),
    Entry::of::<Signpsbt>(),
    Entry::of::<Stop>(),
    Entry::of::<Txdiscard>(),
    Entry::of::<Txprepare>(),
    Entry::of::<Txsend>(),
    Entry::of::<Unreserveinputs>(),
    Entry::of::<Utxopsbt>(),
    Entry::of::<Withdraw>(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_is_sorted_by_name() {
        assert!(HANDLERS.is_sorted_by(|a, b| a.info.name < b.info.name));
    }
}

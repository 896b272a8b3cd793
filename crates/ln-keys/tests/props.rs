//! Properties of derivation and storage.
#![allow(clippy::unwrap_used, reason = "tests")]

use bitcoin::secp256k1::SecretKey;
use ln_codec::{Decode, Encode};
use ln_keys::{
    HsmSecret, PerCommitmentSecret, Shachain, ShachainSeed, derive_private_key, derive_public_key,
    derive_revocation_private_key, derive_revocation_public_key, public_key,
};
use ln_types::CommitmentNumber;
use proptest::prelude::*;

fn secret_key() -> impl Strategy<Value = SecretKey> {
    any::<[u8; 32]>().prop_filter_map("a key", |bytes| SecretKey::from_slice(&bytes).ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn secret_and_public_derivation_agree(base in secret_key(), commitment in secret_key()) {
        let (base_point, point) = (public_key(&base), public_key(&commitment));
        prop_assert_eq!(
            public_key(&derive_private_key(&base, &point)),
            derive_public_key(&base_point, &point)
        );
        prop_assert_eq!(
            public_key(&derive_revocation_private_key(&base, &commitment)),
            derive_revocation_public_key(&base_point, &point)
        );
    }

    #[test]
    fn a_foreign_secret_never_replaces_what_is_known(seed in any::<[u8; 32]>(), count in 1_u64..40, wrong in any::<[u8; 32]>()) {
        let seed = ShachainSeed(seed);
        let mut chain = Shachain::new();
        for number in 0..count {
            chain.insert(CommitmentNumber(number), seed.secret(CommitmentNumber(number))).unwrap();
        }
        let before = chain.clone();
        let next = CommitmentNumber(count);
        // Every second secret vouches for none before it, so it cannot be checked when it comes.
        let checked = count % 2 == 1;
        if chain.insert(next, PerCommitmentSecret(wrong)).is_err() {
            prop_assert!(checked);
            prop_assert_eq!(&chain, &before);
        } else {
            prop_assert!(!checked);
        }
        prop_assert_eq!(Shachain::from_bytes(&chain.to_bytes()).unwrap(), chain);
    }

    #[test]
    fn no_file_makes_the_parser_panic(file in prop::collection::vec(any::<u8>(), 0..72), passphrase in prop::option::of(".*")) {
        let _ = HsmSecret::parse(&file, passphrase.as_deref());
    }

    #[test]
    fn no_bytes_make_the_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Shachain::from_bytes(&bytes);
    }
}

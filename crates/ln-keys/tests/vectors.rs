//! BOLT 3 Appendix D and E.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use bitcoin::hex::FromHex;
use bitcoin::secp256k1::{PublicKey, SecretKey};
use ln_codec::{Decode, Encode};
use ln_keys::{
    PerCommitmentSecret, Shachain, ShachainError, ShachainIndex, ShachainSeed, derive_private_key,
    derive_public_key, derive_revocation_private_key, derive_revocation_public_key,
    per_commitment_secret, public_key,
};
use ln_types::CommitmentNumber;

fn bytes(hex: &str) -> [u8; 32] {
    <[u8; 32]>::from_hex(hex).unwrap()
}

/// Appendix D, generation tests: seed byte, index, output.
const GENERATION: &[(u8, u64, &str)] = &[
    (
        0x00,
        281_474_976_710_655,
        "02a40c85b6f28da08dfdbe0926c53fab2de6d28c10301f8f7c4073d5e42e3148",
    ),
    (
        0xff,
        281_474_976_710_655,
        "7cc854b54e3e0dcdb010d7a3fee464a9687be6e8db3be6854c475621e007a5dc",
    ),
    (
        0xff,
        0xaaa_aaaa_aaaa,
        "56f4008fb007ca9acf0e15b054d5c9fd12ee06cea347914ddbaed70d1c13a528",
    ),
    (
        0xff,
        0x5555_5555_5555,
        "9015daaeb06dba4ccc05b91b2f73bd54405f2be9f217fbacd3c5ac2e62327d31",
    ),
    (
        0x01,
        1,
        "915c75942a26bb3a433a8ce2cb0427c29ec6c1775cfc78328b57f6ba7bfeaa9c",
    ),
];

#[test]
fn appendix_d_generation() {
    for (byte, index, output) in GENERATION {
        let index = ShachainIndex::new(*index).unwrap();
        let secret = per_commitment_secret(&ShachainSeed([*byte; 32]), index);
        assert_eq!(secret.0, bytes(output), "{byte} {index:?}");
    }
}

struct StorageCase {
    name: &'static str,
    secrets: &'static [&'static str],
    last_is_taken: bool,
}

/// Appendix D, storage tests: secrets from index 2^48 - 1 down.
const STORAGE: &[StorageCase] = &[
    StorageCase {
        name: "insert_secret correct sequence",
        secrets: &[
            "7cc854b54e3e0dcdb010d7a3fee464a9687be6e8db3be6854c475621e007a5dc",
            "c7518c8ae4660ed02894df8976fa1a3659c1a8b4b5bec0c4b872abeba4cb8964",
            "2273e227a5b7449b6e70f1fb4652864038b1cbf9cd7c043a7d6456b7fc275ad8",
            "27cddaa5624534cb6cb9d7da077cf2b22ab21e9b506fd4998a51d54502e99116",
            "c65716add7aa98ba7acb236352d665cab17345fe45b55fb879ff80e6bd0c41dd",
            "969660042a28f32d9be17344e09374b379962d03db1574df5a8a5a47e19ce3f2",
            "a5a64476122ca0925fb344bdc1854c1c0a59fc614298e50a33e331980a220f32",
            "05cde6323d949933f7f7b78776bcc1ea6d9b31447732e3802e1f7ac44b650e17",
        ],
        last_is_taken: true,
    },
    StorageCase {
        name: "insert_secret #1 incorrect",
        secrets: &[
            "02a40c85b6f28da08dfdbe0926c53fab2de6d28c10301f8f7c4073d5e42e3148",
            "c7518c8ae4660ed02894df8976fa1a3659c1a8b4b5bec0c4b872abeba4cb8964",
        ],
        last_is_taken: false,
    },
    StorageCase {
        name: "insert_secret #2 incorrect (#1 derived from incorrect)",
        secrets: &[
            "02a40c85b6f28da08dfdbe0926c53fab2de6d28c10301f8f7c4073d5e42e3148",
            "dddc3a8d14fddf2b68fa8c7fbad2748274937479dd0f8930d5ebb4ab6bd866a3",
            "2273e227a5b7449b6e70f1fb4652864038b1cbf9cd7c043a7d6456b7fc275ad8",
            "27cddaa5624534cb6cb9d7da077cf2b22ab21e9b506fd4998a51d54502e99116",
        ],
        last_is_taken: false,
    },
    StorageCase {
        name: "insert_secret #3 incorrect",
        secrets: &[
            "7cc854b54e3e0dcdb010d7a3fee464a9687be6e8db3be6854c475621e007a5dc",
            "c7518c8ae4660ed02894df8976fa1a3659c1a8b4b5bec0c4b872abeba4cb8964",
            "c51a18b13e8527e579ec56365482c62f180b7d5760b46e9477dae59e87ed423a",
            "27cddaa5624534cb6cb9d7da077cf2b22ab21e9b506fd4998a51d54502e99116",
        ],
        last_is_taken: false,
    },
    StorageCase {
        name: "insert_secret #4 incorrect (1,2,3 derived from incorrect)",
        secrets: &[
            "02a40c85b6f28da08dfdbe0926c53fab2de6d28c10301f8f7c4073d5e42e3148",
            "dddc3a8d14fddf2b68fa8c7fbad2748274937479dd0f8930d5ebb4ab6bd866a3",
            "c51a18b13e8527e579ec56365482c62f180b7d5760b46e9477dae59e87ed423a",
            "ba65d7b0ef55a3ba300d4e87af29868f394f8f138d78a7011669c79b37b936f4",
            "c65716add7aa98ba7acb236352d665cab17345fe45b55fb879ff80e6bd0c41dd",
            "969660042a28f32d9be17344e09374b379962d03db1574df5a8a5a47e19ce3f2",
            "a5a64476122ca0925fb344bdc1854c1c0a59fc614298e50a33e331980a220f32",
            "05cde6323d949933f7f7b78776bcc1ea6d9b31447732e3802e1f7ac44b650e17",
        ],
        last_is_taken: false,
    },
    StorageCase {
        name: "insert_secret #5 incorrect",
        secrets: &[
            "7cc854b54e3e0dcdb010d7a3fee464a9687be6e8db3be6854c475621e007a5dc",
            "c7518c8ae4660ed02894df8976fa1a3659c1a8b4b5bec0c4b872abeba4cb8964",
            "2273e227a5b7449b6e70f1fb4652864038b1cbf9cd7c043a7d6456b7fc275ad8",
            "27cddaa5624534cb6cb9d7da077cf2b22ab21e9b506fd4998a51d54502e99116",
            "631373ad5f9ef654bb3dade742d09504c567edd24320d2fcd68e3cc47e2ff6a6",
            "969660042a28f32d9be17344e09374b379962d03db1574df5a8a5a47e19ce3f2",
        ],
        last_is_taken: false,
    },
    StorageCase {
        name: "insert_secret #6 incorrect (5 derived from incorrect)",
        secrets: &[
            "7cc854b54e3e0dcdb010d7a3fee464a9687be6e8db3be6854c475621e007a5dc",
            "c7518c8ae4660ed02894df8976fa1a3659c1a8b4b5bec0c4b872abeba4cb8964",
            "2273e227a5b7449b6e70f1fb4652864038b1cbf9cd7c043a7d6456b7fc275ad8",
            "27cddaa5624534cb6cb9d7da077cf2b22ab21e9b506fd4998a51d54502e99116",
            "631373ad5f9ef654bb3dade742d09504c567edd24320d2fcd68e3cc47e2ff6a6",
            "b7e76a83668bde38b373970155c868a653304308f9896692f904a23731224bb1",
            "a5a64476122ca0925fb344bdc1854c1c0a59fc614298e50a33e331980a220f32",
            "05cde6323d949933f7f7b78776bcc1ea6d9b31447732e3802e1f7ac44b650e17",
        ],
        last_is_taken: false,
    },
    StorageCase {
        name: "insert_secret #7 incorrect",
        secrets: &[
            "7cc854b54e3e0dcdb010d7a3fee464a9687be6e8db3be6854c475621e007a5dc",
            "c7518c8ae4660ed02894df8976fa1a3659c1a8b4b5bec0c4b872abeba4cb8964",
            "2273e227a5b7449b6e70f1fb4652864038b1cbf9cd7c043a7d6456b7fc275ad8",
            "27cddaa5624534cb6cb9d7da077cf2b22ab21e9b506fd4998a51d54502e99116",
            "c65716add7aa98ba7acb236352d665cab17345fe45b55fb879ff80e6bd0c41dd",
            "969660042a28f32d9be17344e09374b379962d03db1574df5a8a5a47e19ce3f2",
            "e7971de736e01da8ed58b94c2fc216cb1dca9e326f3a96e7194fe8ea8af6c0a3",
            "05cde6323d949933f7f7b78776bcc1ea6d9b31447732e3802e1f7ac44b650e17",
        ],
        last_is_taken: false,
    },
    StorageCase {
        name: "insert_secret #8 incorrect",
        secrets: &[
            "7cc854b54e3e0dcdb010d7a3fee464a9687be6e8db3be6854c475621e007a5dc",
            "c7518c8ae4660ed02894df8976fa1a3659c1a8b4b5bec0c4b872abeba4cb8964",
            "2273e227a5b7449b6e70f1fb4652864038b1cbf9cd7c043a7d6456b7fc275ad8",
            "27cddaa5624534cb6cb9d7da077cf2b22ab21e9b506fd4998a51d54502e99116",
            "c65716add7aa98ba7acb236352d665cab17345fe45b55fb879ff80e6bd0c41dd",
            "969660042a28f32d9be17344e09374b379962d03db1574df5a8a5a47e19ce3f2",
            "a5a64476122ca0925fb344bdc1854c1c0a59fc614298e50a33e331980a220f32",
            "a7efbc61aac46d34f77778bac22c8a20c6a46ca460addc49009bda875ec88fa4",
        ],
        last_is_taken: false,
    },
];

#[test]
fn appendix_d_storage() {
    for case in STORAGE {
        let mut chain = Shachain::new();
        let last = case.secrets.len() - 1;
        for (number, secret) in case.secrets.iter().enumerate() {
            let number = u64::try_from(number).unwrap();
            let before = chain.clone();
            let result = chain.insert(CommitmentNumber(number), PerCommitmentSecret(bytes(secret)));
            let taken = number < u64::try_from(last).unwrap() || case.last_is_taken;
            assert_eq!(
                result.is_ok(),
                taken,
                "{} at {number}: {result:?}",
                case.name
            );
            if !taken {
                assert!(
                    matches!(result, Err(ShachainError::Unrelated { .. })),
                    "{}",
                    case.name
                );
                assert_eq!(chain, before, "{}", case.name);
            }
        }
    }
}

#[test]
fn a_store_gives_back_every_secret_and_survives_encoding() {
    let seed = ShachainSeed([0x42; 32]);
    let mut chain = Shachain::new();
    assert_eq!(chain.revoked(), 0);
    for number in 0..200 {
        let number = CommitmentNumber(number);
        chain.insert(number, seed.secret(number)).unwrap();
    }
    let chain = Shachain::from_bytes(&chain.to_bytes()).unwrap();
    assert_eq!(chain.revoked(), 200);
    for number in 0..200 {
        let number = CommitmentNumber(number);
        assert_eq!(chain.secret(number), Some(seed.secret(number)));
    }
    assert_eq!(chain.secret(CommitmentNumber(200)), None);
    assert_eq!(
        Shachain::from_bytes(&Shachain::new().to_bytes()).unwrap(),
        Shachain::new()
    );
}

#[test]
fn a_secret_out_of_turn_is_refused() {
    let seed = ShachainSeed([0x42; 32]);
    let mut chain = Shachain::new();
    let skipped = CommitmentNumber(1);
    assert!(matches!(
        chain.insert(skipped, seed.secret(skipped)),
        Err(ShachainError::OutOfTurn {
            expected: Some(281_474_976_710_655),
            ..
        })
    ));
}

const BASE_SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const PER_COMMITMENT_SECRET: &str =
    "1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100";

#[test]
fn appendix_e() {
    let base_secret = SecretKey::from_slice(&bytes(BASE_SECRET)).unwrap();
    let commitment_secret = SecretKey::from_slice(&bytes(PER_COMMITMENT_SECRET)).unwrap();
    let base: PublicKey = "036d6caac248af96f6afa7f904f550253a0f3ef3f5aa2fe6838a95b216691468e2"
        .parse()
        .unwrap();
    let point: PublicKey = "025f7117a78150fe2ef97db7cfc83bd57b2e2c0d0dd25eaf467a4a1c2a45ce1486"
        .parse()
        .unwrap();
    assert_eq!(public_key(&base_secret), base);
    assert_eq!(public_key(&commitment_secret), point);
    assert_eq!(
        PerCommitmentSecret(bytes(PER_COMMITMENT_SECRET)).point(),
        Some(point)
    );

    assert_eq!(
        derive_public_key(&base, &point).to_string(),
        "0235f2dbfaa89b57ec7b055afe29849ef7ddfeb1cefdb9ebdc43f5494984db29e5"
    );
    assert_eq!(
        derive_private_key(&base_secret, &point).secret_bytes(),
        bytes("cbced912d3b21bf196a766651e436aff192362621ce317704ea2f75d87e7be0f")
    );
    assert_eq!(
        derive_revocation_public_key(&base, &point).to_string(),
        "02916e326636d19c33f13e8c0c3a03dd157f332f3e99c317c141dd865eb01f8ff0"
    );
    assert_eq!(
        derive_revocation_private_key(&base_secret, &commitment_secret).secret_bytes(),
        bytes("d09ffff62ddb2297ab000cc85bcb4283fdeb6aa052affbc9dddcf33b61078110")
    );
}

//! The forms of output script that wallets and relay policy know.

use bitcoin::opcodes::all as op;
use bitcoin::script::Instruction;
use bitcoin::{Script, WitnessVersion};

/// What an output script is, by form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ScriptKind {
    /// Pay to anchor: spendable by anybody with an empty witness.
    Anchor,
    /// Bare multisig: keys needed, keys given.
    Multisig(u8, Vec<Vec<u8>>),
    /// None of the known forms.
    Nonstandard,
    /// Data: `OP_RETURN` and pushes.
    NullData,
    /// Pay to public key.
    Pubkey(Vec<u8>),
    /// Pay to public key hash.
    PubkeyHash,
    /// Pay to script hash.
    ScriptHash,
    /// Version 0 witness program of 20 bytes.
    WitnessV0KeyHash,
    /// Version 0 witness program of 32 bytes.
    WitnessV0ScriptHash,
    /// Version 1 witness program of 32 bytes.
    WitnessV1Taproot,
    /// A witness program of a version or length without meaning yet.
    WitnessUnknown,
}

impl ScriptKind {
    /// The name `getrawtransaction` gives it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Anchor => "anchor",
            Self::Multisig(..) => "multisig",
            Self::Nonstandard => "nonstandard",
            Self::NullData => "nulldata",
            Self::Pubkey(_) => "pubkey",
            Self::PubkeyHash => "pubkeyhash",
            Self::ScriptHash => "scripthash",
            Self::WitnessV0KeyHash => "witness_v0_keyhash",
            Self::WitnessV0ScriptHash => "witness_v0_scripthash",
            Self::WitnessV1Taproot => "witness_v1_taproot",
            Self::WitnessUnknown => "witness_unknown",
        }
    }

    /// Recognises a script.
    pub fn of(script: &Script) -> Self {
        if script.is_p2sh() {
            return Self::ScriptHash;
        }
        if let Some((version, program)) = witness_program(script) {
            return match (version, program.len()) {
                (0, 20) => Self::WitnessV0KeyHash,
                (0, 32) => Self::WitnessV0ScriptHash,
                (0, _) => Self::Nonstandard,
                (1, 32) => Self::WitnessV1Taproot,
                (1, 2) if program == [0x4e, 0x73] => Self::Anchor,
                _ => Self::WitnessUnknown,
            };
        }
        if script.is_op_return() {
            let rest = Script::from_bytes(script.as_bytes().get(1..).unwrap_or(&[]));
            return if is_push_only(rest) {
                Self::NullData
            } else {
                Self::Nonstandard
            };
        }
        if script.is_p2pkh() {
            return Self::PubkeyHash;
        }
        if let Some(key) = pubkey(script) {
            return Self::Pubkey(key);
        }
        multisig(script).unwrap_or(Self::Nonstandard)
    }
}

/// Version and program of a witness output.
pub fn witness_program(script: &Script) -> Option<(u8, &[u8])> {
    let version = script.witness_version()?;
    let program = script.as_bytes().get(2..)?;
    Some((WitnessVersion::to_num(version), program))
}

/// Whether a script only pushes data (numbers included).
pub fn is_push_only(script: &Script) -> bool {
    script.instructions().all(|instruction| match instruction {
        Ok(Instruction::PushBytes(_)) => true,
        Ok(Instruction::Op(opcode)) => opcode.to_u8() <= op::OP_PUSHNUM_16.to_u8(),
        Err(_) => false,
    })
}

fn is_key(bytes: &[u8]) -> bool {
    matches!(
        (bytes.len(), bytes.first()),
        (33, Some(2 | 3)) | (65, Some(4 | 6 | 7))
    )
}

fn pubkey(script: &Script) -> Option<Vec<u8>> {
    let (last, rest) = script.as_bytes().split_last()?;
    let (length, key) = rest.split_first()?;
    let fits = *last == op::OP_CHECKSIG.to_u8() && usize::from(*length) == key.len();
    (fits && is_key(key)).then(|| key.to_vec())
}

fn small_number(opcode: bitcoin::opcodes::Opcode) -> Option<u8> {
    let base = op::OP_PUSHNUM_1.to_u8();
    let number = opcode.to_u8().checked_sub(base)?.checked_add(1)?;
    (number <= 16).then_some(number)
}

fn multisig(script: &Script) -> Option<ScriptKind> {
    let mut instructions = script
        .instructions()
        .collect::<Result<Vec<_>, _>>()
        .ok()?
        .into_iter();
    let needed = match instructions.next()? {
        Instruction::Op(opcode) => small_number(opcode)?,
        Instruction::PushBytes(_) => return None,
    };
    let mut keys = Vec::new();
    let given = loop {
        match instructions.next()? {
            Instruction::PushBytes(key) if is_key(key.as_bytes()) => {
                keys.push(key.as_bytes().to_vec());
            }
            Instruction::PushBytes(_) => return None,
            Instruction::Op(opcode) => break small_number(opcode)?,
        }
    };
    let ends = instructions.next()? == Instruction::Op(op::OP_CHECKMULTISIG)
        && instructions.next().is_none();
    (ends && keys.len() == usize::from(given) && needed <= given)
        .then_some(ScriptKind::Multisig(needed, keys))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bitcoin::ScriptBuf;

    fn kind(hex: &str) -> ScriptKind {
        ScriptKind::of(&ScriptBuf::from_hex(hex).unwrap())
    }

    #[test]
    fn known_forms_are_recognised() {
        assert_eq!(kind("51024e73"), ScriptKind::Anchor);
        assert_eq!(
            kind(&format!("0014{}", "11".repeat(20))),
            ScriptKind::WitnessV0KeyHash
        );
        assert_eq!(
            kind(&format!("0020{}", "11".repeat(32))),
            ScriptKind::WitnessV0ScriptHash
        );
        assert_eq!(
            kind(&format!("5120{}", "11".repeat(32))),
            ScriptKind::WitnessV1Taproot
        );
        assert_eq!(
            kind(&format!("5220{}", "11".repeat(32))),
            ScriptKind::WitnessUnknown
        );
        assert_eq!(kind("6a0401020304"), ScriptKind::NullData);
        assert_eq!(kind("6aac"), ScriptKind::Nonstandard);
        assert_eq!(kind("51"), ScriptKind::Nonstandard);
        let key = format!("21{}{}", "02", "11".repeat(32));
        assert!(matches!(kind(&format!("{key}ac")), ScriptKind::Pubkey(_)));
        assert!(matches!(
            kind(&format!("51{key}51ae")),
            ScriptKind::Multisig(1, _)
        ));
        assert_eq!(kind(&format!("52{key}51ae")), ScriptKind::Nonstandard);
    }
}

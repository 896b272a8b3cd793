//! The script machine: runs one script on a stack under all of Core's standard rules.

use super::error::ScriptError;
use super::signature::{Checker, SigVersion, check_encoding, check_key_encoding};
use super::stack::{Stack, from_bool, from_number, is_true, to_number};
use bitcoin::Script;
use bitcoin::hashes::{Hash, hash160, ripemd160, sha1, sha256, sha256d};
use bitcoin::opcodes::all as op;
use bitcoin::secp256k1::XOnlyPublicKey;
use bitcoin::taproot::TapLeafHash;

/// Largest element pushed, in bytes.
const MAX_ELEMENT: usize = 520;
/// Largest script before taproot, in bytes.
const MAX_SCRIPT: usize = 10_000;
/// Most operations of a script before taproot.
const MAX_OPS: usize = 201;
/// Most keys of a multisig.
const MAX_KEYS: i64 = 20;
/// What a signature check in tapscript costs of the budget that the witness size gives.
const SIGNATURE_COST: i64 = 50;

/// What taproot adds to a running script.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    pub(super) hash: TapLeafHash,
    pub(super) annex: Option<Vec<u8>>,
    pub(super) budget: i64,
}

/// A script that runs.
pub(super) struct Machine<'a, 'b> {
    script: &'a Script,
    version: SigVersion,
    checker: &'a mut Checker<'b>,
    leaf: Option<Leaf>,
    pub(super) stack: Stack,
    alternative: Stack,
    /// Whether each open `OP_IF` branch is taken.
    branches: Vec<bool>,
    ops: usize,
    /// Where the part of the script that signatures commit to begins.
    code_start: usize,
    /// Index of the last executed code separator among the operations; the maximum for none.
    code_separator: u32,
}

/// One operation: its code, what it pushes, and where the next one begins.
struct Operation<'a> {
    code: u8,
    data: &'a [u8],
    next: usize,
}

fn read_operation(script: &[u8], at: usize) -> Option<Operation<'_>> {
    let code = *script.get(at)?;
    let after = at.checked_add(1)?;
    let (length, start) = match code {
        0x01..=0x4b => (usize::from(code), after),
        0x4c => (usize::from(*script.get(after)?), after + 1),
        0x4d => {
            let bytes = script.get(after..)?.first_chunk::<2>()?;
            (usize::from(u16::from_le_bytes(*bytes)), after + 2)
        }
        0x4e => {
            let bytes = script.get(after..)?.first_chunk::<4>()?;
            (usize::try_from(u32::from_le_bytes(*bytes)).ok()?, after + 4)
        }
        _ => (0, after),
    };
    let next = start.checked_add(length)?;
    Some(Operation {
        code,
        data: script.get(start..next)?,
        next,
    })
}

/// Whether data is pushed in the shortest way.
fn is_minimal_push(code: u8, data: &[u8]) -> bool {
    match data {
        [] => code == 0,
        [1..=16 | 0x81] => false,
        _ => match data.len() {
            0..=75 => usize::from(code) == data.len(),
            76..=255 => code == 0x4c,
            _ => code == 0x4d,
        },
    }
}

/// Whether a tapscript has an operation that makes it succeed whatever else it holds.
pub(super) fn has_op_success(script: &[u8]) -> Option<bool> {
    let mut at = 0;
    while at < script.len() {
        let operation = read_operation(script, at)?;
        let success = matches!(operation.code, 80 | 98 | 126..=129 | 131..=134 | 137..=138
            | 141..=142 | 149..=153 | 187..=254);
        if success {
            return Some(true);
        }
        at = operation.next;
    }
    Some(false)
}

impl<'a, 'b> Machine<'a, 'b> {
    pub(super) fn new(
        script: &'a Script,
        version: SigVersion,
        checker: &'a mut Checker<'b>,
        stack: Stack,
        leaf: Option<Leaf>,
    ) -> Self {
        Self {
            script,
            version,
            checker,
            leaf,
            stack,
            alternative: Stack::default(),
            branches: Vec::new(),
            ops: 0,
            code_start: 0,
            code_separator: u32::MAX,
        }
    }

    /// Runs the script; the stack it leaves.
    pub(super) fn run(mut self) -> Result<Stack, ScriptError> {
        let bytes = self.script.as_bytes();
        let tapscript = self.version == SigVersion::Tapscript;
        if !tapscript && bytes.len() > MAX_SCRIPT {
            return Err(ScriptError::ScriptSize);
        }
        let (mut at, mut index) = (0, 0_u32);
        while at < bytes.len() {
            let operation = read_operation(bytes, at).ok_or(ScriptError::BadOpcode)?;
            at = operation.next;
            if operation.data.len() > MAX_ELEMENT {
                return Err(ScriptError::PushSize);
            }
            if !tapscript && operation.code > 0x60 {
                self.ops += 1;
                if self.ops > MAX_OPS {
                    return Err(ScriptError::OpCount);
                }
            }
            self.step(&operation, index)?;
            self.stack.check_size(&self.alternative)?;
            index = index.saturating_add(1);
        }
        if !self.branches.is_empty() {
            return Err(ScriptError::UnbalancedConditional);
        }
        Ok(self.stack)
    }

    fn step(&mut self, operation: &Operation<'_>, index: u32) -> Result<(), ScriptError> {
        let code = operation.code;
        let taken = self.branches.iter().all(|branch| *branch);
        if matches!(code, 126..=129 | 131..=134 | 141 | 142 | 149..=153) {
            return Err(ScriptError::DisabledOpcode);
        }
        if code == op::OP_CODESEPARATOR.to_u8() && self.version == SigVersion::Base {
            return Err(ScriptError::OpCodeSeparator);
        }
        match code {
            0x00..=0x4e if taken => {
                if !is_minimal_push(code, operation.data) {
                    return Err(ScriptError::MinimalData);
                }
                self.stack.push(operation.data.to_vec());
                Ok(())
            }
            0x63..=0x68 => self.branch(code, taken),
            _ if !taken => Ok(()),
            0x4f => self.push_number(-1),
            0x51..=0x60 => self.push_number(i64::from(code) - 0x50),
            0x61 | 0x69..=0x6a | 0xb0..=0xb9 => self.control(code),
            0x6b..=0x7d => self.shuffle(code),
            0x82 => {
                let length = self.stack.peek(0)?.len();
                self.push_number(i64::try_from(length).unwrap_or(i64::MAX))
            }
            0x87..=0x88 => {
                let equal = self.stack.pop()? == self.stack.pop()?;
                self.push_or_verify(equal, code == 0x88, ScriptError::EqualVerify)
            }
            0x8b..=0xa5 => self.arithmetic(code),
            0xa6..=0xaa => self.hash(code),
            0xab => {
                self.code_start = operation.next;
                self.code_separator = index;
                Ok(())
            }
            0xac..=0xad => self.check_sig(code == 0xad),
            0xae..=0xaf => self.check_multisig(code == 0xaf),
            0xba if self.version == SigVersion::Tapscript => self.check_sig_add(),
            _ => Err(ScriptError::BadOpcode),
        }
    }

    #[expect(clippy::unnecessary_wraps, reason = "operations end with it")]
    fn push_number(&mut self, value: i64) -> Result<(), ScriptError> {
        self.stack.push(from_number(value));
        Ok(())
    }

    fn push_or_verify(
        &mut self,
        value: bool,
        verify: bool,
        failure: ScriptError,
    ) -> Result<(), ScriptError> {
        match (verify, value) {
            (true, true) => Ok(()),
            (true, false) => Err(failure),
            (false, _) => {
                self.stack.push(from_bool(value));
                Ok(())
            }
        }
    }

    /// `OP_IF`, `OP_NOTIF`, `OP_ELSE`, `OP_ENDIF`; `OP_VERIF` and `OP_VERNOTIF` are never allowed.
    fn branch(&mut self, code: u8, taken: bool) -> Result<(), ScriptError> {
        let unbalanced = ScriptError::UnbalancedConditional;
        match code {
            0x63 | 0x64 => {
                let mut value = false;
                if taken {
                    let top = self.stack.pop().map_err(|_| unbalanced)?;
                    let minimal = matches!(top.as_slice(), [] | [1]);
                    match self.version {
                        SigVersion::Tapscript if !minimal => {
                            return Err(ScriptError::TapscriptMinimalIf);
                        }
                        SigVersion::WitnessV0 if !minimal => return Err(ScriptError::MinimalIf),
                        SigVersion::Base | SigVersion::WitnessV0 | SigVersion::Tapscript => {}
                    }
                    value = is_true(&top) == (code == 0x63);
                }
                self.branches.push(value);
                Ok(())
            }
            0x67 => {
                let last = self.branches.last_mut().ok_or(unbalanced)?;
                *last = !*last;
                Ok(())
            }
            0x68 => self.branches.pop().map(|_| ()).ok_or(unbalanced),
            _ => Err(ScriptError::BadOpcode),
        }
    }

    /// No-operations, `OP_VERIFY`, `OP_RETURN` and the time locks.
    fn control(&mut self, code: u8) -> Result<(), ScriptError> {
        match code {
            0x61 => Ok(()),
            0x69 => {
                if is_true(&self.stack.pop()?) {
                    Ok(())
                } else {
                    Err(ScriptError::Verify)
                }
            }
            0x6a => Err(ScriptError::OpReturn),
            0xb1 => {
                let wanted = to_number(self.stack.peek(0)?, 5)?;
                if wanted < 0 {
                    return Err(ScriptError::NegativeLocktime);
                }
                let reached = self.checker.lock_time_reached(wanted);
                reached
                    .then_some(())
                    .ok_or(ScriptError::UnsatisfiedLocktime)
            }
            0xb2 => {
                let wanted = to_number(self.stack.peek(0)?, 5)?;
                if wanted < 0 {
                    return Err(ScriptError::NegativeLocktime);
                }
                let reached = wanted & (1 << 31) != 0 || self.checker.sequence_reached(wanted);
                reached
                    .then_some(())
                    .ok_or(ScriptError::UnsatisfiedLocktime)
            }
            _ => Err(ScriptError::DiscourageUpgradableNops),
        }
    }

    /// Moving elements about.
    fn shuffle(&mut self, code: u8) -> Result<(), ScriptError> {
        let need = |stack: &Stack, count: usize| {
            if stack.len() < count {
                Err(ScriptError::InvalidStackOperation)
            } else {
                Ok(())
            }
        };
        let stack = &mut self.stack;
        match code {
            0x6b => self.alternative.push(stack.pop()?),
            0x6c => {
                let top = self.alternative.pop();
                stack.push(top.map_err(|_| ScriptError::InvalidAltStackOperation)?);
            }
            0x6d => {
                need(stack, 2)?;
                stack.pop()?;
                stack.pop()?;
            }
            0x6e => (0..2).try_for_each(|_| stack.copy(1))?,
            0x6f => (0..3).try_for_each(|_| stack.copy(2))?,
            0x70 => (0..2).try_for_each(|_| stack.copy(3))?,
            0x71 => (0..2).try_for_each(|_| stack.roll(5))?,
            0x72 => (0..2).try_for_each(|_| stack.roll(3))?,
            0x73 => {
                if is_true(stack.peek(0)?) {
                    stack.copy(0)?;
                }
            }
            0x74 => {
                let depth = i64::try_from(stack.len()).unwrap_or(i64::MAX);
                stack.push(from_number(depth));
            }
            0x75 => drop(stack.pop()?),
            0x76 => stack.copy(0)?,
            0x77 => drop(stack.take(1)?),
            0x78 => stack.copy(1)?,
            0x79 | 0x7a => {
                need(stack, 2)?;
                let depth = usize::try_from(stack.pop_number()?);
                let depth = depth.map_err(|_| ScriptError::InvalidStackOperation)?;
                if code == 0x79 {
                    stack.copy(depth)?;
                } else {
                    stack.roll(depth)?;
                }
            }
            0x7b => stack.roll(2)?,
            0x7c => stack.roll(1)?,
            _ => {
                need(stack, 2)?;
                let top = stack.peek(0)?.to_vec();
                stack.insert(2, top)?;
            }
        }
        Ok(())
    }

    fn arithmetic(&mut self, code: u8) -> Result<(), ScriptError> {
        if code <= 0x92 {
            let a = self.stack.pop_number()?;
            let result = match code {
                0x8b => a + 1,
                0x8c => a - 1,
                0x8f => -a,
                0x90 => a.abs(),
                0x91 => i64::from(a == 0),
                0x92 => i64::from(a != 0),
                _ => return Err(ScriptError::BadOpcode),
            };
            return self.push_number(result);
        }
        if code == 0xa5 {
            let (max, min) = (self.stack.pop_number()?, self.stack.pop_number()?);
            let value = self.stack.pop_number()?;
            self.stack.push(from_bool((min..max).contains(&value)));
            return Ok(());
        }
        let (b, a) = (self.stack.pop_number()?, self.stack.pop_number()?);
        let result = match code {
            0x93 => a + b,
            0x94 => a - b,
            0x9a => i64::from(a != 0 && b != 0),
            0x9b => i64::from(a != 0 || b != 0),
            0x9c => i64::from(a == b),
            0x9d => return self.push_or_verify(a == b, true, ScriptError::NumEqualVerify),
            0x9e => i64::from(a != b),
            0x9f => i64::from(a < b),
            0xa0 => i64::from(a > b),
            0xa1 => i64::from(a <= b),
            0xa2 => i64::from(a >= b),
            0xa3 => a.min(b),
            0xa4 => a.max(b),
            _ => return Err(ScriptError::BadOpcode),
        };
        self.push_number(result)
    }

    fn hash(&mut self, code: u8) -> Result<(), ScriptError> {
        let data = self.stack.pop()?;
        self.stack.push(match code {
            0xa6 => ripemd160::Hash::hash(&data).to_byte_array().to_vec(),
            0xa7 => sha1::Hash::hash(&data).to_byte_array().to_vec(),
            0xa8 => sha256::Hash::hash(&data).to_byte_array().to_vec(),
            0xa9 => hash160::Hash::hash(&data).to_byte_array().to_vec(),
            _ => sha256d::Hash::hash(&data).to_byte_array().to_vec(),
        });
        Ok(())
    }

    /// The part of the script that signatures commit to.
    fn script_code(&self) -> &'a Script {
        Script::from_bytes(self.script.as_bytes().get(self.code_start..).unwrap_or(&[]))
    }

    fn check_sig(&mut self, verify: bool) -> Result<(), ScriptError> {
        let (key, sig) = (self.stack.pop()?, self.stack.pop()?);
        let good = self.signature_is_good(&sig, &key)?;
        self.push_or_verify(good, verify, ScriptError::CheckSigVerify)
    }

    fn check_sig_add(&mut self) -> Result<(), ScriptError> {
        let key = self.stack.pop()?;
        let sum = self.stack.pop_number()?;
        let sig = self.stack.pop()?;
        let good = self.signature_is_good(&sig, &key)?;
        self.push_number(sum + i64::from(good))
    }

    fn signature_is_good(&mut self, sig: &[u8], key: &[u8]) -> Result<bool, ScriptError> {
        if self.version == SigVersion::Tapscript {
            return self.leaf_signature_is_good(sig, key);
        }
        let code = self.script_code();
        if self.version == SigVersion::Base && contains_push(code, sig) {
            return Err(ScriptError::SigFindAndDelete);
        }
        check_encoding(sig)?;
        check_key_encoding(key, self.version)?;
        let good = self.checker.ecdsa(sig, key, code, self.version);
        if !good && !sig.is_empty() {
            return Err(ScriptError::NullFail);
        }
        Ok(good)
    }

    fn leaf_signature_is_good(&mut self, sig: &[u8], key: &[u8]) -> Result<bool, ScriptError> {
        let leaf = self.leaf.as_mut().ok_or(ScriptError::Unknown)?;
        if !sig.is_empty() {
            leaf.budget = leaf.budget.saturating_sub(SIGNATURE_COST);
            if leaf.budget < 0 {
                return Err(ScriptError::TapscriptValidationWeight);
            }
        }
        if key.is_empty() {
            return Err(ScriptError::PubkeyType);
        }
        if key.len() != 32 {
            return Err(ScriptError::DiscourageUpgradablePubkeyType);
        }
        if sig.is_empty() {
            return Ok(false);
        }
        let key = XOnlyPublicKey::from_slice(key).map_err(|_| ScriptError::SchnorrSig)?;
        let place = Some((leaf.hash, self.code_separator));
        self.checker
            .schnorr(sig, &key, leaf.annex.as_deref(), place)?;
        Ok(true)
    }

    fn check_multisig(&mut self, verify: bool) -> Result<(), ScriptError> {
        if self.version == SigVersion::Tapscript {
            return Err(ScriptError::TapscriptCheckMultisig);
        }
        let mut pop_many = |count_limit: i64, failure: ScriptError| {
            let count = self.stack.pop_number()?;
            let count = usize::try_from(count).ok().filter(|_| count <= count_limit);
            let count = count.ok_or(failure)?;
            (0..count)
                .map(|_| self.stack.pop())
                .collect::<Result<Vec<_>, _>>()
        };
        let keys = pop_many(MAX_KEYS, ScriptError::PubkeyCount)?;
        let most = i64::try_from(keys.len()).unwrap_or(MAX_KEYS);
        let sigs = pop_many(most, ScriptError::SigCount)?;
        self.ops = self.ops.saturating_add(keys.len());
        if self.ops > MAX_OPS {
            return Err(ScriptError::OpCount);
        }
        let code = self.script_code();
        if self.version == SigVersion::Base && sigs.iter().any(|sig| contains_push(code, sig)) {
            return Err(ScriptError::SigFindAndDelete);
        }
        // The last signature and the last key are on top; they are matched from there.
        let mut left = sigs.as_slice();
        for (tried, key) in keys.iter().enumerate() {
            if left.len() > keys.len() - tried {
                break;
            }
            let Some((sig, rest)) = left.split_first() else {
                break;
            };
            check_encoding(sig)?;
            check_key_encoding(key, self.version)?;
            if self.checker.ecdsa(sig, key, code, self.version) {
                left = rest;
            }
        }
        let good = left.is_empty();
        if !good && sigs.iter().any(|sig| !sig.is_empty()) {
            return Err(ScriptError::NullFail);
        }
        if !self.stack.pop()?.is_empty() {
            return Err(ScriptError::SigNullDummy);
        }
        self.push_or_verify(good, verify, ScriptError::CheckMultisigVerify)
    }
}

/// Whether a script pushes exactly this signature somewhere.
fn contains_push(script: &Script, sig: &[u8]) -> bool {
    let bytes = script.as_bytes();
    let mut at = 0;
    while let Some(operation) = read_operation(bytes, at) {
        if !sig.is_empty() && operation.data == sig {
            return true;
        }
        at = operation.next;
    }
    false
}

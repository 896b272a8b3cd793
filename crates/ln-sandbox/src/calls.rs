//! Which system calls each permission stands for.
//!
//! What is not here is answered with "no such call" (`ENOSYS`): a libc that tries something newer first falls back to what it did before.
//! Numbers are those of the machine this is compiled for; what newer ones lack is in lists of its own.

use libc::c_long;

use crate::call::{Call, When};
use crate::profile::May;

const fn always(number: c_long) -> Call {
    Call {
        number,
        when: When::Always,
    }
}

const fn call(number: c_long, when: When) -> Call {
    Call { number, when }
}

/// Opening a file in any way that changes it or makes one.
const CHANGING: i32 =
    libc::O_WRONLY | libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC | libc::O_APPEND;

/// Closing a descriptor when another program is started, making it not block, and asking how much it holds; the libc crate's types for these differ
/// by libc.
const FIOCLEX: i32 = 0x5451;
/// See [`FIOCLEX`].
const FIONBIO: i32 = 0x5421;
/// See [`FIOCLEX`].
const FIONREAD: i32 = 0x541B;

/// What every helper needs: its descriptors, memory, time, luck, and an orderly end.
const EVERYBODY: &[Call] = &[
    // descriptors it has
    always(libc::SYS_close),
    always(libc::SYS_dup),
    always(libc::SYS_fcntl),
    always(libc::SYS_getpeername),
    always(libc::SYS_getsockname),
    always(libc::SYS_getsockopt),
    call(libc::SYS_ioctl, When::Is(1, FIOCLEX)),
    call(libc::SYS_ioctl, When::Is(1, FIONBIO)),
    call(libc::SYS_ioctl, When::Is(1, FIONREAD)),
    always(libc::SYS_lseek),
    always(libc::SYS_ppoll),
    always(libc::SYS_pread64),
    always(libc::SYS_preadv),
    always(libc::SYS_read),
    always(libc::SYS_readv),
    always(libc::SYS_recvfrom),
    always(libc::SYS_recvmsg),
    always(libc::SYS_sendmsg),
    always(libc::SYS_sendto),
    always(libc::SYS_shutdown),
    always(libc::SYS_write),
    always(libc::SYS_writev),
    // memory: none that can be run
    always(libc::SYS_brk),
    always(libc::SYS_madvise),
    call(libc::SYS_mmap, When::Without(2, libc::PROT_EXEC)),
    call(libc::SYS_mprotect, When::Without(2, libc::PROT_EXEC)),
    always(libc::SYS_mremap),
    always(libc::SYS_munmap),
    // locks, time, luck
    always(libc::SYS_clock_getres),
    always(libc::SYS_clock_gettime),
    always(libc::SYS_clock_nanosleep),
    always(libc::SYS_futex),
    always(libc::SYS_getrandom),
    always(libc::SYS_gettimeofday),
    always(libc::SYS_membarrier),
    always(libc::SYS_nanosleep),
    always(libc::SYS_rseq),
    always(libc::SYS_sched_getaffinity),
    always(libc::SYS_sched_yield),
    always(libc::SYS_set_robust_list),
    // who it is: rustix takes it for granted that these are answered
    always(libc::SYS_getegid),
    always(libc::SYS_geteuid),
    always(libc::SYS_getgid),
    always(libc::SYS_getpid),
    always(libc::SYS_getppid),
    always(libc::SYS_gettid),
    always(libc::SYS_getuid),
    // its own limits
    call(libc::SYS_prlimit64, When::Is(0, 0)),
    // signals to itself, and the end
    always(libc::SYS_exit),
    always(libc::SYS_exit_group),
    always(libc::SYS_restart_syscall),
    always(libc::SYS_rt_sigaction),
    always(libc::SYS_rt_sigprocmask),
    always(libc::SYS_rt_sigreturn),
    always(libc::SYS_sigaltstack),
    call(libc::SYS_tgkill, When::IsThisProcess(0)),
    // whether a file is there, and which one this program is: names alone
    always(libc::SYS_fstat),
    always(libc::SYS_getcwd),
    always(libc::SYS_newfstatat),
    always(libc::SYS_readlinkat),
    always(libc::SYS_statx),
    #[cfg(target_arch = "x86_64")]
    always(libc::SYS_dup2),
    #[cfg(target_arch = "x86_64")]
    always(libc::SYS_lstat),
    #[cfg(target_arch = "x86_64")]
    always(libc::SYS_poll),
    #[cfg(target_arch = "x86_64")]
    always(libc::SYS_readlink),
    #[cfg(target_arch = "x86_64")]
    always(libc::SYS_stat),
    #[cfg(target_arch = "x86_64")]
    always(libc::SYS_time),
];

/// Opening files to read them; which ones is landlock's to say.
const READ_FILES: &[Call] = &[
    call(libc::SYS_openat, When::Without(2, CHANGING)),
    #[cfg(target_arch = "x86_64")]
    call(libc::SYS_open, When::Without(1, CHANGING)),
];

const EVENT_LOOP: &[Call] = &[
    always(libc::SYS_epoll_ctl),
    always(libc::SYS_epoll_pwait),
    always(libc::SYS_epoll_pwait2),
    #[cfg(target_arch = "x86_64")]
    always(libc::SYS_epoll_wait),
];

const CHANGE_GIVEN_FILES: &[Call] = &[
    always(libc::SYS_fdatasync),
    always(libc::SYS_fsync),
    always(libc::SYS_ftruncate),
    always(libc::SYS_pwrite64),
    always(libc::SYS_pwritev),
];

const MAKE_SOCKET_PAIRS: &[Call] = &[call(libc::SYS_socketpair, When::Is(0, libc::AF_UNIX))];

const START_THREADS: &[Call] = &[
    call(libc::SYS_clone, When::With(0, libc::CLONE_THREAD)),
    call(libc::SYS_prctl, When::Is(0, libc::PR_SET_NAME)),
    always(libc::SYS_set_tid_address),
];

/// Sockets, but no unix sockets, at which programs listen that trust this user. And what the system's name lookup takes: it loads
/// libraries, and asks which addresses this machine has (over netlink).
const USE_NETWORK: &[Call] = &[
    always(libc::SYS_accept4),
    always(libc::SYS_bind),
    always(libc::SYS_connect),
    always(libc::SYS_mmap),
    always(libc::SYS_mprotect),
    always(libc::SYS_recvmmsg),
    always(libc::SYS_sendmmsg),
    always(libc::SYS_setsockopt),
    call(libc::SYS_socket, When::Is(0, libc::AF_INET)),
    call(libc::SYS_socket, When::Is(0, libc::AF_INET6)),
    call(libc::SYS_socket, When::Is(0, libc::AF_NETLINK)),
    always(libc::SYS_uname),
    #[cfg(target_arch = "x86_64")]
    always(libc::SYS_access),
    always(libc::SYS_faccessat),
    always(libc::SYS_faccessat2),
    always(libc::SYS_getdents64),
];

/// What no helper ever does, on no way a library of ours goes: whoever tries is not us any more.
pub(crate) const FATAL: &[Call] = &[
    always(libc::SYS_execve),
    always(libc::SYS_execveat),
    call(libc::SYS_clone, When::Without(0, libc::CLONE_THREAD)),
    #[cfg(target_arch = "x86_64")]
    always(libc::SYS_fork),
    #[cfg(target_arch = "x86_64")]
    always(libc::SYS_vfork),
    always(libc::SYS_ptrace),
    always(libc::SYS_process_vm_readv),
    always(libc::SYS_process_vm_writev),
    always(libc::SYS_bpf),
    always(libc::SYS_chroot),
    always(libc::SYS_delete_module),
    always(libc::SYS_finit_module),
    always(libc::SYS_init_module),
    always(libc::SYS_kexec_load),
    always(libc::SYS_keyctl),
    always(libc::SYS_mount),
    always(libc::SYS_open_by_handle_at),
    always(libc::SYS_perf_event_open),
    always(libc::SYS_pivot_root),
    always(libc::SYS_reboot),
    always(libc::SYS_setns),
    always(libc::SYS_umount2),
    always(libc::SYS_unshare),
    always(libc::SYS_userfaultfd),
];

/// What a permission adds.
const fn of(may: May) -> &'static [Call] {
    match may {
        May::EventLoop => EVENT_LOOP,
        May::ChangeGivenFiles => CHANGE_GIVEN_FILES,
        May::MakeSocketPairs => MAKE_SOCKET_PAIRS,
        May::StartThreads => START_THREADS,
        May::UseNetwork => USE_NETWORK,
    }
}

/// All that goes with these permissions. Whoever `opens` files must be held by landlock to the right ones.
pub(crate) fn allowed(may: &[May], opens: bool) -> impl Iterator<Item = Call> {
    let reads = if opens { READ_FILES } else { &[] };
    let more = may.iter().flat_map(|may| of(*may));
    EVERYBODY.iter().chain(reads).chain(more).copied()
}

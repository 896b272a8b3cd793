//! Bringing the master up, and taking it down.

use std::cell::RefCell;
use std::ffi::OsString;
use std::fmt::Write as _;
use std::fs::DirBuilder;
use std::io::Write as _;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use ln_daemon::VERSION;
use ln_db::{CommitWatch, Db, Replica};
use ln_plugin::protocol::{Configuration, FeatureBits, Proxy};
use ln_rpc::deprecated::OLD_PLUGINS;
use ln_types::{FeatureBit, NetAddr, NodeId};
use rustix::process::Signal;
use tokio::sync::{oneshot, watch};
use tokio::task::LocalSet;

use crate::chain::{Backend, Chain, FeeEstimates};
use crate::channels::Channels;
use crate::damage::watch_for_damage;
use crate::exit::{self, Exit};
use crate::features::{Offer, OurFeatures};
use crate::hsm::{Hsm, HsmRefusal};
use crate::log::{Logger, Origin};
use crate::node::Node;
use crate::options::{Config, ConfigFile, LogConfig, OPTIONS, OptionError, Settings, network};
use crate::payments::Payments;
use crate::peers::Peers;
use crate::pid_file::PidFile;
use crate::plugins::{
    HookTimeouts, HostConfig, Permissions, PluginHost, RestartPolicy, adopt_orphans, candidates,
};
use crate::rpc::RpcState;
use crate::signals::{Asked, Signals};
use crate::subd::{self, Subd, try_programs};
use crate::wallet::Wallet;
use crate::{chain, channels, clock, crash, daemon, invoices, payments, peers, rpc};

/// Runs the master and returns the exit code.
pub(crate) fn run(arguments: Vec<OsString>) -> i32 {
    let log = Logger::new();
    match prepare(&arguments) {
        Ok(Some((settings, base_dir))) if settings.flag("help") => help(&log, &settings, base_dir),
        Ok(Some((settings, _))) if daemon::is_wanted(&settings) => {
            daemon::start(&settings, &arguments).unwrap_or_else(|error| {
                complain(&error);
                exit::FAILED
            })
        }
        Ok(Some((settings, base_dir))) => start(&log, settings, base_dir),
        Ok(None) => 0,
        Err(error) => {
            complain(&error);
            exit::FAILED
        }
    }
}

fn complain(error: &anyhow::Error) {
    daemon::say(&format!("lightningd: {error:#}\n"));
}

/// Reads command line and config files. `None` means that what was asked for is printed already.
fn prepare(arguments: &[OsString]) -> anyhow::Result<Option<(Settings, PathBuf)>> {
    let line = Settings::command_line(arguments)?;
    if line.flag("developer") && line.flag("dev-debug-self") {
        wait_for_debugger();
    }
    if line.flag("version") {
        print(&format!("{VERSION}\n"));
        return Ok(None);
    }
    if line.flag("list-features-only") {
        for bit in OurFeatures::new().init.bits() {
            let name = FeatureBit::of(bit).map_or_else(
                || format!("option_{}", bit / 2),
                |feature| feature.name().to_owned(),
            );
            let kind = if bit % 2 == 1 { "odd" } else { "even" };
            print(&format!("{name}/{kind}\n"));
        }
        return Ok(None);
    }
    let (settings, base_dir) = read_files(line)?;
    Ok(Some((settings, base_dir)))
}

/// Prints what was asked for. Whoever reads only the start of it has seen enough.
fn print(text: &str) {
    drop(std::io::stdout().write_all(text.as_bytes()));
}

/// Stops where it is, and says how to go on.
fn wait_for_debugger() {
    let pid = std::process::id();
    daemon::say(&format!(
        "lightningd waits for a debugger: gdb -p {pid} (without one: kill -CONT {pid})\n"
    ));
    // What can't be stopped goes on.
    let _not_stopped = rustix::process::kill_process(rustix::process::getpid(), Signal::STOP);
}

/// Reads the config files that the command line asks for.
fn read_files(line: Settings) -> anyhow::Result<(Settings, PathBuf)> {
    let mut settings = Settings::default();
    if let Some(file) = line.text("conf") {
        let file = std::path::absolute(file).context("conf")?;
        settings = Settings::file(&file, ConfigFile::Explicit)?;
    }
    let explicit = settings.text("lightning-dir").map(PathBuf::from);
    let given = line.text("lightning-dir").map(PathBuf::from).or(explicit);
    let base_dir = given.unwrap_or_else(|| {
        std::env::var_os("HOME").map_or_else(
            || PathBuf::from("."),
            |home| Path::new(&home).join(".lightning"),
        )
    });
    let base_dir = std::path::absolute(&base_dir).context("lightning-dir")?;
    if line.text("conf").is_none() {
        let base = Settings::file(&base_dir.join("config"), ConfigFile::Base)?;
        let mut both = base.clone();
        both.extend(line.clone());
        let of_network = base_dir.join(network(&both)?.name()).join("config");
        settings.extend(base);
        settings.extend(Settings::file(&of_network, ConfigFile::Network)?);
    }
    settings.extend(line);
    Ok((settings, base_dir))
}

/// Prints the options, those of plugins among them: they are started to tell theirs, and ended.
fn help(log: &Logger, settings: &Settings, base_dir: PathBuf) -> i32 {
    let plugins = || async {
        let config = Config::new(settings, base_dir)?;
        let programs = candidates(settings, &config.base_dir)?;
        let host = PluginHost::new(log, host_config(&config, settings)?);
        host.start_all(&programs).await?;
        anyhow::Ok(host)
    };
    let text = block_on(async {
        let host = plugins().await;
        let mut text = help_text(settings.flag("developer"));
        match &host {
            Ok(host) => host.visit_options(|name, option| {
                // Writing to a string can't fail.
                let _ = writeln!(text, "  --{name:<32} {}", option.help());
            }),
            Err(error) => complain(error),
        }
        (text, host.is_ok())
    });
    match text {
        Ok((text, whole)) => {
            print(&text);
            if whole { 0 } else { exit::FAILED }
        }
        Err(code) => code,
    }
}

/// The options; those for developers only if one asks.
fn help_text(developer: bool) -> String {
    let mut text = "Usage: lightningd [--name=value]...\n\nA Lightning node. Options:\n".to_owned();
    for option in OPTIONS.iter().filter(|option| developer || !option.dev) {
        // Writing to a string can't fail.
        let _ = writeln!(text, "  --{:<32} {}", option.name, option.help);
    }
    text
}

/// Runs the master's tasks until this one is done.
fn block_on<T>(task: impl Future<Output = T>) -> Result<T, i32> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    match runtime {
        Ok(runtime) => {
            let done = LocalSet::new().block_on(&runtime, task);
            // Whoever still waits for a terminal or a disk is not waited for.
            runtime.shutdown_background();
            Ok(done)
        }
        Err(error) => {
            complain(&anyhow!(error).context("can't start"));
            Err(exit::FAILED)
        }
    }
}

/// Everything up to the running node.
fn start(log: &Logger, settings: Settings, base_dir: PathBuf) -> i32 {
    match block_on(until_told(log, settings, base_dir)) {
        Ok(Ok(code)) | Err(code) => code,
        Ok(Err(error)) => {
            complain(&error);
            if log.has_files() {
                log.unusual(&Origin::of("lightningd"), format!("{error:#}"));
            }
            if let Some(exit) = error.downcast_ref::<Exit>() {
                return exit.code;
            }
            error
                .downcast_ref::<HsmRefusal>()
                .map_or(exit::FAILED, |refusal| refusal.code)
        }
    }
}

/// Runs the node. However it ends, no helper outlives it.
async fn until_told(log: &Logger, settings: Settings, base_dir: PathBuf) -> anyhow::Result<i32> {
    let outcome = until_told_early(log, settings, base_dir).await;
    subd::end_all(log).await;
    outcome
}

/// Runs the node. Told to end before it serves, it ends at once: what it has written by then is durable.
async fn until_told_early(
    log: &Logger,
    settings: Settings,
    base_dir: PathBuf,
) -> anyhow::Result<i32> {
    let mut early = Signals::listen()?;
    let (serves, mut serving) = oneshot::channel();
    let node = bring_up(log, settings, base_dir, serves);
    tokio::pin!(node);
    tokio::select! {
        // Looked at in this order: once it serves, signals are its own affair.
        biased;
        code = &mut node => return code,
        _ = &mut serving => {}
        () = early.until_end() => {
            ln_daemon::show_terminal();
            log.info(&Origin::of("lightningd"), "told to end before it served");
            return Ok(0);
        }
    }
    drop(early);
    node.await
}

/// Makes the directories and goes into the network's.
fn enter_directory(config: &Config) -> anyhow::Result<()> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&config.network_dir)
        .with_context(|| format!("can't make the directory {}", config.network_dir.display()))?;
    std::env::set_current_dir(&config.network_dir)
        .with_context(|| format!("can't go to the directory {}", config.network_dir.display()))
}

//~ Each step needs those before it: the directory, its lock, hsmd (without keys nothing can be read), the database, what the node knows
//~ (`load`), the backend and the helpers, and at last the RPC socket: whoever can ask finds a node that can answer. Next: `node.rs`.
async fn bring_up(
    log: &Logger,
    settings: Settings,
    base_dir: PathBuf,
    serves: oneshot::Sender<()>,
) -> anyhow::Result<i32> {
    let developer = settings.flag("developer");
    // What only plugins can know is looked at when they have told their options; everything else before anything is written.
    settings.check_known(developer, |_| true)?;
    let config = Config::new(&settings, base_dir)?;
    // Before the directory changes: paths on the command line count from where they were typed.
    let programs = candidates(&settings, &config.base_dir)?;
    let about_plugins = host_config(&config, &settings)?;
    let logs = LogConfig::new(&settings)?;
    try_programs(&config.subdaemons, config.dev.any_version).await?;
    if settings.flag("test-daemons-only") {
        return Ok(0);
    }
    Subd::configure(config.developer, &config.dev);
    enter_directory(&config)?;
    crash::note_directory(&config.network_dir);
    crash::install(log);
    log.configure(logs.filters, &logs.files, &logs.prefix, logs.timestamps)
        .map_err(|problem| anyhow!(problem))?;
    let pid_file = PidFile::take(&config.pid_file)?;
    rpc::may_listen(&config.rpc_file)?;
    let origin = Origin::of("lightningd");
    log.info(&origin, VERSION);
    tell_last_run(log, &pid_file);

    if !about_plugins.permissions.is_open() {
        adopt_orphans().context("plugin-permissions")?;
    }
    let plugins = PluginHost::new(log, about_plugins);
    plugins.start_all(&programs).await?;
    settings.check_known(developer, |name| plugins.knows_option(name))?;

    if let Some(secret) = settings.text("recover") {
        crate::recover::recover(secret, &config.database)?;
    }
    let passphrase = ask_passphrase(&config).await?;
    let program = config.subdaemon("hsmd");
    let (hsm, hsmd) = Hsm::start(log, config.network, program, passphrase, &config.dev).await?;
    let node = load(log, config, settings, hsm, plugins).await?;
    crate::open_files::make_room(&node);
    let (connectd, gossipd) = bring_services_up(&node).await?;
    // Plugins may call the node while they start, and must be there before the first peer.
    let listener = rpc::listen(&node.config.rpc_file, node.config.rpc_file_mode)?;
    tokio::task::spawn_local(rpc::serve(Rc::clone(&node), listener));
    node.plugins.init_rest(&node.settings()).await?;
    node.features.settle(&node.plugins.withdrawn_bits());
    node.plugins.tell_balances(&node);
    channels::tell_missed_revocations(&node).await?;
    spawn_tasks(&node, hsmd, connectd, gossipd);
    tell_started(&node);
    tokio::task::spawn_local(tell_recovering(Rc::clone(&node)));
    let mut signals = Signals::listen()?;
    let _nobody_waits = serves.send(());
    daemon::ready();
    let code = run_until_stopped(&node, &mut signals).await;
    daemon::stopping();
    tokio::select! {
        () = take_down(&node) => {}
        () = signals.until_end() => {
            node.log.unusual(&node.origin, "told to end once more: not waiting for plugins");
        }
    }
    // Whoever waits for `stop` may copy the directory, or start a node in it or on its ports, as soon as there is an answer.
    subd::end_all(&node.log).await;
    node.db.close().await;
    drop(pid_file);
    node.rpc.say_farewell().await;
    Ok(code)
}

fn tell_started(node: &Node) {
    let text = format!(
        "Server started with public key {}, alias {} (color #{}) and lightningd {VERSION}",
        node.id(),
        node.alias_text(),
        bitcoin::hex::DisplayHex::as_hex(&node.color()),
    );
    node.log.info(&node.origin, text);
}

/// Tells of a last run that did not end by itself: of a signal such as SIGSEGV it could not tell anything any more.
fn tell_last_run(log: &Logger, pid_file: &PidFile) {
    if let Some(pid) = &pid_file.left_by {
        let text = format!(
            "the last run (process {pid}) ended without being stopped: if it was not killed and the machine did not fail, the node crashed: look \
             for a crash.log in its directory, for a core file (coredumpctl, or where /proc/sys/kernel/core_pattern says), and what the \
             kernel's log says of it"
        );
        log.unusual(&Origin::of("lightningd"), text);
    }
}

/// Tells plugins that the node was made from a secret given.
async fn tell_recovering(node: Rc<Node>) {
    let secret = node.settings().text("recover").map(str::to_owned);
    if let Some(secret) = secret {
        node.plugins.recovering(&secret).await;
    }
}

/// Asks on a thread of its own: signals are heard meanwhile.
async fn ask_passphrase(config: &Config) -> anyhow::Result<Option<String>> {
    if !config.hsm_passphrase {
        return Ok(None);
    }
    let ask = || ln_daemon::ask_secret("Enter hsm_secret passphrase");
    let passphrase = tokio::task::spawn_blocking(ask).await?;
    let passphrase = passphrase.context("reading the passphrase")?;
    Ok(Some(passphrase.to_string()))
}

/// Opens the database.
async fn open_database(
    config: &Config,
    plugins: &Rc<PluginHost>,
    upgrade: bool,
) -> anyhow::Result<Db> {
    let plugins: Box<dyn CommitWatch> = Box::new(plugins.watch_db());
    let watch = match &config.database_backup {
        Some(backup) => Box::new(Replica::new(&config.database, backup, plugins)),
        None => plugins,
    };
    Ok(Db::open_watched(&config.database, watch, upgrade).await?)
}

/// Opens the database and loads what the node knows.
async fn load(
    log: &Logger,
    config: Config,
    settings: Settings,
    hsm: Hsm,
    plugins: Rc<PluginHost>,
) -> anyhow::Result<Rc<Node>> {
    let db = open_database(&config, &plugins, settings.bool("database-upgrade", true)?).await?;
    check_owner(&db, &config, hsm.identity.node_id).await?;
    mend(log, &db).await?;
    let identity = hsm.identity.clone();
    let loaded = db.read(move |txn| {
        let wallet = Wallet::load(txn, &identity);
        Ok((
            txn.blocks()?,
            Channels::rows(txn)?,
            txn.forward_fees()?,
            txn.peers()?,
            wallet.map_err(|error| error.to_string()),
        ))
    });
    let (blocks, channels, fees, known_peers, wallet) = loaded.await?;
    let wallet = wallet.map_err(|problem| anyhow!(problem))?;
    let node = Rc::new(Node {
        fees: FeeEstimates::new(&config).into(),
        features: Offer::new(all_features(&plugins, &config)?),
        config,
        settings: RefCell::new(Rc::new(settings)),
        log: log.clone(),
        origin: Origin::of("lightningd"),
        db,
        hsm,
        backend: Backend::new(Rc::clone(&plugins)),
        chain: Chain::new(blocks),
        wallet,
        plugins,
        peers: Peers::default(),
        channels: Channels::new(channels),
        openings: channels::Openings::default(),
        invoices: invoices::Invoices::default(),
        payments: Payments::default(),
        rpc: RpcState::default(),
        connectd: std::cell::OnceCell::new(),
        gossipd: std::cell::OnceCell::new(),
        graph: crate::gossip::GraphReader::default(),
        addresses: peers::OwnAddresses::default(),
        stop: watch::Sender::new(None),
        grace: std::cell::Cell::new(false),
    });
    for peer in known_peers {
        if node.channels.of_peer(peer.id).next().is_some() {
            node.peers
                .insert_known(peer.id, peer.address, peer.features);
        }
    }
    node.channels
        .add_interest(&mut node.chain.interest.borrow_mut());
    payments::load_forwarded(&node, fees);
    Ok(node)
}

/// Settles what a crash left half done.
async fn mend(log: &Logger, db: &Db) -> anyhow::Result<()> {
    let now = clock::now();
    let mended = db.write(move |txn| {
        crate::accounts::begin(txn)?;
        let freed = crate::wallet::free_interrupted(txn)?;
        Ok((payments::settle_lost_parts(txn, now)?, freed))
    });
    let (lost, freed) = mended.await?;
    let origin = Origin::of("lightningd");
    if lost > 0 {
        let text = format!("{lost} payments had not left the node when it stopped: failed");
        log.info(&origin, text);
    }
    if freed > 0 {
        let text =
            format!("{freed} coins were for a transaction that was never made: they are free");
        log.info(&origin, text);
    }
    Ok(())
}

/// A database must be used by one node on one network only.
async fn check_owner(db: &Db, config: &Config, id: NodeId) -> anyhow::Result<()> {
    let chain = config.network.chain_hash();
    let bytes = id.to_bytes();
    let found = db
        .write(move |txn| {
            let found = (txn.blob_var("node_id")?, txn.blob_var("genesis_hash")?);
            if found.0.is_none() {
                txn.set_blob_var("node_id", &bytes)?;
                txn.set_blob_var("genesis_hash", &chain)?;
            }
            Ok(found)
        })
        .await?;
    let wrong = |text: String| Exit {
        code: exit::WRONG_DATABASE,
        text,
    };
    if found.0.is_some_and(|known| known != id.to_bytes()) {
        let text = format!(
            "Wallet node_id does not match HSM: {id}: this hsm_secret belongs to another database"
        );
        return Err(wrong(text).into());
    }
    if found.1.is_some_and(|known| known != chain) {
        let text = format!(
            "Wallet blockchain hash does not match network {}",
            config.network
        );
        return Err(wrong(text).into());
    }
    Ok(())
}

/// What plugins are told of the node.
fn configuration(node: &Node) -> Configuration {
    let proxy = node.config.net.proxy.as_ref();
    let proxy = proxy.and_then(|proxy| match proxy {
        NetAddr::Ipv4(ip, port) => Some(("ipv4", ip.to_string(), *port)),
        NetAddr::Ipv6(ip, port) => Some(("ipv6", ip.to_string(), *port)),
        NetAddr::Dns(host, port) => Some(("dns", host.clone(), *port)),
        NetAddr::TorV3(..) | NetAddr::Unix(_) => None,
    });
    Configuration {
        lightning_dir: node.config.network_dir.to_string_lossy().into_owned(),
        rpc_file: node.config.rpc_file.clone(),
        startup: true,
        network: node.config.network.name().to_owned(),
        torv3_enabled: proxy.is_some().then_some(true),
        always_use_proxy: proxy.is_some().then_some(node.config.net.always_use_proxy),
        proxy: proxy.map(|(kind, address, port)| Proxy {
            kind: kind.to_owned(),
            address,
            port,
        }),
        feature_set: FeatureBits {
            init: node.features.init.clone(),
            node: node.features.node.clone(),
            channel: node.features.channel.clone(),
            invoice: node.features.invoice.clone(),
            ..FeatureBits::default()
        }
        .into(),
    }
}

/// What the plugin host needs to know of the settings.
fn host_config(config: &Config, settings: &Settings) -> Result<HostConfig, OptionError> {
    let dirs = settings.every("plugin-dir").into_iter();
    Ok(HostConfig {
        plugin_dirs: dirs
            .filter_map(|dir| std::path::absolute(dir).ok())
            .collect(),
        base_dir: config.base_dir.clone(),
        developer: config.developer,
        allow_deprecated: config.allow_deprecated,
        old_plugins: config.param_env().allows(OLD_PLUGINS),
        patience: Duration::from_secs(config.dev.timeout_secs.unwrap_or(60).into()),
        hook_timeouts: HookTimeouts::read(settings)?,
        restart: RestartPolicy::new(settings)?,
        autoreload: settings.flag("dev-plugin-autoreload"),
        no_checksum: settings.flag("dev-no-plugin-checksum"),
        permissions: Permissions::read(settings)?,
        save_io: settings
            .text("dev-save-plugin-io")
            .and_then(|dir| std::path::absolute(dir).ok()),
        panic: config.dev.panic.clone(),
    })
}

/// What we offer together with our plugins.
fn all_features(plugins: &PluginHost, config: &Config) -> anyhow::Result<OurFeatures> {
    let mut ours = OurFeatures::new().forced(&config.dev.force_features);
    for (plugin, bits) in plugins.feature_bits() {
        let places = [
            (&mut ours.init, bits.init),
            (&mut ours.node, bits.node),
            (&mut ours.channel, bits.channel),
            (&mut ours.invoice, bits.invoice),
        ];
        for (ours, theirs) in places {
            for bit in theirs.bits() {
                if ours.has_bit(bit) {
                    bail!(
                        "plugin {plugin} adds the feature bit {bit}, which is set already: disable one of those who set it"
                    );
                }
                ours.set(bit);
            }
        }
    }
    Ok(ours)
}

/// Starts the chain, connectd and gossipd, and the plugins that the chain needs.
async fn bring_services_up(node: &Rc<Node>) -> anyhow::Result<(Subd, Subd)> {
    node.plugins.attach(node, configuration(node));
    node.plugins.init_backend(&node.settings()).await?;
    chain::unwind(node).await?;
    chain::start(&node.backend, &node.chain, &node.config).await?;
    chain::catch_up(node).await.context("following the chain")?;
    let (connectd, for_gossipd) = peers::start_connectd(node).await?;
    let gossipd = crate::gossip::start_gossipd(node, for_gossipd).await?;
    Ok((connectd, gossipd))
}

fn spawn_tasks(node: &Rc<Node>, hsmd: Subd, connectd: Subd, gossipd: Subd) {
    let spawn =
        |task: std::pin::Pin<Box<dyn Future<Output = ()>>>| drop(tokio::task::spawn_local(task));
    if let Some(seconds) = node.config.dev.crash_after {
        spawn(Box::pin(async move {
            tokio::time::sleep(Duration::from_secs(seconds)).await;
            crash::crash("dev-crash-after");
        }));
    }
    spawn(Box::pin(watch_hsmd(Rc::clone(node), hsmd)));
    spawn(Box::pin(crate::gossip::run_gossipd(
        Rc::clone(node),
        gossipd,
    )));
    spawn(Box::pin(chain::follow(Rc::clone(node))));
    spawn(Box::pin(chain::watch_tip(Rc::clone(node))));
    spawn(Box::pin(chain::poll_fees(Rc::clone(node))));
    spawn(Box::pin(invoices::expire(Rc::clone(node))));
    spawn(Box::pin(watch_for_damage(Rc::clone(node))));
    let again = Rc::clone(node);
    spawn(Box::pin(async move { chain::rebroadcast(&again).await }));
    // Peers may only come once everything above is there to serve them.
    for channel in node.channels.all() {
        channels::resume(node, &channel);
    }
    for (id, _) in node.peers.all() {
        channels::set_important(node, id);
    }
    spawn(Box::pin(peers::run_connectd(Rc::clone(node), connectd)));
    spawn(Box::pin(peers::keep_enough(Rc::clone(node))));
}

/// hsmd's end is the node's.
async fn watch_hsmd(node: Rc<Node>, mut hsmd: Subd) {
    loop {
        match hsmd.next::<ln_ipc::hsmd::HsmdStatus>().await {
            Ok(ln_ipc::hsmd::HsmdStatus::ClientBadRequest(bad)) => {
                let text = format!("bad hsm request {}", bad.description.0);
                node.log.broken(&Origin::of_peer(bad.id, "hsmd"), text);
            }
            Err(end) => {
                if node.stop.borrow().is_none() {
                    node.log
                        .broken(&node.origin, format!("hsmd ended ({end}): the node stops"));
                    node.stop(exit::FAILED);
                }
                return;
            }
        }
    }
}

/// Waits for `stop`, a signal or a fatal failure; returns the exit code.
async fn run_until_stopped(node: &Rc<Node>, signals: &mut Signals) -> i32 {
    let mut stop = node.stop.subscribe();
    loop {
        tokio::select! {
            asked = signals.next() => match asked {
                Asked::End => return 0,
                Asked::Reopen => node.log.reopen(&node.origin),
            },
            _ = stop.changed() => if let Some(code) = *stop.borrow() { return code },
        }
    }
}

/// Ends everything in order: what was begun is durable already, so nothing needs to be waited for long.
async fn take_down(node: &Rc<Node>) {
    node.stop(0);
    node.log.info(&node.origin, "shutting down");
    drop(std::fs::remove_file(&node.config.rpc_file));
    // What peers want is not decided any more: plugins that have a say in it may be gone already.
    subd::end_those_with_peers(&node.log).await;
    let flush = async {
        subd::end_all(&node.log).await;
        // Whatever was queued for the database before this is on disk when this is.
        let flushed = node.db.write(|txn| txn.var("data_version"));
        drop(tokio::time::timeout(Duration::from_secs(5), flushed).await);
    };
    node.plugins.shut_down(flush).await;
}

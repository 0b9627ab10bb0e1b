//! The cluster's folders on disk, and the user that it runs as.

use std::fs::{self, File, OpenOptions};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown, lchown, symlink};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, OFlags, flock};
use rustix::process::geteuid;
use sha2::{Digest, Sha256};

use crate::platform::internal_error::{Context, InternalError};

/// The parent folder for clusters whose configured folder the PostgreSQL user cannot access.
const REFUGE: &str = "/var/lib";
/// The longest socket path to use, in bytes: `sun_path` has 104 on macOS and 108 on Linux.
const LONGEST_SOCKET: usize = 100;
/// The socket's name for port 5432, which clients assume.
pub(super) const SOCKET: &str = ".s.PGSQL.5432";

/// The unprivileged user that runs the cluster if this process runs as root. PostgreSQL refuses to run as root.
#[derive(Debug, PartialEq)]
pub(super) struct Account {
    name: String,
    pub(super) uid: u32,
    pub(super) gid: u32,
}

/// A cluster's folders.
pub(super) struct Place {
    /// Contains everything except, in some cases, the socket.
    pub(super) home: PathBuf,
    /// Contains the socket.
    pub(super) sockets: PathBuf,
    /// `None` if the cluster runs as the same user as this process.
    pub(super) account: Option<Account>,
}

impl Place {
    /// Chooses and creates the folders; the caller holds the lock.
    pub(super) fn prepare(folder: &Path) -> Result<Place, InternalError> {
        let account = if geteuid().is_root() { Some(Account::for_root(folder)?) } else { None };
        let home = choose_home(folder, account.as_ref())?;
        let place = Place { sockets: sockets_for(&home), home, account };
        place.make_private(&place.home)?;
        place.make_private(&place.sockets)?;
        Ok(place)
    }

    /// Finds the folders that the owner created.
    pub(super) fn find(folder: &Path) -> Result<Place, InternalError> {
        let home = folder.canonicalize()?;
        Ok(Place { sockets: sockets_for(&home), home, account: None })
    }

    pub(super) fn data(&self) -> PathBuf {
        self.home.join("data")
    }

    pub(super) fn password(&self) -> PathBuf {
        self.home.join("password")
    }

    pub(super) fn log(&self) -> PathBuf {
        self.home.join("postgres.log")
    }

    pub(super) fn is_initialised(&self) -> bool {
        self.data().join("PG_VERSION").exists()
    }

    /// The major version that created the cluster; `None` if there is no cluster.
    pub(super) fn major(&self) -> Result<Option<u32>, InternalError> {
        let path = self.data().join("PG_VERSION");
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text.trim().parse().context(format!("cannot read {}", path.display()))?)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context(format!("cannot read {}", path.display())),
        }
    }

    /// Changes the owner of a file that this process created to the user that runs the cluster.
    pub(super) fn give(&self, file: &File) -> Result<(), InternalError> {
        let Some(account) = &self.account else { return Ok(()) };
        fchown(file, Some(account.uid), Some(account.gid)).context(format!(
            "cannot give a file in {} to the user {}",
            self.home.display(),
            account.name
        ))
    }

    /// Creates a folder with mode 0700 for the cluster's user, or validates an existing one.
    ///
    /// In `/tmp` any user could have created it first.
    fn make_private(&self, path: &Path) -> Result<(), InternalError> {
        let what = || format!("cannot make the folder {}", path.display());
        match fs::DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error).context(what()),
            Ok(()) | Err(_) => {}
        }
        let found = fs::symlink_metadata(path).context(what())?;
        let me = geteuid().as_raw();
        let user = self.account.as_ref().map_or(me, |account| account.uid);
        if !found.is_dir() || (found.uid() != user && found.uid() != me) {
            return Err(InternalError::new(format!(
                "{} is not a folder of user {user} but of user {}: start as that user, or choose another folder",
                path.display(),
                found.uid()
            )));
        }
        if let Some(account) = self.account.as_ref().filter(|account| account.uid != found.uid()) {
            lchown(path, Some(account.uid), Some(account.gid)).context(what())?;
        }
        if found.mode() & 0o077 != 0 {
            fs::set_permissions(path, fs::Permissions::from_mode(0o700)).context(what())?;
        }
        Ok(())
    }
}

impl Account {
    /// The owner of an existing cluster, or else the user `postgres`, or else `nobody`.
    fn for_root(folder: &Path) -> Result<Account, InternalError> {
        match fs::metadata(folder) {
            Ok(found) if found.uid() != 0 => {
                Ok(Account { name: found.uid().to_string(), uid: found.uid(), gid: found.gid() })
            }
            _ => Account::in_passwd(&fs::read_to_string("/etc/passwd").context("cannot read /etc/passwd")?),
        }
    }

    fn in_passwd(passwd: &str) -> Result<Account, InternalError> {
        let find = |wanted: &str| {
            passwd.lines().find_map(|line| {
                let mut fields = line.split(':');
                let name = fields.next().filter(|name| *name == wanted)?.to_owned();
                let (uid, gid) = (fields.nth(1)?.parse().ok()?, fields.next()?.parse().ok()?);
                (uid != 0).then_some(Account { name, uid, gid })
            })
        };
        find("postgres").or_else(|| find("nobody")).ok_or_else(|| {
            InternalError::new(
                "PostgreSQL refuses to run as root, and there is no user `postgres` or `nobody` to run it as: \
                 start as another user, or set DATABASE_URL",
            )
        })
    }

    /// Whether this user can traverse `folder` and all its parents, judging by their mode bits.
    fn can_reach(&self, folder: &Path) -> bool {
        folder.ancestors().all(|folder| {
            fs::metadata(folder).is_ok_and(|found| {
                let bit = if found.uid() == self.uid {
                    0o100
                } else if found.gid() == self.gid {
                    0o010
                } else {
                    0o001
                };
                found.mode() & bit != 0
            })
        })
    }
}

/// Returns the folder itself or the target of its symbolic link.
///
/// If this process runs as root and the folder is below one like `/root`, which other users can't enter, the cluster
/// couldn't read its own files. Then it lives in `/var/lib`, which is not cleaned automatically, and `folder` becomes a
/// link to it.
fn choose_home(folder: &Path, account: Option<&Account>) -> Result<PathBuf, InternalError> {
    let unreachable = |path: &Path| {
        account.filter(|account| !account.can_reach(path.parent().unwrap_or(path))).map(|account| account.name.clone())
    };
    let refuge = Path::new(REFUGE).join(name_for(folder));
    if let Ok(target) = fs::read_link(folder) {
        match folder.canonicalize() {
            Ok(home) => {
                return match unreachable(&home) {
                    None => Ok(home),
                    Some(user) => Err(InternalError::new(format!("the user {user} can't reach {}", home.display()))),
                };
            }
            // Deleted, or in another container. Any other dangling link may point to a disk that is not mounted yet.
            Err(error) if error.kind() == ErrorKind::NotFound && target.parent() == Some(Path::new(REFUGE)) => {
                tracing::warn!(lost = %target.display(), "the embedded PostgreSQL's files are gone: starting an empty one");
                fs::remove_file(folder).context(format!("cannot replace the link {}", folder.display()))?;
            }
            Err(error) => return Err(error).context(format!("{} leads nowhere", folder.display())),
        }
    }
    let Some(user) = unreachable(folder) else { return Ok(folder.to_owned()) };
    match fs::remove_dir(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            return Err(error).context(format!(
                "the user {user}, who runs PostgreSQL for root, can't reach {}: move it to {}, or make its parents passable",
                folder.display(),
                refuge.display()
            ));
        }
        Ok(()) | Err(_) => {}
    }
    symlink(&refuge, folder).context(format!("cannot make the link {}", folder.display()))?;
    Ok(refuge)
}

/// Returns the folder of the socket.
///
/// It is inside `home`, unless that path is too long or has a comma, at which `libpq` would split it.
fn sockets_for(home: &Path) -> PathBuf {
    let inside = home.join("run");
    let path = inside.join(SOCKET);
    let bytes = path.as_os_str().as_bytes();
    if bytes.len() <= LONGEST_SOCKET && !bytes.contains(&b',') {
        inside
    } else {
        Path::new("/tmp").join(name_for(home))
    }
}

/// Returns `lyceum-` and 16 hexadecimal digits derived from `path`.
fn name_for(path: &Path) -> String {
    let mut digest = hex::encode(Sha256::digest(path.as_os_str().as_bytes()));
    digest.truncate(16);
    format!("lyceum-{digest}")
}

/// Locks a lock file until it is dropped or the process exits. Returns `None` if another process holds it.
pub(super) fn try_lock(path: &Path) -> Result<Option<File>, InternalError> {
    let mut options = OpenOptions::new();
    options.mode(0o644).custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
    let file = match options.clone().write(true).create(true).truncate(false).open(path) {
        // Created by another user, such as root; read access is enough for a lock except on NFS.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => options.read(true).open(path),
        opened => opened,
    };
    let file = file.context(format!("cannot open the lock file {}", path.display()))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(Some(file)),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(None),
        Err(error) => Err(error).context(format!("cannot lock {}", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str =
        "root:x:0:0:root:/root:/bin/bash\npostgresql:x:7:7::/:/bin/sh\nnobody:x:65534:65533:nobody:/:/bin/false\n";

    #[test]
    fn root_steps_down_to_postgres_or_else_nobody() {
        let nobody = Account { name: "nobody".into(), uid: 65534, gid: 65533 };
        assert_eq!(Account::in_passwd(PASSWD).unwrap(), nobody);
        let more = format!("{PASSWD}postgres:x:101:104:,,,:/var/lib/postgresql:/bin/bash\n");
        assert_eq!(Account::in_passwd(&more).unwrap(), Account { name: "postgres".into(), uid: 101, gid: 104 });
        assert!(Account::in_passwd("root:x:0:0::/:/bin/sh\npostgres:x:0:0::/:/bin/sh\nnobody:x:broken\n").is_err());
    }

    #[test]
    fn sockets_stay_inside_unless_the_path_is_too_long() {
        assert_eq!(sockets_for(Path::new("/srv/app/.lyceum/postgres")), Path::new("/srv/app/.lyceum/postgres/run"));
        let fits = PathBuf::from(format!("/{}", "x".repeat(LONGEST_SOCKET - 19)));
        assert_eq!(sockets_for(&fits).join(SOCKET).as_os_str().len(), LONGEST_SOCKET);
        let long = PathBuf::from(format!("/{}", "x".repeat(LONGEST_SOCKET - 18)));
        let sockets = sockets_for(&long);
        assert_eq!(sockets.parent(), Some(Path::new("/tmp")));
        assert_eq!(sockets.as_os_str().len(), "/tmp/lyceum-".len() + 16);
        assert_ne!(sockets, sockets_for(&long.join("y")));
    }

    #[test]
    fn a_lock_is_exclusive_until_dropped() {
        let path = std::env::temp_dir().join(format!("lyceum-lock-{}", std::process::id()));
        let first = try_lock(&path).unwrap();
        assert!(first.is_some());
        assert!(try_lock(&path).unwrap().is_none());
        drop(first);
        assert!(try_lock(&path).unwrap().is_some());
        fs::remove_file(path).unwrap();
    }
}

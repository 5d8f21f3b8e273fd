//! The first start: an empty database is migrated and initialised once, under a lock, whichever node comes first.

use std::collections::BTreeSet;

use crate::config::Security;
use crate::crypto::data_keys::{DataKeyMaterial, DataKeys};
use crate::crypto::identifier::uuid_v7;
use crate::crypto::master_key::{MasterKey, MasterKeyError};
use crate::crypto::random::Random;
use crate::crypto::sealing::SealError;
use crate::model::audit::{Actor, AuditEvent};
use crate::model::client::{AuthenticationMethod, Client, ClientKind, ClientMode, ClientStatus, StaticClaims};
use crate::model::grant_type::GrantType;
use crate::model::role::{ADMINISTRATOR, API_ACCESS, API_USER, BUILT_IN_PERMISSIONS, DEVELOPER, Role};
use crate::model::scope::{self, CatalogueScope, EMAIL, OFFLINE_ACCESS, OPENID, PROFILE};
use crate::model::signing_key::SigningAlgorithm;
use crate::model::time::Timestamp;
use crate::model::user::{Administration, UserKind, UserStatus, Username};
use crate::oauth::keys;
use crate::store::instance::{self, Instance};
use crate::store::signing_keys::StoredKey;
use crate::store::users::NewUser;
use crate::store::{
    Db, Store, StoreError, audit, clients, migrations, organizations, roles, scopes, signing_keys, users,
};

/// The username of the administrator, unless `grantor init` names another.
pub const ADMIN_USERNAME: &str = "admin";

/// What the first start needs to know.
#[derive(Debug, Clone)]
pub struct SetupSettings {
    /// Where the master key is; its file is made at the first start.
    pub security: Security,
    /// The id of the public client of the programmatic users.
    pub programmatic_client_id: String,
    /// What signs by default: a key of it must be there.
    pub signing_algorithm: SigningAlgorithm,
    /// The administrator's username.
    pub admin_username: String,
}

/// Why an installation cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum SetupError {
    /// The master key cannot be read or made.
    #[error(transparent)]
    MasterKey(#[from] MasterKeyError),
    /// Another installation's key.
    #[error(
        "the master key is not the one of this database: its fingerprint is {given}, the database was made with {expected}; \
         set security.master_key_file (or security.master_key) to that key"
    )]
    WrongMasterKey {
        /// Of the key in hand.
        given: String,
        /// Of the key that sealed the database's keys.
        expected: String,
    },
    /// The key is gone.
    #[error(
        "the master key file {0} is missing, but the database was made with one (fingerprint {1}): put it back, or \
         point security.master_key_file at it"
    )]
    MissingMasterKey(String, String),
    /// The data keys cannot be sealed or opened.
    #[error("the data keys cannot be opened: {0}")]
    Seal(#[from] SealError),
    /// The administrator's username is none.
    #[error("the administrator's username {0}")]
    Username(#[from] crate::model::user::UsernameError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// An installation that is ready to be used.
pub struct Installation {
    /// The master key.
    pub master_key: MasterKey,
    /// The data keys.
    pub data_keys: DataKeys,
    /// Whether this call made it.
    pub is_new: bool,
}

/// Whether the master key's setting or file is good, as far as that can be said before the database is touched: a
/// wrong one must not cost a migration. A file that is not there may be made later.
///
/// # Errors
/// [`SetupError::MasterKey`].
pub fn check_master_key(security: &Security) -> Result<(), SetupError> {
    given_master_key(security).map(|_| ())
}

/// The master key of the setting or of its file, if it is there.
fn given_master_key(security: &Security) -> Result<Option<MasterKey>, SetupError> {
    Ok(match &security.master_key {
        Some(text) => Some(MasterKey::from_text(text.expose())?),
        None => MasterKey::read_file(&security.master_key_file)?,
    })
}

/// Whether the master key in hand is that of a database that is made and opens its keys: its fingerprint, or why
/// nothing starts. Makes nothing.
///
/// # Errors
/// [`SetupError`], as the start would say it.
pub fn match_master_key(security: &Security, known: &Instance) -> Result<String, SetupError> {
    let expected = &known.master_key_fingerprint;
    let Some(key) = given_master_key(security)? else { return Err(missing(security, expected)) };
    open(key, known, false).map(|installation| installation.master_key.fingerprint())
}

fn missing(security: &Security, fingerprint: &str) -> SetupError {
    SetupError::MissingMasterKey(security.master_key_file.display().to_string(), fingerprint.to_owned())
}

/// Opens the installation in a migrated database, or makes it.
///
/// # Errors
/// [`SetupError`], one line for the operator.
pub async fn open_or_create(
    store: &Store,
    settings: &SetupSettings,
    random: &Random,
    now: Timestamp,
) -> Result<Installation, SetupError> {
    let known = store.read(instance::find).await?;
    let master_key = master_key(&settings.security, known.as_ref(), random)?;
    if let Some(known) = known {
        return open(master_key, &known, false);
    }
    let plan = Plan::make(settings, &master_key, random, now)?;
    let made = plan.instance.clone();
    let is_new = store
        .write(move |db| {
            migrations::lock_installation(db)?;
            if instance::find(db)?.is_some() {
                return Ok(false);
            }
            plan.store(db, now).map(|()| true)
        })
        .await?;
    if is_new {
        return open(master_key, &made, true);
    }
    // Another node was first: its keys count.
    let known = store.read(instance::find).await?.ok_or_else(|| StoreError::Bug("the instance vanished".to_owned()))?;
    open(master_key, &known, false)
}

fn open(master_key: MasterKey, known: &Instance, is_new: bool) -> Result<Installation, SetupError> {
    let given = master_key.fingerprint();
    if given != known.master_key_fingerprint {
        return Err(SetupError::WrongMasterKey { given, expected: known.master_key_fingerprint.clone() });
    }
    let data_keys = DataKeyMaterial::open(&master_key, &known.data_keys)?.keys();
    Ok(Installation { master_key, data_keys, is_new })
}

/// The master key of the settings.
///
/// # Errors
/// [`SetupError`] if there is none where the database needs one.
fn master_key(security: &Security, known: Option<&Instance>, random: &Random) -> Result<MasterKey, SetupError> {
    if let Some(key) = given_master_key(security)? {
        return Ok(key);
    }
    if let Some(known) = known {
        return Err(missing(security, &known.master_key_fingerprint));
    }
    let new = MasterKey::generate(random);
    if new.create_file(&security.master_key_file)? {
        return Ok(new);
    }
    // Another node in the same folder was first.
    MasterKey::read_file(&security.master_key_file)?.ok_or_else(|| missing(security, "unknown"))
}

/// Everything that an empty database gets.
struct Plan {
    instance: Instance,
    organization_id: String,
    roles: Vec<Role>,
    programmatic_client: Client,
    administrator: NewUser,
    keys: Vec<StoredKey>,
}

impl Plan {
    fn make(
        settings: &SetupSettings,
        master_key: &MasterKey,
        random: &Random,
        now: Timestamp,
    ) -> Result<Self, SetupError> {
        let material = DataKeys::generate(random);
        let sealing = material.keys().sealing;
        let organization_id = uuid_v7(now, random);
        let roles = built_in_roles(random, now);
        let administrator = administrator(settings, &organization_id, &roles, random, now)?;
        let algorithms: BTreeSet<SigningAlgorithm> =
            [SigningAlgorithm::Es256, SigningAlgorithm::Rs256, settings.signing_algorithm].into();
        Ok(Self {
            instance: Instance {
                master_key_fingerprint: master_key.fingerprint(),
                data_keys: material.seal(master_key, random)?,
            },
            programmatic_client: programmatic_client(settings, &organization_id),
            organization_id,
            roles,
            administrator,
            keys: algorithms
                .into_iter()
                .map(|algorithm| keys::make_key(algorithm, &sealing, random, now))
                .collect::<Result<_, _>>()?,
        })
    }

    fn store(&self, db: &mut Db, now: Timestamp) -> Result<(), StoreError> {
        instance::create(db, &self.instance, now)?;
        organizations::create(db, &self.organization_id, crate::admin::organizations::DEFAULT_SLUG, "Default", now)?;
        for name in scope::BUILT_IN {
            let description = match *name {
                OPENID => "Who the user is (an ID token)",
                PROFILE => "The user's name",
                EMAIL => "The user's e-mail address",
                _ => "Access while the user is away",
            };
            let entry = CatalogueScope {
                name: (*name).to_owned(),
                description: description.to_owned(),
                requires_approval: false,
                audience: None,
            };
            scopes::create(db, &entry, true, now)?;
        }
        for role in &self.roles {
            roles::create(db, role, now)?;
        }
        clients::create(db, &self.programmatic_client, now)?;
        users::create(db, &self.administrator, now)?;
        for key in &self.keys {
            signing_keys::create(db, key)?;
        }
        let event = AuditEvent {
            action: "instance.created",
            target_kind: "instance",
            target_id: self.instance.master_key_fingerprint.clone(),
            organization_id: Some(self.organization_id.clone()),
            details: format!("administrator={}", self.administrator.username.as_str()),
        };
        audit::record(db, &Actor::server(), &event, now)
    }
}

fn built_in_roles(random: &Random, now: Timestamp) -> Vec<Role> {
    let role = |name: &str, description: &str, permissions: &[&str]| Role {
        id: uuid_v7(now, random),
        organization_id: None,
        name: name.to_owned(),
        description: description.to_owned(),
        permissions: permissions.iter().chain(&[PROFILE, EMAIL]).map(|p| (*p).to_owned()).collect(),
    };
    vec![
        role(ADMINISTRATOR, "Everything", BUILT_IN_PERMISSIONS),
        role(
            DEVELOPER,
            "Registers applications and makes credentials",
            &[API_ACCESS, "api_keys:manage", "credentials:manage", "applications:manage"],
        ),
        role(API_USER, "Calls the API", &[API_ACCESS]),
    ]
}

fn administrator(
    settings: &SetupSettings,
    organization_id: &str,
    roles: &[Role],
    random: &Random,
    now: Timestamp,
) -> Result<NewUser, SetupError> {
    let role_ids = roles.iter().filter(|role| role.name == ADMINISTRATOR).map(|role| role.id.clone()).collect();
    Ok(NewUser {
        id: uuid_v7(now, random),
        organization_id: organization_id.to_owned(),
        kind: UserKind::Person,
        programmatic: false,
        username: Username::parse(&settings.admin_username)?,
        name: "Administrator".to_owned(),
        description: String::new(),
        first_name: String::new(),
        last_name: String::new(),
        email: None,
        phone: None,
        administration: Administration::Admin,
        access_console: true,
        access_api: true,
        // No password yet, and no default one ever: the account opens nothing until it is set.
        status: UserStatus::Invited,
        password: None,
        role_ids,
    })
}

fn programmatic_client(settings: &SetupSettings, organization_id: &str) -> Client {
    Client {
        client_id: settings.programmatic_client_id.clone(),
        organization_id: organization_id.to_owned(),
        owner_id: None,
        label: "Programmatic users".to_owned(),
        description: "Programmatic users sign in through this client".to_owned(),
        purpose: String::new(),
        kind: ClientKind::Public,
        mode: ClientMode::Live,
        authentication_method: Some(AuthenticationMethod::None),
        may_introspect: false,
        access_lifetime: None,
        idle_lifetime: None,
        absolute_lifetime: None,
        reuse_window: None,
        signing_algorithm: None,
        status: ClientStatus::Active,
        epoch: 0,
        grant_types: vec![GrantType::Password, GrantType::RefreshToken],
        scopes: [OPENID, PROFILE, EMAIL, OFFLINE_ACCESS].into_iter().collect(),
        audiences: Vec::new(),
        static_claims: StaticClaims::default(),
        role_ids: Vec::new(),
        secrets: Vec::new(),
        ended_secrets: Vec::new(),
    }
}

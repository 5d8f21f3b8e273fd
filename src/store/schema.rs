//! The tables, as both databases have them. Numbers are all `BigInt`: instants, counters and flags alike. Longer than most files:
//! one list of all columns.

diesel::table! {
    instance (id) {
        id -> BigInt,
        master_key_fingerprint -> Text,
        data_keys -> Text,
        changes -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    organizations (id) {
        id -> Text,
        number -> BigInt,
        slug -> Text,
        name -> Text,
        status -> Text,
        epoch -> BigInt,
        change -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    roles (id) {
        id -> Text,
        organization_id -> Nullable<Text>,
        name -> Text,
        description -> Text,
        change -> BigInt,
        created_at -> BigInt,
        status -> Text,
    }
}

diesel::table! {
    role_permissions (role_id, permission) {
        role_id -> Text,
        permission -> Text,
    }
}

diesel::table! {
    scopes (name) {
        name -> Text,
        description -> Text,
        requires_approval -> BigInt,
        audience -> Nullable<Text>,
        built_in -> BigInt,
        change -> BigInt,
        created_at -> BigInt,
        status -> Text,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        organization_id -> Text,
        kind -> Text,
        programmatic -> BigInt,
        username -> Text,
        name -> Text,
        description -> Text,
        first_name -> Text,
        last_name -> Text,
        email -> Nullable<Text>,
        email_key -> Nullable<Text>,
        phone -> Nullable<Text>,
        email_verified_at -> Nullable<BigInt>,
        administration -> Text,
        access_console -> BigInt,
        access_api -> BigInt,
        status -> Text,
        password_kind -> Nullable<Text>,
        password_hash -> Nullable<Text>,
        password_changed_at -> Nullable<BigInt>,
        epoch -> BigInt,
        epoch_raised_at -> BigInt,
        change -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    user_roles (user_id, organization_id, role_id) {
        user_id -> Text,
        organization_id -> Text,
        role_id -> Text,
    }
}

diesel::table! {
    memberships (user_id, organization_id) {
        user_id -> Text,
        organization_id -> Text,
        created_at -> BigInt,
        kind -> Text,
        programmatic -> BigInt,
    }
}

diesel::table! {
    clients (client_id) {
        client_id -> Text,
        organization_id -> Text,
        owner_id -> Nullable<Text>,
        label -> Text,
        description -> Text,
        kind -> Text,
        mode -> Text,
        token_endpoint_auth_method -> Nullable<Text>,
        may_introspect -> BigInt,
        access_lifetime -> Nullable<BigInt>,
        idle_lifetime -> Nullable<BigInt>,
        absolute_lifetime -> Nullable<BigInt>,
        reuse_window -> Nullable<BigInt>,
        signing_algorithm -> Nullable<Text>,
        status -> Text,
        epoch -> BigInt,
        change -> BigInt,
        created_at -> BigInt,
        purpose -> Text,
        static_claims -> Text,
    }
}

diesel::table! {
    client_roles (client_id, role_id) {
        client_id -> Text,
        role_id -> Text,
    }
}

diesel::table! {
    client_grant_types (client_id, grant_type) {
        client_id -> Text,
        grant_type -> Text,
    }
}

diesel::table! {
    client_scopes (client_id, scope) {
        client_id -> Text,
        scope -> Text,
        status -> Text,
        last_used_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    client_audiences (client_id, audience) {
        client_id -> Text,
        audience -> Text,
    }
}

diesel::table! {
    client_secrets (id) {
        id -> Text,
        client_id -> Text,
        digest -> Text,
        label -> Text,
        created_at -> BigInt,
        expires_at -> Nullable<BigInt>,
        sealed -> Nullable<Text>,
        ended_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        last_used_ip -> Nullable<Text>,
    }
}

diesel::table! {
    scope_requests (id) {
        id -> Text,
        client_id -> Text,
        organization_id -> Text,
        scope -> Text,
        justification -> Text,
        status -> Text,
        requested_by -> Text,
        requested_at -> BigInt,
        decided_by -> Nullable<Text>,
        decided_at -> Nullable<BigInt>,
        reason -> Text,
    }
}

diesel::table! {
    api_keys (id) {
        id -> Text,
        prefix -> Text,
        digest -> Text,
        name -> Text,
        user_id -> Text,
        organization_id -> Text,
        scopes -> Nullable<Text>,
        networks -> Text,
        reveal -> Text,
        sealed -> Nullable<Text>,
        status -> Text,
        expires_at -> Nullable<BigInt>,
        last_used_at -> Nullable<BigInt>,
        last_used_ip -> Nullable<Text>,
        change -> BigInt,
        created_at -> BigInt,
    }
}

diesel::table! {
    remembered_posts (key_digest) {
        key_digest -> Text,
        request_digest -> Text,
        status -> BigInt,
        body -> Text,
        created_at -> BigInt,
    }
}

diesel::table! {
    families (id) {
        id -> Text,
        client_id -> Text,
        user_id -> Text,
        scope -> Text,
        audience -> Text,
        salt -> Text,
        generation -> BigInt,
        auth_time -> BigInt,
        rotated_at -> BigInt,
        idle_expires_at -> BigInt,
        absolute_expires_at -> BigInt,
        revoked_at -> Nullable<BigInt>,
        reason -> Nullable<Text>,
        change -> Nullable<BigInt>,
        lives_until -> BigInt,
    }
}

diesel::table! {
    denied_tokens (jti) {
        jti -> Text,
        expires_at -> BigInt,
        change -> BigInt,
    }
}

diesel::table! {
    signing_keys (kid) {
        kid -> Text,
        algorithm -> Text,
        sealed_private_key -> Text,
        public_jwk -> Text,
        published_at -> BigInt,
        signs_at -> BigInt,
        retired_at -> Nullable<BigInt>,
        removed_at -> Nullable<BigInt>,
        revoked -> BigInt,
        change -> BigInt,
    }
}

diesel::table! {
    attempts (bucket) {
        bucket -> Text,
        failures -> BigInt,
        reserved -> BigInt,
        reserved_until -> BigInt,
        blocked_until -> BigInt,
        updated_at -> BigInt,
    }
}

diesel::table! {
    known_networks (user_id, network) {
        user_id -> Text,
        network -> Text,
        last_success_at -> BigInt,
    }
}

diesel::table! {
    audit_events (seq) {
        seq -> BigInt,
        occurred_at -> BigInt,
        actor_kind -> Text,
        actor_id -> Text,
        action -> Text,
        target_kind -> Text,
        target_id -> Text,
        organization_id -> Nullable<Text>,
        ip -> Nullable<Text>,
        request_id -> Nullable<Text>,
        result -> Text,
        details -> Text,
        number -> Nullable<BigInt>,
        seal -> Nullable<Text>,
        link -> Nullable<Text>,
    }
}

diesel::table! {
    audit_chain (id) {
        id -> BigInt,
        number -> BigInt,
        link -> Text,
        anchor_number -> BigInt,
        anchor_link -> Text,
        mac -> Text,
    }
}

diesel::table! {
    one_time_links (id) {
        id -> Text,
        purpose -> Text,
        user_id -> Text,
        digest -> Text,
        email -> Nullable<Text>,
        expires_at -> BigInt,
        used_at -> Nullable<BigInt>,
        created_at -> BigInt,
    }
}

diesel::table! {
    usage_hours (credential_kind, credential_id, hour) {
        credential_kind -> Text,
        credential_id -> Text,
        hour -> BigInt,
        issued -> BigInt,
        verified -> BigInt,
        refused -> BigInt,
        last_used_at -> Nullable<BigInt>,
        last_used_ip -> Nullable<Text>,
    }
}

diesel::table! {
    usage_details (credential_kind, credential_id, hour, detail, name) {
        credential_kind -> Text,
        credential_id -> Text,
        hour -> BigInt,
        detail -> Text,
        name -> Text,
        count -> BigInt,
    }
}

diesel::table! {
    mail_outbox (id) {
        id -> Text,
        kind -> Text,
        recipient -> Text,
        user_id -> Nullable<Text>,
        link_id -> Nullable<Text>,
        about -> Text,
        status -> Text,
        attempts -> BigInt,
        next_attempt_at -> BigInt,
        last_error -> Nullable<Text>,
        created_at -> BigInt,
        sent_at -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        digest -> Text,
        user_id -> Text,
        organization_id -> Text,
        epoch -> BigInt,
        despite_lock -> BigInt,
        authenticated_at -> BigInt,
        created_at -> BigInt,
        last_seen_at -> BigInt,
        ip -> Text,
        user_agent -> Text,
    }
}

diesel::table! {
    sweeper (id) {
        id -> BigInt,
        holder -> Text,
        leased_until -> BigInt,
        finished_at -> BigInt,
        dropped -> BigInt,
    }
}

diesel::allow_tables_to_appear_in_same_query!(clients, client_secrets);
diesel::allow_tables_to_appear_in_same_query!(clients, client_scopes);
diesel::allow_tables_to_appear_in_same_query!(clients, scope_requests);
diesel::allow_tables_to_appear_in_same_query!(memberships, users, user_roles, organizations);
diesel::allow_tables_to_appear_in_same_query!(users, api_keys);
diesel::allow_tables_to_appear_in_same_query!(users, usage_hours);
diesel::allow_tables_to_appear_in_same_query!(users, usage_details);
diesel::allow_tables_to_appear_in_same_query!(clients, usage_hours);
diesel::allow_tables_to_appear_in_same_query!(clients, usage_details);
diesel::allow_tables_to_appear_in_same_query!(api_keys, usage_details);

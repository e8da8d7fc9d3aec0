CREATE TABLE `admin_tokens` (
	`name` text PRIMARY KEY NOT NULL,
	`digest` text NOT NULL,
	`role` text NOT NULL,
	`created` integer NOT NULL,
	`expires` integer,
	CONSTRAINT "admin_tokens_role" CHECK("admin_tokens"."role" in ('read', 'support', 'admin', 'fleet'))
);
--> statement-breakpoint
CREATE UNIQUE INDEX `admin_tokens_digest_unique` ON `admin_tokens` (`digest`);--> statement-breakpoint
CREATE TABLE `aliases` (
	`address` text PRIMARY KEY NOT NULL,
	`user` text NOT NULL,
	FOREIGN KEY (`user`) REFERENCES `users`(`address`) ON UPDATE cascade ON DELETE cascade,
	CONSTRAINT "aliases_address" CHECK("aliases"."address" = lower("aliases"."address"))
);
--> statement-breakpoint
CREATE INDEX `aliases_by_user` ON `aliases` (`user`,`address`);--> statement-breakpoint
CREATE TABLE `app_passwords` (
	`user` text NOT NULL,
	`label` text NOT NULL,
	`digest` text NOT NULL,
	`imap` integer DEFAULT true NOT NULL,
	`pop3` integer DEFAULT true NOT NULL,
	`smtp` integer DEFAULT true NOT NULL,
	`created` integer NOT NULL,
	`expires` integer,
	`last_used` integer,
	PRIMARY KEY(`user`, `label`),
	FOREIGN KEY (`user`) REFERENCES `users`(`address`) ON UPDATE cascade ON DELETE cascade
);
--> statement-breakpoint
CREATE UNIQUE INDEX `app_passwords_by_digest` ON `app_passwords` (`user`,`digest`);--> statement-breakpoint
CREATE TABLE `audit` (
	`id` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`time` integer NOT NULL,
	`actor` text NOT NULL,
	`action` text NOT NULL,
	`subject` text NOT NULL,
	`details` text DEFAULT '{}' NOT NULL
);
--> statement-breakpoint
CREATE INDEX `audit_by_subject` ON `audit` (`subject`);--> statement-breakpoint
CREATE INDEX `audit_by_time` ON `audit` (`time`);--> statement-breakpoint
CREATE TABLE `certificates` (
	`user` text NOT NULL,
	`kind` text NOT NULL,
	`value` text NOT NULL,
	PRIMARY KEY(`user`, `kind`, `value`),
	FOREIGN KEY (`user`) REFERENCES `users`(`address`) ON UPDATE cascade ON DELETE cascade,
	CONSTRAINT "certificates_kind" CHECK("certificates"."kind" in ('subject', 'fingerprint'))
);
--> statement-breakpoint
CREATE TABLE `domains` (
	`name` text PRIMARY KEY NOT NULL,
	`group` text NOT NULL,
	`recipients` text DEFAULT 'known' NOT NULL,
	FOREIGN KEY (`group`) REFERENCES `groups`(`name`) ON UPDATE cascade ON DELETE no action,
	CONSTRAINT "domains_name" CHECK("domains"."name" = lower("domains"."name")),
	CONSTRAINT "domains_recipients" CHECK("domains"."recipients" in ('none', 'known', 'any'))
);
--> statement-breakpoint
CREATE TABLE `groups` (
	`name` text PRIMARY KEY NOT NULL,
	`policy` text DEFAULT 'weighted' NOT NULL,
	`storage` text DEFAULT 'own' NOT NULL,
	`upstream_auth` text DEFAULT 'client' NOT NULL,
	`master_user` text,
	CONSTRAINT "groups_policy" CHECK("groups"."policy" in ('hash', 'weighted', 'nearest', 'first')),
	CONSTRAINT "groups_storage" CHECK("groups"."storage" in ('own', 'shared')),
	CONSTRAINT "groups_upstream_auth" CHECK("groups"."upstream_auth" in ('client', 'stored', 'master')),
	CONSTRAINT "groups_master_user" CHECK("groups"."upstream_auth" <> 'master' or "groups"."master_user" is not null)
);
--> statement-breakpoint
CREATE TABLE `known_networks` (
	`user` text NOT NULL,
	`network` text NOT NULL,
	`last_success` integer NOT NULL,
	PRIMARY KEY(`user`, `network`),
	FOREIGN KEY (`user`) REFERENCES `users`(`address`) ON UPDATE cascade ON DELETE cascade
);
--> statement-breakpoint
CREATE INDEX `known_networks_by_age` ON `known_networks` (`last_success`);--> statement-breakpoint
CREATE TABLE `networks` (
	`network` text PRIMARY KEY NOT NULL,
	`prefix` integer NOT NULL,
	`access` text DEFAULT 'allow' NOT NULL,
	`group` text,
	FOREIGN KEY (`group`) REFERENCES `groups`(`name`) ON UPDATE cascade ON DELETE no action,
	CONSTRAINT "networks_access" CHECK("networks"."access" in ('allow', 'deny'))
);
--> statement-breakpoint
CREATE TABLE `secrets` (
	`user` text NOT NULL,
	`purpose` text NOT NULL,
	`sealed` text NOT NULL,
	PRIMARY KEY(`user`, `purpose`),
	FOREIGN KEY (`user`) REFERENCES `users`(`address`) ON UPDATE cascade ON DELETE cascade,
	CONSTRAINT "secrets_purpose" CHECK("secrets"."purpose" in ('own', 'upstream'))
);
--> statement-breakpoint
CREATE TABLE `server_health` (
	`host` text NOT NULL,
	`port` integer NOT NULL,
	`until` integer NOT NULL,
	`why` text NOT NULL,
	PRIMARY KEY(`host`, `port`)
);
--> statement-breakpoint
CREATE TABLE `servers` (
	`name` text PRIMARY KEY NOT NULL,
	`group` text NOT NULL,
	`host` text NOT NULL,
	`imap_port` integer,
	`pop3_port` integer,
	`smtp_port` integer,
	`tls` text,
	`tls_name` text,
	`weight` integer DEFAULT 1 NOT NULL,
	`position` integer DEFAULT 0 NOT NULL,
	`latitude` real,
	`longitude` real,
	`state` text DEFAULT 'up' NOT NULL,
	`health` text DEFAULT 'reported' NOT NULL,
	FOREIGN KEY (`group`) REFERENCES `groups`(`name`) ON UPDATE cascade ON DELETE no action,
	CONSTRAINT "servers_host" CHECK("servers"."host" = lower("servers"."host")),
	CONSTRAINT "servers_weight" CHECK("servers"."weight" > 0),
	CONSTRAINT "servers_state" CHECK("servers"."state" in ('up', 'draining', 'down')),
	CONSTRAINT "servers_health" CHECK("servers"."health" in ('reported', 'ignored')),
	CONSTRAINT "servers_tls" CHECK("servers"."tls" in ('off', 'starttls', 'tls')),
	CONSTRAINT "servers_imap_port" CHECK("servers"."imap_port" between 1 and 65535),
	CONSTRAINT "servers_pop3_port" CHECK("servers"."pop3_port" between 1 and 65535),
	CONSTRAINT "servers_smtp_port" CHECK("servers"."smtp_port" between 1 and 65535),
	CONSTRAINT "servers_latitude" CHECK("servers"."latitude" between -90 and 90),
	CONSTRAINT "servers_longitude" CHECK("servers"."longitude" between -180 and 180)
);
--> statement-breakpoint
CREATE INDEX `servers_by_group` ON `servers` (`group`,`name`);--> statement-breakpoint
CREATE TABLE `users` (
	`address` text PRIMARY KEY NOT NULL,
	`password_hash` text NOT NULL,
	`enabled` integer DEFAULT true NOT NULL,
	`imap` integer DEFAULT true NOT NULL,
	`pop3` integer DEFAULT true NOT NULL,
	`smtp` integer DEFAULT true NOT NULL,
	`group` text NOT NULL,
	`server` text,
	`upstream_login` text,
	FOREIGN KEY (`group`) REFERENCES `groups`(`name`) ON UPDATE cascade ON DELETE no action,
	FOREIGN KEY (`server`) REFERENCES `servers`(`name`) ON UPDATE cascade ON DELETE no action,
	CONSTRAINT "users_address" CHECK("users"."address" = lower("users"."address"))
);
--> statement-breakpoint
CREATE INDEX `users_by_group` ON `users` (`group`,`address`);--> statement-breakpoint
CREATE INDEX `users_by_server` ON `users` (`server`,`address`);
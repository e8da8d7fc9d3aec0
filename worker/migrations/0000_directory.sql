CREATE TABLE `aliases` (
	`address` text PRIMARY KEY NOT NULL,
	`user` text NOT NULL,
	FOREIGN KEY (`user`) REFERENCES `users`(`address`) ON UPDATE cascade ON DELETE cascade,
	CONSTRAINT "aliases_address" CHECK("aliases"."address" = lower("aliases"."address"))
);
--> statement-breakpoint
CREATE INDEX `aliases_by_user` ON `aliases` (`user`);--> statement-breakpoint
CREATE TABLE `groups` (
	`name` text PRIMARY KEY NOT NULL,
	`policy` text DEFAULT 'weighted' NOT NULL,
	`storage` text DEFAULT 'own' NOT NULL,
	CONSTRAINT "groups_storage" CHECK("groups"."storage" in ('own', 'shared'))
);
--> statement-breakpoint
CREATE TABLE `servers` (
	`name` text PRIMARY KEY NOT NULL,
	`group` text NOT NULL,
	`host` text NOT NULL,
	`imap_port` integer,
	`pop3_port` integer,
	`smtp_port` integer,
	`weight` integer DEFAULT 1 NOT NULL,
	`state` text DEFAULT 'up' NOT NULL,
	FOREIGN KEY (`group`) REFERENCES `groups`(`name`) ON UPDATE cascade ON DELETE no action,
	CONSTRAINT "servers_weight" CHECK("servers"."weight" > 0),
	CONSTRAINT "servers_state" CHECK("servers"."state" in ('up', 'draining', 'down')),
	CONSTRAINT "servers_imap_port" CHECK("servers"."imap_port" between 1 and 65535),
	CONSTRAINT "servers_pop3_port" CHECK("servers"."pop3_port" between 1 and 65535),
	CONSTRAINT "servers_smtp_port" CHECK("servers"."smtp_port" between 1 and 65535)
);
--> statement-breakpoint
CREATE INDEX `servers_by_group` ON `servers` (`group`);--> statement-breakpoint
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
CREATE INDEX `users_by_group` ON `users` (`group`);--> statement-breakpoint
CREATE INDEX `users_by_server` ON `users` (`server`);
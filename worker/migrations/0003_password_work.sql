CREATE TABLE `password_work` (
	`kind` text PRIMARY KEY NOT NULL,
	`units` integer NOT NULL,
	`seen` integer NOT NULL
);
--> statement-breakpoint
CREATE INDEX `known_networks_by_network` ON `known_networks` (`network`);
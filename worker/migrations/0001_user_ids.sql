CREATE TABLE `revocations` (
	`number` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text,
	`version` integer,
	`address` text NOT NULL,
	`upstream_login` text,
	`master_user` text
);
--> statement-breakpoint
ALTER TABLE `users` ADD `id` text DEFAULT '' NOT NULL;--> statement-breakpoint
ALTER TABLE `users` ADD `version` integer DEFAULT 1 NOT NULL;--> statement-breakpoint
-- 21 characters of 6 random bits, and one of the four that end 16 bytes in base64url. The condition names the row, so
-- that SQLite runs the subquery for each row anew.
UPDATE `users` SET `id` = (
  SELECT group_concat(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 1 + (random() & 63), 1), '')
  FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21]') WHERE `users`.`address` <> ''
) || substr('AQgw', 1 + (random() & 3), 1);--> statement-breakpoint
CREATE UNIQUE INDEX `users_by_id` ON `users` (`id`);

-- The triggers keep the ids and versions of users, and note whose logins must end, whatever writes to the database: the
-- worker, an older worker, or `wrangler d1 execute`.
--
-- Each trigger is one line with BEGIN and END in capitals, because D1's endpoint for remote migrations splits any other
-- trigger at its first semicolon (cloudflare/workers-sdk issues 4998, 15314 and 15690).
CREATE TRIGGER `users_new_id` AFTER INSERT ON `users` WHEN new.`id` = '' BEGIN UPDATE `users` SET `id` = (SELECT group_concat(substr('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', 1 + (random() & 63), 1), '') FROM json_each('[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21]')) || substr('AQgw', 1 + (random() & 3), 1) WHERE `address` = new.`address`; END;
--> statement-breakpoint
CREATE TRIGGER `users_id` BEFORE INSERT ON `users` WHEN new.`id` <> '' AND (length(new.`id`) <> 22 OR new.`id` GLOB '*[^A-Za-z0-9_-]*' OR new.`id` NOT GLOB '*[AQgw]') BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: users_id'); END;
--> statement-breakpoint
CREATE TRIGGER `users_version` BEFORE INSERT ON `users` WHEN typeof(new.`version`) <> 'integer' OR new.`version` NOT BETWEEN 1 AND 9007199254740991 BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: users_version'); END;
--> statement-breakpoint
CREATE TRIGGER `users_same_id` BEFORE UPDATE OF `id` ON `users` WHEN old.`id` <> '' AND new.`id` IS NOT old.`id` BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: users_same_id'); END;
--> statement-breakpoint
CREATE TRIGGER `users_later_version` BEFORE UPDATE OF `version` ON `users` WHEN typeof(new.`version`) <> 'integer' OR new.`version` NOT BETWEEN old.`version` AND 9007199254740991 BEGIN SELECT RAISE(ABORT, 'CHECK constraint failed: users_later_version'); END;
--> statement-breakpoint
-- A statement that raises the version itself decides about the logins itself, as where a hash is renewed. A placement
-- at the first login takes nothing away. A group or a server that no longer exists has got another name, and the users
-- only follow it.
CREATE TRIGGER `users_change` AFTER UPDATE OF `address`, `password_hash`, `enabled`, `imap`, `pop3`, `smtp`, `group`, `server`, `upstream_login` ON `users` WHEN new.`version` = old.`version` AND ((old.`address`, old.`password_hash`, old.`enabled`, old.`imap`, old.`pop3`, old.`smtp`, old.`upstream_login`) IS NOT (new.`address`, new.`password_hash`, new.`enabled`, new.`imap`, new.`pop3`, new.`smtp`, new.`upstream_login`) OR old.`group` IS NOT new.`group` AND EXISTS (SELECT 1 FROM `groups` WHERE `name` = old.`group`) OR old.`server` IS NOT new.`server` AND EXISTS (SELECT 1 FROM `servers` WHERE `name` = old.`server`)) BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` = new.`address`; INSERT INTO `revocations` (`id`, `version`, `address`, `upstream_login`, `master_user`) SELECT `id`, `version`, old.`address`, old.`upstream_login`, (SELECT `master_user` FROM `groups` WHERE `name` = old.`group`) FROM `users` WHERE `address` = new.`address` AND NOT ((old.`address`, old.`password_hash`, old.`group`, coalesce(old.`server`, new.`server`), old.`upstream_login`) IS (new.`address`, new.`password_hash`, new.`group`, new.`server`, new.`upstream_login`) AND old.`enabled` <= new.`enabled` AND old.`imap` <= new.`imap` AND old.`pop3` <= new.`pop3` AND old.`smtp` <= new.`smtp`); END;
--> statement-breakpoint
CREATE TRIGGER `users_delete` AFTER DELETE ON `users` BEGIN INSERT INTO `revocations` (`id`, `version`, `address`, `upstream_login`, `master_user`) SELECT old.`id`, old.`version` + 1, old.`address`, old.`upstream_login`, (SELECT `master_user` FROM `groups` WHERE `name` = old.`group`); END;
--> statement-breakpoint
CREATE TRIGGER `aliases_insert` AFTER INSERT ON `aliases` BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` = new.`user`; END;
--> statement-breakpoint
CREATE TRIGGER `aliases_change` AFTER UPDATE OF `address`, `user` ON `aliases` WHEN (old.`address`, old.`user`) IS NOT (new.`address`, new.`user`) BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` IN (old.`user`, new.`user`); INSERT INTO `revocations` (`id`, `version`, `address`, `upstream_login`, `master_user`) SELECT `id`, `version`, `address`, `upstream_login`, (SELECT `master_user` FROM `groups` WHERE `name` = `users`.`group`) FROM `users` WHERE `address` = old.`user`; END;
--> statement-breakpoint
CREATE TRIGGER `aliases_delete` AFTER DELETE ON `aliases` BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` = old.`user`; INSERT INTO `revocations` (`id`, `version`, `address`, `upstream_login`, `master_user`) SELECT `id`, `version`, `address`, `upstream_login`, (SELECT `master_user` FROM `groups` WHERE `name` = `users`.`group`) FROM `users` WHERE `address` = old.`user`; END;
--> statement-breakpoint
CREATE TRIGGER `app_passwords_insert` AFTER INSERT ON `app_passwords` BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` = new.`user`; END;
--> statement-breakpoint
-- A password that had expired already let no client in.
CREATE TRIGGER `app_passwords_change` AFTER UPDATE OF `user`, `digest`, `imap`, `pop3`, `smtp`, `expires` ON `app_passwords` WHEN (old.`user`, old.`digest`, old.`imap`, old.`pop3`, old.`smtp`, old.`expires`) IS NOT (new.`user`, new.`digest`, new.`imap`, new.`pop3`, new.`smtp`, new.`expires`) BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` IN (old.`user`, new.`user`); INSERT INTO `revocations` (`id`, `version`, `address`, `upstream_login`, `master_user`) SELECT `id`, `version`, `address`, `upstream_login`, (SELECT `master_user` FROM `groups` WHERE `name` = `users`.`group`) FROM `users` WHERE `address` = old.`user` AND (new.`user` <> old.`user` OR new.`digest` <> old.`digest` OR new.`imap` < old.`imap` OR new.`pop3` < old.`pop3` OR new.`smtp` < old.`smtp` OR new.`expires` <= unixepoch()) AND coalesce(old.`expires` > unixepoch(), true); END;
--> statement-breakpoint
CREATE TRIGGER `app_passwords_delete` AFTER DELETE ON `app_passwords` BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` = old.`user`; INSERT INTO `revocations` (`id`, `version`, `address`, `upstream_login`, `master_user`) SELECT `id`, `version`, `address`, `upstream_login`, (SELECT `master_user` FROM `groups` WHERE `name` = `users`.`group`) FROM `users` WHERE `address` = old.`user` AND coalesce(old.`expires` > unixepoch(), true); END;
--> statement-breakpoint
CREATE TRIGGER `certificates_insert` AFTER INSERT ON `certificates` BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` = new.`user`; END;
--> statement-breakpoint
CREATE TRIGGER `certificates_change` AFTER UPDATE OF `user`, `kind`, `value` ON `certificates` WHEN (old.`user`, old.`kind`, old.`value`) IS NOT (new.`user`, new.`kind`, new.`value`) BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` IN (old.`user`, new.`user`); INSERT INTO `revocations` (`id`, `version`, `address`, `upstream_login`, `master_user`) SELECT `id`, `version`, `address`, `upstream_login`, (SELECT `master_user` FROM `groups` WHERE `name` = `users`.`group`) FROM `users` WHERE `address` = old.`user`; END;
--> statement-breakpoint
CREATE TRIGGER `certificates_delete` AFTER DELETE ON `certificates` BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` = old.`user`; INSERT INTO `revocations` (`id`, `version`, `address`, `upstream_login`, `master_user`) SELECT `id`, `version`, `address`, `upstream_login`, (SELECT `master_user` FROM `groups` WHERE `name` = `users`.`group`) FROM `users` WHERE `address` = old.`user`; END;
--> statement-breakpoint
CREATE TRIGGER `secrets_insert` AFTER INSERT ON `secrets` BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` = new.`user`; END;
--> statement-breakpoint
-- The password `upstream` is for the mail server alone, and lets no client in.
CREATE TRIGGER `secrets_change` AFTER UPDATE OF `user`, `purpose`, `sealed` ON `secrets` WHEN (old.`user`, old.`purpose`, old.`sealed`) IS NOT (new.`user`, new.`purpose`, new.`sealed`) BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` IN (old.`user`, new.`user`); INSERT INTO `revocations` (`id`, `version`, `address`, `upstream_login`, `master_user`) SELECT `id`, `version`, `address`, `upstream_login`, (SELECT `master_user` FROM `groups` WHERE `name` = `users`.`group`) FROM `users` WHERE `address` = old.`user` AND old.`purpose` = 'own'; END;
--> statement-breakpoint
CREATE TRIGGER `secrets_delete` AFTER DELETE ON `secrets` BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` = old.`user`; INSERT INTO `revocations` (`id`, `version`, `address`, `upstream_login`, `master_user`) SELECT `id`, `version`, `address`, `upstream_login`, (SELECT `master_user` FROM `groups` WHERE `name` = `users`.`group`) FROM `users` WHERE `address` = old.`user` AND old.`purpose` = 'own'; END;

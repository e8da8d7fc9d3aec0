ALTER TABLE `certificates` ADD `issuer` text;
--> statement-breakpoint
DROP TRIGGER `certificates_change`;
--> statement-breakpoint
CREATE TRIGGER `certificates_change` AFTER UPDATE OF `user`, `kind`, `value`, `issuer` ON `certificates` WHEN (old.`user`, old.`kind`, old.`value`, old.`issuer`) IS NOT (new.`user`, new.`kind`, new.`value`, new.`issuer`) BEGIN UPDATE `users` SET `version` = `version` + 1 WHERE `address` IN (old.`user`, new.`user`); INSERT INTO `revocations` (`id`, `version`, `address`, `upstream_login`, `master_user`) SELECT `id`, `version`, `address`, `upstream_login`, (SELECT `master_user` FROM `groups` WHERE `name` = `users`.`group`) FROM `users` WHERE `address` = old.`user`; END;

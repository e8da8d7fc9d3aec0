ALTER TABLE `certificates` ADD `issuer` text;
--> statement-breakpoint
DROP TRIGGER `certificates_change`;
--> statement-breakpoint
CREATE TRIGGER `certificates_change` AFTER UPDATE OF `user`, `kind`, `value`, `issuer` ON `certificates`
WHEN (old.`user`, old.`kind`, old.`value`, old.`issuer`)
  IS NOT (new.`user`, new.`kind`, new.`value`, new.`issuer`)
BEGIN
  UPDATE `users` SET `version` = `version` + 1 WHERE `address` IN (old.`user`, new.`user`);
END;

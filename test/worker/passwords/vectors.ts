/** Hashes made by programs of Debian 12, each with its command. */

interface Vector {
  readonly made: string;
  /** The first of the scheme's names. */
  readonly scheme: string;
  readonly password: Uint8Array;
  readonly stored: string;
}

/** Bytes that are not UTF-8, and negative as C's signed char. */
const EIGHT_BIT = Uint8Array.from(Buffer.from("b\xfcilder\xff", "latin1"));

export const VECTORS: readonly Vector[] = [
  ...of(text("wonderland"), [
    [
      "doveadm pw -s ARGON2I",
      "ARGON2I",
      "{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$WBC1pffvrnSdRrnEa05btA$7GNrd7mHEqliWC8LQIWA9GoEWqJ3JjoFzwe74hklVb4",
    ],
    [
      "doveadm pw -s ARGON2ID",
      "ARGON2ID",
      "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$h22ZiQQRc9yWkJC2PItIfA$dU6JbTnzNaYEshsO47oY5IOYKbmhWFStTmsswK+gunA",
    ],
    [
      "doveadm pw -s BLF-CRYPT -r 4",
      "BLF-CRYPT",
      "{BLF-CRYPT}$2y$04$XsVn5c6bXEMmUaZbYPu1Qeqz0ObdfVnD6pWYhp10ThGmQV3tt6CcK",
    ],
    [
      "doveadm pw -s BLF-CRYPT.b64 -r 4",
      "BLF-CRYPT",
      "{BLF-CRYPT.B64}JDJ5JDA0JGgyQ0FkTy55bEJWcnpldElReXJxQ3VaWWg0OFZUSXVNS0hRVHlHdC5raEcyRnJTQzFWdkZ5",
    ],
    [
      "doveadm pw -s CRYPT -r 4",
      "BLF-CRYPT",
      "{CRYPT}$2y$04$JDy3TJclH5.WTxBjlbFLV.dpwpjMsdhRPrQoOhk/kXRyYy3W.mO.O",
    ],
    [
      "mkpasswd -m bcrypt -R 4",
      "BLF-CRYPT",
      "$2b$05$6Xc7mEMAP2EVPx/hD6c2SufJJmKYbqxxdq1lgK2PXOplpAhrUPLC2",
    ],
    [
      "mkpasswd -m bcrypt-a -R 4",
      "BLF-CRYPT",
      "$2a$05$RDXR6O7Qjc.2m0TTCLNpReDIZFG8W3qLUav1y13ybtKIsO/XPgAe2",
    ],
    [
      "htpasswd -nbB -C 4",
      "BLF-CRYPT",
      "$2y$04$aZaYbCxnGd3UMvT.e/b2ZeJH4WHe6ZiZvmZ5QdWdv/WRzfQI.fRCq",
    ],
    [
      "doveadm pw -s SHA512-CRYPT",
      "SHA512-CRYPT",
      "{SHA512-CRYPT}$6$UiQV8VtkxRYKxIRs$q.PBFDUz8JitNN7UTbizDLqsaS9c7JM.k3MG5xaTRqVYvWJyaIryCq3xY1tmPmvl7OU3QP.hj1LR3mtweUtfs.",
    ],
    [
      "doveadm pw -s SHA512-CRYPT.hex",
      "SHA512-CRYPT",
      "{SHA512-CRYPT.HEX}243624487332787074425575424f51594e57312434357732425a41756e6676337142675975392f616f59783430415052594b4d304c6b37694564384734395858556452435a6c677034364b35323733324f713556687a35525853365078724f345a753551454251714930",
    ],
    [
      "mkpasswd -m sha512crypt -R 1234",
      "SHA512-CRYPT",
      "$6$rounds=1234$ihwQrLwo3qaPMGbS$kYk49dgZU2VWVSeH3TIbmQdnvVv5D5mx2QKLHostzz03.brwOcZp7oCiNxWeWguJdi7CpXoeJUnqLBjSuDLhj/",
    ],
    [
      "openssl passwd -6 -salt salt",
      "SHA512-CRYPT",
      "$6$salt$aYIgyX7fqH6ghwzyVAOL2sIqJqBdlT3dY0FxMfoqr0L.komU5a6cj5ZoT6kcJ7ZeimiTDLJNlOOcsXrwSZjsv.",
    ],
    [
      "doveadm pw -s SHA256-CRYPT",
      "SHA256-CRYPT",
      "{SHA256-CRYPT}$5$XB4SQzA3cMD1a9f9$C/KrBMUuiA4rEG47XwmrOA0EQUdaUViLXvBbWTImVt8",
    ],
    [
      "mkpasswd -m sha256crypt -R 1234",
      "SHA256-CRYPT",
      "$5$rounds=1234$GQUrWTpcI7NaWUap$ZXV1CkwE7qzYNBtg462owWsmLmniLvV0HgBeDqc1UoC",
    ],
    [
      "openssl passwd -5 -salt salt",
      "SHA256-CRYPT",
      "$5$salt$rpu0.zf5IR8qm.j6MJdoZ6S9B4cyfiV98m3BbKW24I4",
    ],
    [
      "doveadm pw -s PBKDF2",
      "PBKDF2",
      "{PBKDF2}$1$YCJ27XKwYZ5/d4P0$5000$54dc6afb6a65b11eee5841c316fefd621c89beac",
    ],
    [
      "doveadm pw -s PBKDF2.b64",
      "PBKDF2",
      "{PBKDF2.B64}JDEkNXhlTEkxYTdoNFZZbWMzTiQ1MDAwJGVlOTFlM2Y1MzFkOGY1MTViNjRkYmZhNzZkYjc2MzFjZTA3OGJmMGU=",
    ],
    [
      "doveadm pw -s SCRAM-SHA-256",
      "SCRAM-SHA-256",
      "{SCRAM-SHA-256}4096,sh3C4IyfXMLPjZXFHZgjaQ==,i+55MUExkYHQ2qtL7fkot5sizadjJ3Pm+F2bYPUA0uA=,AsG6I45OVtDEYTJVocMetTmbSA6yH1ktyu+QASK1i7Y=",
    ],
    [
      "doveadm pw -s SCRAM-SHA-1",
      "SCRAM-SHA-1",
      "{SCRAM-SHA-1}4096,9HlU8/65ca7HqL3LNGgj5A==,CR33YgpYF5xMAlztEY6OV8+Gpvc=,LrFsoo5omww7o+mFHkoFacGYpuo=",
    ],
    [
      "doveadm pw -s SCRAM-SHA-1.hex",
      "SCRAM-SHA-1",
      "{SCRAM-SHA-1.HEX}343039362c69786e37397a3670722f6235526a6d333357697255773d3d2c44354d4432766c41335a6f4e36554e6e64636b44665436754a49633d2c55462f68696c643339512b32713463512f484d7542304c6b566a593d",
    ],
    [
      "doveadm pw -s SSHA512",
      "SSHA512",
      "{SSHA512}BHO+ps8YfUbAwdFfIe+MXLj4/VRDKqJ011/kqfmmj4ALVcdhgOLVAZwyBTotTkyGda5ZXQ56vcx83gAFzkWgmxnID/U=",
    ],
    [
      "doveadm pw -s SSHA512.b64",
      "SSHA512",
      "{SSHA512.B64}g06UZ8wHvcP3vrq3Ka+frDLXYj+hrB0uEEdUuJ926oMib3u1dnhwFv451cW6RCMoJgGEJJkMvZTW7yQ9q1nN1vUrt7A=",
    ],
    [
      "doveadm pw -s SSHA512.hex",
      "SSHA512",
      "{SSHA512.HEX}5c5e4e124f2e49c572e5ec2cc0a1f43194e1a035e2c29c39f76c52faee1717a0f81371b90ff1fad876a2d7bf39df64842735a99a027bd28577a5fff9a796933aa0fca74b",
    ],
    [
      "doveadm pw -s SSHA256",
      "SSHA256",
      "{SSHA256}OE3rtc1fnn0G4lWdwqk+Sm55CtuLHIrQSNtJYzOw9aRf2TUG",
    ],
    [
      "doveadm pw -s SSHA256.b64",
      "SSHA256",
      "{SSHA256.B64}KNlr7DPx88QzxWaLtPc4cDJNlZO80n8WpMfYMycfERb0Zv4k",
    ],
    [
      "doveadm pw -s SSHA256.hex",
      "SSHA256",
      "{SSHA256.HEX}bd82c78a3d9e40f8c403f940bc5d5378a536f45bc879e566725acc386681d6348be9c0c4",
    ],
    ["doveadm pw -s SSHA", "SSHA", "{SSHA}xgctO6imsZWzk5yr6nOFlMAQ6cUl0cBE"],
    ["doveadm pw -s SSHA.b64", "SSHA", "{SSHA.B64}SZhZRa6BlZ1roXoP+S8wnL2risZCyAlb"],
    [
      "doveadm pw -s SSHA.hex",
      "SSHA",
      "{SSHA.HEX}95f06ef019df3960ec2e7e82b477d7f7277cc4d1a3ee32d8",
    ],
    ["doveadm pw -s SMD5", "SMD5", "{SMD5}oHNmD+zuegDpdfzE5JYozQ+76y0="],
    ["doveadm pw -s SMD5.b64", "SMD5", "{SMD5.B64}eki7nGJ9briOr4B2+YZlnxHoAqc="],
    ["doveadm pw -s SMD5.hex", "SMD5", "{SMD5.HEX}7e4dcd96164a2e0b3e04502f46772b5840a41c52"],
    [
      "doveadm pw -s SHA512",
      "SHA512",
      "{SHA512}ku0fDfoQrWtagdEFYHEbjQ9c9VgiIcfBTHy9WUlYxzC0akkZeapved5X1TI3/zY9iEZNFBBxylKvMcYzgvbHpg==",
    ],
    [
      "doveadm pw -s SHA512.b64",
      "SHA512",
      "{SHA512.B64}ku0fDfoQrWtagdEFYHEbjQ9c9VgiIcfBTHy9WUlYxzC0akkZeapved5X1TI3/zY9iEZNFBBxylKvMcYzgvbHpg==",
    ],
    [
      "doveadm pw -s SHA512.hex",
      "SHA512",
      "{SHA512.HEX}92ed1f0dfa10ad6b5a81d10560711b8d0f5cf5582221c7c14c7cbd594958c730b46a491979aa6f79de57d53237ff363d88464d141071ca52af31c63382f6c7a6",
    ],
    ["doveadm pw -s SHA256", "SHA256", "{SHA256}pxp8cBH1OhurNkLsLOElk/BSMKzo3h4+dkX2nvrBRD0="],
    [
      "doveadm pw -s SHA256.b64",
      "SHA256",
      "{SHA256.B64}pxp8cBH1OhurNkLsLOElk/BSMKzo3h4+dkX2nvrBRD0=",
    ],
    [
      "doveadm pw -s SHA256.hex",
      "SHA256",
      "{SHA256.HEX}a71a7c7011f53a1bab3642ec2ce12593f05230ace8de1e3e7645f69efac1443d",
    ],
    ["doveadm pw -s SHA", "SHA", "{SHA}tiY7sUhYKUwI5L3866kDY+ENcrQ="],
    ["doveadm pw -s SHA.b64", "SHA", "{SHA.B64}tiY7sUhYKUwI5L3866kDY+ENcrQ="],
    ["doveadm pw -s SHA.hex", "SHA", "{SHA.HEX}b6263bb14858294c08e4bdfceba90363e10d72b4"],
    ["doveadm pw -s SHA1", "SHA", "{SHA1}tiY7sUhYKUwI5L3866kDY+ENcrQ="],
    ["doveadm pw -s SHA1.b64", "SHA", "{SHA1.B64}tiY7sUhYKUwI5L3866kDY+ENcrQ="],
    ["doveadm pw -s SHA1.hex", "SHA", "{SHA1.HEX}b6263bb14858294c08e4bdfceba90363e10d72b4"],
    ["doveadm pw -s PLAIN-MD5", "PLAIN-MD5", "{PLAIN-MD5}4cecaff2b30bbe75ce7322109164cfb5"],
    ["doveadm pw -s PLAIN-MD5.b64", "PLAIN-MD5", "{PLAIN-MD5.B64}TOyv8rMLvnXOcyIQkWTPtQ=="],
    ["doveadm pw -s PLAIN-MD5.hex", "PLAIN-MD5", "{PLAIN-MD5.HEX}4cecaff2b30bbe75ce7322109164cfb5"],
    ["doveadm pw -s LDAP-MD5", "PLAIN-MD5", "{LDAP-MD5}TOyv8rMLvnXOcyIQkWTPtQ=="],
    ["doveadm pw -s LDAP-MD5.b64", "PLAIN-MD5", "{LDAP-MD5.B64}TOyv8rMLvnXOcyIQkWTPtQ=="],
    ["doveadm pw -s LDAP-MD5.hex", "PLAIN-MD5", "{LDAP-MD5.HEX}4cecaff2b30bbe75ce7322109164cfb5"],
    ["htpasswd -nbs", "SHA", "{SHA}tiY7sUhYKUwI5L3866kDY+ENcrQ="],
    ["doveadm pw -s MD5", "MD5-CRYPT", "{MD5}$1$F.EvRVOa$l99pqji1mPzhqhIvTuyKH1"],
    ["doveadm pw -s MD5-CRYPT", "MD5-CRYPT", "{MD5-CRYPT}$1$UbkPbXjZ$u1JawRXjPsGOhRKj83KFd0"],
    ["mkpasswd -m md5crypt", "MD5-CRYPT", "$1$FX4pogh3$MjhM6GBuUxI2tAgAefHTV."],
    ["htpasswd -nbm", "MD5-CRYPT", "$apr1$XZQC7oDw$/qh/yp0JUpnXpZv6hG6/z1"],
    ["openssl passwd -1 -salt salt", "MD5-CRYPT", "$1$salt$BYeAXXTZJdTcWU5Q6lxhK0"],
    ["openssl passwd -apr1 -salt salt", "MD5-CRYPT", "$apr1$salt$9uPt162m7hukKrFwAAV7p."],
    ["doveadm pw -s DES-CRYPT", "DES-CRYPT", "{DES-CRYPT}I71KDD31qBbt."],
    ["mkpasswd -m descrypt", "DES-CRYPT", "31bxFlNzR22e6"],
    ["htpasswd -nbd", "DES-CRYPT", "uDC1HktY.1Whk"],
    ["doveadm pw -s PLAIN", "PLAIN", "{PLAIN}wonderland"],
    ["doveadm pw -s PLAIN.b64", "PLAIN", "{PLAIN.B64}d29uZGVybGFuZA=="],
    ["doveadm pw -s CLEARTEXT", "PLAIN", "{CLEARTEXT}wonderland"],
    ["doveadm pw -s CLEAR.hex", "PLAIN", "{CLEAR.HEX}776f6e6465726c616e64"],
  ]),
  ...of(EIGHT_BIT, [
    [
      "mkpasswd -m bcrypt -R 4",
      "BLF-CRYPT",
      "$2b$05$cP/pN9s2X/DbEo/n67i3yOQ4.DnOenF7uqhx9Z.Mxp0jy4c7xWVqy",
    ],
    [
      "mkpasswd -m bcrypt-a -R 4",
      "BLF-CRYPT",
      "$2a$05$2EUDTDOeVk.Wzmcvil4v7.zaKt2obMu0psjarmOUTKUYQXzJVx2Wm",
    ],
    [
      "mkpasswd -m sha512crypt",
      "SHA512-CRYPT",
      "$6$fnfcaTqEh.c2VZRL$k5atWus7Xb44SFgHo6bcnh3zUhp5Jfqw0U23SXtX0tF4SUQNu/RPrf/jfOxGhTwkvEmBUjtUNnqEDBIkCRYG7/",
    ],
    [
      "mkpasswd -m sha256crypt",
      "SHA256-CRYPT",
      "$5$KtoY4VLhn.9uWYpC$d7SSqLmtIQJpbBzaATUuIlGQIMEX9FAHm016iIvwgN7",
    ],
    ["mkpasswd -m md5crypt", "MD5-CRYPT", "$1$mua/F1/q$PBkMewj3JOnuC0OAjiLk/1"],
    ["mkpasswd -m descrypt", "DES-CRYPT", "fyZFMNhNJxFHE"],
    [
      "doveadm pw -s ARGON2ID",
      "ARGON2ID",
      "{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$V7fnBe+kxcGEVbzyVZM+Lg$jnIfuGnCBs8XNEvDtYJkSNDaS7edAEXJknJ4g+OHi0E",
    ],
    [
      "doveadm pw -s PBKDF2",
      "PBKDF2",
      "{PBKDF2}$1$VKyGKGxld.2M8NNG$5000$89fdd96fc75b7b82470d13b11cb3d4a3d36b6986",
    ],
    [
      "doveadm pw -s SCRAM-SHA-256",
      "SCRAM-SHA-256",
      "{SCRAM-SHA-256}4096,OkBm90PF0js7sUbSgZI0Cg==,8/BtQ4FP5+dTYc2HTpW0ja9BPtGbYKiZ+cbJyxAXYNg=,92zncgjR0S1nuxGGJwLc2TudJ4B+6EcmR14YsEI02+8=",
    ],
    [
      "doveadm pw -s SCRAM-SHA-1",
      "SCRAM-SHA-1",
      "{SCRAM-SHA-1}4096,CjzOHYdKvpRMe33Gk85HVA==,zr2cPDosGt+SsztXj7VuzxHENSo=,vngakB0ZHuusOLJIzugDPXRdmWw=",
    ],
    [
      "doveadm pw -s SSHA512",
      "SSHA512",
      "{SSHA512}ozUiiZOk9Hhc8AXlJPyOfmgXCeaskXub7IRf5ARfSoHnJYrtOFD43XsPq1B5mYNLZMvr1JY/iRbYiHuIzAd2NyD3e9M=",
    ],
    ["doveadm pw -s SSHA", "SSHA", "{SSHA}2R2LCqyayubM7YSLlfJc8kJAnf2nBReg"],
    ["doveadm pw -s SHA256", "SHA256", "{SHA256}8RKUnFsT5KuN0oULc9tvwx7CWPuhpIk5UpWZHf7zHwM="],
    ["doveadm pw -s SMD5", "SMD5", "{SMD5}p9edwZEKmlvPa51lOHP51I8ziak="],
    ["doveadm pw -s PLAIN-MD5", "PLAIN-MD5", "{PLAIN-MD5}e614bada1144fa2fa34ee0f7016fed39"],
    ["doveadm pw -s PLAIN.b64", "PLAIN", "{PLAIN.B64}YvxpbGRlcv8="],
    [
      "perl -e 'print crypt($password, \"\\$2x\\$04\\$…\")'",
      "BLF-CRYPT",
      "$2x$04$abcdefghijklmnopqrstuO1xOZoHya6228hakypLjTpzWefoeci8S",
    ],
  ]),
  ...of(text(""), [
    [
      "mkpasswd -m bcrypt -R 4",
      "BLF-CRYPT",
      "$2b$05$JWbKp0SnG89Le9W9m/T0n.PdJkYE7RSqsHB5c4CIZmWUMMGtM5tSK",
    ],
    [
      "mkpasswd -m sha512crypt",
      "SHA512-CRYPT",
      "$6$BqYyyTnV/wts9ASw$junmNUUdVUAR3cTwvKPzuojBVAQQsc3K5W3wpK6Kf9134amgGySpYR6uwQDREF.o4ckJrVV8EgjHYE/vQ/1tQ.",
    ],
    [
      "mkpasswd -m sha256crypt",
      "SHA256-CRYPT",
      "$5$6Pe3KOw63Mzywb9j$RyOKCBXXSi9/ps77OvrvuB8C1408S7BnOKqKFcPMzI.",
    ],
    ["mkpasswd -m md5crypt", "MD5-CRYPT", "$1$fpzM8YwF$40NxiDSNKBo4qJElIgnFP1"],
    ["mkpasswd -m descrypt", "DES-CRYPT", "yO22ckRKNTUd6"],
  ]),
  ...of(text("x".repeat(32)), [
    [
      "mkpasswd -m sha512crypt",
      "SHA512-CRYPT",
      "$6$gEpMGVDSzgc1S9ID$IES9ILEu6xXMoVdyb.iR9zPIXfdxNrFgBrbdI5p3DBijcIXhcO5p.TRsxdwRqK.JhOcldIQ6Gqg.9tBarAGg.0",
    ],
    [
      "mkpasswd -m sha256crypt",
      "SHA256-CRYPT",
      "$5$Dmvm5B0ncylzTAcs$4IyIvBNrEntKf6hcEwhh/3W89zaY.bIvaZyJOoz9uwC",
    ],
    ["mkpasswd -m md5crypt", "MD5-CRYPT", "$1$emJDIGhA$Qi3a0SPgGbGmG0jR4eUoY1"],
  ]),
  ...of(text("x".repeat(64)), [
    [
      "mkpasswd -m sha512crypt",
      "SHA512-CRYPT",
      "$6$fFC8YvaCbj.aCT9W$mJ1GYusaueUBJNHb8mvzInFntQGlvcQiH0ydkrun5sWnpV9vVuUZU7Gf6zXi1eIYA0Sk17R6qKMTD/WgoQni70",
    ],
    [
      "mkpasswd -m sha256crypt",
      "SHA256-CRYPT",
      "$5$hwcRJQXOEiabAhzL$0Kp.tltH09OOjlWIdxI75oA/dAljdTRiTALbV3F4Ys4",
    ],
    ["mkpasswd -m md5crypt", "MD5-CRYPT", "$1$gLq.ZDpz$li9uOyWVHCFGiBsRy5MBs/"],
  ]),
  ...of(text("x".repeat(71)), [
    [
      "mkpasswd -m bcrypt -R 4",
      "BLF-CRYPT",
      "$2b$05$WEuDgZsocK1/shJ4CvZPXePeD3DJdrCHuvz6r3Ac5wIkuHLoQ8jfu",
    ],
  ]),
  ...of(text("x".repeat(72)), [
    [
      "mkpasswd -m bcrypt -R 4",
      "BLF-CRYPT",
      "$2b$05$r3R/Z8CzYi9mXJPnh5tXdOn/REJXq5LTRTUyPj2O.x3yYidP2OXXO",
    ],
  ]),
  ...of(text("x".repeat(73)), [
    [
      "mkpasswd -m bcrypt -R 4",
      "BLF-CRYPT",
      "$2b$05$mrXrL96C99VmARN1yfHNauCaSVhd5JzAJx7yK7JgkB.hXmz6onlA2",
    ],
  ]),
  ...of(text("x".repeat(511)), [
    [
      "mkpasswd -m sha512crypt",
      "SHA512-CRYPT",
      "$6$ml/sMd97Ct4shKTh$TL0jNwxj9FlbV2kJqV9Qor2uq6FO/Zl5VqeZEYQKGvblPj7YEZDKO4m5v.mUFd7sDrm30a45AmPkzNHXgbCgG.",
    ],
    [
      "mkpasswd -m sha256crypt",
      "SHA256-CRYPT",
      "$5$8Besz1KNtx78Dmeo$3lwhJCxX7MeNkSPGtftpA5ULbxdzAZ3.Me0q6TUJc3B",
    ],
  ]),
];

function of(password: Uint8Array, rows: readonly (readonly [string, string, string])[]): Vector[] {
  return rows.map(([made, scheme, stored]) => ({ made, scheme, password, stored }));
}

function text(password: string): Uint8Array {
  return new TextEncoder().encode(password);
}

/**
 * Keeps compiled code between starts, so that a start compiles nothing and strips no types. Where no directory
 * is safe to use, every start compiles.
 */
"use strict";
const { existsSync, mkdirSync, realpathSync, statSync } = require("node:fs");
const { enableCompileCache } = require("node:module");
const { dirname, join } = require("node:path");

/** S_IWGRP | S_IWOTH, and S_ISVTX */
const WRITABLE_BY_OTHERS = 0o022;
const STICKY = 0o1000;

/** Does nothing where NODE_COMPILE_CACHE or NODE_DISABLE_COMPILE_CACHE has told Node what to do. */
exports.enable = function enable() {
  const wanted = directory();
  if (wanted === null || process.env.NODE_COMPILE_CACHE) return;
  try {
    make(dirname(wanted));
    make(wanted);
    const path = realpathSync(wanted);
    if (!isPrivate(path)) return;
    enableCompileCache(path);
    // The daemon and the workers, which see little of our environment, are started with it.
    process.env.NODE_COMPILE_CACHE = path;
  } catch {
    // A user without a home, or a file system that cannot be written.
  }
};

/** mkdir's `recursive` never returns where a parent exists and takes no directories, as in /proc. */
function make(path) {
  if (!existsSync(path)) mkdirSync(path, { mode: 0o700 });
}

/** That of systemd's CacheDirectory=, or the user's own by the XDG base directory specification. */
function directory() {
  const { CACHE_DIRECTORY, XDG_CACHE_HOME, HOME } = process.env;
  if (CACHE_DIRECTORY) return CACHE_DIRECTORY;
  if (XDG_CACHE_HOME) return join(XDG_CACHE_HOME, "postern");
  return HOME ? join(HOME, ".cache/postern") : null;
}

/**
 * Node runs what the cache holds, so it must be ours: the directory belongs to this process's user, and nobody
 * but that user and root can write to it or replace a directory above it, as sshd's StrictModes wants it of
 * keys. Workers load their code before they give up root (`user`), and cannot write to root's cache after.
 */
function isPrivate(path) {
  const self = process.geteuid();
  if (statSync(path).uid !== self) return false;
  for (let at = path; ; at = dirname(at)) {
    const { uid, mode } = statSync(at);
    if (uid !== self && uid !== 0) return false;
    if ((mode & WRITABLE_BY_OTHERS) !== 0 && (at === path || (mode & STICKY) === 0)) return false;
    if (at === dirname(at)) return true;
  }
}

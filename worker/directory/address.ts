/**
 * Brings a login name into the form in which the directory keeps addresses: lower case throughout,
 * since nobody gives two people addresses that differ by case alone.
 *
 * @param defaultDomain for a bare user name; empty to leave it bare
 */
export function normalAddress(login: string, defaultDomain: string): string {
  const qualified =
    login.includes("@") || defaultDomain === "" ? login : `${login}@${defaultDomain}`;
  return qualified.toLowerCase();
}

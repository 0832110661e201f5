import { homedir, userInfo } from 'node:os';

export interface CurrentUser {
  readonly isRoot: boolean;
  readonly name: string;
  readonly home: string;
}

/** What is asked of the system; `user` and `home` throw for a uid that has no passwd entry, as containers have. */
export interface UserFacts {
  readonly uid: number | undefined;
  readonly user: () => { readonly username: string };
  readonly home: () => string;
}

const systemFacts = (): UserFacts => ({ uid: process.getuid?.(), user: userInfo, home: homedir });

/** Who runs this. Without a name the user is HADOOP_USER_NAME, else `uid-<n>`; without a home it is `/`, as in containers. */
export function currentUser(
  environment: Readonly<Record<string, string | undefined>>,
  facts: UserFacts = systemFacts(),
): CurrentUser {
  const given = environment['HADOOP_USER_NAME'];
  const fallback = given === undefined || given === '' ? `uid-${facts.uid ?? 'unknown'}` : given;
  return {
    isRoot: facts.uid === 0,
    name: orElse(() => facts.user().username, fallback),
    home: orElse(facts.home, '/'),
  };
}

function orElse(ask: () => string, fallback: string): string {
  try {
    return ask();
  } catch {
    return fallback;
  }
}

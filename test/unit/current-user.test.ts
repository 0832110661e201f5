import { userInfo } from 'node:os';
import { expect, it } from 'vitest';
import { currentUser } from '../../src/current-user.js';

const missing = (): never => {
  throw new Error('uv_os_get_passwd returned ENOENT (no such file or directory)');
};
const nameless = { uid: 1234, user: missing, home: missing };

it('has a name and a home even where the uid has no passwd entry', () => {
  expect(currentUser({}, nameless)).toEqual({ isRoot: false, name: 'uid-1234', home: '/' });
  expect(currentUser({ HADOOP_USER_NAME: 'me' }, nameless).name).toBe('me');
  expect(currentUser({}, { ...nameless, uid: 0 }).isRoot).toBe(true);
});

it('is the one that the system knows', () => {
  expect(currentUser({ HADOOP_USER_NAME: 'other' }).name).toBe(userInfo().username);
});

// Package testdb gives every test a PostgreSQL database of its own, cloned in a few milliseconds from a template that
// was migrated once. The database goes when the test passes and stays, with its address printed, when it fails.
//
// The server is TEST_DATABASE_URL's where that is set, by a role that may create databases and roles. Otherwise it is
// one that all test processes of this user share: a helper process, started by whichever test comes first, runs it and
// stops it when no test was seen for a while. A missing PostgreSQL fails the test; it never skips it.
//
// Only tests import this package.
package testdb

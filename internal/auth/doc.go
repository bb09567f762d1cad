// Package auth owns passwords, sessions, sign-in and the permission table. It knows no route and no page.
package auth

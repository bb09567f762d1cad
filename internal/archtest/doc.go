// Package archtest holds the rules of the house as a test: which package may import which, where third-party libraries
// may be used, and which shortcuts are not taken. It has no code of its own and nothing imports it.
package archtest

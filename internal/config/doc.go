// Package config turns the environment into a [Config], once, at the start of the program.
//
// One table of variables drives everything: what Load reads, what the config subcommand prints, and the table in the
// README. A wrong value is refused with the variable's name and what it takes; the value of a secret is never repeated,
// neither in an error nor by Print nor by formatting a Config.
//
// It opens no connection and makes no file, but for the local encryption key that EnsureKey keeps.
package config

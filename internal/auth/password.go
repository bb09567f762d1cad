package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"

	"berkas/internal/fault"
)

// argon2id at the second choice of RFC 9106 and OWASP's floor: 19 MiB, two passes, one lane.
const (
	argonMemory  = 19 << 10 // KiB
	argonTime    = 2
	argonThreads = 1
	argonKey     = 32
	argonSalt    = 16

	// MinPassword is how many characters a password that people choose has at least.
	MinPassword = 10

	maxPassword = 256 // bytes hashed at most
)

// hashing bounds how many passwords are hashed at once, and so the memory and the processors that takes.
var hashing = semaphore.NewWeighted(int64(max(2, runtime.GOMAXPROCS(0))))

// HashPassword is a password's hash in PHC notation.
func HashPassword(ctx context.Context, password string) (string, error) {
	salt := make([]byte, argonSalt)
	rand.Read(salt)
	key, err := derive(ctx, password, salt)
	if err != nil {
		return "", err
	}
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonThreads, b64.EncodeToString(salt), b64.EncodeToString(key)), nil
}

// CheckPassword reports whether a password is the one a hash was made of. A hash that is none takes as long and is false,
// so that an unknown address cannot be told from a wrong password by the time it takes.
func CheckPassword(ctx context.Context, hash, password string) (bool, error) {
	salt, want := parse(hash)
	known := want != nil
	if !known {
		salt, want = make([]byte, argonSalt), make([]byte, argonKey)
	}
	got, err := derive(ctx, password, salt)
	return err == nil && subtle.ConstantTimeCompare(got, want) == 1 && known, err
}

// CheckNewPassword refuses a password nobody should choose.
func CheckNewPassword(password string) error {
	switch {
	case utf8.RuneCountInString(password) < MinPassword:
		return fault.New(fault.Invalid, "too_short", "min", MinPassword)
	case len(password) > maxPassword:
		return fault.New(fault.Invalid, "too_long", "max", maxPassword)
	}
	return nil
}

func derive(ctx context.Context, password string, salt []byte) ([]byte, error) {
	if err := hashing.Acquire(ctx, 1); err != nil {
		return nil, fault.Wrap(err, fault.Unavailable, "busy", "seconds", 5)
	}
	defer hashing.Release(1)
	if len(password) > maxPassword {
		password = password[:maxPassword]
	}
	return argon2.IDKey([]byte(password), salt, argonTime, argonMemory, argonThreads, argonKey), nil
}

func parse(hash string) (salt, key []byte) {
	parts := strings.Split(hash, "$")
	if len(parts) != 6 || parts[1] != "argon2id" || parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", argonMemory, argonTime, argonThreads) {
		return nil, nil
	}
	salt, err1 := base64.RawStdEncoding.DecodeString(parts[4])
	key, err2 := base64.RawStdEncoding.DecodeString(parts[5])
	if err1 != nil || err2 != nil || len(key) != argonKey {
		return nil, nil
	}
	return salt, key
}

package auth

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"

	"github.com/backstay/backstay/shared/fault"
)

// MaxPassword bounds a password in bytes: hashing a longer one would only be work for an attacker to give us.
const MaxPassword = 1024

const (
	hashMemoryKiB = 7 << 10
	hashTime      = 5
	hashThreads   = 1
	saltLength    = 16
	hashLength    = 32

	// hashSlots is how many passwords are hashed at a time, hashQueue how many more may wait. A full queue means RateLimited.
	hashSlots = 1
	hashQueue = 64
)

// Bounds of stored parameters, so that a damaged row cannot ask for all memory.
const (
	maxMemoryKiB = 64 << 10
	maxTime      = 16
	maxThreads   = 4
)

var (
	slots = make(chan struct{}, hashSlots)
	queue = make(chan struct{}, hashSlots+hashQueue)
)

var errEncoding = errors.New("not an argon2id hash")

type parameters struct {
	memory  uint32
	time    uint32
	threads uint8
	salt    []byte
	hash    []byte
}

// HashPassword gives the form of pw that may be stored: "$argon2id$v=19$m=…,t=…,p=…$salt$hash".
func HashPassword(ctx context.Context, pw string) (string, error) {
	if pw == "" {
		return "", fault.New(fault.InvalidInput, "The password is empty. Give one of at least 10 characters.")
	}
	if len(pw) > MaxPassword {
		return "", fault.New(fault.InvalidInput, "The password is longer than %d bytes. Give a shorter one.", MaxPassword)
	}
	p := parameters{memory: hashMemoryKiB, time: hashTime, threads: hashThreads, salt: make([]byte, saltLength)}
	rand.Read(p.salt) // never fails: crypto/rand
	hash, err := derive(ctx, p, pw, hashLength)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, p.memory, p.time, p.threads,
		enc.EncodeToString(p.salt), enc.EncodeToString(hash)), nil
}

// VerifyPassword tells whether encoded (of HashPassword) belongs to pw. An empty encoded stands for a user that does not
// exist: it takes the same time and is never right.
func VerifyPassword(ctx context.Context, encoded, pw string) (bool, error) {
	known := encoded != ""
	p := parameters{memory: hashMemoryKiB, time: hashTime, threads: hashThreads, salt: make([]byte, saltLength), hash: make([]byte, hashLength)}
	if known {
		var err error
		if p, err = parse(encoded); err != nil {
			return false, fmt.Errorf("verify password: %w", err)
		}
	}
	if len(pw) > MaxPassword {
		pw, known = pw[:MaxPassword], false
	}
	got, err := derive(ctx, p, pw, uint32(len(p.hash)))
	if err != nil {
		return false, fmt.Errorf("verify password: %w", err)
	}
	return subtle.ConstantTimeCompare(got, p.hash) == 1 && known, nil
}

// derive waits for a slot and computes.
func derive(ctx context.Context, p parameters, pw string, length uint32) ([]byte, error) {
	select {
	case queue <- struct{}{}:
		defer func() { <-queue }()
	default:
		return nil, fault.New(fault.RateLimited, "Too many people sign in at once. Try again in a few seconds.")
	}
	select {
	case slots <- struct{}{}:
		defer func() { <-slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return argon2.IDKey([]byte(pw), p.salt, p.time, p.memory, p.threads, length), nil
}

func parse(encoded string) (parameters, error) {
	var p parameters
	parts := strings.Split(encoded, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" {
		return p, errEncoding
	}
	if parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, fmt.Errorf("%w: unknown version", errEncoding)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &p.memory, &p.time, &p.threads); err != nil {
		return p, fmt.Errorf("%w: parameters", errEncoding)
	}
	if p.time < 1 || p.time > maxTime || p.threads < 1 || p.threads > maxThreads || p.memory < 8*uint32(p.threads) || p.memory > maxMemoryKiB {
		return p, fmt.Errorf("%w: parameters out of range", errEncoding)
	}
	var err error
	if p.salt, err = base64.RawStdEncoding.DecodeString(parts[4]); err != nil || len(p.salt) < 8 || len(p.salt) > 64 {
		return p, fmt.Errorf("%w: salt", errEncoding)
	}
	if p.hash, err = base64.RawStdEncoding.DecodeString(parts[5]); err != nil || len(p.hash) < 16 || len(p.hash) > 64 {
		return p, fmt.Errorf("%w: hash", errEncoding)
	}
	return p, nil
}

package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
)

// Prefixes of the tokens, so that a person or a secret scanner sees what lies about.
const (
	PrefixSession   = "bss_" // a signed-in person
	PrefixAPI       = "bst_" // a script
	PrefixEnrolment = "bse_" // single use, for one host
)

const tokenBytes = 32

// NewToken makes a token of 256 random bits and what may be stored of it. value is shown once and kept nowhere.
func NewToken(prefix string) (value, hash string) {
	raw := make([]byte, tokenBytes)
	rand.Read(raw) // never fails: crypto/rand
	value = prefix + base64.RawURLEncoding.EncodeToString(raw)
	return value, HashToken(value)
}

// HashToken is the hexadecimal SHA-256 of a token's value: the form that is stored and looked up.
func HashToken(value string) string {
	sum := sha256.Sum256([]byte(value))
	return hex.EncodeToString(sum[:])
}

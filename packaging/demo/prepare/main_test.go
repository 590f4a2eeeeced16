package main

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func read(t *testing.T, dir, name string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil || len(b) == 0 {
		t.Fatalf("%s: %d bytes, err %v", name, len(b), err)
	}
	return string(b)
}

func TestPrepareOnceAndKeep(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "run")
	if err := prepare(dir); err != nil {
		t.Fatal(err)
	}
	if _, err := tls.LoadX509KeyPair(filepath.Join(dir, "rest/cert.pem"), filepath.Join(dir, "rest/key.pem")); err != nil {
		t.Error(err)
	}
	hash := strings.TrimPrefix(strings.TrimSpace(read(t, dir, "rest/htpasswd")), restUser+":")
	if err := bcrypt.CompareHashAndPassword([]byte(hash), []byte(strings.TrimSpace(read(t, dir, "rest/password")))); err != nil {
		t.Error(err)
	}
	before := map[string]string{}
	for _, name := range []string{"ports", "rest/cert.pem", "rest/key.pem", "rest/htpasswd", "rest/password", "repository-password", "admin-password"} {
		before[name] = read(t, dir, name)
	}
	if before["repository-password"] == before["admin-password"] || !strings.Contains(before["ports"], "DAEMON_PORT=") {
		t.Error("passwords or ports")
	}
	if err := prepare(dir); err != nil {
		t.Fatal(err)
	}
	for name, text := range before {
		if read(t, dir, name) != text {
			t.Errorf("%s was made anew", name)
		}
	}
	if err := os.Remove(filepath.Join(dir, "rest/cert.pem")); err != nil {
		t.Fatal(err)
	}
	if err := prepare(dir); err != nil || read(t, dir, "rest/cert.pem") == before["rest/cert.pem"] {
		t.Errorf("a missing certificate was not made, err %v", err)
	}
}

package keyring

import (
	gokeyring "github.com/zalando/go-keyring"
)

// system is the operating system's keyring.
type system struct{}

var _ backend = system{}

func (system) Set(service, user, value string) error {
	if err := reachable(); err != nil {
		return err
	}
	return gokeyring.Set(service, user, value)
}

func (system) Get(service, user string) (string, error) {
	if err := reachable(); err != nil {
		return "", err
	}
	return gokeyring.Get(service, user)
}

func (system) Delete(service, user string) error {
	if err := reachable(); err != nil {
		return err
	}
	return gokeyring.Delete(service, user)
}
